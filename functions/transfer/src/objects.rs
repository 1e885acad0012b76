//! Events, tasks, notes and cards out of a file, and into one. An object that is put twice is the same both times: its name and its
//! UID are made from the file.

use crate::Transfer;
use aws_lc_rs::digest;
use bytes::Bytes;
use penfold_calendar::{Fault, object};
use penfold_formats::icalendar::{self, File, Limits, Object as Calendar};
use penfold_formats::vcard;
use penfold_mailbox::{Folder, Mailbox, Object, Put, UidHash};
use penfold_ports::Account;
use penfold_transfers::{Existing, Holds, Order, Step, Transfer as One, Wrong};
use penfold_types::{Error, FolderId, Kind as Why, PrincipalId, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Objects of one step in: what is cut off is done again, and each is a commit.
const SOME: usize = 20;
/// Objects and octets of one step out.
const PAGE: usize = 500;
const OCTETS: usize = 4 << 20;
/// Octets of one object, as in a PUT.
const LONGEST: usize = 1 << 20;
/// How often an object that is replaced while it is read is read again.
const TRIES: usize = 20;
/// Names that are tried.
const NAMES: usize = 5;
/// Zones that one calendar of a file defines; then another begins.
const ZONES: usize = 200;

async fn open(on: &Transfer, one: &One, owner: PrincipalId, folder: FolderId) -> Result<(Mailbox, Folder)> {
    let mailbox = on.mailboxes.open(&on.directory.job_scope(Account { tenant: one.tenant, principal: owner })).await?;
    let own = mailbox.folder(folder).await?;
    Ok((mailbox, own))
}

/// A file that is taken in.
pub(crate) struct TakeIn {
    mailbox: Mailbox,
    folder: Folder,
    existing: Existing,
    content: Content,
}

/// What a file has in one place: an object and its line, or why it is none.
type Found = std::result::Result<(Bytes, u32), Wrong>;

/// A file whole in memory: it has 64 MB at most.
enum Content {
    Calendar(Box<File<Bytes>>),
    Cards(Vec<Found>),
}

impl Content {
    fn read(holds: Holds, bytes: Bytes) -> Self {
        let bytes = if bytes.starts_with(b"\xEF\xBB\xBF") { bytes.slice(3..) } else { bytes };
        match holds {
            Holds::Calendar => {
                let limits = Limits::file(bytes.len().max(1));
                Self::Calendar(Box::new(File::read(bytes, &limits)))
            }
            Holds::Cards => {
                let each = |found: std::result::Result<vcard::Found<'_>, vcard::Fault>| match found {
                    Ok(card) => Ok((Bytes::copy_from_slice(&card.bytes), card.line)),
                    Err(fault) => Err(wrong(fault.line, &fault.to_string())),
                };
                Self::Cards(vcard::split(&bytes, vcard::Limits::default()).map(each).collect())
            }
        }
    }

    /// What could not be read comes first.
    fn len(&self) -> usize {
        match self {
            Self::Calendar(file) => file.skipped().len() + file.len(),
            Self::Cards(all) => all.len(),
        }
    }

    fn get(&self, one: &One, index: usize) -> Option<Found> {
        let file = match self {
            Self::Cards(all) => return all.get(index).cloned(),
            Self::Calendar(file) => file,
        };
        let read = match (file.skipped().get(index), index.checked_sub(file.skipped().len())) {
            (Some(fault), _) => Err(fault.clone()),
            (None, Some(own)) if own < file.len() => file.object(own, |line| Some(uid_of(one, line))),
            _ => return None,
        };
        let bytes = read.map(|(object, line)| (Bytes::copy_from_slice(object.bytes()), line));
        Some(bytes.map_err(|fault| wrong(fault.line, &fault.text)))
    }

    fn ending(&self) -> &'static str {
        match self {
            Self::Calendar(_) => "ics",
            Self::Cards(_) => "vcf",
        }
    }
}

impl TakeIn {
    pub async fn begin(on: &Transfer, one: &One) -> Result<Self> {
        let Order::ImportObjects { mailbox, folder, holds, existing } = one.order else {
            return Err(Error::broken("this is no import of objects"));
        };
        let (mailbox, folder) = open(on, one, mailbox, folder).await?;
        let length = usize::try_from(one.octets).unwrap_or(usize::MAX);
        let bytes = on.transfers.read(one, 0, length).await?;
        let lost = "a file cannot be looked through any more";
        let _one = on.reading.acquire().await.map_err(|error| Error::broken(lost).because(error))?;
        let reading = tokio::task::spawn_blocking(move || Content::read(holds, bytes));
        let content = reading.await.map_err(|error| Error::broken(lost).because(error))?;
        Ok(Self { mailbox, folder, existing, content })
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
                Ok((bytes, line)) => match self.put(one, bytes, line).await? {
                    Ok(()) => step.done += 1,
                    Err(detail) => step.wrong.push(wrong(line, &detail)),
                },
            }
        }
        step.cursor = next.to_string();
        step.read = if last { one.octets } else { one.octets * next as u64 / total.max(1) as u64 };
        Ok(step)
    }

    /// Why it is not taken.
    async fn put(&self, one: &One, bytes: Bytes, line: u32) -> Result<std::result::Result<(), String>> {
        if bytes.len() > LONGEST {
            return Ok(Err(format!("it has more than {LONGEST} octets")));
        }
        let (ending, made) = (self.content.ending(), uid_of(one, line));
        let mut new = match object(self.folder.kind, &format!("{made}.{ending}"), bytes.clone()) {
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
        if let Some(old) = self.mailbox.object(self.folder.id, &new.name).await? {
            let now = self.mailbox.object_bytes(self.folder.id, &[old.item]).await?.pop().flatten();
            if now.is_some_and(|now| now == bytes || same(&now, &bytes)) {
                return Ok(Ok(()));
            }
            if self.existing == Existing::Refuse {
                return Ok(Err("it is there already, as something else".to_owned()));
            }
        }
        // What somebody made since it was looked for stays as well.
        let fits = |now: Option<&Object>| now.is_none() || self.existing == Existing::Update;
        match self.mailbox.put_object(self.folder.id, &new, &fits).await {
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
            if self.mailbox.object(self.folder.id, &name).await?.is_none() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    async fn named(&self, uid: &UidHash) -> Result<Option<String>> {
        let all = self.mailbox.objects_of_uid(uid).await?;
        Ok(all.into_iter().find(|(folder, _)| *folder == self.folder.id).map(|(_, name)| name))
    }
}

/// Whether two calendar objects say the same, whatever each client wrote around it.
fn same(one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (Calendar::read(one), Calendar::read(other)) else { return false };
    let zones: BTreeMap<&str, &[u8]> = one.definitions().collect();
    one.parts().eq(other.parts()) && other.definitions().all(|(name, text)| zones.get(name).is_none_or(|own| *own == text))
}

fn wrong(line: u32, detail: &str) -> Wrong {
    Wrong { line: u64::from(line), column: None, detail: detail.to_owned() }
}

fn words(fault: &Fault) -> String {
    match fault {
        Fault::Calendar(fault) => fault.text.clone(),
        Fault::Card(fault) => fault.to_string(),
        Fault::Component => "the folder holds something else".to_owned(),
    }
}

/// Of what has none: the same at each try.
fn uid_of(one: &One, line: u32) -> String {
    let text = [&one.tenant.as_bytes()[..], one.id.as_bytes(), &line.to_be_bytes()].concat();
    hex(&digest::digest(&digest::SHA256, &text).as_ref()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where an export goes on: behind which object, and which zones its open calendar defines: hashes of their names, and of themselves.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    after: Option<String>,
    zones: BTreeMap<String, String>,
}

/// A folder that is written down.
pub(crate) struct Write {
    mailbox: Mailbox,
    folder: Folder,
    holds: Holds,
}

impl Write {
    pub async fn begin(on: &Transfer, one: &One) -> Result<Self> {
        let Order::ExportObjects { mailbox, folder, holds } = one.order else {
            return Err(Error::broken("this is no export of objects"));
        };
        let (mailbox, folder) = open(on, one, mailbox, folder).await?;
        Ok(Self { mailbox, folder, holds })
    }

    pub async fn step(&mut self, one: &One) -> Result<Step> {
        let first = one.cursor.is_empty();
        let mut place: Place = match one.cursor.as_str() {
            "" => Place::default(),
            cursor => serde_json::from_str(cursor).map_err(|error| Error::broken("a cursor cannot be read").because(error))?,
        };
        let mut text = if first { self.head() } else { Vec::new() };
        // As many as there were when it began; what comes or goes meanwhile makes no other.
        let total = first.then_some(u64::from(self.folder.total));
        let mut step = Step { total, ..Step::default() };
        let mut more = true;
        let mut looked = 0;
        while more && looked < PAGE && text.len() < OCTETS {
            let (page, left) = self.mailbox.objects(self.folder.id, place.after.as_deref(), 50).await?;
            more = left;
            looked += page.len();
            place.after = page.last().map(|object| object.name.clone()).or(place.after);
            for bytes in self.bytes(page).await? {
                match self.write(&bytes, &mut place, &mut text) {
                    Ok(()) => step.done += 1,
                    Err(detail) => step.wrong.push(wrong(0, &detail)),
                }
            }
        }
        step.last = !more;
        if step.last && self.holds == Holds::Calendar {
            text.extend_from_slice(b"END:VCALENDAR\r\n");
        }
        step.parts = if text.is_empty() { Vec::new() } else { vec![text.into()] };
        step.cursor = serde_json::to_string(&place).map_err(|error| Error::broken("a cursor cannot be written").because(error))?;
        Ok(step)
    }

    /// What these objects are now, but for those that are gone. What is replaced again and again is tried again, from this step on.
    async fn bytes(&self, mut page: Vec<Object>) -> Result<Vec<Bytes>> {
        let mut found = Vec::with_capacity(page.len());
        for _ in 0..TRIES {
            let items: Vec<_> = page.iter().map(|object| object.item).collect();
            let mut missing = Vec::new();
            for (object, bytes) in page.iter().zip(self.mailbox.object_bytes(self.folder.id, &items).await?) {
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

    fn head(&self) -> Vec<u8> {
        match self.holds {
            Holds::Calendar => icalendar::head(Some(&self.folder.name)),
            Holds::Cards => Vec::new(),
        }
    }

    fn write(&self, bytes: &[u8], place: &mut Place, out: &mut Vec<u8>) -> std::result::Result<(), String> {
        if self.holds == Holds::Cards {
            out.extend_from_slice(bytes);
            if !bytes.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
            return Ok(());
        }
        let object = Calendar::read(bytes).map_err(|fault| fault.text)?;
        let zones: Vec<(String, &[u8])> = object.definitions().map(|(name, text)| (print(name.as_bytes()), text)).collect();
        let new = |place: &Place| zones.iter().filter(|(name, _)| !place.zones.contains_key(name)).count();
        let other = zones.iter().any(|(name, text)| place.zones.get(name).is_some_and(|known| *known != print(text)));
        // A name stands for one zone in a calendar: of another one of that name a calendar of its own knows.
        if other || place.zones.len() + new(place) > ZONES {
            out.extend_from_slice(b"END:VCALENDAR\r\n");
            out.extend(icalendar::head(None));
            place.zones.clear();
        }
        for (name, text) in zones {
            if place.zones.insert(name, print(text)).is_none() {
                line_ended(text, out);
            }
        }
        for text in object.parts() {
            line_ended(text, out);
        }
        Ok(())
    }
}

fn line_ended(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(text);
    if !text.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}

fn print(text: &[u8]) -> String {
    hex(&digest::digest(&digest::SHA256, text).as_ref()[..8])
}
