//! What a mailbox name means: a folder of the person's own account, or of a mailbox that is shared with them, under
//! `Other Users/ADDRESS/` (RFC 2342, the namespace of other users).

use super::{Session, Stop};
use crate::grammar::name;
use penfold_directory::SharedMailbox;
use penfold_mailbox::{Folder, Folders, Mailbox};
use penfold_types::{Kind, PrincipalId};
use std::sync::Arc;

pub const OTHER_USERS: &str = "Other Users";

/// An account and a path in it.
pub struct Place {
    pub mailbox: Mailbox,
    /// The shared mailbox's principal.
    pub owner: Option<PrincipalId>,
    pub path: String,
}

impl Place {
    /// The account's folders with the one at the path; `Err` where there is none.
    pub async fn folder(&self) -> Result<(Arc<Folders>, Folder), Stop> {
        let folders = self.mailbox.folders().await?;
        let folder = folders.find(&self.path).cloned().ok_or(Stop::no("[NONEXISTENT] no such mailbox"))?;
        Ok((folders, folder))
    }
}

impl Session {
    /// Reads a name as the client wrote it.
    pub fn name(&self, bytes: &[u8]) -> Result<String, Stop> {
        name::decode(bytes, self.enabled.utf8()).ok_or(Stop::no("[CANNOT] not a mailbox name"))
    }

    /// Finds the account that a name belongs to. A right to a shared mailbox is read anew each time.
    pub async fn place(&self, bytes: &[u8]) -> Result<Place, Stop> {
        let name = self.name(bytes)?;
        let name = name.strip_suffix('/').unwrap_or(&name);
        let user = self.user()?;
        let Some(rest) = name.strip_prefix(OTHER_USERS).filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return Ok(Place { mailbox: user.mailbox.clone(), owner: None, path: name.to_owned() });
        };
        let (address, path) = rest.trim_start_matches('/').split_once('/').ok_or(Stop::no("[NONEXISTENT] no such mailbox"))?;
        let shared = self.server.directory.shared_mailboxes(&user.who).await?;
        let shared = shared
            .into_iter()
            .find(|shared| shared_name(shared).eq_ignore_ascii_case(address))
            .ok_or(Stop::no("[NONEXISTENT] no such mailbox"))?;
        Ok(Place { mailbox: self.open_shared(shared.principal).await?, owner: Some(shared.principal), path: path.to_owned() })
    }

    /// Opens a shared mailbox; a right that was lost is an error from that moment on.
    pub async fn open_shared(&self, owner: PrincipalId) -> Result<Mailbox, Stop> {
        let user = self.user()?;
        match self.server.directory.open_shared(&user.who, owner).await {
            Ok(scope) => Ok(self.server.mailboxes.open(&scope).await?),
            Err(error) if error.kind() == Kind::NotFound => Err(Stop::no("[NOPERM] no right to this mailbox")),
            Err(error) => Err(error.into()),
        }
    }
}

/// How a shared mailbox is called in the tree; an address never holds the separator but in a quoted local part.
pub fn shared_name(shared: &SharedMailbox) -> String {
    shared.address.to_string().replace('/', "_")
}
