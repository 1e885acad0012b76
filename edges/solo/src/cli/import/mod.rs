//! `penfold import`: mail from a Maildir, an mbox or single files. A thread of its own reads the source; here messages are
//! appended in batches, and what was appended is noted in a file in the data directory, so that a second run goes on where
//! the first one ended and takes nothing twice. What is broken is reported and left out; the rest goes on.

mod eml;
mod maildir;
mod mbox;
mod message;
mod state;
mod tenant;
mod utf7;

pub use message::unix_lines;
pub use utf7::encode as encode_utf7;

use super::operator;
use crate::control::{Context, Reply};
use bytes::Bytes;
use clap::{Args, Subcommand};
use penfold_mailbox::{APPEND_LIMIT, Folder, Keywords, Mailbox, NewMessage};
use penfold_types::{Address, Error, FolderId, Kind, Result, Uid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use state::{Batch, Seen, State, key};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The largest message that is taken: what the server itself takes at most.
const MESSAGE: u64 = 150 << 20;
/// Bytes of messages in one commit, beyond the first.
const BATCH: usize = 8 << 20;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Import {
    /// From a Maildir, with its folders (Maildir++ or directories)
    Maildir(Source),
    /// From an mbox file, or a directory of them
    Mbox(Source),
    /// From a file with one message, or a directory of .eml files
    Eml(Source),
    /// A whole tenant from an archive
    #[command(long_flag = "tenant")]
    Tenant(tenant::Whole),
    /// Take out what the import of an archive has left that was cut off
    #[command(long_flag = "tenant-remove")]
    TenantRemove(tenant::Whole),
}

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Source {
    path: PathBuf,
    /// Whose mailbox
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    /// Folder to put it in, with the source's folders below it [default: INBOX, the source's folders beside it]
    #[arg(long)]
    folder: Option<String>,
    /// Mark everything as read
    #[arg(long)]
    seen: bool,
    /// Also take what an earlier run has taken
    #[arg(long)]
    again: bool,
}

/// A message read from a source.
pub struct Loaded {
    pub key: state::Key,
    /// Folder path inside the source; empty for its root.
    pub folder: String,
    /// Where it was, for reports.
    pub place: String,
    pub bytes: Bytes,
    /// As IMAP writes them.
    pub keywords: Vec<String>,
    pub received: Option<(i64, i16)>,
    /// What it adds to the progress.
    pub weight: u64,
}

/// What a reading thread has to say.
pub enum Read {
    Total(u64),
    Message(Box<Loaded>),
    /// Taken by an earlier run, or deleted in the source.
    Skipped {
        weight: u64,
    },
    Broken {
        place: String,
        why: String,
        weight: u64,
    },
}

/// Where a reading thread puts what it finds; `false` where nobody wants more.
pub struct Sink {
    sender: mpsc::Sender<Read>,
    seen: Arc<Seen>,
}

impl Sink {
    pub fn put(&self, read: Read) -> bool {
        self.sender.blocking_send(read).is_ok()
    }

    pub fn knows(&self, key: &state::Key) -> bool {
        self.seen.has(key)
    }
}

#[derive(Default)]
struct Counts {
    imported: u64,
    known: u64,
    broken: u64,
    weight: u64,
    total: Option<u64>,
}

impl Import {
    /// The file of an archive.
    pub fn archive(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Tenant(whole) => Some(&mut whole.file),
            _ => None,
        }
    }

    /// The server may run in another directory.
    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        let source = match self {
            Self::Maildir(source) | Self::Mbox(source) | Self::Eml(source) => source,
            Self::Tenant(whole) | Self::TenantRemove(whole) => return whole.prepare(),
        };
        source.path = source.path.canonicalize().map_err(|error| format!("cannot read {}: {error}", source.path.display()))?;
        Ok(())
    }

    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::Maildir(source) => source.carry_out(Format::Maildir, context, reply).await,
            Self::Mbox(source) => source.carry_out(Format::Mbox, context, reply).await,
            Self::Eml(source) => source.carry_out(Format::Eml, context, reply).await,
            Self::Tenant(whole) => whole.carry_out(context, reply, false).await,
            Self::TenantRemove(whole) => whole.carry_out(context, reply, true).await,
        }
    }
}

/// What mail is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Maildir,
    Mbox,
    Eml,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Maildir => "maildir",
            Self::Mbox => "mbox",
            Self::Eml => "eml",
        }
    }
}

impl Source {
    async fn carry_out(self, format: Format, context: &Context, reply: &Reply) -> Result<()> {
        let source = self;
        source.check(format)?;
        let scope = operator(context).open_mailbox(&source.to, &format!("import from {}", source.path.display())).await?;
        let mailbox = context.service.mailboxes.named("import").open(&scope).await?;
        let name = format!("{:?} {} {} {:?}", scope.account(), format.name(), source.path.display(), source.folder);
        let mut state = State::open(&context.data, &name, source.again)?;
        if let Some(batch) = state.doubtful()
            && was_appended(&mailbox, &batch).await?
        {
            state.taken(&batch.keys);
        }
        let (sender, mut found) = mpsc::channel(8);
        let sink = Sink { sender, seen: state.seen() };
        let path = source.path.clone();
        let reading = tokio::task::spawn_blocking(move || match format {
            Format::Maildir => maildir::read(&path, &sink),
            Format::Mbox => mbox::read(&path, &sink),
            Format::Eml => eml::read(&path, &sink),
        });
        let mut writer =
            Writer { mailbox, source: &source, folders: HashMap::new(), batch: Vec::new(), bytes: 0, counts: Counts::default(), reply };
        while let Some(read) = found.recv().await {
            writer.take(read, &mut state).await?;
        }
        writer.flush(&mut state).await?;
        state.finish()?;
        reading.await.map_err(|error| Error::broken("the source could not be read to its end").because(error))??;
        let counts = writer.counts;
        let text = format!("{} imported, {} known already, {} broken", counts.imported, counts.known, counts.broken);
        reply.say(text, json!({ "imported": counts.imported, "known": counts.known, "broken": counts.broken })).await
    }

    fn check(&self, format: Format) -> Result<()> {
        let path = &self.path;
        let facts = std::fs::metadata(path).map_err(|error| Error::invalid(format!("cannot read {}: {error}", path.display())))?;
        if format == Format::Maildir && !facts.is_dir() {
            return Err(Error::invalid(format!("{} is a file, not a Maildir; is it an mbox or an eml?", path.display())));
        }
        Ok(())
    }
}

/// Appends what was read.
struct Writer<'a> {
    mailbox: Mailbox,
    source: &'a Source,
    folders: HashMap<String, std::result::Result<FolderId, String>>,
    batch: Vec<Loaded>,
    bytes: usize,
    counts: Counts,
    reply: &'a Reply,
}

impl Writer<'_> {
    async fn take(&mut self, read: Read, state: &mut State) -> Result<()> {
        match read {
            Read::Total(total) => self.counts.total = Some(total),
            Read::Skipped { weight } => {
                self.counts.known += 1;
                self.counts.weight += weight;
            }
            Read::Broken { place, why, weight } => {
                self.counts.weight += weight;
                self.broken(&place, &why).await?;
            }
            Read::Message(loaded) => {
                let other = self.batch.first().is_some_and(|first| first.folder != loaded.folder);
                let full = self.batch.len() >= APPEND_LIMIT || (!self.batch.is_empty() && self.bytes + loaded.bytes.len() > BATCH);
                if other || full {
                    self.flush(state).await?;
                }
                self.bytes += loaded.bytes.len();
                self.batch.push(*loaded);
                return Ok(());
            }
        }
        self.reply.progress(self.counts.weight, self.counts.total, "").await
    }

    async fn broken(&mut self, place: &str, why: &str) -> Result<()> {
        self.counts.broken += 1;
        self.reply.note(format!("{place}: {why}")).await
    }

    /// One commit; where it is refused for something in one of the messages, one commit each, to find out which.
    async fn flush(&mut self, state: &mut State) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let Some(first) = batch.first() else { return Ok(()) };
        let path = self.target(&first.folder);
        self.counts.weight += batch.iter().map(|one| one.weight).sum::<u64>();
        match self.folder(&path).await? {
            Ok(folder) => self.append_all(folder, batch, state).await?,
            Err(why) => {
                for one in batch {
                    self.broken(&one.place, &format!("the folder {path} cannot be made: {why}")).await?;
                }
            }
        }
        self.reply.progress(self.counts.weight, self.counts.total, &path).await
    }

    async fn append_all(&mut self, folder: FolderId, batch: Vec<Loaded>, state: &mut State) -> Result<()> {
        match self.append(folder, &batch, state).await {
            Err(error) if stops(&error) => return Err(error),
            Err(_) if batch.len() > 1 => {}
            Err(error) => return self.refused(&batch, error).await,
            Ok(()) => return Ok(()),
        }
        for one in batch.chunks(1) {
            match self.append(folder, one, state).await {
                Err(error) if stops(&error) => return Err(error),
                Err(error) => self.refused(one, error).await?,
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// A full mailbox ends the run; anything else is this message's own fault.
    async fn refused(&mut self, batch: &[Loaded], error: Error) -> Result<()> {
        let Some(one) = batch.first().filter(|_| error.kind() != Kind::Limit) else { return Err(error) };
        self.broken(&one.place, error.text()).await
    }

    async fn append(&mut self, folder: FolderId, batch: &[Loaded], state: &mut State) -> Result<()> {
        let Some(first) = batch.first() else { return Ok(()) };
        let keys: Vec<_> = batch.iter().map(|one| one.key).collect();
        let uidnext = self.mailbox.folder(folder).await?.uidnext;
        let intent = Batch { folder, uidnext, size: first.bytes.len() as u64, first: key(&[&first.bytes]), keys };
        state.begin(&intent)?;
        let messages = batch.iter().map(|one| self.message(one)).collect();
        self.mailbox.append(folder, messages).await?;
        self.counts.imported += batch.len() as u64;
        state.taken(&intent.keys);
        Ok(())
    }

    fn message(&self, one: &Loaded) -> NewMessage {
        let mut names: Vec<&str> = one.keywords.iter().map(String::as_str).collect();
        if self.source.seen {
            names.push("\\Seen");
        }
        NewMessage { bytes: one.bytes.clone(), keywords: keywords(&names), received: one.received }
    }

    /// Where a folder of the source goes.
    fn target(&self, inside: &str) -> String {
        match (&self.source.folder, inside) {
            (None, "") => "INBOX".to_owned(),
            (None, inside) => inside.to_owned(),
            (Some(own), "") => own.clone(),
            (Some(own), inside) => format!("{own}{}{inside}", Folder::SEPARATOR),
        }
    }

    async fn folder(&mut self, path: &str) -> Result<std::result::Result<FolderId, String>> {
        if let Some(known) = self.folders.get(path) {
            return Ok(known.clone());
        }
        let found = self.mailbox.folders().await?.find(path).map(|folder| folder.id);
        let made = match found {
            Some(folder) => Ok(folder),
            None => match self.mailbox.create_folder(path, None).await {
                Ok(folder) => Ok(folder),
                Err(error) if stops(&error) => return Err(error),
                Err(error) => Err(error.text().to_owned()),
            },
        };
        self.folders.insert(path.to_owned(), made.clone());
        Ok(made)
    }
}

/// Whether a batch that an earlier run began is in its folder.
async fn was_appended(mailbox: &Mailbox, batch: &Batch) -> Result<bool> {
    let index = match mailbox.index(batch.folder).await {
        Err(error) if error.kind() == Kind::NotFound => return Ok(false),
        other => other?,
    };
    let alike: Vec<_> = index.range(batch.uidnext, Uid(u32::MAX)).filter(|m| u64::from(m.size) == batch.size).map(|m| m.item).collect();
    for item in alike {
        if let Some(content) = mailbox.contents(&[item]).await?.into_iter().flatten().next()
            && key(&[&mailbox.bytes(&content, 0..content.size()).await?]) == batch.first
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What no other message would be spared.
fn stops(error: &Error) -> bool {
    matches!(error.kind(), Kind::Retry | Kind::Broken | Kind::Denied)
}

/// Those of the names that can be keywords; a source may have others.
fn keywords(names: &[&str]) -> Keywords {
    let fits: Vec<&str> = names.iter().copied().filter(|name| Keywords::parse([*name]).is_ok()).take(Keywords::CUSTOM_LIMIT).collect();
    Keywords::parse(fits).unwrap_or_default()
}
