//! REPORT: each kind is a body of its own (RFC 3253 §3.6).

use penfold_formats::xml::{CALDAV, CALENDARSERVER, CARDDAV, DAV, Element};

use super::body::{tree, trimmed};
use super::error::Precondition;
use super::refused::Refused;
use super::time;
use super::wanted::Wanted;

mod addressbook_query;
mod calendar_query;
mod expand_property;
mod multiget;
mod principals;
mod sync_collection;
#[cfg(test)]
mod tests;

pub use addressbook_query::AddressbookQuery;
pub use calendar_query::{CalendarQuery, Timezone};
pub use expand_property::Property;
pub use multiget::Multiget;
pub use principals::{Match, MatchType, PrincipalMatch, PrincipalSearch, Search, TokenSearch};
pub use sync_collection::{SyncCollection, SyncLevel};

/// What a REPORT asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// RFC 6578 §3.2.
    SyncCollection(SyncCollection),
    /// RFC 4791 §7.8.
    CalendarQuery(CalendarQuery),
    /// RFC 4791 §7.9.
    CalendarMultiget(Multiget),
    /// RFC 6352 §8.6.
    AddressbookQuery(AddressbookQuery),
    /// RFC 6352 §8.7.
    AddressbookMultiget(Multiget),
    /// RFC 4791 §7.10, in UTC seconds.
    FreeBusyQuery(std::ops::Range<i64>),
    /// RFC 3253 §3.8.
    ExpandProperty(Vec<Property>),
    /// RFC 3744 §9.2.
    AclPrincipalPropSet(Wanted),
    /// RFC 3744 §9.3.
    PrincipalMatch(PrincipalMatch),
    /// RFC 3744 §9.4.
    PrincipalPropertySearch(PrincipalSearch),
    /// RFC 3744 §9.5.
    PrincipalSearchPropertySet,
    /// Apple's search by words of whatever names a principal.
    PrincipalTokenSearch(TokenSearch),
}

/// Reads the body of a REPORT. One that is not known is refused with DAV:supported-report.
pub fn read(bytes: &[u8]) -> Result<Report, Refused> {
    let root = tree(bytes)?.ok_or_else(|| Refused::malformed("the body is missing"))?;
    Ok(match root.name.key() {
        (DAV, "sync-collection") => Report::SyncCollection(SyncCollection::read(&root)?),
        (CALDAV, "calendar-query") => Report::CalendarQuery(CalendarQuery::read(&root)?),
        (CALDAV, "calendar-multiget") => Report::CalendarMultiget(Multiget::read(&root)?),
        (CARDDAV, "addressbook-query") => Report::AddressbookQuery(AddressbookQuery::read(&root)?),
        (CARDDAV, "addressbook-multiget") => Report::AddressbookMultiget(Multiget::read(&root)?),
        (CALDAV, "free-busy-query") => {
            let range = root.child(CALDAV, "time-range").and_then(time::closed);
            Report::FreeBusyQuery(range.ok_or_else(|| Refused::malformed("free-busy-query has to hold a time-range with start and end"))?)
        }
        (DAV, "expand-property") => Report::ExpandProperty(expand_property::read(&root)?),
        (DAV, "acl-principal-prop-set") => Report::AclPrincipalPropSet(prop(&root)?),
        (DAV, "principal-match") => Report::PrincipalMatch(PrincipalMatch::read(&root)?),
        (DAV, "principal-property-search") => Report::PrincipalPropertySearch(PrincipalSearch::read(&root)?),
        (DAV, "principal-search-property-set") => Report::PrincipalSearchPropertySet,
        (CALENDARSERVER, "calendarserver-principal-search") => Report::PrincipalTokenSearch(TokenSearch::read(&root)?),
        _ => return Err(Refused::Precondition(Precondition::SUPPORTED_REPORT)),
    })
}

/// DAV:prop, or nothing where it is left out.
fn prop(root: &Element) -> Result<Wanted, Refused> {
    root.child(DAV, "prop").map_or_else(|| Ok(Wanted::default()), Wanted::read)
}

/// What a client says it will not take more of: `limit` with `nresults` (RFC 5323 §5.17, RFC 6352 §10.6).
fn limit(root: &Element, ns: &str) -> Result<Option<usize>, Refused> {
    let Some(limit) = root.child(ns, "limit") else { return Ok(None) };
    let number = limit.child(ns, "nresults").map(trimmed).and_then(|text| text.parse::<usize>().ok()).filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| Refused::malformed("limit has to hold nresults, a positive number"))
}
