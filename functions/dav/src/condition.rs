//! Conditions of requests: If-Match, If-None-Match (RFC 9110 §13), and If with the entity tags and sync tokens of this and other
//! resources (RFC 4918 §10.4, RFC 6578 §5).

use crate::call::Call;
use crate::path::Target;
use crate::place::Place;
use crate::resource::{Resource, Session};
use crate::token::read_sync_token;
use crate::wrong::Wrong;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use penfold_mailbox::{Mailbox, Object, Since};
use penfold_ports::Account;
use penfold_types::FolderId;

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
    fn has(&self, tag: Option<&str>) -> bool {
        match (self, tag) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::These(tags), Some(own)) => tags.iter().any(|tag| tag == own),
        }
    }

    /// Weak comparison.
    fn has_weakly(&self, tag: Option<&str>) -> bool {
        match (self, tag) {
            (Self::These(tags), Some(own)) => tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == own),
            _ => self.has(tag),
        }
    }
}

/// What has to be so.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    matches: Option<Tags>,
    none_match: Option<Tags>,
    /// One list is enough, all terms of which are as they say: true, or not.
    listed: Option<Vec<Vec<(bool, Term)>>>,
    /// How folders were by which it was judged.
    unchanged: Vec<Then>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Term {
    /// The entity tag of what the request is about.
    Tag(String),
    Known(bool),
}

impl Condition {
    pub async fn of(call: &Call) -> Result<Self, Wrong> {
        let mut own = Self {
            matches: Tags::read(&call.headers, header::IF_MATCH)?,
            none_match: Tags::read(&call.headers, header::IF_NONE_MATCH)?,
            ..Self::default()
        };
        if let Some(value) = call.headers.get("if") {
            let lists = lists(value.to_str().map_err(|_| Wrong::BAD)?)?;
            own.judge(&call.session, &call.path, lists).await?;
        }
        Ok(own)
    }

    /// All that can be said before the object is at hand.
    async fn judge(&mut self, session: &Session, path: &str, lists: Vec<List>) -> Result<(), Wrong> {
        let mut known: Vec<(String, Option<Seen>)> = Vec::new();
        let mut judged = Vec::with_capacity(lists.len());
        for list in lists {
            let about = list.about.as_deref().unwrap_or(path);
            let is_own = Target::read(about) == Target::read(path);
            let mut terms = Vec::with_capacity(list.terms.len());
            let mut rests_on = None;
            for (wanted, term) in list.terms {
                let term = match term {
                    Raw::Tag(tag) if is_own => Term::Tag(tag),
                    other => {
                        let at = match known.iter().position(|(href, _)| href == about) {
                            Some(at) => at,
                            None if known.len() >= RESOURCES => return Err(Wrong::BAD),
                            None => {
                                known.push((about.to_owned(), Seen::of(session, about).await?));
                                known.len() - 1
                            }
                        };
                        let seen = known.get(at).and_then(|(_, seen)| seen.as_ref());
                        let is = seen.and_then(|seen| seen.is(&other));
                        rests_on = rests_on.or(seen.filter(|_| is.is_some()).map(|seen| seen.folder));
                        Term::Known(is.unwrap_or(false))
                    }
                };
                terms.push((wanted, term));
            }
            // A list that does not hold anyhow binds nobody.
            let may_hold = terms.iter().all(|(wanted, term)| matches!(term, Term::Tag(_)) || *term == Term::Known(*wanted));
            self.unchanged.extend(rests_on.filter(|_| may_hold));
            judged.push(terms);
        }
        self.listed = Some(judged);
        Ok(())
    }

    /// The mailbox, to change something there: nothing is, where what was judged by has changed meanwhile.
    pub fn on(&self, mailbox: &Mailbox) -> Mailbox {
        let here = self.unchanged.iter().filter(|(account, ..)| *account == mailbox.account());
        let here: Vec<_> = here.map(|(_, folder, since)| (*folder, *since)).collect();
        if here.is_empty() { mailbox.clone() } else { mailbox.if_unchanged(here) }
    }

    /// For what changes something.
    pub fn holds(&self, place: &Place, object: Option<&Object>) -> bool {
        let tag = object.map(|object| place.etag(object));
        let tag = tag.as_deref();
        self.matches.as_ref().is_none_or(|tags| tags.has(tag))
            && self.none_match.as_ref().is_none_or(|tags| !tags.has_weakly(tag))
            && self.list_holds(tag)
    }

    /// For a folder, which has no entity tag: it is there, and that is all.
    pub fn holds_for_folder(&self) -> bool {
        self.matches.as_ref().is_none_or(|tags| *tags == Tags::Any)
            && self.none_match.as_ref().is_none_or(|tags| *tags != Tags::Any)
            && self.list_holds(None)
    }

    /// For what is not there yet, and is no object.
    pub fn holds_for_nothing(&self) -> bool {
        self.matches.is_none() && self.list_holds(None)
    }

    /// For what only reads: what is there already need not be sent again.
    pub fn is_known(&self, tag: &str) -> bool {
        self.none_match.as_ref().is_some_and(|tags| tags.has_weakly(Some(tag)))
    }

    /// For what only reads.
    pub fn fails_to_read(&self, tag: &str) -> bool {
        self.matches.as_ref().is_some_and(|tags| !tags.has(Some(tag))) || !self.list_holds(Some(tag))
    }

    fn list_holds(&self, own: Option<&str>) -> bool {
        let Some(lists) = &self.listed else { return true };
        let holds = |(wanted, term): &(bool, Term)| {
            let is = match term {
                Term::Tag(tag) => own == Some(tag),
                Term::Known(is) => *is,
            };
            is == *wanted
        };
        lists.iter().any(|list| list.iter().all(holds))
    }
}

/// Resources that one If may speak of, and terms that it may have.
const RESOURCES: usize = 8;
const TERMS: usize = 64;

/// A folder as it was when it was looked at.
type Then = (Account, FolderId, Since);

/// A resource that an If speaks of.
struct Seen {
    place: Place,
    folder: Then,
    /// Of an object.
    tag: Option<String>,
}

impl Seen {
    /// `None` where nothing is that may be seen, or it has neither tags nor tokens.
    async fn of(session: &Session, path: &str) -> Result<Option<Self>, Wrong> {
        let (place, object) = match session.resource(path).await {
            Ok(Resource::Collection(place)) if place.is_read() => (place, None),
            Ok(Resource::Object(place, object)) => (place, Some(object)),
            Ok(_) => return Ok(None),
            Err(wrong) if matches!(wrong.status(), StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) => return Ok(None),
            Err(wrong) => return Err(wrong),
        };
        let folder = (place.mailbox.account(), place.folder.id, place.mailbox.objects_now(place.folder.id).await?);
        let tag = match object {
            // As it is from then on.
            Some(object) => match place.mailbox.object(place.folder.id, &object.name).await? {
                Some(now) => Some(place.etag(&now)),
                None => return Ok(None),
            },
            None => None,
        };
        Ok(Some(Self { place, folder, tag }))
    }

    /// `None` where such a term says nothing about it.
    fn is(&self, term: &Raw) -> Option<bool> {
        match (term, &self.tag) {
            (Raw::Tag(tag), Some(own)) => Some(tag == own),
            (Raw::Token(token), None) => read_sync_token(&self.place, token).map(|then| then == (self.folder.2, None)),
            _ => None,
        }
    }
}

/// A list as it is written.
struct List {
    /// The resource that it names; `None` is the request's.
    about: Option<String>,
    terms: Vec<(bool, Raw)>,
}

enum Raw {
    Tag(String),
    /// A state token. There are no locks here: only sync tokens hold.
    Token(String),
}

/// The lists of an If header: a resource that is named counts for all lists up to the next.
fn lists(text: &str) -> Result<Vec<List>, Wrong> {
    let (mut lists, mut about, mut count) = (Vec::new(), None, 0);
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('<') {
            let (href, after) = after.split_once('>').ok_or(Wrong::BAD)?;
            about = Some(href.to_owned());
            rest = after.trim_start();
            continue;
        }
        let inner = rest.strip_prefix('(').ok_or(Wrong::BAD)?;
        let (terms, after) = terms(inner)?;
        count += terms.len();
        if count > TERMS {
            return Err(Wrong::BAD);
        }
        lists.push(List { about: about.clone(), terms });
        rest = after.trim_start();
    }
    if lists.is_empty() { Err(Wrong::BAD) } else { Ok(lists) }
}

type Terms = Vec<(bool, Raw)>;

fn terms(mut rest: &str) -> Result<(Terms, &str), Wrong> {
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
            let (token, after) = after.split_once('>').ok_or(Wrong::BAD)?;
            rest = after;
            list.push((wanted, Raw::Token(token.to_owned())));
        } else if let Some(after) = rest.strip_prefix('[') {
            let (tag, after) = after.split_once(']').ok_or(Wrong::BAD)?;
            rest = after;
            list.push((wanted, Raw::Tag(tag.trim().to_owned())));
        } else {
            return Err(Wrong::BAD);
        }
    }
}
