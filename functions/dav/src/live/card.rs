//! CardDAV's own properties (RFC 6352 §6.2, §8.3).

use super::text;
use crate::limits;
use crate::resource::Resource;
use penfold_formats::xml::{CARDDAV, Element, Name};
use penfold_mailbox::Kind;

pub(super) fn value(resource: &Resource, local: &str) -> Option<Element> {
    match resource {
        Resource::Collection(place) | Resource::Object(place, _) if place.folder.kind == Kind::Contacts => {}
        Resource::Book(_) | Resource::Entry(_) => {}
        _ => return None,
    }
    match local {
        "supported-address-data" => Some(["3.0", "4.0"].iter().fold(Element::known(CARDDAV, "supported-address-data"), |set, version| {
            set.with(
                Element::known(CARDDAV, "address-data-type")
                    .with_attribute(Name::known("", "content-type"), "text/vcard")
                    .with_attribute(Name::known("", "version"), version),
            )
        })),
        "supported-collation-set" => {
            let all = ["i;ascii-casemap", "i;octet", "i;unicode-casemap"];
            let set = Element::known(CARDDAV, "supported-collation-set");
            Some(all.iter().fold(set, |set, name| set.with(text(CARDDAV, "supported-collation", name))))
        }
        "max-resource-size" => Some(text(CARDDAV, "max-resource-size", &limits::CARD.to_string())),
        _ => None,
    }
}
