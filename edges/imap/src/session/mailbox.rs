//! What a mailbox name means: a folder of the person's own account, or of one that is shared with them, whole or some of its
//! folders, under `Other Users/ADDRESS/` (RFC 2342, the namespace of other users).

use super::{Session, Stop};
use crate::grammar::name;
use penfold_directory::SharedMailbox;
use penfold_mailbox::{Folder, Folders, Mailbox};
use penfold_ports::{Rights, Scope};
use penfold_types::{FolderId, Kind, PrincipalId};
use std::sync::Arc;

pub const OTHER_USERS: &str = "Other Users";

/// An account and a path in it.
pub struct Place {
    pub mailbox: Mailbox,
    /// Whose it is, where it is not one's own.
    pub owner: Option<PrincipalId>,
    pub path: String,
}

impl Place {
    /// The account's folders with the one at the path; `Err` where there is none.
    pub async fn folder(&self) -> Result<(Arc<Folders>, Folder), Stop> {
        let folders = self.mailbox.folders().await?;
        let folder = folders.find(&self.path).cloned().ok_or(NO_SUCH)?;
        Ok((folders, folder))
    }

    /// The same where what is in it may be read.
    pub async fn readable(&self) -> Result<(Arc<Folders>, Folder), Stop> {
        let (folders, folder) = self.folder().await?;
        if self.mailbox.rights(&folder).has(Rights::READ) { Ok((folders, folder)) } else { Err(NO_RIGHT) }
    }

    /// Not all of the account is open, but folders of it.
    pub fn is_in_part(&self) -> bool {
        !self.mailbox.scope().grounds().is_empty()
    }
}

const NO_SUCH: Stop = Stop::no("[NONEXISTENT] no such mailbox");
const NO_RIGHT: Stop = Stop::no("[NOPERM] no right to this mailbox");

impl Session {
    /// Reads a name as the client wrote it.
    pub fn name(&self, bytes: &[u8]) -> Result<String, Stop> {
        name::decode(bytes, self.enabled.utf8()).ok_or(Stop::no("[CANNOT] not a mailbox name"))
    }

    /// Finds the account that a name belongs to. A right to somebody else's is read anew each time.
    pub async fn place(&self, bytes: &[u8]) -> Result<Place, Stop> {
        let name = self.name(bytes)?;
        let name = name.strip_suffix('/').unwrap_or(&name);
        let user = self.user()?;
        let Some(rest) = name.strip_prefix(OTHER_USERS).filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return Ok(Place { mailbox: user.mailbox.clone(), owner: None, path: name.to_owned() });
        };
        let (whose, path) = rest.trim_start_matches('/').split_once('/').ok_or(NO_SUCH)?;
        let (owner, scope) = self.named(whose).await?.ok_or(NO_SUCH)?;
        Ok(Place { mailbox: self.server.mailboxes.open(&scope).await?, owner: Some(owner), path: path.to_owned() })
    }

    /// Whose mailbox is called so, where it may be opened.
    async fn named(&self, whose: &str) -> Result<Option<(PrincipalId, Scope)>, Stop> {
        let (directory, who) = (&self.server.directory, &self.user()?.who);
        if let Ok(address) = whose.parse() {
            match directory.find_others(who, &address).await {
                Err(error) if error.kind() == Kind::NotFound => {}
                found => return Ok(Some(found?)),
            }
        }
        // What stands for a separator does not tell the address: only whoever has such a one is looked for among all.
        if !whose.contains('_') {
            return Ok(None);
        }
        let mut all = directory.others(who).await?.into_iter();
        let found = all.find(|(one, _)| one.address.to_string().contains('/') && shared_name(one).eq_ignore_ascii_case(whose));
        Ok(found.map(|(one, scope)| (one.principal, scope)))
    }

    /// Opens somebody else's mailbox; a right that was lost is an error from that moment on.
    pub async fn open_others(&self, owner: PrincipalId) -> Result<Mailbox, Stop> {
        let user = self.user()?;
        match self.server.directory.open_others(&user.who, owner).await {
            Ok(scope) => Ok(self.server.mailboxes.open(&scope).await?),
            Err(error) if error.kind() == Kind::NotFound => Err(NO_RIGHT),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that somebody is in folders of another's mailbox. False where that cannot be written now, as while very much else is noted:
    /// the visit goes on, and a later command notes it.
    pub async fn note_visit(&self, owner: PrincipalId) -> Result<bool, Stop> {
        match self.server.directory.note_visit(&self.user()?.who, owner).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::Retry => {
                tracing::warn!(%owner, %error, "a visit will be noted later");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The same, where a folder of it may still be read.
    pub async fn open_others_folder(&self, owner: PrincipalId, folder: FolderId) -> Result<Mailbox, Stop> {
        let mailbox = self.open_others(owner).await?;
        if mailbox.scope().grounds().is_empty() {
            return Ok(mailbox);
        }
        match mailbox.folder(folder).await {
            Ok(folder) if mailbox.rights(&folder).has(Rights::READ) => Ok(mailbox),
            Ok(_) => Err(NO_RIGHT),
            Err(error) if error.kind() == Kind::NotFound => Err(NO_RIGHT),
            Err(error) => Err(error.into()),
        }
    }
}

/// How a shared mailbox is called in the tree, in which an address must not hold the separator.
pub fn shared_name(shared: &SharedMailbox) -> String {
    shared.address.to_string().replace('/', "_")
}
