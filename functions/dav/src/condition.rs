//! Conditions of requests: If-Match, If-None-Match and the entity tags of If (RFC 9110 §13, RFC 4918 §10.4).

use crate::wrong::Wrong;
use axum::http::{HeaderMap, HeaderName, header};
use penfold_mailbox::Object;

/// A version's entity tag: strong, for a version never changes.
pub fn etag(object: &Object) -> String {
    format!("\"{}\"", object.item)
}

/// One list of a header: its tags, or `*`.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Tags {
    Any,
    These(Vec<String>),
}

impl Tags {
    fn read(headers: &HeaderMap, name: HeaderName) -> Result<Option<Self>, Wrong> {
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let text = value.to_str().map_err(|_| Wrong::BAD)?;
            if text.trim() == "*" {
                return Ok(Some(Self::Any));
            }
            tags.extend(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned));
        }
        Ok((!tags.is_empty()).then_some(Self::These(tags)))
    }

    /// Strong comparison: a weak tag matches nothing.
    fn has(&self, object: Option<&Object>) -> bool {
        match (self, object) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::These(tags), Some(object)) => tags.contains(&etag(object)),
        }
    }

    /// Weak comparison.
    fn has_weakly(&self, object: Option<&Object>) -> bool {
        match (self, object) {
            (Self::These(tags), Some(object)) => {
                let own = etag(object);
                tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == own)
            }
            _ => self.has(object),
        }
    }
}

/// What has to be so.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Condition {
    matches: Option<Tags>,
    none_match: Option<Tags>,
    listed: Option<Vec<List>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Term {
    Tag(String),
    /// A state token: there are no locks here, so none holds.
    Token,
}

/// Terms that all have to be as they say: true, or not.
type List = Vec<(bool, Term)>;

impl Condition {
    pub fn read(headers: &HeaderMap) -> Result<Self, Wrong> {
        Ok(Self {
            matches: Tags::read(headers, header::IF_MATCH)?,
            none_match: Tags::read(headers, header::IF_NONE_MATCH)?,
            listed: listed(headers)?,
        })
    }

    /// For what changes something.
    pub fn holds(&self, object: Option<&Object>) -> bool {
        self.matches.as_ref().is_none_or(|tags| tags.has(object))
            && self.none_match.as_ref().is_none_or(|tags| !tags.has_weakly(object))
            && self.list_holds(object)
    }

    /// For a folder, which has no entity tag: it is there, and that is all.
    pub fn holds_for_folder(&self) -> bool {
        self.matches.as_ref().is_none_or(|tags| *tags == Tags::Any)
            && self.none_match.as_ref().is_none_or(|tags| *tags != Tags::Any)
            && self.list_holds(None)
    }

    /// For what only reads: what is there already need not be sent again.
    pub fn is_known(&self, object: &Object) -> bool {
        self.none_match.as_ref().is_some_and(|tags| tags.has_weakly(Some(object)))
    }

    /// For what only reads.
    pub fn fails_to_read(&self, object: &Object) -> bool {
        self.matches.as_ref().is_some_and(|tags| !tags.has(Some(object))) || !self.list_holds(Some(object))
    }

    fn list_holds(&self, object: Option<&Object>) -> bool {
        let Some(lists) = &self.listed else { return true };
        let holds = |(wanted, term): &(bool, Term)| {
            let is = match term {
                Term::Tag(tag) => object.is_some_and(|object| etag(object) == *tag),
                Term::Token => false,
            };
            is == *wanted
        };
        lists.iter().any(|list| list.iter().all(holds))
    }
}

/// The lists of an If header; tags of other resources than the request's are not looked at apart.
fn listed(headers: &HeaderMap) -> Result<Option<Vec<List>>, Wrong> {
    let Some(value) = headers.get("if") else { return Ok(None) };
    let text = value.to_str().map_err(|_| Wrong::BAD)?;
    let mut lists = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('<') {
            rest = after.split_once('>').ok_or(Wrong::BAD)?.1.trim_start();
            continue;
        }
        let inner = rest.strip_prefix('(').ok_or(Wrong::BAD)?;
        let (list, after) = terms(inner)?;
        lists.push(list);
        rest = after.trim_start();
    }
    if lists.is_empty() { Err(Wrong::BAD) } else { Ok(Some(lists)) }
}

fn terms(mut rest: &str) -> Result<(List, &str), Wrong> {
    let mut list = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            return if list.is_empty() { Err(Wrong::BAD) } else { Ok((list, after)) };
        }
        let wanted = match rest.get(..3) {
            Some(not) if not.eq_ignore_ascii_case("not") => {
                rest = rest[3..].trim_start();
                false
            }
            _ => true,
        };
        if let Some(after) = rest.strip_prefix('<') {
            rest = after.split_once('>').ok_or(Wrong::BAD)?.1;
            list.push((wanted, Term::Token));
        } else if let Some(after) = rest.strip_prefix('[') {
            let (tag, after) = after.split_once(']').ok_or(Wrong::BAD)?;
            rest = after;
            list.push((wanted, Term::Tag(tag.trim().to_owned())));
        } else {
            return Err(Wrong::BAD);
        }
    }
}
