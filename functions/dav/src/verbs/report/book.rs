//! Reports about the organisation's directory. What is looked for by name or address goes by the directory's own index of words;
//! anything else looks at as many entries as it may.

use super::super::multistatus;
use super::super::propfind::{Asked, propstats};
use crate::book::{self, Entry};
use crate::call::Call;
use crate::limits;
use crate::resource::{Resource, Session};
use crate::token::{book_token, read_book_token};
use crate::wrong::Wrong;
use crate::xml::report::{AddressbookQuery, SyncCollection};
use crate::xml::{Multistatus, Precondition, Selection, multistatus::Response as Answer};
use axum::http::StatusCode;
use axum::response::Response;
use penfold_formats::vcard::filter::{Filter, PropFilter, Test, Wanted};
use penfold_formats::vcard::{self, Card};
use std::collections::BTreeSet;

/// Entries that one query looks at where no word helps.
const LOOKED_AT: usize = 1_000;
/// Entries that one query finds.
const FOUND: usize = 500;

/// One entry, with its card where that is wanted. What would not fit into an answer is told to be there, and no more.
async fn tell(session: &Session, entry: Entry, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    let resource = Resource::Entry(Box::new(entry.clone()));
    if asked.wants_data() && out.octets() > limits::CARDS {
        out.response(&Answer::status(resource.href(), StatusCode::INSUFFICIENT_STORAGE));
        return Ok(());
    }
    let bytes = if asked.wants_data() { Some(session.card_bytes(&entry).await?) } else { None };
    let found = propstats(session, &resource, asked, (&Default::default(), bytes.as_ref())).await?;
    out.response(&Answer::props(resource.href(), found));
    Ok(())
}

/// All of it, up to a limit.
pub async fn members(session: &Session, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    let (mut after, mut told): (Option<Vec<u8>>, usize) = (None, 0);
    loop {
        let (page, next) = session.book_page(after.as_deref()).await?;
        told += page.len();
        for entry in page {
            tell(session, entry, asked, out).await?;
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
        if told >= limits::ENTRIES {
            out.response(&Answer::truncated(book::href(session.me())));
            return Ok(());
        }
    }
}

/// Some of it by name, out of a multiget; `names` stand beside the hrefs that were given.
pub async fn named(session: &Session, names: &[(String, String)], asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    for some in names.chunks(limits::BATCH) {
        let wanted: Vec<&str> = some.iter().map(|(name, _)| name.as_str()).collect();
        for ((_, given), entry) in some.iter().zip(session.entries(&wanted).await?) {
            match entry {
                Some(entry) => tell(session, entry, asked, out).await?,
                None => out.response(&Answer::status(given.clone(), StatusCode::NOT_FOUND)),
            }
        }
    }
    Ok(())
}

/// By what is in the cards (RFC 6352 §8.6).
pub async fn query(session: &Session, wanted: &AddressbookQuery, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    let limit = wanted.limit.unwrap_or(FOUND).min(FOUND);
    let fits = |entry: &Entry| {
        Card::read(&entry.bytes(None), vcard::Limits::default()).is_ok_and(|card| vcard::filter::matches(&card, &wanted.filter))
    };
    let (texts, all) = indexed(&wanted.filter);
    let (mut left, mut cut, mut told) = (limit, false, BTreeSet::new());
    if !texts.is_empty() {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (cards, more) = session.dav.directory.find_any(session.who.account.tenant, &texts, LOOKED_AT, |_| true).await?;
        cut |= more;
        for entry in session.as_entries(cards).await?.into_iter().filter(|entry| fits(entry)) {
            let Some(rest) = left.checked_sub(1) else {
                cut = true;
                break;
            };
            left = rest;
            told.insert(entry.card.id);
            tell(session, entry, asked, out).await?;
        }
    }
    if !all && !cut {
        cut = scan(session, |entry| fits(entry) && !told.contains(&entry.card.id), left, asked, out).await?;
    }
    if cut {
        out.response(&Answer::truncated(book::href(session.me())));
    }
    Ok(())
}

/// Entry by entry; true where there is more than was looked at, or may be told.
async fn scan(
    session: &Session,
    fits: impl Fn(&Entry) -> bool,
    mut left: usize,
    asked: &Asked,
    out: &mut Multistatus,
) -> Result<bool, Wrong> {
    let (mut after, mut looked_at): (Option<Vec<u8>>, usize) = (None, 0);
    loop {
        let (page, next) = session.book_page(after.as_deref()).await?;
        looked_at += page.len();
        for entry in page.into_iter().filter(|entry| fits(entry)) {
            let Some(rest) = left.checked_sub(1) else { return Ok(true) };
            left = rest;
            tell(session, entry, asked, out).await?;
        }
        after = next;
        if after.is_none() || looked_at >= LOOKED_AT {
            return Ok(after.is_some());
        }
    }
}

/// Texts that the index finds, one of which whatever fits has, and whether that is all that fits.
fn indexed(filter: &Filter) -> (Vec<String>, bool) {
    let mut texts = Vec::new();
    let mut all = !filter.props.is_empty();
    for prop in &filter.props {
        match (of_prop(prop), filter.test) {
            (Some(own), Test::AnyOf) => texts.extend(own.into_iter().filter(|text| !texts.contains(text)).collect::<Vec<_>>()),
            // One of the conditions is enough to find by; the others are looked at afterwards.
            (Some(own), Test::AllOf) => return (own, true),
            (None, _) => all = false,
        }
    }
    (texts, all)
}

fn of_prop(prop: &PropFilter) -> Option<Vec<String>> {
    let named = ["FN", "N", "EMAIL", "NICKNAME"].iter().any(|name| prop.name.eq_ignore_ascii_case(name));
    match &prop.wanted {
        Wanted::Defined { test, texts, params } if named && !texts.is_empty() => {
            let mut found = texts.iter().map(|text| text.beginning().filter(|text| text.chars().any(char::is_alphanumeric)));
            match test {
                Test::AllOf => found.flatten().next().map(|text| vec![text.to_owned()]),
                Test::AnyOf if params.is_empty() => found.try_fold(Vec::new(), |mut all, text| {
                    all.push(text?.to_owned());
                    Some(all)
                }),
                Test::AnyOf => None,
            }
        }
        _ => None,
    }
}

/// The first time all there is, in pages; then nothing while nothing changed, and else all of it anew (RFC 6578 §3.2: a token may
/// become invalid at any time).
pub async fn sync(call: &Call, wanted: SyncCollection) -> Result<Response, Wrong> {
    let (session, mut out) = (&call.session, Multistatus::new());
    let asked = Asked::of(call, Selection::These(wanted.wanted));
    let limit = wanted.limit.unwrap_or(limits::SYNC).min(limits::SYNC);
    let now = session.book_revision().await?;
    let (revision, mut after) = match &wanted.token {
        None => (now, None),
        Some(token) => read_book_token(token).ok_or(Precondition::VALID_SYNC_TOKEN)?,
    };
    if wanted.token.is_some() && after.is_none() {
        if revision != now {
            return Err(Precondition::VALID_SYNC_TOKEN.into());
        }
        out.sync_token(&book_token(revision, None));
        return Ok(multistatus(out));
    }
    let mut told = 0;
    loop {
        let (page, next) = session.book_page(after.as_deref()).await?;
        told += page.len();
        for entry in page {
            tell(session, entry, &asked, &mut out).await?;
        }
        after = next;
        if after.is_none() || told >= limit || out.octets() > limits::CARDS {
            break;
        }
    }
    if after.is_some() {
        out.response(&Answer::truncated(book::href(session.me())));
    }
    out.sync_token(&book_token(revision, after.as_deref()));
    Ok(multistatus(out))
}
