use penfold_formats::xml::{CALENDARSERVER, DAV, Element, Name};

use super::{limit, prop};
use crate::xml::Refused;
use crate::xml::body::trimmed;
use crate::xml::wanted::{Wanted, names};

/// More than any client asks for.
const MAX_SEARCHES: usize = 50;

/// Principals that are whoever asks, or resources whose property names them (RFC 3744 §9.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalMatch {
    /// The property that names; `None` is DAV:self.
    pub property: Option<Name>,
    pub wanted: Wanted,
}

/// Principals by what their properties hold (RFC 3744 §9.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalSearch {
    pub searches: Vec<Search>,
    /// One is enough: `test="anyof"` of Apple. The standard has all.
    pub any: bool,
    pub everywhere: bool,
    pub limit: Option<usize>,
    pub wanted: Wanted,
}

/// Each of the properties has to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub properties: Vec<Name>,
    pub wanted: Match,
}

/// Without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub text: String,
    pub kind: MatchType,
}

/// `match-type` of Apple; the standard has only the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchType {
    #[default]
    Contains,
    StartsWith,
    EndsWith,
    Equals,
}

/// Principals all of whose words are found in whatever names them: what Apple's clients complete addresses with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSearch {
    pub tokens: Vec<Match>,
    /// `user`, `group`, `location`, `resource`, `attendee` or nothing.
    pub context: Option<String>,
    pub limit: Option<usize>,
    pub wanted: Wanted,
}

impl PrincipalMatch {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let property = match (root.child(DAV, "self"), root.child(DAV, "principal-property")) {
            (Some(_), None) => None,
            (None, Some(property)) => {
                let name = property.elements().next().map(|element| element.name.clone());
                Some(name.ok_or_else(|| Refused::malformed("principal-property has to name a property"))?)
            }
            _ => return Err(Refused::malformed("principal-match has to hold one of self and principal-property")),
        };
        Ok(Self { property, wanted: prop(root)? })
    }
}

impl PrincipalSearch {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let searches: Vec<Search> = root.all(DAV, "property-search").map(Search::read).collect::<Result<_, _>>()?;
        if searches.len() > MAX_SEARCHES {
            return Err(Refused::TooLarge("searches"));
        }
        Ok(Self {
            searches,
            any: root.attribute("test") == Some("anyof"),
            everywhere: root.child(DAV, "apply-to-principal-collection-set").is_some(),
            limit: limit(root, DAV)?,
            wanted: prop(root)?,
        })
    }
}

impl Search {
    fn read(element: &Element) -> Result<Self, Refused> {
        let properties = element.child(DAV, "prop").map(names).transpose()?.filter(|names| !names.is_empty());
        match (properties, element.child(DAV, "match")) {
            (Some(properties), Some(wanted)) => Ok(Self { properties, wanted: Match::read(wanted) }),
            _ => Err(Refused::malformed("property-search has to hold prop, with a property, and match")),
        }
    }
}

impl Match {
    fn read(element: &Element) -> Self {
        let kind = match element.attribute("match-type") {
            Some("starts-with") => MatchType::StartsWith,
            Some("ends-with") => MatchType::EndsWith,
            Some("equals") => MatchType::Equals,
            _ => MatchType::Contains,
        };
        Self { text: trimmed(element), kind }
    }
}

impl TokenSearch {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let tokens: Vec<Match> = root.all(CALENDARSERVER, "search-token").map(Match::read).filter(|token| !token.text.is_empty()).collect();
        match tokens.len() {
            0 => return Err(Refused::malformed("calendarserver-principal-search has to hold search-token")),
            n if n > MAX_SEARCHES => return Err(Refused::TooLarge("searches")),
            _ => {}
        }
        let context = root.attribute("context").map(str::to_owned);
        Ok(Self { tokens, context, limit: limit(root, CALENDARSERVER)?, wanted: prop(root)? })
    }
}
