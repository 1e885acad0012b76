//! DomainKeys Identified Mail (RFC 6376, 8301, 8463): what a domain vouches for.

mod body;
mod key;
mod private;
mod sign;
mod signature;
mod verify;

pub(crate) use body::Hashes;
pub(crate) use key::{Trouble, key};
pub use private::{KeyError, PrivateKey};
pub use sign::{SignError, Signer, sign};
use signature::is_selector;
pub(crate) use signature::{Signature, seal, signer, without_b};
pub(crate) use verify::{signed_header, verify};

/// What a signature is made with. The hash is SHA-256 in both; rsa-sha1 is history (RFC 8301 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    RsaSha256,
    Ed25519Sha256,
}

impl Algorithm {
    /// As in the tag `a`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// As in the tag `k` of a key record.
    pub fn key_type(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa",
            Self::Ed25519Sha256 => "ed25519",
        }
    }
}

/// RFC 8601 §2.7.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DkimResult {
    Pass,
    /// The message is not what was signed.
    Fail,
    /// It verifies, and is not good enough for us.
    Policy,
    /// It cannot be read.
    Neutral,
    TempError,
    PermError,
}

impl DkimResult {
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// What was found for one signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dkim {
    /// `d=`, as A-labels in lower case; empty where the signature cannot be read.
    pub domain: String,
    /// `s=`
    pub selector: String,
    /// `a=`; `None` where we do not know it.
    pub algorithm: Option<Algorithm>,
    /// Of the key; 0 where it was not seen.
    pub bits: u32,
    /// The first characters of `b=`, by which signatures are told apart (RFC 6008).
    pub mark: String,
    pub result: DkimResult,
    /// Why it did not pass.
    pub reason: Option<&'static str>,
}
