//! One FETCH response.

use super::plan::Plan;
use super::{Found, envelope, section, structure};
use crate::grammar::date::write_date_time;
use crate::grammar::write::{number, words};
use crate::grammar::{FetchItem, Section, SectionText};
use crate::session::{Output, Stop};
use penfold_mailbox::{Content, Keywords, Mailbox, Message};
use penfold_types::{ItemId, Kind, Modseq, Uid};
use std::io::Write;

/// Messages that are written before the processor is left to others.
const STRETCH: usize = 8;

/// A message of a batch, with what the list knows of it.
pub struct Row {
    pub rank: u32,
    uid: Uid,
    pub item: ItemId,
    keywords: Keywords,
    modseq: Modseq,
    size: u32,
    received: i64,
    zone: i16,
    /// `\Seen` was just set: the flags are told unasked.
    fresh: bool,
}

impl Row {
    pub fn new(rank: u32, message: &Message<'_>, fresh: bool) -> Self {
        Self {
            rank,
            uid: message.uid,
            item: message.item,
            keywords: message.keywords.clone(),
            modseq: message.modseq,
            size: message.size,
            received: message.received,
            zone: message.zone,
            fresh,
        }
    }

    fn message(&self) -> Message<'_> {
        Message {
            uid: self.uid,
            item: self.item,
            keywords: &self.keywords,
            modseq: self.modseq,
            created: self.modseq,
            size: self.size,
            received: self.received,
            zone: self.zone,
        }
    }
}

/// Everything asked for is in the list.
pub fn from_list(out: &mut Vec<u8>, rank: u32, message: &Message<'_>, plan: &Plan) {
    begin(out, rank);
    for (at, item) in plan.items.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        known(out, message, item);
    }
    out.extend_from_slice(b")\r\n");
}

fn begin(out: &mut Vec<u8>, rank: u32) {
    out.extend_from_slice(b"* ");
    number(out, rank.into());
    out.extend_from_slice(b" FETCH (");
}

/// An item that the list knows; false for another.
fn known(out: &mut Vec<u8>, message: &Message<'_>, item: &FetchItem) -> bool {
    match item {
        FetchItem::Uid => {
            out.extend_from_slice(b"UID ");
            number(out, message.uid.get().into());
        }
        FetchItem::Flags => {
            out.extend_from_slice(b"FLAGS (");
            words(out, message.keywords.iter());
            out.push(b')');
        }
        FetchItem::InternalDate => {
            out.extend_from_slice(b"INTERNALDATE ");
            write_date_time(out, message.received, message.zone);
        }
        FetchItem::Size => {
            out.extend_from_slice(b"RFC822.SIZE ");
            number(out, message.size.into());
        }
        FetchItem::Modseq => {
            out.extend_from_slice(b"MODSEQ (");
            number(out, message.modseq.get());
            out.push(b')');
        }
        FetchItem::EmailId => object_id(out, b"EMAILID (M", message.item),
        _ => return false,
    }
    true
}

/// RFC 8474 §5: an id, with a letter before it that tells its kind.
fn object_id(out: &mut Vec<u8>, label: &[u8], id: ItemId) {
    out.extend_from_slice(label);
    // Writing to a Vec does not fail.
    let _ = write!(out, "{id}");
    out.push(b')');
}

/// A batch of responses. A message that cannot be read harms no other.
pub async fn with_content(mailbox: &Mailbox, plan: &Plan, rows: &[Row], out: &mut Output) -> Result<Found, Stop> {
    let items: Vec<ItemId> = rows.iter().map(|row| row.item).collect();
    let mut found = Found::default();
    let contents = match mailbox.contents(&items).await {
        Ok(contents) => contents,
        Err(error) if error.kind() == Kind::Broken && rows.len() > 1 => one_by_one(mailbox, &items, &mut found).await?,
        Err(error) if error.kind() == Kind::Broken => {
            tracing::error!(%error, "an item cannot be read");
            found.broken = true;
            vec![None]
        }
        Err(error) => return Err(error.into()),
    };
    for (at, (row, content)) in rows.iter().zip(&contents).enumerate() {
        if at % STRETCH == STRETCH - 1 {
            tokio::task::yield_now().await;
        }
        if content.is_none() && !found.broken {
            // Expunged between the list and now.
            found.missing += 1;
            continue;
        }
        response(mailbox, plan, row, content.as_deref(), &mut found, out).await?;
        out.breathe().await?;
    }
    Ok(found)
}

/// One of them is damaged: find out which.
async fn one_by_one(mailbox: &Mailbox, items: &[ItemId], found: &mut Found) -> Result<Vec<Option<std::sync::Arc<Content>>>, Stop> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        match mailbox.contents(std::slice::from_ref(item)).await {
            Ok(mut one) => out.push(one.pop().flatten()),
            Err(error) if error.kind() == Kind::Broken => {
                tracing::error!(%error, %item, "an item cannot be read");
                found.broken = true;
                out.push(None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(out)
}

async fn response(
    mailbox: &Mailbox,
    plan: &Plan,
    row: &Row,
    content: Option<&Content>,
    found: &mut Found,
    out: &mut Output,
) -> Result<(), Stop> {
    let message = row.message();
    begin(&mut out.buf, row.rank);
    let mut flags_told = false;
    for (at, item) in plan.items.iter().enumerate() {
        if at > 0 {
            out.buf.push(b' ');
        }
        flags_told |= *item == FetchItem::Flags;
        if !known(&mut out.buf, &message, item) {
            one(mailbox, plan, content, item, found, out).await?;
        }
    }
    if row.fresh && !flags_told {
        out.buf.push(b' ');
        known(&mut out.buf, &message, &FetchItem::Flags);
    }
    out.buf.extend_from_slice(b")\r\n");
    Ok(())
}

/// An item that needs the message's own row, or its octets. Of a message that is damaged everything is NIL.
async fn one(
    mailbox: &Mailbox,
    plan: &Plan,
    content: Option<&Content>,
    item: &FetchItem,
    found: &mut Found,
    out: &mut Output,
) -> Result<(), Stop> {
    let whole = |text| Section { part: Vec::new(), text };
    match item {
        FetchItem::Envelope => {
            out.buf.extend_from_slice(b"ENVELOPE ");
            match content {
                Some(content) => envelope::write(&mut out.buf, &content.summary.envelope, plan.utf8),
                None => out.buf.extend_from_slice(b"NIL"),
            }
        }
        FetchItem::Body | FetchItem::BodyStructure => {
            let extended = *item == FetchItem::BodyStructure;
            out.buf.extend_from_slice(if extended { b"BODYSTRUCTURE " } else { b"BODY " });
            match content {
                Some(content) => structure::write(&mut out.buf, &content.summary.root, extended, plan.utf8),
                None => out.buf.extend_from_slice(b"NIL"),
            }
        }
        FetchItem::ThreadId => match content {
            Some(content) => object_id(&mut out.buf, b"THREADID (T", content.thread),
            None => out.buf.extend_from_slice(b"THREADID NIL"),
        },
        FetchItem::Rfc822 => {
            out.buf.extend_from_slice(b"RFC822 ");
            section::write(mailbox, content, &whole(SectionText::All), None, found, out).await?;
        }
        FetchItem::Rfc822Header => {
            out.buf.extend_from_slice(b"RFC822.HEADER ");
            section::write(mailbox, content, &whole(SectionText::Header), None, found, out).await?;
        }
        FetchItem::Rfc822Text => {
            out.buf.extend_from_slice(b"RFC822.TEXT ");
            section::write(mailbox, content, &whole(SectionText::Text), None, found, out).await?;
        }
        FetchItem::Section { section, partial, .. } => {
            section::label(&mut out.buf, section, *partial, plan.utf8);
            section::write(mailbox, content, section, *partial, found, out).await?;
        }
        FetchItem::Binary { part, partial, .. } => {
            section::binary_label(&mut out.buf, b"BINARY[", part, *partial);
            section::write_binary(mailbox, content, part, *partial, found, out).await?;
        }
        FetchItem::BinarySize(part) => {
            section::binary_label(&mut out.buf, b"BINARY.SIZE[", part, None);
            section::write_binary_size(mailbox, content, part, found, out).await?;
        }
        _ => {}
    }
    Ok(())
}
