use penfold_formats::xml::{DAV, Element, Name};

use crate::xml::Refused;

/// A property and, where its value is hrefs, which properties of what they name stand in their place (RFC 3253 §3.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub name: Name,
    pub expand: Vec<Property>,
}

/// Each level may multiply what is answered; clients use two.
const MAX_DEPTH: usize = 4;
const MAX_PROPERTIES: usize = 300;

pub(super) fn read(root: &Element) -> Result<Vec<Property>, Refused> {
    properties(root, 1, &mut 0)
}

fn properties(parent: &Element, depth: usize, count: &mut usize) -> Result<Vec<Property>, Refused> {
    let mut found = Vec::new();
    for element in parent.all(DAV, "property") {
        *count += 1;
        if depth > MAX_DEPTH || *count > MAX_PROPERTIES {
            return Err(Refused::TooLarge("properties"));
        }
        let name = element.attribute("name").and_then(|local| Name::new(element.attribute("namespace").unwrap_or(DAV), local));
        let name = name.ok_or_else(|| Refused::malformed("property has to have a name"))?;
        found.push(Property { name, expand: properties(element, depth + 1, count)? });
    }
    Ok(found)
}
