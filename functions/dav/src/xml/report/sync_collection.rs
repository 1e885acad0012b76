use penfold_formats::xml::{DAV, Element};

use super::{limit, prop};
use crate::xml::Refused;
use crate::xml::body::trimmed;
use crate::xml::wanted::Wanted;

/// What has changed since a token (RFC 6578 §3.2, §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncCollection {
    /// `None` asks for all there is (§3.4).
    pub token: Option<String>,
    pub level: SyncLevel,
    pub limit: Option<usize>,
    pub wanted: Wanted,
}

/// RFC 6578 §6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncLevel {
    One,
    Infinite,
}

impl SyncCollection {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let token =
            root.child(DAV, "sync-token").map(trimmed).ok_or_else(|| Refused::malformed("sync-collection has to hold sync-token"))?;
        let level = match root.child(DAV, "sync-level").map(trimmed).as_deref() {
            // Clients from before the standard leave it out.
            None | Some("1") => SyncLevel::One,
            Some("infinite" | "infinity") => SyncLevel::Infinite,
            Some(_) => return Err(Refused::malformed("sync-level has to be 1 or infinite")),
        };
        Ok(Self { token: Some(token).filter(|token| !token.is_empty()), level, limit: limit(root, DAV)?, wanted: prop(root)? })
    }
}
