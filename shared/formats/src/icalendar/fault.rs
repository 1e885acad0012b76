//! Why an object is refused, in the terms of CalDAV's preconditions, and how much one may hold.

use std::fmt;

use crate::lines::{Broken, Trouble};

/// An object that cannot be taken as it is. The client has to send another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub what: What,
    /// The line that shows it, counted from 1; 0 where no one line does.
    pub line: u32,
    /// For who reads the client's log.
    pub text: String,
}

/// Preconditions of RFC 4791 §5.3.2.1 and RFC 7529 §3. What must be a component that the collection takes is for whoever knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// No iCalendar.
    ValidCalendarData,
    /// iCalendar, and not one object of §4.1.
    ValidCalendarObjectResource,
    SupportedCalendarComponent,
    MaxResourceSize,
    MaxInstances,
    MaxAttendeesPerInstance,
    /// RFC 7529: another calendar than the Gregorian.
    SupportedRscale,
}

impl What {
    /// The name of its XML element; all are of the namespace `urn:ietf:params:xml:ns:caldav`.
    pub fn element(self) -> &'static str {
        match self {
            Self::ValidCalendarData => "valid-calendar-data",
            Self::ValidCalendarObjectResource => "valid-calendar-object-resource",
            Self::SupportedCalendarComponent => "supported-calendar-component",
            Self::MaxResourceSize => "max-resource-size",
            Self::MaxInstances => "max-instances",
            Self::MaxAttendeesPerInstance => "max-attendees-per-instance",
            Self::SupportedRscale => "supported-rscale",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}", self.text),
            line => write!(out, "line {line}: {}", self.text),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    pub(crate) fn new(what: What, line: u32, text: impl Into<String>) -> Self {
        Self { what, line, text: text.into() }
    }

    pub(crate) fn data(line: u32, text: impl Into<String>) -> Self {
        Self::new(What::ValidCalendarData, line, text)
    }

    pub(crate) fn resource(line: u32, text: impl Into<String>) -> Self {
        Self::new(What::ValidCalendarObjectResource, line, text)
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        let (what, text) = match broken.what {
            Trouble::TooLong => (What::MaxResourceSize, "more octets than are taken"),
            Trouble::TooManyLines => (What::MaxResourceSize, "more lines than are taken"),
            Trouble::LineTooLong => (What::MaxResourceSize, "a longer line than is taken"),
            Trouble::TooManyParameters => (What::ValidCalendarData, "more parameters than are taken"),
            Trouble::NotUtf8 => (What::ValidCalendarData, "not UTF-8"),
            Trouble::Syntax => (What::ValidCalendarData, "no content line"),
        };
        Self::new(what, broken.number, text)
    }
}

/// How much one object may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub octets: usize,
    pub lines: usize,
    /// All components together.
    pub components: usize,
    /// Components inside of each other.
    pub depth: usize,
    /// ATTENDEE properties of one component.
    pub attendees: usize,
    /// RRULE and EXRULE properties of one component.
    pub rules: usize,
    /// RDATE, EXDATE and FREEBUSY values of one component.
    pub dates: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { octets: 1 << 20, lines: 100_000, components: 10_000, depth: 8, attendees: 1000, rules: 20, dates: 20_000 }
    }
}

impl Limits {
    /// For a whole file of a calendar that somebody brings.
    pub fn file(octets: usize) -> Self {
        Self { octets, lines: 2_000_000, components: 200_000, ..Self::default() }
    }
}
