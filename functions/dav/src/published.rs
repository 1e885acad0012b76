//! A calendar that is read by a link, without signing in: one file, and whether it is another than the last time. A link that
//! opens nothing, or nothing any more, is answered as one that never was.

use crate::Dav;
use crate::path::Home;
use crate::place::Place;
use crate::verbs::{Definitions, get};
use crate::wrong::Wrong;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_calendar::Sight;
use penfold_directory::{Published, Shows};
use penfold_mailbox::Kind;
use penfold_ports::Account;
use penfold_rest::Private;
use penfold_types::{Kind as Why, PrincipalId};

/// How often one link is asked in a minute, by everybody together. Calendars that follow one ask some times a day.
pub const PER_MINUTE: u32 = 120;

pub const ROUTE: &str = "/published/{file}";

const CLEAR: &str = "Use HTTPS: here others can read the link along, and open it themselves.\n";

pub async fn show(State(dav): State<Dav>, Path(file): Path<String>, private: Option<Extension<Private>>, headers: HeaderMap) -> Response {
    // What everybody on the way could read along is no secret link any more.
    let read = if private.is_none_or(|Extension(private)| private.0) { file_of(&dav, &file, &headers).await } else { Err(Wrong::Clear) };
    let mut answer = read.unwrap_or_else(|wrong| match wrong {
        known @ (Wrong::Busy | Wrong::Wait(_)) => known.into_response(),
        Wrong::Clear => (StatusCode::FORBIDDEN, CLEAR).into_response(),
        other => other.status().into_response(),
    });
    let fields = [
        // Nobody who came upon the link keeps what is behind it, or finds it by a search.
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        // Pages may show it: who has the link may read it anyhow.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    for (name, value) in fields {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

async fn file_of(dav: &Dav, file: &str, headers: &HeaderMap) -> Result<Response, Wrong> {
    let text = file.strip_suffix(".ics").ok_or(Wrong::MISSING)?;
    let Published { scope, link, folder, shows } = dav.directory.published(text).await?.ok_or(Wrong::MISSING)?;
    let mailbox = dav.mailboxes.open(&scope).await?;
    let folder = match mailbox.folder(folder).await {
        Err(error) if error.kind() == Why::NotFound => return Err(Wrong::MISSING),
        folder => folder?,
    };
    if !matches!(folder.kind, Kind::Events | Kind::Tasks | Kind::Notes) {
        return Err(Wrong::MISSING);
    }
    dav.links.try_take(link).map_err(Wrong::Wait)?;
    let sight = match shows {
        Shows::Times => Sight::Times,
        Shows::Titles => Sight::Titles,
        Shows::Everything => Sight::Shared,
    };
    let tag = HeaderValue::from_str(&format!("\"{link}-{}-{}\"", folder.modseq, shows as u8)).map_err(|_| Wrong::MISSING)?;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|one| one.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let rights = mailbox.rights(&folder);
    let place = Place { mailbox, folder, rights, home: Home::Calendars, href: String::new(), sight };
    // Readers of a link stand in a line of their own, not in its owner's.
    let mut turn = dav.turns.of(Account { principal: PrincipalId::from_bytes(*link.as_bytes()), ..place.mailbox.account() });
    turn.take().await;
    let mut answer = get::whole(&place, Definitions::With).await?;
    answer.headers_mut().insert(header::ETAG, tag);
    Ok(answer)
}
