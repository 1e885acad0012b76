mod reference;

pub use reference::resolve;

use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// Octets of a file.
pub const SIZE: usize = 10 << 20;
/// Redirects that are followed.
pub const REDIRECTS: usize = 5;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// `https` or `http`, without user and password.
    pub url: String,
    /// What came with it the last time.
    pub known: Option<Validators>,
}

/// By what a server knows which version somebody has (RFC 9110 §8.8), as it came, and the URL that gave it: it says nothing about
/// another one, and is nobody else's to know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Validators {
    /// As the adapter writes it, after all redirects.
    pub of: String,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fetched {
    /// It is as it was when the validators came. Nobody is told so who sent none.
    Same,
    New(Found),
    /// Any other answer: its status, and for how long nobody is to ask again, where it says so.
    Not {
        status: u16,
        after: Option<Duration>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    pub bytes: Bytes,
    /// `None`: the server gave none.
    pub validators: Option<Validators>,
    /// Without parameters, in small letters.
    pub media: String,
}

/// Each is a sentence for whoever gave the URL: it tells nothing of the networks here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WebError {
    #[error("the URL cannot be used: it begins with https:// or http://, names a host, and holds no user name or password")]
    Url,
    #[error("the host cannot be reached from here")]
    Forbidden,
    #[error("the host has no address")]
    NoName,
    #[error("the host does not answer")]
    Unreachable,
    #[error("the host does not prove who it is")]
    Untrusted,
    #[error("the host does not answer in time")]
    Slow,
    #[error("the file is too large")]
    Large,
    #[error("the answer breaks off")]
    Torn,
    #[error("the answer is not one of HTTP, or is written in a way that was not asked for")]
    Answer,
    #[error("the URL leads on too often, or to where it may not")]
    Redirect,
    /// Ask again in some seconds: others are being served.
    #[error("too much is being fetched now")]
    Busy,
}

/// Files of the web, from hosts that nobody here has chosen. One GET, bounded in time and octets ([`SIZE`]), which follows a few
/// redirects ([`REDIRECTS`], never out of TLS) and tells the host nothing of whoever asks. It reaches public addresses only, but for
/// networks that the operator allows; what may be reached is judged anew for each connection, by the address that the connection
/// then goes to. Validators go to the URL that gave them and to no other, wherever redirects lead.
#[async_trait]
pub trait Web: Send + Sync {
    async fn get(&self, page: &Page) -> Result<Fetched, WebError>;
}

/// Where nothing is fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWeb;

#[async_trait]
impl Web for NoWeb {
    async fn get(&self, _: &Page) -> Result<Fetched, WebError> {
        Err(WebError::Unreachable)
    }
}
