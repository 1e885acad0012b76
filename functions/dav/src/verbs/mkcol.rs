//! MKCOL, also extended (RFC 4918 §9.3, RFC 5689), and MKCALENDAR (RFC 4791 §5.3.1).

use super::propfind::key;
use super::{proppatch, zone};
use crate::call::Call;
use crate::condition::Condition;
use crate::live;
use crate::path::Home;
use crate::resource::{INBOX, OUTBOX, Resource};
use crate::wrong::{Wrong, XML};
use crate::xml::mkcol::{Mkcol, read, read_calendar};
use crate::xml::multistatus::mkcol_response;
use crate::xml::proppatch::Change;
use crate::xml::{Precondition, Propstats, Refused};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_formats::xml::{CALDAV, CARDDAV, DAV, Element, Name};
use penfold_mailbox::{Kind, NewCollection, PROPERTY_BYTES};
use penfold_types::Kind as Why;

pub async fn mkcol(call: Call) -> Result<Response, Wrong> {
    let wanted = given(read(&call.xml()?))?;
    let types = wanted.resourcetype();
    let is = |ns: &str, local: &str| types.as_ref().is_some_and(|types| types.iter().any(|name| name.key() == (ns, local)));
    let root = Name::known(DAV, "mkcol-response");
    let other = || refused(&root, &wanted, |name| (name.key() == (DAV, "resourcetype")).then_some(Precondition::VALID_RESOURCETYPE));
    let kind = if is(CALDAV, "calendar") && is(CARDDAV, "addressbook") {
        return Ok(other());
    } else if is(CALDAV, "calendar") {
        Some(Home::Calendars)
    } else if is(CARDDAV, "addressbook") {
        Some(Home::AddressBooks)
    } else if types.as_ref().is_some_and(|types| types.iter().any(|name| name.key() != (DAV, "collection"))) {
        return Ok(other());
    } else {
        None
    };
    make(call, wanted, kind, &root).await
}

pub async fn mkcalendar(call: Call) -> Result<Response, Wrong> {
    let wanted = given(read_calendar(&call.xml()?))?;
    make(call, wanted, Some(Home::Calendars), &Name::known(CALDAV, "mkcalendar-response")).await
}

/// A collection of this sort cannot be where it was to be.
fn nowhere(sort: Option<Home>) -> Option<Wrong> {
    match sort? {
        Home::AddressBooks => Some(Precondition::ADDRESSBOOK_COLLECTION_LOCATION_OK.into()),
        Home::Calendars => Some(Precondition::CALENDAR_COLLECTION_LOCATION_OK.into()),
        Home::Files => None,
    }
}

/// RFC 4918 §9.3: a body that is not understood is a media type that is not.
fn given(read: Result<Mkcol, Refused>) -> Result<Mkcol, Refused> {
    read.map_err(|refused| if matches!(refused, Refused::Malformed(_)) { Refused::Unsupported } else { refused })
}

async fn make(call: Call, wanted: Mkcol, sort: Option<Home>, root: &Name) -> Result<Response, Wrong> {
    let (parent, home, owner, segment) = match call.resource_to_be().await? {
        Resource::Nothing(parent, home, owner, segment) => (parent, home, owner, segment),
        _ => return Err(Wrong::Method),
    };
    let condition = Condition::of(&call).await?;
    if !condition.holds_for_nothing() {
        return Err(Wrong::FAILED);
    }
    if home != sort.unwrap_or(Home::Files) || (home == Home::Files) != parent.is_some() {
        return Err(nowhere(sort).unwrap_or_else(|| Precondition::VALID_RESOURCETYPE.into()));
    }
    if home == Home::Calendars && (segment == INBOX || segment == OUTBOX) || crate::path::read_alias(&segment).is_some() {
        return Err(Precondition::RESOURCE_MUST_BE_NULL.into());
    }
    let Ok(kind) = kind_of(home, &wanted) else {
        let name = Name::known(CALDAV, "supported-calendar-component-set");
        return Ok(refused(root, &wanted, |one| (*one == name).then_some(Precondition::SUPPORTED_CALENDAR_COMPONENT)));
    };
    if wanted.values.iter().any(|value| is_protected(&value.name)) {
        return Ok(refused(root, &wanted, |one| is_protected(one).then_some(Precondition::CANNOT_MODIFY_PROTECTED_PROPERTY)));
    }
    let zone_of = |one: &Name| wanted.values.iter().find(|value| value.name == *one).and_then(|value| zone::wrong(one, &value.text()));
    if wanted.values.iter().any(|value| zone_of(&value.name).is_some()) {
        return Ok(refused(root, &wanted, zone_of));
    }
    let mailbox = match &parent {
        Some(place) => place.mailbox.clone(),
        None => call.session.mailbox_of(owner).await?.0,
    };
    let title = wanted.values.iter().find(|value| value.is(DAV, "displayname")).map(proppatch::one_line);
    let title = title.filter(|title| !title.is_empty() && home != Home::Files).unwrap_or_else(|| segment.clone());
    let kept = wanted.values.iter().filter(|value| !live::is_live(&value.name)).cloned();
    let changes: Vec<Change> = kept.map(Change::Set).collect();
    let properties = proppatch::patch(&changes, home != Home::Files).set;
    let too_long = |name: &Name| {
        let own = key(name);
        properties.iter().any(|(key, value)| *key == own && value.len() > PROPERTY_BYTES).then_some(Precondition::QUOTA_NOT_EXCEEDED)
    };
    if wanted.values.iter().any(|value| too_long(&value.name).is_some()) {
        return Ok(refused(root, &wanted, too_long));
    }
    let new = NewCollection { kind, parent: parent.as_ref().map(|place| place.folder.id), segment, name: title, properties };
    match condition.on(&mailbox).create_collection(&new).await {
        Ok(_) => {}
        Err(error) if error.kind() == Why::Conflict && !error.is_unmet() => return Err(Wrong::Method),
        Err(error) => return Err(error.into()),
    }
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    Ok((StatusCode::CREATED, fresh).into_response())
}

/// What it is made of cannot be changed later, and is given here.
fn is_protected(name: &Name) -> bool {
    live::is_live(name) && !matches!(name.key(), (DAV, "resourcetype") | (CALDAV, "supported-calendar-component-set"))
}

/// What the folder's objects are; nothing where a client wants events and to-dos in one.
fn kind_of(home: Home, wanted: &Mkcol) -> Result<Kind, ()> {
    let components = wanted.values.iter().find(|value| value.is(CALDAV, "supported-calendar-component-set"));
    let Some(components) = components.filter(|_| home == Home::Calendars) else { return Ok(home.kind()) };
    let named: Vec<&str> = components.all(CALDAV, "comp").filter_map(|comp: &Element| comp.attribute("name")).collect();
    match named.as_slice() {
        [] => Ok(Kind::Events),
        [one] if one.eq_ignore_ascii_case("VEVENT") => Ok(Kind::Events),
        [one] if one.eq_ignore_ascii_case("VTODO") => Ok(Kind::Tasks),
        [one] if one.eq_ignore_ascii_case("VJOURNAL") => Ok(Kind::Notes),
        _ => Err(()),
    }
}

/// RFC 5689 §3.4: what could not be set, and what was not because of that.
fn refused(root: &Name, wanted: &Mkcol, why: impl Fn(&Name) -> Option<Precondition>) -> Response {
    let mut all = Propstats::default();
    for value in &wanted.values {
        match why(&value.name) {
            Some(precondition) => all.refused(value.name.clone(), &precondition),
            None => all.add(StatusCode::FAILED_DEPENDENCY, value.name.clone()),
        }
    }
    let fields = [(header::CONTENT_TYPE, XML), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    (StatusCode::FORBIDDEN, fields, mkcol_response(root, &all)).into_response()
}
