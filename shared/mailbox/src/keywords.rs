//! Flags and keywords of an item (RFC 9051 §2.3.2). The well-known ones are bits; others are kept as they were first
//! written and compared without regard to ASCII case.

use crate::codec::{Reader, put_bytes, put_u64};
use penfold_ports::Rights;
use penfold_types::{Error, Result};
use std::sync::Arc;

/// The well-known flags and keywords, in the order of their bits.
const KNOWN: [&str; 13] = [
    "\\Seen",
    "\\Answered",
    "\\Flagged",
    "\\Deleted",
    "\\Draft",
    "$Forwarded",
    "$MDNSent",
    "$Junk",
    "$NotJunk",
    "$Phishing",
    "$Important",
    "$Submitted",
    "$SubmitPending",
];

/// A set of flags. At most [`Keywords::CUSTOM_LIMIT`] of them are not well known.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Keywords {
    bits: u32,
    custom: Option<Arc<Vec<String>>>,
}

impl Keywords {
    pub const NONE: Self = Self { bits: 0, custom: None };
    pub const SEEN: Self = Self { bits: 1, custom: None };
    pub const ANSWERED: Self = Self { bits: 1 << 1, custom: None };
    pub const FLAGGED: Self = Self { bits: 1 << 2, custom: None };
    pub const DELETED: Self = Self { bits: 1 << 3, custom: None };
    pub const DRAFT: Self = Self { bits: 1 << 4, custom: None };

    pub const CUSTOM_LIMIT: usize = 100;
    pub const LENGTH_LIMIT: usize = 100;

    /// The names that every folder knows, as IMAP writes them.
    pub fn well_known() -> impl Iterator<Item = &'static str> {
        KNOWN.into_iter()
    }

    /// Reads names as IMAP writes them. A system flag that a client may not set (`\Recent`) or does not exist is refused.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut set = Self::NONE;
        let mut custom: Vec<String> = Vec::new();
        for name in names {
            if let Some(bit) = KNOWN.iter().position(|k| k.eq_ignore_ascii_case(name)) {
                set.bits |= 1 << bit;
            } else if name.is_empty()
                || name.starts_with('\\')
                || name.len() > Self::LENGTH_LIMIT
                || !name.bytes().all(|b| b.is_ascii_graphic())
            {
                return Err(Error::invalid("not a keyword that can be set"));
            } else if !custom.iter().any(|c| c.eq_ignore_ascii_case(name)) {
                custom.push(name.to_owned());
            }
        }
        set.set_custom(custom)?;
        Ok(set)
    }

    fn set_custom(&mut self, mut custom: Vec<String>) -> Result<()> {
        if custom.len() > Self::CUSTOM_LIMIT {
            return Err(Error::limit("an item has at most 100 keywords of its own"));
        }
        custom.sort_unstable_by_key(|c| c.to_ascii_lowercase());
        self.custom = if custom.is_empty() { None } else { Some(Arc::new(custom)) };
        Ok(())
    }

    fn custom(&self) -> &[String] {
        self.custom.as_deref().map_or(&[], Vec::as_slice)
    }

    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.custom.is_none()
    }

    /// All of `other` are in here.
    pub fn has(&self, other: &Self) -> bool {
        self.bits & other.bits == other.bits && other.custom().iter().all(|c| self.custom().iter().any(|own| own.eq_ignore_ascii_case(c)))
    }

    pub fn contains(&self, name: &str) -> bool {
        match KNOWN.iter().position(|k| k.eq_ignore_ascii_case(name)) {
            Some(bit) => self.bits & (1 << bit) != 0,
            None => self.custom().iter().any(|c| c.eq_ignore_ascii_case(name)),
        }
    }

    pub fn seen(&self) -> bool {
        self.has(&Self::SEEN)
    }

    pub fn deleted(&self) -> bool {
        self.has(&Self::DELETED)
    }

    /// This set and `other`. Fails where there would be too many.
    pub fn with(&self, other: &Self) -> Result<Self> {
        let mut out = Self { bits: self.bits | other.bits, custom: self.custom.clone() };
        let new: Vec<&String> = other.custom().iter().filter(|c| !self.contains(c)).collect();
        if !new.is_empty() {
            out.set_custom(self.custom().iter().chain(new).cloned().collect())?;
        }
        Ok(out)
    }

    /// This set without `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut out = Self { bits: self.bits & !other.bits, custom: self.custom.clone() };
        if other.custom.is_some() {
            let left: Vec<String> = self.custom().iter().filter(|c| !other.contains(c)).cloned().collect();
            out.custom = if left.is_empty() { None } else { Some(Arc::new(left)) };
        }
        out
    }

    /// What of this set somebody with these rights may set and clear: `\Seen` has a right of its own, `\Deleted` has one, and
    /// one is for all others (RFC 4314 §4).
    #[must_use]
    pub fn allowed(&self, rights: Rights) -> Self {
        let of = |right, bits| if rights.has(right) { bits } else { 0 };
        let marks = Self::SEEN.bits | Self::DELETED.bits;
        let mask = of(Rights::SEEN, Self::SEEN.bits) | of(Rights::DELETE_ITEM, Self::DELETED.bits) | of(Rights::WRITE, !marks);
        Self { bits: self.bits & mask, custom: self.custom.clone().filter(|_| rights.has(Rights::WRITE)) }
    }

    /// Names as IMAP writes them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let known = KNOWN.iter().enumerate().filter(|(bit, _)| self.bits & (1 << bit) != 0).map(|(_, name)| *name);
        known.chain(self.custom().iter().map(String::as_str))
    }

    /// Bytes that it takes in a row.
    pub(crate) fn weight(&self) -> usize {
        8 + self.custom().iter().map(|name| name.len() + 1).sum::<usize>()
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.bits.into());
        put_u64(out, self.custom().len() as u64);
        for name in self.custom() {
            put_bytes(out, name.as_bytes());
        }
    }

    pub(crate) fn decode(from: &mut Reader<'_>) -> Option<Self> {
        let bits = from.u32()?;
        let count = from.u64()? as usize;
        if count > Self::CUSTOM_LIMIT {
            return None;
        }
        let custom = (0..count).map(|_| from.str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
        Some(Self { bits, custom: if custom.is_empty() { None } else { Some(Arc::new(custom)) } })
    }

    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4);
        self.encode(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_kept_as_written() -> Result<()> {
        let set = Keywords::parse(["\\SEEN", "Later", "$forwarded", "later"])?;
        assert_eq!(set.iter().collect::<Vec<_>>(), ["\\Seen", "$Forwarded", "Later"]);
        assert!(set.contains("LATER") && set.seen() && !set.deleted());
        assert_eq!(set.without(&Keywords::parse(["LATER", "\\Seen"])?).iter().collect::<Vec<_>>(), ["$Forwarded"]);
        assert_eq!(Keywords::decode(&mut Reader(&set.to_vec())), Some(set));
        Ok(())
    }

    #[test]
    fn what_cannot_be_set_is_refused() {
        assert!(Keywords::parse(["\\Recent"]).is_err());
        assert!(Keywords::parse([""]).is_err());
        assert!(Keywords::parse(["a b"]).is_err());
        let many: Vec<String> = (0..101).map(|n| format!("k{n}")).collect();
        assert!(Keywords::parse(many.iter().map(String::as_str)).is_err());
    }
}
