//! What a FETCH asks for, worked out once for all of its messages.

use crate::grammar::{Fetch, FetchItem};
use crate::session::{Enabled, Stop};
use penfold_types::Modseq;

pub struct Plan {
    pub items: Vec<FetchItem>,
    pub changed_since: Option<Modseq>,
    pub utf8: bool,
    /// `\Seen` is set on what is read.
    pub sets_seen: bool,
    /// Octets of messages are read, not only what is known about them.
    pub reads_bodies: bool,
    /// MODSEQ or CHANGEDSINCE: RFC 7162 §3.1 counts it as enabling CONDSTORE.
    pub enables_condstore: bool,
    contents: bool,
}

impl Plan {
    pub fn new(fetch: &Fetch, enabled: Enabled) -> Result<Self, Stop> {
        let mut items: Vec<FetchItem> = Vec::with_capacity(fetch.items.len() + 2);
        // RFC 9051 §6.4.9: UID FETCH always tells the uid.
        if fetch.uid && !fetch.items.contains(&FetchItem::Uid) {
            items.push(FetchItem::Uid);
        }
        for item in &fetch.items {
            if !items.contains(item) {
                items.push(item.clone());
            }
        }
        let changed_since = super::since(fetch);
        let modseq = items.contains(&FetchItem::Modseq);
        let enables_condstore = modseq || changed_since.is_some();
        // RFC 7162 §3.1.4.1: with CHANGEDSINCE it is told unasked. With CONDSTORE on, flags that are told have it beside them.
        if !modseq && (changed_since.is_some() || (enabled.condstore && items.contains(&FetchItem::Flags))) {
            items.push(FetchItem::Modseq);
        }
        let sets_seen = items.iter().any(|item| match item {
            FetchItem::Rfc822 | FetchItem::Rfc822Text => true,
            FetchItem::Section { peek, .. } | FetchItem::Binary { peek, .. } => !peek,
            _ => false,
        });
        let reads_bodies = items.iter().any(reads_body);
        let contents = items.iter().any(needs_content);
        Ok(Self { items, changed_since, utf8: enabled.utf8(), sets_seen, reads_bodies, enables_condstore, contents })
    }

    pub fn needs_content(&self) -> bool {
        self.contents
    }
}

fn reads_body(item: &FetchItem) -> bool {
    match item {
        FetchItem::Section { partial: Some((_, len)), .. } => *len > 64 << 10,
        FetchItem::Rfc822 | FetchItem::Rfc822Text | FetchItem::Section { .. } | FetchItem::Binary { .. } | FetchItem::BinarySize(_) => true,
        _ => false,
    }
}

fn needs_content(item: &FetchItem) -> bool {
    !matches!(item, FetchItem::Uid | FetchItem::Flags | FetchItem::InternalDate | FetchItem::Size | FetchItem::Modseq | FetchItem::EmailId)
}
