//! A folder as a file.

use super::{Place, print, wrong};
use crate::Transfer;
use penfold_formats::icalendar::{self, Object as Calendar};
use penfold_ports::Rights;
use penfold_transfers::{Holds, Order, Step, Transfer as One, Wrong};
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Objects and octets of one step.
const PAGE: usize = 500;
const OCTETS: usize = 4 << 20;
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
        let at: Cursor = match one.cursor.as_str() {
            "" => Cursor::default(),
            cursor => serde_json::from_str(cursor).map_err(|error| Error::broken("a cursor cannot be read").because(error))?,
        };
        let mut text = match first {
            true => Text::begin(self.holds, &self.place.folder.name),
            false => Text { holds: self.holds, zones: at.zones, out: Vec::new() },
        };
        let some = text.take(&self.place, at.after).await?;
        let (octets, zones) = if some.more { (text.out, text.zones) } else { (text.end(), BTreeMap::new()) };
        let next = Cursor { after: some.after, zones };
        Ok(Step {
            cursor: serde_json::to_string(&next).map_err(|error| Error::broken("a cursor cannot be written").because(error))?,
            done: some.done,
            wrong: some.wrong,
            parts: if octets.is_empty() { Vec::new() } else { vec![octets.into()] },
            // As many as there were when it began; what comes or goes meanwhile makes no other.
            total: first.then_some(u64::from(self.place.folder.total)),
            last: !some.more,
            ..Step::default()
        })
    }
}

/// A file that is being written: one calendar after another, or one card after another.
pub(crate) struct Text {
    holds: Holds,
    /// What the open calendar defines.
    zones: BTreeMap<String, String>,
    out: Vec<u8>,
}

/// What a step has written.
pub(crate) struct Written {
    /// The last object of it.
    pub after: Option<String>,
    pub more: bool,
    pub done: u64,
    pub wrong: Vec<Wrong>,
}

impl Text {
    pub fn begin(holds: Holds, name: &str) -> Self {
        let out = match holds {
            Holds::Calendar => icalendar::head(Some(name)),
            Holds::Cards => Vec::new(),
        };
        Self { holds, zones: BTreeMap::new(), out }
    }

    pub fn end(mut self) -> Vec<u8> {
        if self.holds == Holds::Calendar {
            self.out.extend_from_slice(b"END:VCALENDAR\r\n");
        }
        self.out
    }

    /// Writes down what comes behind an object, until a step is full.
    pub async fn take(&mut self, place: &Place, after: Option<String>) -> Result<Written> {
        let mut some = Written { after, more: true, done: 0, wrong: Vec::new() };
        let mut looked = 0;
        while some.more && looked < PAGE && self.out.len() < OCTETS {
            let (page, left) = place.list(some.after.as_deref()).await?;
            some.more = left;
            looked += page.len();
            some.after = page.last().map(|object| object.name.clone()).or(some.after);
            for bytes in place.each(page).await? {
                match bytes.and_then(|bytes| self.add(&bytes)) {
                    Ok(()) => some.done += 1,
                    Err(detail) => some.wrong.push(wrong(0, &detail)),
                }
            }
        }
        Ok(some)
    }

    fn add(&mut self, bytes: &[u8]) -> std::result::Result<(), String> {
        if self.holds == Holds::Cards {
            line_ended(bytes, &mut self.out);
            return Ok(());
        }
        let object = Calendar::read(bytes).map_err(|fault| fault.text)?;
        let zones: Vec<(String, &[u8])> = object.definitions().map(|(name, text)| (print(name.as_bytes()), text)).collect();
        let new = zones.iter().filter(|(name, _)| !self.zones.contains_key(name)).count();
        let other = zones.iter().any(|(name, text)| self.zones.get(name).is_some_and(|known| *known != print(text)));
        // A name stands for one zone in a calendar: of another one of that name a calendar of its own knows.
        if other || self.zones.len() + new > ZONES {
            self.out.extend_from_slice(b"END:VCALENDAR\r\n");
            self.out.extend(icalendar::head(None));
            self.zones.clear();
        }
        for (name, text) in zones {
            if self.zones.insert(name, print(text)).is_none() {
                line_ended(text, &mut self.out);
            }
        }
        for text in object.parts() {
            line_ended(text, &mut self.out);
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
