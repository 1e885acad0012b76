//! What changed in a folder since a token (RFC 6578): read off the log, so it costs what changed. The first time it is all there
//! is, in pages: a listing that was cut off goes on behind the name that it stopped at.

use super::super::multistatus;
use super::super::propfind::tell;
use super::{Asked, tell_named};
use crate::call::Call;
use crate::limits;
use crate::place::Place;
use crate::resource::Resource;
use crate::token::{listing_token, read_sync_token, sync_token};
use crate::wrong::Wrong;
use crate::xml::report::{SyncCollection, SyncLevel};
use crate::xml::{Multistatus, Precondition, Selection, multistatus::Response as Answer};
use axum::http::StatusCode;
use axum::response::Response;
use penfold_mailbox::{Became, Since};

pub async fn sync(call: &Call, place: &Place, wanted: SyncCollection) -> Result<Response, Wrong> {
    place.need_read()?;
    if wanted.level == SyncLevel::Infinite {
        return Err(Precondition::SYNC_TRAVERSAL_SUPPORTED.into());
    }
    let asked = Asked::of(call, Selection::These(wanted.wanted));
    let most = if asked.wants_data() { limits::SYNC_WITH_DATA } else { limits::SYNC };
    let limit = wanted.limit.unwrap_or(most).min(most);
    let given = match &wanted.token {
        None => None,
        Some(token) => Some(read_sync_token(place, token).ok_or(Precondition::VALID_SYNC_TOKEN)?),
    };
    // Behind which name a first listing goes on; none is before all of them.
    let (since, after) = match given {
        Some(given) => given,
        None => (place.mailbox.objects_now(place.folder.id).await?, Some(String::new())),
    };
    let mut limit = limit;
    loop {
        let answer = match &after {
            Some(after) => listing(call, place, since, Some(after.as_str()).filter(|name| !name.is_empty()), limit, &asked).await?,
            None => changes(call, place, since, limit, &asked).await?,
        };
        if let Some(answer) = answer {
            return Ok(answer);
        }
        // A token tells of all before it: what does not fit is left to the next. One object always fits.
        limit = (limit / 2).max(1);
    }
}

/// What was there at `since` or came later, `None` where it does not fit into an answer; what changes meanwhile is told of again by the token that ends it.
async fn listing(
    call: &Call,
    place: &Place,
    since: Since,
    after: Option<&str>,
    limit: usize,
    asked: &Asked,
) -> Result<Option<Response>, Wrong> {
    // Whoever took too long over it begins again.
    if place.mailbox.object_changes(place.folder.id, since, 1).await?.is_none() {
        return Err(Precondition::VALID_SYNC_TOKEN.into());
    }
    let mut out = Multistatus::new();
    let (mut page, more) = place.mailbox.objects(place.folder.id, after, limit).await?;
    let mut inner = call.session.folders_in(place).await?;
    inner.retain(|inner| after.is_none_or(|after| inner.folder.segment.as_str() > after));
    // Folders and objects in the order of their names, as far as both are known.
    let mut names: Vec<&str> =
        page.iter().map(|object| object.name.as_str()).chain(inner.iter().map(|inner| &*inner.folder.segment)).collect();
    names.sort_unstable();
    let known = page.last().map(|object| object.name.as_str()).filter(|_| more);
    let last = if names.len() > limit { names.get(limit - 1).copied() } else { known }.map(str::to_owned);
    if let Some(last) = &last {
        page.retain(|object| object.name <= *last);
        inner.retain(|inner| inner.folder.segment <= *last);
    }
    for inner in inner {
        tell(&call.session, &Resource::Collection(inner), asked, &mut out).await?;
        if out.octets() > limits::ANSWER && limit > 1 {
            return Ok(None);
        }
    }
    if !tell_named(&call.session, place, page, asked, &mut out).await? {
        return Ok(None);
    }
    if last.is_some() {
        out.response(&Answer::truncated(place.href.clone()));
    }
    out.sync_token(&last.map_or_else(|| sync_token(place, since), |last| listing_token(place, since, &last)));
    Ok(Some(multistatus(out)))
}

/// What changed since then; `None` where it does not fit into an answer.
async fn changes(call: &Call, place: &Place, since: Since, limit: usize, asked: &Asked) -> Result<Option<Response>, Wrong> {
    let found = place.mailbox.object_changes(place.folder.id, since, limit).await?.ok_or(Precondition::VALID_SYNC_TOKEN)?;
    let mut out = Multistatus::new();
    let names: Vec<(&str, Became)> = found.names.iter().map(|(name, became)| (name.as_str(), *became)).collect();
    let inner = call.session.folders_in(place).await?;
    let mut there = Vec::new();
    for some in names.chunks(limits::BATCH) {
        let only: Vec<&str> = some.iter().map(|(name, _)| *name).collect();
        for ((name, became), object) in some.iter().zip(place.mailbox.objects_named(place.folder.id, &only).await?) {
            match object {
                Some(object) if became.object.is_some() => there.push(object),
                None if became.object.is_some() => out.response(&Answer::status(place.href_of(name), StatusCode::NOT_FOUND)),
                _ => {}
            }
            match inner.iter().find(|inner| inner.folder.segment == *name) {
                _ if !became.folder => {}
                Some(inner) => tell(&call.session, &Resource::Collection(inner.clone()), asked, &mut out).await?,
                None if place.sees_private() => {
                    out.response(&Answer::status(format!("{}/", place.href_of(name)), StatusCode::NOT_FOUND));
                }
                // It may be one that was never shown, whose name is told to nobody: all that is there is listed anew.
                None => return Err(Precondition::VALID_SYNC_TOKEN.into()),
            }
            if out.octets() > limits::ANSWER && limit > 1 {
                return Ok(None);
            }
        }
    }
    if !tell_named(&call.session, place, there, asked, &mut out).await? {
        return Ok(None);
    }
    if found.more {
        out.response(&Answer::truncated(place.href.clone()));
    }
    out.sync_token(&sync_token(place, found.upto));
    Ok(Some(multistatus(out)))
}
