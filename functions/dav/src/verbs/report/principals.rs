//! Principals: who one is, and who else is there (RFC 3744 §9.2 to §9.5, and Apple's search by words).

use super::super::multistatus;
use super::super::propfind::{Asked, objects, tell};
use crate::call::Call;
use crate::limits;
use crate::path;
use crate::resource::{Resource, Session};
use crate::wrong::{Wrong, XML};
use crate::xml::report::{Match, MatchType, PrincipalMatch, PrincipalSearch, TokenSearch};
use crate::xml::wanted::Wanted;
use crate::xml::{Multistatus, Precondition, Selection, multistatus::Response as Answer};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::{DirectoryCard, folded};
use penfold_formats::xml::{CALDAV, CALENDARSERVER, DAV, Element, Name, element_bytes};
use penfold_ports::{Grantee, Rights};
use penfold_types::PrincipalId;

/// People and groups that one search tells of.
const LIMIT: usize = 100;

/// A client that says nothing of what it wants to know is told what it can go on with: some write that beside DAV:prop.
async fn answer(call: &Call, found: &[PrincipalId], mut wanted: Wanted, more: bool) -> Result<Response, Wrong> {
    if wanted.names.is_empty() {
        wanted.names = vec![Name::known(DAV, "displayname"), Name::known(CALDAV, "calendar-home-set")];
    }
    let asked = Asked::of(call, Selection::These(wanted));
    let mut out = Multistatus::new();
    for id in found {
        tell(&call.session, &Resource::Principal(*id), &asked, &mut out).await?;
    }
    if more {
        out.response(&Answer::truncated(path::principals()));
    }
    Ok(multistatus(out))
}

/// RFC 3744 §9.3: oneself, or what lies here and has a property that names oneself. Of a home these are its collections.
pub async fn matching(call: &Call, resource: &Resource, wanted: PrincipalMatch) -> Result<Response, Wrong> {
    let me = call.session.me();
    let Some(property) = wanted.property else { return answer(call, &[me], wanted.wanted, false).await };
    let mut out = Multistatus::new();
    let asked = Asked::matching(call, wanted.wanted);
    match resource {
        // Nothing else names principals.
        _ if property.key() != (DAV, "owner") => {}
        Resource::Home(home, owner) => {
            for place in call.session.in_home(*home, *owner).await?.into_iter().filter(|place| place.owner() == me) {
                tell(&call.session, &Resource::Collection(place), &asked, &mut out).await?;
            }
        }
        Resource::Collection(top) if top.owner() == me => {
            let (mut left, mut whole) = (vec![top.clone()], true);
            while let Some(place) = left.pop().filter(|_| whole) {
                whole = objects(&call.session, &place, &asked, &mut out).await?;
                for inner in call.session.folders_in(&place).await? {
                    whole = whole && out.octets() <= limits::ANSWER;
                    if whole {
                        tell(&call.session, &Resource::Collection(inner.clone()), &asked, &mut out).await?;
                        left.push(inner);
                    }
                }
            }
            if !whole {
                out.response(&Answer::truncated(top.href.clone()));
            }
        }
        _ => {}
    }
    Ok(multistatus(out))
}

/// RFC 3744 §9.4.
pub async fn search(call: &Call, wanted: PrincipalSearch) -> Result<Response, Wrong> {
    // What is not searched by matches nothing; a client that asks for all of several then finds nobody.
    let known = |name: &Name| {
        matches!(name.key(), (DAV, "displayname") | (CALENDARSERVER, "email-address-set") | (CALDAV, "calendar-user-address-set"))
    };
    let texts: Vec<&Match> = wanted.searches.iter().filter(|one| one.properties.iter().all(known)).map(|one| &one.wanted).collect();
    if !wanted.searches.is_empty() && (texts.is_empty() || (!wanted.any && texts.len() < wanted.searches.len())) {
        return answer(call, &[], wanted.wanted, false).await;
    }
    let fits = |card: &DirectoryCard| {
        let one =
            |search: &crate::xml::report::Search| search.properties.iter().all(|name| known(name) && is_called(card, name, &search.wanted));
        if wanted.any && !wanted.searches.is_empty() { wanted.searches.iter().any(one) } else { wanted.searches.iter().all(one) }
    };
    let limit = wanted.limit.unwrap_or(LIMIT).min(LIMIT);
    let words: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    // The standard's own way of matching is anywhere in the text.
    let inside = texts.iter().any(|text| matches!(text.kind, MatchType::Contains | MatchType::EndsWith));
    let (found, more) = find(&call.session, &words, (wanted.any, inside), limit, fits).await?;
    answer(call, &found, wanted.wanted, more).await
}

/// All words, wherever they stand.
pub async fn tokens(call: &Call, wanted: TokenSearch) -> Result<Response, Wrong> {
    let names = [Name::known(DAV, "displayname"), Name::known(CALENDARSERVER, "email-address-set")];
    let group = wanted.context.as_deref() == Some("group");
    let other = matches!(wanted.context.as_deref(), Some("location" | "resource"));
    let fits = |card: &DirectoryCard| {
        let kind = !other && (!group || Session::is_group(card));
        kind && wanted.tokens.iter().all(|token| names.iter().any(|name| is_called(card, name, token)))
    };
    let limit = wanted.limit.unwrap_or(LIMIT).min(LIMIT);
    let words: Vec<&str> = wanted.tokens.iter().map(|token| token.text.as_str()).collect();
    let (found, more) = find(&call.session, &words, (false, false), limit, fits).await?;
    answer(call, &found, wanted.wanted, more).await
}

async fn find(
    session: &Session,
    words: &[&str],
    how: (bool, bool),
    limit: usize,
    fits: impl Fn(&DirectoryCard) -> bool + Send,
) -> Result<(Vec<PrincipalId>, bool), Wrong> {
    let (cards, more) = session.dav.directory.search_cards(session.who.account.tenant, words, how, limit, fits).await?;
    Ok((cards.into_iter().map(|card| card.id).collect(), more))
}

fn is_called(card: &DirectoryCard, name: &Name, wanted: &Match) -> bool {
    let text = folded(&wanted.text);
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let own = match name.key() {
        (DAV, "displayname") => folded(&card.name),
        _ => folded(&card.address.to_string()),
    };
    match wanted.kind {
        MatchType::Contains => own.contains(text),
        MatchType::StartsWith => own.starts_with(text) || own.split([' ', '.', '@']).any(|word| word.starts_with(text)),
        MatchType::EndsWith => own.ends_with(text),
        MatchType::Equals => own == text,
    }
}

/// RFC 3744 §9.5.
pub fn property_set() -> Response {
    let one = |ns: &'static str, local: &'static str, what: &str| {
        Element::known(DAV, "principal-search-property")
            .with(Element::known(DAV, "prop").with(Element::known(ns, local)))
            .with(Element::known(DAV, "description").with_text(what))
    };
    let set = Element::known(DAV, "principal-search-property-set")
        .with(one(DAV, "displayname", "Name"))
        .with(one(CALENDARSERVER, "email-address-set", "Mail address"))
        .with(one(CALDAV, "calendar-user-address-set", "Calendar user address"));
    (StatusCode::OK, [(header::CONTENT_TYPE, XML)], element_bytes(&set)).into_response()
}

/// RFC 3744 §9.2.
pub async fn of_acl(call: &Call, resource: &Resource, wanted: Wanted) -> Result<Response, Wrong> {
    let (Resource::Collection(place) | Resource::Object(place, _)) = resource else { return Err(Precondition::SUPPORTED_REPORT.into()) };
    place.need(Rights::ADMINISTER, "read-acl")?;
    let mut found = vec![place.owner()];
    for (grantee, _) in place.mailbox.folder_rights(place.folder.id).await?.list {
        if let Grantee::Principal(id) = grantee.to {
            found.push(id);
        }
    }
    answer(call, &found, wanted, false).await
}
