use std::collections::HashSet;

use penfold_formats::xml::{CALDAV, CARDDAV, DAV, Element, Name};

use super::address_data::AddressData;
use super::calendar_data::CalendarData;
use super::refused::Refused;

/// More names than any client asks for. Each that is not found is told for each resource, so their number is bounded.
const MAX_NAMES: usize = 300;

/// What DAV:prop lists: names in the order of the request, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub names: Vec<Name>,
    /// How much of CALDAV:calendar-data, where that is among the names.
    pub calendar_data: Option<CalendarData>,
    /// How much of CARDDAV:address-data, where that is among the names.
    pub address_data: Option<AddressData>,
}

/// DAV:allprop, DAV:propname or DAV:prop (RFC 4918 §9.1), in PROPFIND and in reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// What RFC 4918 defines and what is dead, and beside it what DAV:include names.
    All {
        include: Vec<Name>,
    },
    /// The names only.
    Names,
    These(Wanted),
}

impl Selection {
    /// What is selected by the children of `parent`; `None` where nothing is. More than one selection is malformed.
    pub(super) fn read(parent: &Element) -> Result<Option<Self>, Refused> {
        let mut selection = None;
        let mut include = None;
        for element in parent.elements() {
            let one = match element.name.key() {
                (DAV, "allprop") => Self::All { include: Vec::new() },
                (DAV, "propname") => Self::Names,
                (DAV, "prop") => Self::These(Wanted::read(element)?),
                (DAV, "include") => {
                    include = Some(names(element)?);
                    continue;
                }
                _ => continue,
            };
            if selection.replace(one).is_some() {
                return Err(Refused::malformed("allprop, propname and prop exclude each other"));
            }
        }
        match (&mut selection, include) {
            (Some(Self::All { include }), Some(names)) => *include = names,
            (_, None) => {}
            (_, Some(_)) => return Err(Refused::malformed("include goes with allprop only")),
        }
        Ok(selection)
    }

    /// In reports the selection may be left out; then resources are named and nothing is said of them.
    pub(super) fn read_or_none(parent: &Element) -> Result<Self, Refused> {
        Ok(Self::read(parent)?.unwrap_or_else(|| Self::These(Wanted::default())))
    }
}

impl Wanted {
    pub(super) fn read(prop: &Element) -> Result<Self, Refused> {
        Ok(Self {
            names: names(prop)?,
            calendar_data: prop.child(CALDAV, "calendar-data").map(CalendarData::read).transpose()?,
            address_data: prop.child(CARDDAV, "address-data").map(AddressData::read).transpose()?,
        })
    }
}

pub(super) fn names(parent: &Element) -> Result<Vec<Name>, Refused> {
    let mut seen = HashSet::new();
    let names: Vec<Name> = parent.elements().map(|element| element.name.clone()).filter(|name| seen.insert(name.clone())).collect();
    if names.len() > MAX_NAMES { Err(Refused::TooLarge("properties")) } else { Ok(names) }
}
