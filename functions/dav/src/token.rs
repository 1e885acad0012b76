//! Sync tokens (RFC 6578 §3.4): a URI that says how far a folder's log was read.

use crate::place::Place;
use crate::xml::href;
use penfold_mailbox::Since;
use penfold_types::Modseq;

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
        Some((place, name)) => (place, Some(href::segments(&format!("/{name}"))?.pop()?)),
        None => (rest, None),
    };
    let (modseq, entries) = place.split_once('.')?;
    Some((Since { modseq: Modseq(modseq.parse().ok()?), entries: entries.parse().ok()? }, after))
}

/// A token for the rest of a first listing.
pub fn listing_token(place: &Place, since: Since, after: &str) -> String {
    format!("{}/{}", sync_token(place, since), href::segment(after))
}

const BOOK: &str = "penfold-directory:";

/// How far the organisation's directory was read, of which revision.
pub fn book_token(revision: u64, after: Option<&[u8]>) -> String {
    let after: String = after.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect();
    if after.is_empty() { format!("{BOOK}{revision}") } else { format!("{BOOK}{revision}/{after}") }
}

pub fn read_book_token(token: &str) -> Option<(u64, Option<Vec<u8>>)> {
    let rest = token.trim().strip_prefix(BOOK)?;
    let Some((revision, after)) = rest.split_once('/') else { return Some((rest.parse().ok()?, None)) };
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let after = after.as_bytes().chunks(2).map(digits).collect::<Option<Vec<_>>>().filter(|after| after.len() <= 1024)?;
    Some((revision.parse().ok()?, Some(after)))
}
