use penfold_formats::xml::{Element, Limits, read};

use super::refused::Refused;

/// A body as a tree, `None` where there is none.
pub(super) fn tree(bytes: &[u8]) -> Result<Option<Element>, Refused> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(read(bytes, Limits::default())?))
}

/// A body whose root has to be this.
pub(super) fn rooted(bytes: &[u8], ns: &str, local: &str) -> Result<Element, Refused> {
    let root = tree(bytes)?.ok_or_else(|| Refused::malformed("the body is missing"))?;
    expect(&root, ns, local)?;
    Ok(root)
}

pub(super) fn expect(root: &Element, ns: &str, local: &str) -> Result<(), Refused> {
    if root.is(ns, local) { Ok(()) } else { Err(Refused::Malformed(format!("the body has to be {{{ns}}}{local}"))) }
}

/// The text of an element without the white space around it.
pub(super) fn trimmed(element: &Element) -> String {
    element.text().trim().to_owned()
}
