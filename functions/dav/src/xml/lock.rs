use penfold_formats::xml::{DAV, Element, Name, Writer};

use super::body::rooted;
use super::refused::Refused;

#[cfg(test)]
mod tests;

/// What a LOCK asks for (RFC 4918 §9.10, §14.11). Without a body it is a refresh, and there is nothing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    pub exclusive: bool,
    /// DAV:owner with all that is in it: kept as it is and shown to others (§14.17).
    pub owner: Option<Element>,
}

/// A lock that is held (RFC 4918 §14.1).
#[derive(Clone, Debug)]
pub struct ActiveLock<'a> {
    pub exclusive: bool,
    pub infinite: bool,
    pub owner: Option<&'a Element>,
    /// Seconds that are left.
    pub timeout: u64,
    /// Only whoever may know it gets it (§6.4).
    pub token: Option<&'a str>,
    /// Encoded.
    pub root: &'a str,
}

/// Reads DAV:lockinfo. There are write locks only (§7).
pub fn read(bytes: &[u8]) -> Result<LockInfo, Refused> {
    let root = rooted(bytes, DAV, "lockinfo")?;
    let scope = root.child(DAV, "lockscope").and_then(|scope| scope.elements().next());
    let exclusive = match scope.map(|scope| scope.name.key()) {
        Some((DAV, "exclusive")) => true,
        Some((DAV, "shared")) => false,
        _ => return Err(Refused::malformed("lockscope has to hold exclusive or shared")),
    };
    if root.child(DAV, "locktype").and_then(|kind| kind.child(DAV, "write")).is_none() {
        return Err(Refused::malformed("locktype has to hold write"));
    }
    Ok(LockInfo { exclusive, owner: root.child(DAV, "owner").cloned() })
}

/// The property DAV:lockdiscovery (§15.8).
pub fn discovery(locks: &[ActiveLock<'_>]) -> Element {
    locks.iter().fold(Element::known(DAV, "lockdiscovery"), |all, lock| all.with(active(lock)))
}

/// The body of the answer to a LOCK: DAV:prop with DAV:lockdiscovery (§9.10.1).
pub fn answer(locks: &[ActiveLock<'_>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.open(&Name::known(DAV, "prop"));
    writer.element(&discovery(locks));
    writer.finish()
}

fn active(lock: &ActiveLock<'_>) -> Element {
    let href = |path: &str| Element::known(DAV, "href").with_text(path);
    let scope = if lock.exclusive { "exclusive" } else { "shared" };
    let mut element = Element::known(DAV, "activelock")
        .with(Element::known(DAV, "locktype").with(Element::known(DAV, "write")))
        .with(Element::known(DAV, "lockscope").with(Element::known(DAV, scope)))
        .with(Element::known(DAV, "depth").with_text(if lock.infinite { "infinity" } else { "0" }));
    if let Some(owner) = lock.owner {
        element = element.with(owner.clone());
    }
    element = element.with(Element::known(DAV, "timeout").with_text(&format!("Second-{}", lock.timeout)));
    if let Some(token) = lock.token {
        element = element.with(Element::known(DAV, "locktoken").with(href(token)));
    }
    element.with(Element::known(DAV, "lockroot").with(href(lock.root)))
}
