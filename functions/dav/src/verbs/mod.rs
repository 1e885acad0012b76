//! The methods, a file each.

mod acl;
mod attachments;
mod availability;
mod brought;
mod copy_move;
mod delete;
pub mod get;
mod mkcol;
mod post;
mod propfind;
mod proppatch;
mod put;
mod report;
mod zone;

pub mod limits;

pub use propfind::Stored;
pub use report::book;
pub use zone::Definitions;

use crate::Dav;
use crate::path::{Home, Target};
use crate::resource::{Place, Resource, Session};
use crate::wrong::Wrong;
use crate::xml::Refused;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use penfold_directory::SignedIn;
use penfold_mailbox::Since;
use penfold_types::Modseq;

/// What this service complies with (RFC 4918 §18, RFC 3744 §7.2, RFC 5689 §3.1, RFC 4791 §5.1, RFC 7809 §3.1.1, RFC 7953 §7.1, RFC 8607 §3.1, RFC 6352 §6.1).
pub const COMPLIANCE: HeaderValue = HeaderValue::from_static(
    "1, 3, access-control, extended-mkcol, calendar-access, calendar-no-timezone, calendar-availability, \
     calendar-managed-attachments, calendar-managed-attachments-no-recurrence, addressbook",
);
pub const ALLOW: HeaderValue =
    HeaderValue::from_static("OPTIONS, GET, HEAD, PUT, DELETE, COPY, MOVE, MKCOL, MKCALENDAR, PROPFIND, PROPPATCH, REPORT, ACL, POST");

/// A request whose sender is known.
pub struct Call {
    pub session: Session,
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    /// `None`: it is longer than any that is taken here.
    body: Option<Bytes>,
}

/// The same for everybody and everything: nobody is asked who they are.
pub fn options(path: &str) -> Response {
    if Target::read(path).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [(header::ALLOW, ALLOW), (header::HeaderName::from_static("dav"), COMPLIANCE)];
    (StatusCode::OK, headers).into_response()
}

pub async fn dispatch(dav: &Dav, who: SignedIn, request: Request) -> Result<Response, Wrong> {
    let (parts, body) = request.into_parts();
    let session = Session { dav: dav.clone(), who };
    let destination = parts.headers.get("destination").and_then(|value| value.to_str().ok());
    session.refuse_to_write(&parts.method, parts.uri.path(), destination)?;
    let path = parts.uri.path().to_owned();
    let limit = match (&parts.method, Target::read(&path)) {
        (&Method::PUT, Some(Target::Inside(Home::Files, ..))) | (&Method::POST, Some(Target::Inside(Home::Calendars, ..))) => limits::FILE,
        _ => limits::XML,
    };
    let body = axum::body::to_bytes(body, limit).await.ok();
    // Not while a slow client still sends: a place is held to the end of the work.
    let mut turn = dav.turns.of(session.who.account);
    turn.take().await;
    let query = parts.uri.query().map(str::to_owned);
    let call = Call { session, path, query, headers: parts.headers, body };
    match parts.method {
        Method::GET => get::get(call).await,
        Method::HEAD => Ok(get::get(call).await?.map(|_| Body::empty())),
        Method::PUT => put::put(call).await,
        Method::DELETE => delete::delete(call).await,
        Method::POST => post::post(call).await,
        other => match other.as_str() {
            "PROPFIND" => propfind::propfind(call).await,
            "PROPPATCH" => proppatch::proppatch(call).await,
            "REPORT" => report::report(call).await,
            "MKCOL" => mkcol::mkcol(call).await,
            "MKCALENDAR" => mkcol::mkcalendar(call).await,
            "COPY" => copy_move::copy(call).await,
            "MOVE" => copy_move::moved(call).await,
            "ACL" => acl::acl(call).await,
            _ => Err(Wrong::Method),
        },
    }
}

/// RFC 4918 §10.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    Zero,
    One,
    Infinity,
}

impl Call {
    /// What was asked; a body may still have to be read.
    pub async fn resource(&self) -> Result<Resource, Wrong> {
        self.session.resource(&self.path).await
    }

    /// What is to be made: where even that in which it would lie is not there, that is a conflict (RFC 4918 §9.3.1, §9.7.1).
    pub async fn resource_to_be(&self) -> Result<Resource, Wrong> {
        self.resource().await.map_err(|wrong| if wrong.status() == StatusCode::NOT_FOUND { Wrong::CONFLICT } else { wrong })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `None` where it is not said.
    pub fn depth(&self) -> Result<Option<Depth>, Wrong> {
        match self.header("depth").map(str::trim) {
            None => Ok(None),
            Some("0") => Ok(Some(Depth::Zero)),
            Some("1") => Ok(Some(Depth::One)),
            Some(text) if text.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
            Some(_) => Err(Wrong::BAD),
        }
    }

    /// RFC 4918 §10.6.
    pub fn overwrite(&self) -> Result<bool, Wrong> {
        match self.header("overwrite").map(str::trim) {
            None | Some("T" | "t") => Ok(true),
            Some("F" | "f") => Ok(false),
            Some(_) => Err(Wrong::BAD),
        }
    }

    /// `Prefer: return=minimal` (RFC 8144), or what clients said before it was written.
    pub fn wants_little(&self) -> bool {
        let minimal = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("return=minimal"));
        self.headers.get_all("prefer").iter().any(minimal) || self.header("brief").is_some_and(|text| text.trim().eq_ignore_ascii_case("t"))
    }

    /// The whole body, up to a limit.
    pub fn bytes(&self, limit: usize) -> Result<Bytes, Wrong> {
        self.body.clone().filter(|body| body.len() <= limit).ok_or_else(|| Refused::TooLarge("octets").into())
    }

    /// The body of a method that takes XML.
    pub fn xml(&self) -> Result<Bytes, Wrong> {
        self.bytes(limits::XML)
    }
}

/// A multistatus as an answer.
pub fn multistatus(body: crate::xml::Multistatus) -> Response {
    (StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, crate::wrong::XML)], body.finish()).into_response()
}

/// It is good for one folder alone, and for as long as as much of it is seen.
fn token(place: &Place) -> String {
    format!("penfold-sync{}:{}:", if place.is_seen_in_part() { "-titles" } else { "" }, place.folder.id)
}

/// How far a folder's log was read, as a client keeps it (RFC 6578 §3.4: a URI).
pub fn sync_token(place: &Place, since: Since) -> String {
    format!("{}{}.{}", token(place), since.modseq, since.entries)
}

/// Back again; beside it the name that a first listing stopped at.
pub fn read_sync_token(place: &Place, text: &str) -> Option<(Since, Option<String>)> {
    let rest = text.trim().strip_prefix(&token(place))?;
    let (place, after) = match rest.split_once('/') {
        Some((place, name)) => (place, Some(crate::xml::href::segments(&format!("/{name}"))?.pop()?)),
        None => (rest, None),
    };
    let (modseq, entries) = place.split_once('.')?;
    Some((Since { modseq: Modseq(modseq.parse().ok()?), entries: entries.parse().ok()? }, after))
}

/// A token for the rest of a first listing.
pub fn listing_token(place: &Place, since: Since, after: &str) -> String {
    format!("{}/{}", sync_token(place, since), crate::xml::href::segment(after))
}
