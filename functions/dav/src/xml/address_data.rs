use penfold_formats::xml::{CARDDAV, Element};

use super::error::Precondition;
use super::refused::Refused;

/// How much of a vCard is wanted and in which version (RFC 6352 §10.4). The default is all of it, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressData {
    pub version: Option<CardVersion>,
    /// `None` is all of them.
    pub props: Option<Vec<Prop>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardVersion {
    V3,
    V4,
}

/// A property (§10.4.2). A name with a group (`X.TEL`) asks for that group only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prop {
    /// In upper case.
    pub name: String,
    pub novalue: bool,
}

impl AddressData {
    pub(super) fn read(element: &Element) -> Result<Self, Refused> {
        let unsupported = || Refused::Precondition(Precondition::SUPPORTED_ADDRESS_DATA);
        if !element.attribute("content-type").unwrap_or("text/vcard").eq_ignore_ascii_case("text/vcard") {
            return Err(unsupported());
        }
        let version = match element.attribute("version") {
            None => None,
            Some("3.0") => Some(CardVersion::V3),
            Some("4.0") => Some(CardVersion::V4),
            Some(_) => return Err(unsupported()),
        };
        let props = element.all(CARDDAV, "prop").map(prop).collect::<Result<Vec<_>, _>>()?;
        let is_all = element.child(CARDDAV, "allprop").is_some() || props.is_empty();
        Ok(Self { version, props: (!is_all).then_some(props) })
    }
}

fn prop(element: &Element) -> Result<Prop, Refused> {
    match element.attribute("name").map(str::trim) {
        Some(name) if !name.is_empty() => {
            Ok(Prop { name: name.to_ascii_uppercase(), novalue: element.attribute("novalue") == Some("yes") })
        }
        _ => Err(Refused::malformed("prop has to have a name")),
    }
}
