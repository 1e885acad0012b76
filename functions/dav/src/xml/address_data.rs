use penfold_formats::vcard::{Fault, Selected, Version, What};
use penfold_formats::xml::{CARDDAV, Element};

use super::error::Precondition;
use super::refused::Refused;

/// How much of a vCard is wanted and in which version (RFC 6352 §10.4). The default is all of it, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressData {
    /// What it asks for by name. `None` is 3.0 by the letter of §10.4.
    pub version: Option<Version>,
    /// `None` is all of them.
    pub props: Option<Vec<Selected>>,
}

/// What a client is told whose card is not taken (RFC 6352 §6.3.2.1).
pub fn precondition(fault: Fault) -> Precondition {
    match fault.what {
        What::TooLarge => Precondition::CARD_MAX_RESOURCE_SIZE,
        What::Version => Precondition::SUPPORTED_ADDRESS_DATA,
        What::NoCard | What::SeveralCards | What::NotUtf8 | What::Syntax | What::NoName => Precondition::VALID_ADDRESS_DATA,
    }
}

impl AddressData {
    pub(super) fn read(element: &Element) -> Result<Self, Refused> {
        let unsupported = || Refused::Precondition(Precondition::SUPPORTED_ADDRESS_DATA);
        if !element.attribute("content-type").unwrap_or("text/vcard").eq_ignore_ascii_case("text/vcard") {
            return Err(unsupported());
        }
        let version = match element.attribute("version") {
            None => None,
            Some("3.0") => Some(Version::V3),
            Some("4.0") => Some(Version::V4),
            Some(_) => return Err(unsupported()),
        };
        let props = element.all(CARDDAV, "prop").map(prop).collect::<Result<Vec<_>, _>>()?;
        let is_all = element.child(CARDDAV, "allprop").is_some() || props.is_empty();
        Ok(Self { version, props: (!is_all).then_some(props) })
    }
}

/// A name with a group (`X.TEL`) asks for that group only (§10.4.2).
fn prop(element: &Element) -> Result<Selected, Refused> {
    let (name, group) = named(element)?;
    Ok(Selected { name, group, novalue: element.attribute("novalue") == Some("yes") })
}

/// The attribute `name` in upper case, and the group before its dot.
pub(super) fn named(element: &Element) -> Result<(String, Option<String>), Refused> {
    let name = element.attribute("name").map(|name| name.trim().to_ascii_uppercase()).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refused::malformed("a property or parameter has to have a name"))?;
    Ok(match name.split_once('.') {
        Some((group, name)) => (name.to_owned(), Some(group.to_owned())),
        None => (name, None),
    })
}
