//! The keys of rows. A key of a tenant's data can be built from a [`TenantScope`] or a [`Scope`] only, and those are made
//! by the directory alone, for somebody who signed in or for a job's own header (a test reads the sources for that).

mod account;
mod scope;
pub mod shared;
mod tenant;

pub use scope::{Account, Ground, Scope, TenantScope};

use penfold_types::TenantId;
use std::fmt;
use std::sync::Arc;

/// A partition key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pk(Arc<str>);

impl Pk {
    fn new(text: String) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For adapters and the checker, which read keys back from storage.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether it is a cell's own: what a queue keeps beside its jobs, which edges live, how far its meter came, where it is reached, what
    /// it shows there, and what it is to report to other domains.
    pub fn is_of_cell(&self) -> bool {
        ["q#", "due#", "rs#"].iter().any(|kind| self.0.starts_with(kind))
            || matches!(&*self.0, "edges" | "meter" | "service" | "certificates" | "sign-ups")
    }

    /// The tenant that this partition belongs to, `None` for the global ones.
    pub fn tenant(&self) -> Option<TenantId> {
        let (kind, rest) = self.0.split_once('#')?;
        if !matches!(kind, "t" | "p" | "g" | "au" | "a" | "x" | "u" | "o" | "rp" | "on" | "tf" | "sb") {
            return None;
        }
        rest.split('#').next()?.parse().ok()
    }
}

impl fmt::Debug for Pk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sort key: bytes that sort, at most 1,024.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sk(Vec<u8>);

impl Sk {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn from_stored(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub fn text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    fn parts(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }

    /// The first key after every key that begins with this one.
    #[must_use]
    pub fn after_prefix(&self) -> Self {
        let mut bytes = self.0.clone();
        while let Some(last) = bytes.pop() {
            if last < 0xff {
                bytes.push(last + 1);
                break;
            }
        }
        Self(bytes)
    }

    /// The first key after this one.
    #[must_use]
    pub fn successor(&self) -> Self {
        Self::parts(&[&self.0, &[0]])
    }
}

impl fmt::Debug for Sk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Names one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    pk: Pk,
    sk: Sk,
}

impl Key {
    pub fn pk(&self) -> &Pk {
        &self.pk
    }

    pub fn sk(&self) -> &Sk {
        &self.sk
    }

    /// For adapters and the checker, which read keys back from storage.
    pub fn from_stored(pk: Pk, sk: Sk) -> Self {
        Self { pk, sk }
    }
}
