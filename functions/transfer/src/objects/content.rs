//! A file, looked through: what it has in which place.

use super::{uid_of, wrong};
use bytes::Bytes;
use penfold_formats::icalendar::{File, Limits};
use penfold_formats::vcard;
use penfold_transfers::{Holds, Transfer as One, Wrong};

/// What a file has in one place: an object and its line, or why it is none.
pub type Found = std::result::Result<(Bytes, u32), Wrong>;

/// A file whole in memory: it has 64 MB at most.
pub enum Content {
    Calendar(Box<File<Bytes>>),
    Cards(Vec<Found>),
}

impl Content {
    pub fn read(holds: Holds, bytes: Bytes) -> Self {
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
    pub fn len(&self) -> usize {
        match self {
            Self::Calendar(file) => file.skipped().len() + file.len(),
            Self::Cards(all) => all.len(),
        }
    }

    pub fn get(&self, one: &One, index: usize) -> Option<Found> {
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

    pub fn ending(&self) -> &'static str {
        match self {
            Self::Calendar(_) => "ics",
            Self::Cards(_) => "vcf",
        }
    }
}
