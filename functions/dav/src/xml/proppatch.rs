use penfold_formats::xml::{DAV, Element, Name};

use super::body::rooted;
use super::refused::Refused;

#[cfg(test)]
mod tests;

/// More changes than any client makes at once; all of them succeed or none, so they are one commit.
const MAX_CHANGES: usize = 200;

/// One instruction of a PROPPATCH. A value has its name, its language and all that was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Set(Element),
    Remove(Name),
}

impl Change {
    pub fn name(&self) -> &Name {
        match self {
            Self::Set(value) => &value.name,
            Self::Remove(name) => name,
        }
    }
}

/// What a PROPPATCH changes, in document order, which is the order to act in (RFC 4918 §9.2, §14.19).
pub fn read(bytes: &[u8]) -> Result<Vec<Change>, Refused> {
    let root = rooted(bytes, DAV, "propertyupdate")?;
    let mut changes = Vec::new();
    for instruction in root.elements() {
        let is_set = match instruction.name.key() {
            (DAV, "set") => true,
            (DAV, "remove") => false,
            _ => continue,
        };
        let prop = instruction.child(DAV, "prop").ok_or_else(|| Refused::malformed("set and remove have to hold prop"))?;
        changes.extend(prop.elements().map(|value| if is_set { Change::Set(value.clone()) } else { Change::Remove(value.name.clone()) }));
    }
    match changes.len() {
        0 => Err(Refused::malformed("propertyupdate has to set or remove a property")),
        n if n > MAX_CHANGES => Err(Refused::TooLarge("properties")),
        _ => Ok(changes),
    }
}

/// What DAV:set in the body of an extended MKCOL gives: values only, each name once.
pub(super) fn values(root: &Element) -> Result<Vec<Element>, Refused> {
    let mut values: Vec<Element> = Vec::new();
    for set in root.all(DAV, "set") {
        let prop = set.child(DAV, "prop").ok_or_else(|| Refused::malformed("set has to hold prop"))?;
        for value in prop.elements() {
            // As with PROPPATCH, what is said last holds.
            values.retain(|before| before.name != value.name);
            values.push(value.clone());
            if values.len() > MAX_CHANGES {
                return Err(Refused::TooLarge("properties"));
            }
        }
    }
    Ok(values)
}
