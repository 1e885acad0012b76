//! Events, tasks, notes and cards out of a file, and into one. An object that is put twice is the same both times: its name and its
//! UID are made from the file.
//!
//! | file | what |
//! |---|---|
//! | content.rs | a file, looked through |
//! | take_in.rs | its objects into a folder |
//! | write.rs | a folder as a file |

mod content;
mod take_in;
mod write;

pub(crate) use take_in::TakeIn;
pub(crate) use write::{Text, Write};

use crate::Transfer;
use aws_lc_rs::digest;
use bytes::Bytes;
use penfold_mailbox::{Folder, Kind, Mailbox, Object};
use penfold_ports::{Account, Rights};
use penfold_transfers::{Transfer as One, Visit, Wrong};
use penfold_types::{Error, FolderId, Kind as Why, PrincipalId, Result};

/// How often an object that is replaced while it is read is read again.
const TRIES: usize = 20;

/// Objects that are looked at together.
const TOGETHER: usize = 50;

/// A folder, and who has to do with it.
pub(crate) struct Place {
    mailbox: Mailbox,
    folder: Folder,
    /// It is of whoever ordered this.
    own: bool,
}

impl Place {
    /// At each turn anew, so that whoever may not any more does no more.
    async fn open(on: &Transfer, one: &One, (owner, folder): (PrincipalId, FolderId), visit: Option<&Visit>) -> Result<Self> {
        let account = Account { tenant: one.tenant, principal: owner };
        let scope = match visit {
            None => on.directory.job_scope(account),
            Some(visit) => on.directory.visiting_scope(Account { principal: visit.by, ..account }, owner).await?,
        };
        let mailbox = on.mailboxes.open(&scope).await?;
        let folder = mailbox.folder(folder).await?;
        Ok(Self { mailbox, folder, own: visit.is_none() })
    }

    /// Of a mailbox that is taken out whole.
    pub fn of(mailbox: &Mailbox, folder: Folder) -> Self {
        Self { mailbox: mailbox.clone(), folder, own: true }
    }

    /// What comes behind a name, some at a time, and whether there is more.
    pub async fn list(&self, after: Option<&str>) -> Result<(Vec<Object>, bool)> {
        self.mailbox.objects(self.folder.id, after, TOGETHER).await
    }

    fn need(&self, rights: Rights) -> Result<()> {
        let may = self.mailbox.rights(&self.folder).has(rights);
        if may { Ok(()) } else { Err(Error::denied("whoever ordered it may not do this in the folder any more")) }
    }

    /// Whether nothing in it is hidden: from its owner, and from the members of a shared mailbox.
    fn is_whole(&self) -> bool {
        self.mailbox.scope().grounds().is_empty()
    }

    /// Those of whose alarms there are several, each viewer's own.
    fn has_alarms(&self) -> bool {
        !self.own && matches!(self.folder.kind, Kind::Events | Kind::Tasks)
    }

    /// What these objects are now, but for those that are gone. What is replaced again and again is tried again, from this step on.
    async fn read(&self, mut page: Vec<Object>) -> Result<Vec<Bytes>> {
        let mut found = Vec::with_capacity(page.len());
        for _ in 0..TRIES {
            let mut missing = Vec::new();
            for (object, bytes) in page.iter().zip(self.bytes(&page).await?) {
                match bytes {
                    Some(bytes) => found.push(bytes),
                    None => missing.extend(self.mailbox.object(self.folder.id, &object.name).await?),
                }
            }
            if missing.is_empty() {
                return Ok(found);
            }
            page = missing;
        }
        Err(Error::retry("the folder changes too fast; try again"))
    }

    /// The same, one by one where not all of them can be read: those that cannot be are told.
    pub async fn each(&self, page: Vec<Object>) -> Result<Vec<std::result::Result<Bytes, String>>> {
        match self.read(page.clone()).await {
            Ok(all) => return Ok(all.into_iter().map(Ok).collect()),
            Err(error) if error.kind() != Why::Broken => return Err(error),
            Err(_) => {}
        }
        let mut found = Vec::with_capacity(page.len());
        for object in page {
            let name = object.name.clone();
            match self.read(vec![object]).await {
                Ok(one) => found.extend(one.into_iter().map(Ok)),
                Err(error) if error.kind() != Why::Broken => return Err(error),
                Err(error) => found.push(Err(format!("{name}: {}", error.text()))),
            }
        }
        Ok(found)
    }

    /// Versions as whoever ordered this sees them; `None` where one is gone. Only where nothing is hidden.
    async fn bytes(&self, objects: &[Object]) -> Result<Vec<Option<Bytes>>> {
        let items: Vec<_> = objects.iter().map(|object| object.item).collect();
        let all = self.mailbox.object_bytes(self.folder.id, &items).await?;
        if !self.has_alarms() {
            return Ok(all);
        }
        let named: Vec<_> = objects.iter().map(|object| (object.name.as_str(), object.id)).collect();
        let notes = self.mailbox.own_notes(self.folder.id, &named).await?;
        let seen = |bytes, note: Option<Bytes>| penfold_calendar::as_seen(self.folder.kind, bytes, note.as_deref());
        Ok(all.into_iter().zip(notes).map(|(bytes, note)| bytes.map(|bytes| seen(bytes, note))).collect())
    }
}

fn wrong(line: u32, detail: &str) -> Wrong {
    Wrong { line: u64::from(line), column: None, detail: detail.to_owned() }
}

/// Of what has none: the same at each try.
fn uid_of(one: &One, line: u32) -> String {
    let text = [&one.tenant.as_bytes()[..], one.id.as_bytes(), &line.to_be_bytes()].concat();
    hex(&digest::digest(&digest::SHA256, &text).as_ref()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn print(text: &[u8]) -> String {
    hex(&digest::digest(&digest::SHA256, text).as_ref()[..8])
}
