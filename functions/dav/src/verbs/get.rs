//! GET and HEAD (RFC 4918 §9.4).

use super::attachments;
use super::zone::Definitions;
use crate::call::Call;
use crate::condition::Condition;
use crate::limits;
use crate::live::http_date;
use crate::live::media;
use crate::path::{Home, Target};
use crate::place::{Place, Version};
use crate::resource::Resource;
use crate::wrong::Wrong;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use penfold_calendar::Sight;
use penfold_mailbox::{Kind, Object};

/// What somebody put here is never run as a page of this service.
pub const SAFE: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
];

pub async fn get(call: Call) -> Result<Response, Wrong> {
    if let Some(Target::Attachment(owner, id)) = Target::read(&call.path) {
        return attachments::get(&call.session, owner, &id).await;
    }
    match call.resource().await? {
        Resource::Object(place, object) => one(&call, &place, &object).await,
        Resource::Collection(place) => whole(&place, Definitions::wanted(&call.headers)).await,
        Resource::Entry(entry) => card(&call, &entry).await,
        Resource::Nothing(..) => Err(Wrong::MISSING),
        _ => {
            Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "This is for calendar, contact and file clients.\n")
                .into_response())
        }
    }
}

async fn one(call: &Call, place: &Place, object: &Object) -> Result<Response, Wrong> {
    let condition = Condition::of(call).await?;
    // The entity tag that is told is that of the bytes that are sent.
    let (object, bytes) = place.read(vec![object.clone()]).await?.pop().ok_or(Wrong::MISSING)?;
    let (object, own) = (&object, place.etag(&object));
    if condition.fails_to_read(&own) {
        return Err(Wrong::FAILED);
    }
    let tag = [(header::ETAG, value(&own)?), (header::LAST_MODIFIED, value(&http_date(object.modified))?)];
    if condition.is_known(&own) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let bytes = match place.home {
        Home::Calendars => Definitions::wanted(&call.headers).in_bytes(bytes),
        _ => bytes,
    };
    let kind = [(header::CONTENT_TYPE, value(media(place.folder.kind, object))?)];
    Ok((StatusCode::OK, tag, kind, SAFE, Body::from(bytes)).into_response())
}

/// A card of the organisation's directory.
async fn card(call: &Call, entry: &crate::book::Entry) -> Result<Response, Wrong> {
    let (tag, known) = (entry.etag(), call.header("if-none-match").unwrap_or_default());
    let headers = [(header::ETAG, value(&tag)?)];
    if known.split(',').any(|one| one.trim() == tag || one.trim() == "*") {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/vcard; charset=utf-8"))];
    Ok((StatusCode::OK, headers, kind, Body::from(call.session.card_bytes(entry).await?)).into_response())
}

fn value(text: &str) -> Result<HeaderValue, Wrong> {
    HeaderValue::from_str(text).map_err(|_| Wrong::Status(StatusCode::INTERNAL_SERVER_ERROR))
}

/// All of a calendar or address book in one file, as far as it is shown.
pub async fn whole(place: &Place, definitions: Definitions) -> Result<Response, Wrong> {
    let media = match place.folder.kind {
        Kind::Events | Kind::Tasks | Kind::Notes => "text/calendar; charset=utf-8",
        Kind::Contacts => "text/vcard; charset=utf-8",
        _ => {
            let text = "A folder of files: use a client for WebDAV.\n";
            return Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
        }
    };
    let mut all: Vec<Bytes> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let (page, more) = place.mailbox.objects(place.folder.id, after.as_deref(), limits::BATCH).await?;
        after = page.last().map(|object| object.name.clone());
        let versions: Vec<_> = page.iter().map(Version::from).collect();
        let found = place.bytes(&versions).await?.into_iter().flatten();
        all.extend(found.map(|bytes| if place.home == Home::Calendars { definitions.in_bytes(bytes) } else { bytes }));
        if !more {
            break;
        }
        let octets: usize = all.iter().map(Bytes::len).sum();
        if all.len() > limits::IN_ONE_FILE || octets > limits::ANSWER {
            return Err(Wrong::Status(StatusCode::INSUFFICIENT_STORAGE));
        }
    }
    // What a calendar is called can say what it is about.
    let name = (place.sight != Sight::Times).then_some(place.folder.name.as_str());
    let text = penfold_calendar::joined(place.folder.kind, &all, name);
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, media)], text).into_response())
}
