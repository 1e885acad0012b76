//! WebDAV, CalDAV and CardDAV: the views of calendars, tasks, contacts and files that clients ask for.
//!
//! | file | what |
//! |---|---|
//! | sign_in.rs | whose request it is |
//! | call.rs, condition.rs | what a request says, and on what it rests |
//! | path.rs, resource.rs, place.rs | what a path names, what is there for this person, and what they may do in a folder |
//! | book.rs | the organisation's directory as an address book |
//! | published.rs | calendars that are read by a link, without signing in |
//! | live/ | properties that are worked out |
//! | verbs/ | a file for each method; report/ a file for each report |
//! | xml/ | bodies: requests as plain structures, and answers |
//! | token.rs | how far a log was read |
//! | offer.rs, limits.rs | what there is, and how much of it |
//! | wrong.rs | why something is refused, as an answer |

mod book;
mod call;
mod condition;
mod limits;
mod live;
mod offer;
mod path;
mod place;
mod published;
mod resource;
mod sign_in;
mod token;
mod verbs;
mod wrong;
pub mod xml;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::{Rates, Turns};
use penfold_types::{CommitId, Env};

/// Where everything is.
pub const ROOT: &str = "/dav/";

/// What the requests are served from.
#[derive(Clone)]
pub struct Dav {
    directory: Directory,
    mailboxes: Mailboxes,
    /// Whose request is worked on next, once all of it is here.
    turns: Turns,
    /// How often links are asked.
    links: Rates<CommitId>,
}

impl Dav {
    pub fn new(env: &Env, directory: &Directory, mailboxes: &Mailboxes, turns: Turns) -> Self {
        let links = Rates::per_minute(env.clone(), published::PER_MINUTE);
        Self { directory: directory.clone(), mailboxes: mailboxes.named("dav"), turns, links }
    }
}

pub fn router(dav: Dav) -> Router {
    let everything = any(serve);
    // RFC 6764 §5: wherever a client begins, whatever it asks.
    let begin = any(|| async { (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, ROOT)]) });
    Router::new()
        .route("/.well-known/caldav", begin.clone())
        .route("/.well-known/carddav", begin)
        .route("/", everything.clone())
        .route("/dav", everything.clone())
        .route("/dav/", everything.clone())
        .route("/dav/{*path}", everything)
        .route(published::ROUTE, get(published::show))
        .with_state(dav)
}

async fn serve(State(dav): State<Dav>, request: Request) -> Response {
    if request.method() == axum::http::Method::OPTIONS {
        return offer::options(request.uri().path());
    }
    let claim = sign_in::Claim::of(&request);
    let answer = match sign_in::sign_in(&dav.directory, claim).await {
        Ok(who) => verbs::dispatch(&dav, who, request).await,
        Err(wrong) => Err(wrong),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert("dav", offer::COMPLIANCE);
    response
}
