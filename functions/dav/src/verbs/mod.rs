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

pub use zone::Definitions;

use crate::call::Call;
use crate::path::{Home, Target};
use crate::resource::Session;
use crate::wrong::Wrong;
use crate::{Dav, limits};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::SignedIn;

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

/// A multistatus as an answer.
pub fn multistatus(body: crate::xml::Multistatus) -> Response {
    (StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, crate::wrong::XML)], body.finish()).into_response()
}
