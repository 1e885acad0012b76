//! A file's objects into a folder.

use super::content::Content;
use super::{Place, hex, uid_of, wrong};
use crate::Transfer;
use bytes::Bytes;
use penfold_calendar::{ATTACHMENTS, Fault, TakenIn, apart, is_private, object, taken_in};
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{NewObject, Note, Object, PROPERTY_BYTES, Put, UidHash};
use penfold_ports::Rights;
use penfold_transfers::{Existing, Order, Step, Transfer as One, Wrong};
use penfold_types::{Error, Kind as Why, Result};
use std::collections::BTreeMap;

/// Objects of one step: what is cut off is done again, and each is a commit.
const SOME: usize = 20;
/// Octets of one object, as in a PUT.
const LONGEST: usize = 1 << 20;
/// Names that are tried.
const NAMES: usize = 5;

/// A file that is taken in.
pub(crate) struct TakeIn {
    place: Place,
    existing: Existing,
    content: Content,
}

/// Why an object is not taken.
type Refused = std::result::Result<(), String>;

/// What is there under an object's name.
enum There {
    Nothing,
    Same,
    Other(Object, Bytes),
    /// Whoever ordered this knows that it is there, and not what it is.
    Hidden,
}

impl TakeIn {
    pub async fn begin(on: &Transfer, one: &One) -> Result<Self> {
        let Order::ImportObjects { mailbox, folder, holds, existing, ref visit } = one.order else {
            return Err(Error::broken("this is no import of objects"));
        };
        let place = Place::open(on, one, (mailbox, folder), visit.as_ref()).await?;
        place.need(Rights::READ.and(Rights::INSERT))?;
        let length = usize::try_from(one.octets).unwrap_or(usize::MAX);
        let bytes = on.transfers.read(one, 0, length).await?;
        let lost = "a file cannot be looked through any more";
        let _one = on.reading.acquire().await.map_err(|error| Error::broken(lost).because(error))?;
        let reading = tokio::task::spawn_blocking(move || Content::read(holds, bytes));
        let content = reading.await.map_err(|error| Error::broken(lost).because(error))?;
        Ok(Self { place, existing, content })
    }

    pub async fn step(&mut self, one: &One) -> Result<Step> {
        let at: usize = one.cursor.parse().unwrap_or(0);
        let total = self.content.len();
        let next = total.min(at + SOME);
        let last = next >= total;
        let mut step = Step { last, total: Some(total as u64), ..Step::default() };
        for each in (at..next).filter_map(|index| self.content.get(one, index)) {
            match each {
                Err(wrong) => step.wrong.push(wrong),
                Ok((bytes, line)) => match self.put(one, bytes, line, &mut step.told).await? {
                    Ok(()) => step.done += 1,
                    Err(detail) => step.wrong.push(wrong(line, &detail)),
                },
            }
        }
        step.cursor = next.to_string();
        step.read = if last { one.octets } else { one.octets * next as u64 / total.max(1) as u64 };
        Ok(step)
    }

    /// `told`: what is left out of an object that is taken.
    async fn put(&self, one: &One, bytes: Bytes, line: u32, told: &mut Vec<Wrong>) -> Result<Refused> {
        if bytes.len() > LONGEST {
            return Ok(Err(format!("it has more than {LONGEST} octets")));
        }
        let (bytes, left_out) = match self.attached(bytes).await? {
            Ok(TakenIn { bytes, left_out }) => (bytes, left_out),
            Err(detail) => return Ok(Err(detail)),
        };
        let put = self.put_so(one, bytes, line).await?;
        if put.is_ok() {
            told.extend(left_out.iter().map(|detail| wrong(line, detail)));
        }
        Ok(put)
    }

    /// With what is attached to it, as far as that may come along.
    async fn attached(&self, bytes: Bytes) -> Result<std::result::Result<TakenIn, String>> {
        let read = match self.content {
            Content::Calendar(_) => Calendar::read(&bytes).ok(),
            Content::Cards(_) => None,
        };
        let named = read.as_ref().map_or(0, |read| read.managed().len());
        let Some(read) = read.filter(|_| named > 0) else { return Ok(Ok(TakenIn { bytes, left_out: Vec::new() })) };
        match named {
            // Who could read what is attached is judged by the event that it is attached to, and a file's word is not taken for that.
            _ if !self.place.own => Ok(Err("what is attached here does not come along into a folder of somebody else's".to_owned())),
            // As in a PUT.
            _ if named > ATTACHMENTS => Ok(Err(format!("it has more than {ATTACHMENTS} attachments"))),
            _ => taken_in(&self.place.mailbox, bytes, &read).await.map(Ok),
        }
    }

    async fn put_so(&self, one: &One, bytes: Bytes, line: u32) -> Result<Refused> {
        let (ending, made) = (self.content.ending(), uid_of(one, line));
        let mut new = match object(self.place.folder.kind, &format!("{made}.{ending}"), bytes.clone()) {
            Ok(new) => new,
            Err(fault) => return Ok(Err(words(&fault))),
        };
        if let Some(uid) = &new.uid {
            new.name = match self.named(uid).await? {
                Some(name) => name,
                None => match self.free(&hex(uid), ending).await? {
                    Some(name) => name,
                    None => return Ok(Err("every name that it could have is something else's".to_owned())),
                },
            };
        }
        let old = match self.there(&new.name, &bytes).await? {
            There::Nothing => None,
            There::Same => return Ok(Ok(())),
            There::Hidden => return Ok(Err("it is there already, and private".to_owned())),
            There::Other(..) if self.existing == Existing::Refuse => return Ok(Err("it is there already, as something else".to_owned())),
            There::Other(old, text) => Some((old, text)),
        };
        self.write(new, old).await
    }

    async fn there(&self, name: &str, bytes: &Bytes) -> Result<There> {
        let (folder, mailbox) = (&self.place.folder, &self.place.mailbox);
        let Some(old) = mailbox.object(folder.id, name).await? else { return Ok(There::Nothing) };
        let text = mailbox.object_bytes(folder.id, &[old.item]).await?.pop().flatten().unwrap_or_default();
        if !self.place.is_whole() && is_private(folder.kind, &text) {
            return Ok(There::Hidden);
        }
        let seen = self.place.bytes(std::slice::from_ref(&old)).await?.pop().flatten();
        let alike = seen.is_some_and(|seen| seen == *bytes || same(&seen, bytes));
        Ok(if alike { There::Same } else { There::Other(old, text) })
    }

    async fn write(&self, mut new: NewObject, old: Option<(Object, Bytes)>) -> Result<Refused> {
        let folder = &self.place.folder;
        if self.place.has_alarms() {
            // As a PUT does: whoever ordered this has alarms of their own, and the owner keeps theirs.
            let (shared, own) = apart(folder.kind, &new.bytes, old.as_ref().map(|(_, text)| &text[..]));
            let note = own.filter(|own| own.len() <= PROPERTY_BYTES).map_or(Note::Drop, Note::Keep);
            let made = match object(folder.kind, &new.name, shared) {
                Ok(made) => made,
                Err(fault) => return Ok(Err(words(&fault))),
            };
            new = NewObject { note: Some(note), ..made };
        }
        let judged = old.map(|(old, _)| old.item);
        // What somebody made since it was looked for stays as well, and in another's folder nothing is replaced that was not judged.
        let fits = |now: Option<&Object>| match now {
            Some(now) if !self.place.own => Some(now.item) == judged,
            Some(_) => self.existing == Existing::Update,
            None => true,
        };
        match self.place.mailbox.put_object(folder.id, &new, &fits).await {
            Ok(Put::Done { .. }) => Ok(Ok(())),
            // Somebody else puts the same at the same moment.
            Ok(Put::Failed | Put::UidTaken(_)) => Err(Error::retry("the folder changes too fast; try again")),
            // Full: it would be the same for all that come.
            Err(error) if matches!(error.kind(), Why::Retry | Why::Broken | Why::Limit | Why::NotFound) => Err(error),
            Err(error) => Ok(Err(error.text().to_owned())),
        }
    }

    /// A name that nothing has: what was put under one by its client stays under it.
    async fn free(&self, made: &str, ending: &str) -> Result<Option<String>> {
        for number in 0..NAMES {
            let name = if number == 0 { format!("{made}.{ending}") } else { format!("{made}-{number}.{ending}") };
            if self.place.mailbox.object(self.place.folder.id, &name).await?.is_none() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    async fn named(&self, uid: &UidHash) -> Result<Option<String>> {
        let all = self.place.mailbox.objects_of_uid(uid).await?;
        Ok(all.into_iter().find(|(folder, _)| *folder == self.place.folder.id).map(|(_, name)| name))
    }
}

/// Whether two calendar objects say the same, whatever each client wrote around it.
fn same(one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (Calendar::read(one), Calendar::read(other)) else { return false };
    let zones: BTreeMap<&str, &[u8]> = one.definitions().collect();
    one.parts().eq(other.parts()) && other.definitions().all(|(name, text)| zones.get(name).is_none_or(|own| *own == text))
}

fn words(fault: &Fault) -> String {
    match fault {
        Fault::Calendar(fault) => fault.text.clone(),
        Fault::Card(fault) => fault.to_string(),
        Fault::Component => "the folder holds something else".to_owned(),
    }
}
