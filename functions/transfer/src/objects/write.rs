//! A folder as a file.

use super::{Place, print, wrong};
use crate::Transfer;
use bytes::Bytes;
use penfold_formats::icalendar::{self, Object as Calendar};
use penfold_mailbox::Object;
use penfold_ports::Rights;
use penfold_transfers::{Holds, Order, Step, Transfer as One};
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Objects and octets of one step.
const PAGE: usize = 500;
const OCTETS: usize = 4 << 20;
/// How often an object that is replaced while it is read is read again.
const TRIES: usize = 20;
/// Zones that one calendar of a file defines; then another begins.
const ZONES: usize = 200;

/// Where an export goes on: behind which object, and which zones its open calendar defines: hashes of their names, and of themselves.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    after: Option<String>,
    zones: BTreeMap<String, String>,
}

/// A folder that is written down.
pub(crate) struct Write {
    place: Place,
    holds: Holds,
}

impl Write {
    pub async fn begin(on: &Transfer, one: &One) -> Result<Self> {
        let Order::ExportObjects { mailbox, folder, holds, ref visit } = one.order else {
            return Err(Error::broken("this is no export of objects"));
        };
        let place = Place::open(on, one, (mailbox, folder), visit.as_ref()).await?;
        place.need(Rights::READ)?;
        if !place.is_whole() {
            return Err(Error::denied("only who may see everything in a folder takes it out as a file"));
        }
        Ok(Self { place, holds })
    }

    pub async fn step(&mut self, one: &One) -> Result<Step> {
        let first = one.cursor.is_empty();
        let mut at: Cursor = match one.cursor.as_str() {
            "" => Cursor::default(),
            cursor => serde_json::from_str(cursor).map_err(|error| Error::broken("a cursor cannot be read").because(error))?,
        };
        let mut text = if first { self.head() } else { Vec::new() };
        // As many as there were when it began; what comes or goes meanwhile makes no other.
        let total = first.then_some(u64::from(self.place.folder.total));
        let mut step = Step { total, ..Step::default() };
        let mut more = true;
        let mut looked = 0;
        while more && looked < PAGE && text.len() < OCTETS {
            let (page, left) = self.place.mailbox.objects(self.place.folder.id, at.after.as_deref(), 50).await?;
            more = left;
            looked += page.len();
            at.after = page.last().map(|object| object.name.clone()).or(at.after);
            for bytes in self.bytes(page).await? {
                match self.write(&bytes, &mut at, &mut text) {
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
        step.cursor = serde_json::to_string(&at).map_err(|error| Error::broken("a cursor cannot be written").because(error))?;
        Ok(step)
    }

    /// What these objects are now, but for those that are gone. What is replaced again and again is tried again, from this step on.
    async fn bytes(&self, mut page: Vec<Object>) -> Result<Vec<Bytes>> {
        let mut found = Vec::with_capacity(page.len());
        for _ in 0..TRIES {
            let mut missing = Vec::new();
            for (object, bytes) in page.iter().zip(self.place.bytes(&page).await?) {
                match bytes {
                    Some(bytes) => found.push(bytes),
                    None => missing.extend(self.place.mailbox.object(self.place.folder.id, &object.name).await?),
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
            Holds::Calendar => icalendar::head(Some(&self.place.folder.name)),
            Holds::Cards => Vec::new(),
        }
    }

    fn write(&self, bytes: &[u8], at: &mut Cursor, out: &mut Vec<u8>) -> std::result::Result<(), String> {
        if self.holds == Holds::Cards {
            out.extend_from_slice(bytes);
            if !bytes.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
            return Ok(());
        }
        let object = Calendar::read(bytes).map_err(|fault| fault.text)?;
        let zones: Vec<(String, &[u8])> = object.definitions().map(|(name, text)| (print(name.as_bytes()), text)).collect();
        let new = |at: &Cursor| zones.iter().filter(|(name, _)| !at.zones.contains_key(name)).count();
        let other = zones.iter().any(|(name, text)| at.zones.get(name).is_some_and(|known| *known != print(text)));
        // A name stands for one zone in a calendar: of another one of that name a calendar of its own knows.
        if other || at.zones.len() + new(at) > ZONES {
            out.extend_from_slice(b"END:VCALENDAR\r\n");
            out.extend(icalendar::head(None));
            at.zones.clear();
        }
        for (name, text) in zones {
            if at.zones.insert(name, print(text)).is_none() {
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
