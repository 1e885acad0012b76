//! A mailbox as an archive: its mail, and then what else is in it (`holdings.rs`); folder by folder in the order of their ids, and in
//! each by uid or name, so that what comes meanwhile changes nothing of what was written.

use crate::Transfer;
use crate::holdings::{Behind, Holdings};
use bytes::Bytes;
use penfold_mailbox::{Content, Keywords, Mailbox};
use penfold_ports::Account;
use penfold_transfers::{Entry, Step, Transfer as One, Wrong, entry, file, trailer};
use penfold_types::{Error, FolderId, ItemId, Kind, PrincipalId, Result, Timestamp, Uid};
use serde::{Deserialize, Serialize};

/// Octets and messages after which a step ends, and octets of one part.
const STEP: usize = 4 << 20;
const LOOKED_AT: usize = 500;
const PART: u64 = 8 << 20;
/// Messages whose rows are read together.
const CHUNK: usize = 50;

/// The last message that was written; or the last object, once there are no more messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    folder: FolderId,
    uid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<Behind>,
}

pub(crate) struct Archive {
    mailbox: Mailbox,
    place: Option<Place>,
}

/// A message as its folder lists it.
struct Listed {
    uid: Uid,
    item: ItemId,
    keywords: Keywords,
    received: Timestamp,
}

/// What a step has brought together.
#[derive(Default)]
pub(crate) struct Gathered {
    parts: Vec<Bytes>,
    small: Vec<u8>,
    octets: usize,
    looked: usize,
    pub done: u64,
    pub wrong: Vec<Wrong>,
}

impl Gathered {
    /// Small pieces become one part, and large ones several.
    fn add(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PART as usize) {
            self.octets += piece.len();
            self.small.extend_from_slice(piece);
            if self.small.len() as u64 >= PART {
                self.flush();
            }
        }
    }

    /// A file that is no message.
    pub fn file(&mut self, path: &str, at: Timestamp, bytes: &[u8]) {
        let (head, fill) = file(path, at, bytes.len() as u64);
        for piece in [&head, bytes, &fill] {
            self.add(piece);
        }
        self.looked += 1;
    }

    pub fn wrong(&mut self, detail: String) {
        self.wrong.push(Wrong { line: 0, column: None, detail });
    }

    pub fn is_full(&self) -> bool {
        self.octets >= STEP || self.looked >= LOOKED_AT
    }

    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.parts.push(std::mem::take(&mut self.small).into());
        }
    }
}

impl Archive {
    pub async fn begin(on: &Transfer, one: &One, mailbox: PrincipalId) -> Result<Self> {
        let scope = on.directory.job_scope(Account { tenant: one.tenant, principal: mailbox });
        let place = match one.cursor.as_str() {
            "" => None,
            cursor => Some(serde_json::from_str(cursor).map_err(|error| Error::broken("a cursor cannot be read").because(error))?),
        };
        Ok(Self { mailbox: on.mailboxes.open(&scope).await?, place })
    }

    pub async fn step(&mut self) -> Result<Step> {
        let folders = self.mailbox.folders().await?;
        let mut order: Vec<_> = folders.iter().map(|(path, folder)| (folder.id, path.to_owned(), u64::from(folder.total))).collect();
        order.sort_by_key(|(id, _, _)| *id);
        let holdings = Holdings::of(&self.mailbox, &folders);
        let total = order.iter().map(|(_, _, total)| total).sum::<u64>() + holdings.total();
        let mut gathered = Gathered::default();
        let mut last = self.messages(order, &mut gathered).await?;
        if last {
            let begin = self.place.as_ref().and_then(|place| Some((place.folder, place.behind.clone()?)));
            let (behind, all) = holdings.write(begin, &mut gathered).await?;
            if let Some((folder, behind)) = behind {
                self.place = Some(Place { folder, uid: 0, behind: Some(behind) });
            }
            last = all;
        }
        if last {
            gathered.add(&trailer());
        }
        gathered.flush();
        let cursor = serde_json::to_string(&self.place).map_err(|error| Error::broken("a cursor cannot be written").because(error))?;
        let (done, wrong, parts) = (gathered.done, gathered.wrong, gathered.parts);
        Ok(Step { cursor, done, wrong, parts, total: Some(total), last, ..Step::default() })
    }

    /// `false`: the step is full.
    async fn messages(&mut self, order: Vec<(FolderId, String, u64)>, gathered: &mut Gathered) -> Result<bool> {
        let begin = self.place.clone();
        if begin.as_ref().is_some_and(|place| place.behind.is_some()) {
            return Ok(true);
        }
        for (id, path, _) in order.into_iter().filter(|(id, _, _)| begin.as_ref().is_none_or(|place| *id >= place.folder)) {
            let after = begin.as_ref().filter(|place| place.folder == id).map_or(0, |place| place.uid);
            if !self.folder(id, &path, after, gathered).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `false`: the step is full.
    async fn folder(&mut self, id: FolderId, path: &str, after: u32, gathered: &mut Gathered) -> Result<bool> {
        let index = match self.mailbox.index(id).await {
            // Somebody deleted it meanwhile.
            Err(error) if error.kind() == Kind::NotFound => return Ok(true),
            found => found?,
        };
        let list = |m: penfold_mailbox::Message<'_>| Listed {
            uid: m.uid,
            item: m.item,
            keywords: m.keywords.clone(),
            received: Timestamp::from_seconds(m.received),
        };
        let all: Vec<_> = index.range(Uid(after.saturating_add(1)), Uid(u32::MAX)).map(list).collect();
        for chunk in all.chunks(CHUNK) {
            let items: Vec<_> = chunk.iter().map(|one| one.item).collect();
            for (listed, content) in chunk.iter().zip(self.mailbox.contents(&items).await?) {
                if let Some(content) = content {
                    match self.message(path, listed, &content, gathered).await {
                        Ok(()) => gathered.done += 1,
                        Err(error) if error.kind() == Kind::Retry => return Err(error),
                        Err(error) => {
                            let detail = format!("{path}, uid {}: {}", listed.uid, error.text());
                            gathered.wrong(detail);
                        }
                    }
                }
                self.place = Some(Place { folder: id, uid: listed.uid.get(), behind: None });
                gathered.looked += 1;
                if gathered.is_full() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn message(&self, path: &str, listed: &Listed, content: &Content, gathered: &mut Gathered) -> Result<()> {
        let name = format!("{}.{}.penfold,S={}", listed.received.seconds().max(0), listed.item, content.size());
        let (keywords, received, octets) = (&listed.keywords, listed.received, content.size());
        let (head, fill) = entry(&Entry { folder: path, name: &name, keywords, received, octets });
        // Read whole before the first octet of it is written: a message that cannot be read leaves no piece behind.
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < octets {
            let upto = octets.min(at + PART);
            pieces.push(self.mailbox.bytes(content, at..upto).await?);
            at = upto;
        }
        for piece in std::iter::once(head).chain(pieces).chain([fill]) {
            gathered.add(&piece);
        }
        Ok(())
    }
}
