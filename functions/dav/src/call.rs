//! A request, and what its header fields say.

use crate::limits;
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::Refused;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;

/// A request whose sender is known.
pub struct Call {
    pub session: Session,
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    /// `None`: it is longer than any that is taken here.
    pub body: Option<Bytes>,
}

/// RFC 4918 §10.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    Zero,
    One,
    Infinity,
}

impl Call {
    /// What was asked; a body may still have to be read.
    pub async fn resource(&self) -> Result<Resource, Wrong> {
        self.session.resource(&self.path).await
    }

    /// What is to be made: where even that in which it would lie is not there, that is a conflict (RFC 4918 §9.3.1, §9.7.1).
    pub async fn resource_to_be(&self) -> Result<Resource, Wrong> {
        self.resource().await.map_err(|wrong| if wrong.status() == StatusCode::NOT_FOUND { Wrong::CONFLICT } else { wrong })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `None` where it is not said.
    pub fn depth(&self) -> Result<Option<Depth>, Wrong> {
        match self.header("depth").map(str::trim) {
            None => Ok(None),
            Some("0") => Ok(Some(Depth::Zero)),
            Some("1") => Ok(Some(Depth::One)),
            Some(text) if text.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
            Some(_) => Err(Wrong::BAD),
        }
    }

    /// RFC 4918 §10.6.
    pub fn overwrite(&self) -> Result<bool, Wrong> {
        match self.header("overwrite").map(str::trim) {
            None | Some("T" | "t") => Ok(true),
            Some("F" | "f") => Ok(false),
            Some(_) => Err(Wrong::BAD),
        }
    }

    /// `Prefer: return=minimal` (RFC 8144), or what clients said before it was written.
    pub fn wants_little(&self) -> bool {
        let minimal = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("return=minimal"));
        self.headers.get_all("prefer").iter().any(minimal) || self.header("brief").is_some_and(|text| text.trim().eq_ignore_ascii_case("t"))
    }

    /// The whole body, up to a limit.
    pub fn bytes(&self, limit: usize) -> Result<Bytes, Wrong> {
        self.body.clone().filter(|body| body.len() <= limit).ok_or_else(|| Refused::TooLarge("octets").into())
    }

    /// The body of a method that takes XML.
    pub fn xml(&self) -> Result<Bytes, Wrong> {
        self.bytes(limits::XML)
    }
}
