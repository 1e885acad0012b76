//! Zones: from local times to UTC and back. A known name is taken from the zone database, whatever the VTIMEZONE beside it says:
//! those are often old or cut short. Only of an unknown one its own rules are evaluated.

use std::{fmt, sync::Arc};

use calcard::common::timezone::Tz;
use jiff::{Timestamp, civil, tz::TimeZone};

use super::civil::{DAY, END, FIRST, date_of};

mod embedded;

pub(crate) use embedded::{Embedded, STEPS};

/// A time zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// Seconds east of UTC.
    Fixed(i64),
    Known(TimeZone),
    Embedded(Arc<Embedded>),
}

impl fmt::Debug for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Fixed(seconds) => write!(out, "Zone({seconds})"),
            Kind::Known(zone) => write!(out, "Zone({})", zone.iana_name().unwrap_or("?")),
            Kind::Embedded(_) => write!(out, "Zone(embedded)"),
        }
    }
}

/// From one offset to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// In UTC.
    pub at: i64,
    pub from: i64,
    pub to: i64,
    /// Its abbreviation after that.
    pub name: String,
    pub dst: bool,
}

impl Zone {
    pub const UTC: Self = Self(Kind::Fixed(0));

    /// By its name in the IANA database, also behind a prefix (`/citadel.org/20210210_1/Europe/Berlin`), or by its name on Windows.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        if name.is_empty() || name.len() > 200 {
            return None;
        }
        if ["UTC", "Z", "GMT", "Etc/UTC"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
            return Some(Self::UTC);
        }
        if let Some(zone) = known(name) {
            return Some(zone);
        }
        // The last two or three parts of a path are the name.
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
        let tail = |count: usize| parts.len().checked_sub(count).and_then(|at| parts.get(at..)).map(|tail| tail.join("/"));
        if let Some(zone) = name.starts_with('/').then(|| [3, 2, 1].into_iter().find_map(|count| known(&tail(count)?))).flatten() {
            return Some(zone);
        }
        match name.parse::<Tz>().ok()? {
            Tz::Fixed(offset) => Some(Self::fixed(i64::from(offset.local_minus_utc()))),
            zone => known(&zone.name()?),
        }
    }

    /// Seconds east of UTC.
    pub fn fixed(seconds: i64) -> Self {
        Self(Kind::Fixed(seconds.clamp(-DAY, DAY)))
    }

    pub(crate) fn embedded(zone: Embedded) -> Self {
        Self(Kind::Embedded(Arc::new(zone)))
    }

    pub fn is_utc(&self) -> bool {
        self.0 == Kind::Fixed(0)
    }

    /// Its name in the IANA database, where it is of there.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Fixed(0) => Some("Etc/UTC"),
            Kind::Known(zone) => zone.iana_name(),
            _ => None,
        }
    }

    /// Seconds east of UTC at a time in UTC.
    pub fn offset(&self, utc: i64) -> i64 {
        match &self.0 {
            Kind::Fixed(seconds) => *seconds,
            Kind::Known(zone) => {
                Timestamp::from_second(utc.clamp(FIRST, END - 2 * DAY)).map_or(0, |time| i64::from(zone.to_offset(time).seconds()))
            }
            Kind::Embedded(zone) => zone.offset(utc),
        }
    }

    /// The changes after a time in UTC; of a zone of the database alone.
    pub(crate) fn changes(&self, after: i64) -> impl Iterator<Item = Change> {
        let known = if let Kind::Known(zone) = &self.0 { Some(zone) } else { None };
        let all = known.and_then(|zone| Some(zone.following(Timestamp::from_second(after).ok()?))).into_iter().flatten();
        all.scan(self.offset(after), |from, change| {
            let to = i64::from(change.offset().seconds());
            let (at, name, dst) = (change.timestamp().as_second(), change.abbreviation().to_owned(), change.dst().is_dst());
            Some(Change { at, from: std::mem::replace(from, to), to, name, dst })
        })
    }

    /// What the clock shows at a time in UTC.
    pub fn local(&self, utc: i64) -> i64 {
        utc + self.offset(utc)
    }

    /// The time in UTC at which the clock shows that. RFC 5545 §3.3.5: of two it is the first; one that the clock skips is read
    /// with the offset before it.
    pub fn utc(&self, local: i64) -> i64 {
        match &self.0 {
            Kind::Fixed(seconds) => local - seconds,
            Kind::Known(zone) => {
                let time = civil_of(local).and_then(|time| zone.to_ambiguous_timestamp(time).compatible().ok());
                time.map_or(local, |time| time.as_second())
            }
            Kind::Embedded(zone) => zone.utc(local),
        }
    }
}

fn known(name: &str) -> Option<Zone> {
    // `Etc/Unknown` is no zone, and the database answers it all the same.
    jiff::tz::db().get(name).ok().filter(|zone| !zone.is_unknown()).map(|zone| Zone(Kind::Known(zone)))
}

fn civil_of(local: i64) -> Option<civil::DateTime> {
    let (year, month, day) = date_of(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY);
    let part = |number: i64| i8::try_from(number).ok();
    civil::DateTime::new(
        i16::try_from(year).ok()?,
        part(month)?,
        part(day)?,
        part(second / 3600)?,
        part(second / 60 % 60)?,
        part(second % 60)?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests;
