//! PUT (RFC 4918 §9.7, RFC 4791 §5.3.2, RFC 6352 §6.3.2).

use super::attachments;
use crate::call::Call;
use crate::condition::Condition;
use crate::limits;
use crate::path::Home;
use crate::place::Place;
use crate::resource::Resource;
use crate::wrong::Wrong;
use crate::xml::{Precondition, address_data, calendar_data};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use penfold_calendar::Fault;
use penfold_mailbox::{Kind, NewObject, Note, Object, PROPERTY_BYTES, Put};
use penfold_ports::Rights;

pub async fn put(call: Call) -> Result<Response, Wrong> {
    let (place, name, there) = match call.resource_to_be().await? {
        Resource::Object(place, object) => (place, object.name.clone(), Some(object)),
        Resource::Nothing(Some(place), _, _, name) => (place, name, None),
        Resource::Nothing(None, ..) => return Err(Wrong::FORBIDDEN),
        _ => return Err(Wrong::Method),
    };
    if let Some(old) = &there {
        place.need(Rights::WRITE, "write-content")?;
        place.need_sight(old).await?;
    } else {
        place.need(Rights::INSERT, "bind")?;
    }
    // RFC 9110 §14.4 and §8.4: neither a part of an object, nor one that would have to be decoded.
    if call.headers.contains_key(header::CONTENT_RANGE) {
        return Err(Wrong::BAD);
    }
    if call.header("content-encoding").is_some_and(|how| !how.trim().eq_ignore_ascii_case("identity")) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into());
    }
    let condition = Condition::of(&call).await?;
    let media = call.header("content-type").unwrap_or_default().trim().to_owned();
    let limit = limit(place.folder.kind);
    let bytes = match call.bytes(limit) {
        Ok(bytes) => bytes,
        Err(_) => return Err(too_large(place.folder.kind)),
    };
    if place.home == Home::Calendars {
        attachments::judge(&call.session, &place, &bytes, there.as_ref()).await?;
    }
    if !place.is_own() && matches!(place.folder.kind, Kind::Events | Kind::Tasks) {
        return in_another_s(&place, &name, there.as_ref(), bytes, &media, &condition).await;
    }
    let new = object(&place, &name, bytes, &media)?;
    done(&place, condition.on(&place.mailbox).put_object(place.folder.id, &new, &|old| condition.holds(&place, old)).await?)
}

/// In somebody else's calendar alarms are kept apart. What is stored is then not what was sent, so no entity tag is told (RFC 4791
/// §5.3.4): the client reads it again.
async fn in_another_s(
    place: &Place,
    name: &str,
    old: Option<&Object>,
    written: Bytes,
    media: &str,
    condition: &Condition,
) -> Result<Response, Wrong> {
    // What was sent is judged first, as it was sent.
    object(place, name, written.clone(), media)?;
    let before = match old {
        Some(old) => place.mailbox.object_bytes(place.folder.id, &[old.item]).await?.pop().flatten(),
        None => None,
    };
    let (shared, own) = penfold_calendar::apart(place.folder.kind, &written, before.as_deref());
    let alike = shared == written;
    let note = own.filter(|own| own.len() <= PROPERTY_BYTES).map_or(Note::Drop, Note::Keep);
    let new = NewObject { note: Some(note), ..object(place, name, shared, media)? };
    // The alarms that were there before are those of this version.
    let as_read = |now: Option<&Object>| now.map(|now| now.item) == old.map(|old| old.item);
    let put = condition.on(&place.mailbox).put_object(place.folder.id, &new, &|now| as_read(now) && condition.holds(place, now)).await?;
    let mut answer = done(place, put)?;
    if !alike {
        answer.headers_mut().remove(header::ETAG);
    }
    Ok(answer)
}

fn limit(kind: Kind) -> usize {
    match kind {
        Kind::Events | Kind::Tasks | Kind::Notes => limits::CALENDAR_OBJECT,
        Kind::Contacts => limits::CARD,
        Kind::Files | Kind::Mail | Kind::Attachments => limits::FILE,
    }
}

fn too_large(kind: Kind) -> Wrong {
    match kind {
        Kind::Events | Kind::Tasks | Kind::Notes => Precondition::CALENDAR_MAX_RESOURCE_SIZE.into(),
        Kind::Contacts => Precondition::CARD_MAX_RESOURCE_SIZE.into(),
        Kind::Files | Kind::Mail | Kind::Attachments => StatusCode::PAYLOAD_TOO_LARGE.into(),
    }
}

/// What the bytes are to be in this folder, where they can be that.
pub fn object(place: &Place, name: &str, bytes: Bytes, media: &str) -> Result<NewObject, Wrong> {
    let kind = place.folder.kind;
    let given = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind {
        Kind::Events | Kind::Tasks | Kind::Notes if !matches!(&*given, "" | "text/calendar" | "application/octet-stream") => {
            return Err(Precondition::SUPPORTED_CALENDAR_DATA.into());
        }
        Kind::Contacts if !matches!(&*given, "" | "text/vcard" | "text/x-vcard" | "text/directory" | "application/octet-stream") => {
            return Err(Precondition::SUPPORTED_ADDRESS_DATA.into());
        }
        Kind::Files | Kind::Mail | Kind::Attachments => {
            let media = if media.len() <= 200 && HeaderValue::from_str(media).is_ok() { media.to_owned() } else { String::new() };
            return Ok(NewObject { name: name.to_owned(), bytes, uid: None, span: None, facts: Bytes::new(), media, note: None });
        }
        _ => {}
    }
    penfold_calendar::object(kind, name, bytes).map_err(|fault| wrong(&fault))
}

/// The element that the standard names for it.
fn wrong(fault: &Fault) -> Wrong {
    match fault {
        Fault::Calendar(fault) => calendar_data::precondition(fault).into(),
        Fault::Card(fault) => address_data::precondition(*fault).into(),
        Fault::Component => Precondition::SUPPORTED_CALENDAR_COMPONENT.into(),
    }
}

/// The answer to what was put.
pub fn done(place: &Place, put: Put) -> Result<Response, Wrong> {
    match put {
        Put::Done { object, created } => {
            let status = if created { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
            let tag = HeaderValue::from_str(&place.etag(&object)).map_err(|_| Wrong::BAD)?;
            Ok((status, [(header::ETAG, tag)]).into_response())
        }
        Put::Failed => Err(Wrong::FAILED),
        Put::UidTaken(name) => Err(uid_conflict(place, &name)),
    }
}

pub fn uid_conflict(place: &Place, name: &str) -> Wrong {
    // Whoever only puts things in is not told what is there.
    if !place.is_read() {
        return Wrong::FORBIDDEN;
    }
    let precondition = if place.folder.kind == Kind::Contacts { Precondition::CARD_NO_UID_CONFLICT } else { Precondition::NO_UID_CONFLICT };
    precondition.at(&place.href_of(name)).into()
}
