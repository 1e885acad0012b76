//! `penfold export`: a mailbox as files that other programs read, or a whole tenant as an archive for another store. A run that was cut off is gone on with: what is there
//! already is not written again.

mod maildir;
mod mbox;
mod tenant;

pub use tenant::said;

use super::operator;
use crate::control::{Context, Reply};
use clap::{Args, Subcommand};
use penfold_mailbox::{Content, Folder, Keywords, Mailbox};
use penfold_types::{Address, Error, ItemId, Result, Uid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// Messages whose rows are read together.
const CHUNK: usize = 50;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Export {
    /// As a Maildir with its folders (Maildir++)
    Maildir(Target),
    /// As one mbox file a folder (mboxrd)
    Mbox(Target),
    /// A whole tenant as one archive, to be imported into another store
    #[command(long_flag = "tenant")]
    Tenant(tenant::Whole),
}

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Target {
    /// Whose mailbox
    address: Address,
    /// Directory to write into; made where it is absent
    dir: PathBuf,
    /// This folder only
    #[arg(long)]
    folder: Option<String>,
}

/// A message as its folder lists it.
#[derive(Clone)]
pub struct Listed {
    pub uid: Uid,
    pub item: ItemId,
    pub keywords: Keywords,
    pub size: u32,
    pub received: i64,
}

#[derive(Default)]
pub struct Counts {
    exported: u64,
    known: u64,
    broken: u64,
    total: u64,
}

/// What both kinds of export share.
pub struct Job<'a> {
    pub mailbox: Mailbox,
    pub reply: &'a Reply,
    pub counts: Counts,
}

impl Export {
    /// The file of an archive.
    pub fn archive(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Tenant(whole) => Some(&mut whole.file),
            _ => None,
        }
    }

    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        let target = match self {
            Self::Maildir(target) | Self::Mbox(target) => target,
            Self::Tenant(whole) => return whole.prepare(),
        };
        target.dir = std::path::absolute(&target.dir).map_err(|error| format!("cannot use {}: {error}", target.dir.display()))?;
        Ok(())
    }

    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let (target, write_mbox) = match self {
            Self::Maildir(target) => (target, false),
            Self::Mbox(target) => (target, true),
            Self::Tenant(whole) => return whole.carry_out(context, reply).await,
        };
        let scope = operator(context).open_mailbox(&target.address, &format!("export to {}", target.dir.display())).await?;
        let mailbox = context.service.mailboxes.named("export").open(&scope).await?;
        let mut folders: Vec<(String, Folder)> =
            mailbox.folders().await?.iter().map(|(path, folder)| (path.to_owned(), folder.clone())).collect();
        if let Some(wanted) = &target.folder {
            folders.retain(|(path, _)| path == wanted || (wanted.eq_ignore_ascii_case("inbox") && path == "INBOX"));
            if folders.is_empty() {
                return Err(Error::not_found(format!("there is no folder {wanted}")));
            }
        }
        std::fs::create_dir_all(&target.dir).map_err(|error| Error::invalid(format!("cannot make {}: {error}", target.dir.display())))?;
        let total = folders.iter().map(|(_, folder)| u64::from(folder.total)).sum();
        let mut job = Job { mailbox, reply, counts: Counts { total, ..Counts::default() } };
        for (path, folder) in &folders {
            if write_mbox {
                mbox::folder(&mut job, &target.dir, path, folder).await?;
            } else {
                maildir::folder(&mut job, &target.dir, path, folder).await?;
            }
        }
        let Counts { exported, known, broken, .. } = job.counts;
        reply
            .say(
                format!("{exported} exported, {known} known already, {broken} broken"),
                json!({ "exported": exported, "known": known, "broken": broken }),
            )
            .await
    }
}

impl Job<'_> {
    pub async fn listed(&self, folder: &Folder) -> Result<Vec<Listed>> {
        let index = self.mailbox.index(folder.id).await?;
        let list = |m: penfold_mailbox::Message<'_>| Listed {
            uid: m.uid,
            item: m.item,
            keywords: m.keywords.clone(),
            size: m.size,
            received: m.received,
        };
        Ok(index.iter().map(list).collect())
    }

    /// The whole bytes of messages, in pieces; a message that cannot be read is reported and left out.
    pub async fn read(&mut self, path: &str, chunk: &[Listed]) -> Result<Vec<Option<Vec<u8>>>> {
        let items: Vec<_> = chunk.iter().map(|one| one.item).collect();
        let contents = self.mailbox.contents(&items).await?;
        let mut out = Vec::with_capacity(chunk.len());
        for (one, content) in chunk.iter().zip(contents) {
            let bytes = match content {
                Some(content) => self.bytes(&content).await,
                None => Err(Error::not_found("it is gone")),
            };
            match bytes {
                Ok(bytes) => out.push(Some(bytes)),
                Err(error) if error.kind() == penfold_types::Kind::Retry => return Err(error),
                Err(error) => {
                    self.counts.broken += 1;
                    self.reply.note(format!("{path} uid {}: {}", one.uid, error.text())).await?;
                    out.push(None);
                }
            }
        }
        Ok(out)
    }

    async fn bytes(&self, content: &Content) -> Result<Vec<u8>> {
        Ok(self.mailbox.bytes(content, 0..content.size()).await?.to_vec())
    }

    pub async fn progress(&self, path: &str) -> Result<()> {
        let done = self.counts.exported + self.counts.known + self.counts.broken;
        self.reply.progress(done, Some(self.counts.total), path).await
    }

    pub fn done(&mut self) {
        self.counts.exported += 1;
    }

    pub fn known(&mut self, messages: usize) {
        self.counts.known += messages as u64;
    }
}

pub fn written<T>(path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| Error::invalid(format!("cannot write {}: {error}", path.display())))
}
