use penfold_formats::xml::DAV;

use super::body::{expect, tree};
use super::refused::Refused;
use super::wanted::Selection;

#[cfg(test)]
mod tests;

/// What a PROPFIND asks for (RFC 4918 §9.1, §14.20). Without a body it is all.
pub fn read(bytes: &[u8]) -> Result<Selection, Refused> {
    let Some(root) = tree(bytes)? else { return Ok(Selection::All { include: Vec::new() }) };
    expect(&root, DAV, "propfind")?;
    Selection::read(&root)?.ok_or_else(|| Refused::malformed("propfind has to hold allprop, propname or prop"))
}
