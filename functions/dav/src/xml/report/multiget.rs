use penfold_formats::xml::{DAV, Element};

use crate::xml::Refused;
use crate::xml::body::trimmed;
use crate::xml::wanted::Selection;

/// The same for calendars (RFC 4791 §9.10) and address books (RFC 6352 §10.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multiget {
    pub selection: Selection,
    /// As they were sent, in their order; each has to be answered.
    pub hrefs: Vec<String>,
}

impl Multiget {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let hrefs: Vec<String> = root.all(DAV, "href").map(trimmed).collect();
        if hrefs.is_empty() {
            return Err(Refused::malformed("a multiget has to hold href"));
        }
        Ok(Self { selection: Selection::read_or_none(root)?, hrefs })
    }
}
