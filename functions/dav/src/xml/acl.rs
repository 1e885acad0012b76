use penfold_formats::xml::{DAV, Element, Name};

use super::body::{rooted, trimmed};
use super::error::Precondition;
use super::refused::Refused;

#[cfg(test)]
mod tests;

/// One entry of an access control list (RFC 3744 §5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    pub principal: Principal,
    /// It holds for everybody but the principal (§5.5.1).
    pub inverted: bool,
    pub deny: bool,
    pub privileges: Vec<Name>,
    pub protected: bool,
    /// From where it comes, where it comes from elsewhere.
    pub inherited: Option<String>,
}

/// RFC 3744 §5.5.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// As it was sent.
    Href(String),
    All,
    Authenticated,
    Unauthenticated,
    /// Whoever this property of the resource names, such as DAV:owner.
    Property(Name),
    Itself,
}

/// More than any list of ours has.
const MAX_ACES: usize = 500;

/// The body of the method ACL (RFC 3744 §8.1): the whole list that is to be.
pub fn read(bytes: &[u8]) -> Result<Vec<Ace>, Refused> {
    let root = rooted(bytes, DAV, "acl")?;
    let aces: Vec<Ace> = root.all(DAV, "ace").take(MAX_ACES + 1).map(ace).collect::<Result<_, _>>()?;
    if aces.len() > MAX_ACES { Err(Refused::Precondition(Precondition::LIMITED_NUMBER_OF_ACES)) } else { Ok(aces) }
}

fn ace(element: &Element) -> Result<Ace, Refused> {
    let invert = element.child(DAV, "invert");
    let who = invert.unwrap_or(element).child(DAV, "principal").ok_or_else(|| Refused::malformed("ace has to hold principal"))?;
    let (deny, privileges) = match (element.child(DAV, "grant"), element.child(DAV, "deny")) {
        (Some(grant), None) => (false, grant),
        (None, Some(deny)) => (true, deny),
        _ => return Err(Refused::malformed("ace has to hold one of grant and deny")),
    };
    let privileges: Vec<Name> =
        privileges.all(DAV, "privilege").filter_map(|privilege| privilege.elements().next()).map(|element| element.name.clone()).collect();
    if privileges.is_empty() {
        return Err(Refused::malformed("grant and deny have to hold privilege"));
    }
    Ok(Ace {
        principal: principal(who)?,
        inverted: invert.is_some(),
        deny,
        privileges,
        protected: element.child(DAV, "protected").is_some(),
        inherited: element.child(DAV, "inherited").and_then(|inherited| inherited.child(DAV, "href")).map(trimmed),
    })
}

fn principal(element: &Element) -> Result<Principal, Refused> {
    let none = || Refused::Precondition(Precondition::RECOGNIZED_PRINCIPAL);
    let who = element.elements().next().ok_or_else(none)?;
    Ok(match who.name.key() {
        (DAV, "href") => Principal::Href(trimmed(who)),
        (DAV, "all") => Principal::All,
        (DAV, "authenticated") => Principal::Authenticated,
        (DAV, "unauthenticated") => Principal::Unauthenticated,
        (DAV, "self") => Principal::Itself,
        (DAV, "property") => Principal::Property(who.elements().next().ok_or_else(none)?.name.clone()),
        _ => return Err(none()),
    })
}
