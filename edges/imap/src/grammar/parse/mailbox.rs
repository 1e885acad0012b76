//! Commands whose argument is a mailbox.

use crate::grammar::command::{Command, Qresync, Select, StatusItem};
use crate::grammar::input::{Bad, Input, Parse};
use crate::grammar::sequence::SequenceSet;
use bytes::Bytes;

/// SP astring.
pub fn argument(input: &mut Input<'_>) -> Parse<Bytes> {
    input.space()?;
    input.astring()
}

/// RFC 9051 §6.3.2, RFC 7162 §3.1.8 and §3.2.5.
pub fn select(input: &mut Input<'_>, examine: bool) -> Parse<Command> {
    let mut select = Select { mailbox: argument(input)?, examine, condstore: false, qresync: None };
    if input.eat(b' ') && !input.at_end() {
        input.parenthesised(|input| {
            match input.word()?.as_str() {
                "CONDSTORE" => select.condstore = true,
                "QRESYNC" => {
                    input.space()?;
                    select.qresync = Some(qresync(input)?);
                }
                _ => return Err(Bad::Syntax("unknown parameter of SELECT")),
            }
            Ok(())
        })?;
    }
    Ok(Command::Select(select))
}

fn qresync(input: &mut Input<'_>) -> Parse<Qresync> {
    input.expect(b'(', "expected a list")?;
    let uidvalidity = input.nz_number()?;
    input.space()?;
    let modseq = input.number64()?;
    let (mut known, mut matches) = (None, None);
    if input.eat(b' ') {
        if input.peek() != Some(b'(') {
            known = Some(SequenceSet::parse(input)?);
        }
        if known.is_none() || input.eat(b' ') {
            input.expect(b'(', "expected a list")?;
            let numbers = SequenceSet::parse(input)?;
            input.space()?;
            matches = Some((numbers, SequenceSet::parse(input)?));
            input.expect(b')', "expected the end of a list")?;
        }
    }
    input.expect(b')', "expected the end of a list")?;
    Ok(Qresync { uidvalidity, modseq, known, matches })
}

/// RFC 9051 §6.3.4 with USE of RFC 6154 §3.
pub fn create(input: &mut Input<'_>) -> Parse<Command> {
    let mailbox = argument(input)?;
    let mut uses = Vec::new();
    if input.eat(b' ') && !input.at_end() {
        input.expect(b'(', "expected a list")?;
        if !input.eat_word("USE") {
            return Err(Bad::Syntax("unknown parameter of CREATE"));
        }
        input.space()?;
        uses = input.parenthesised(|input| input.flag().map(str::to_owned))?;
        input.expect(b')', "expected the end of a list")?;
    }
    Ok(Command::Create { mailbox, uses })
}

pub fn rename(input: &mut Input<'_>) -> Parse<Command> {
    Ok(Command::Rename { from: argument(input)?, to: argument(input)? })
}

pub fn status(input: &mut Input<'_>) -> Parse<Command> {
    let mailbox = argument(input)?;
    input.space()?;
    Ok(Command::Status { mailbox, items: status_items(input)? })
}

pub fn status_items(input: &mut Input<'_>) -> Parse<Vec<StatusItem>> {
    let items = input.parenthesised(status_item)?;
    if items.is_empty() || items.len() > 32 { Err(Bad::Syntax("expected what to tell of a mailbox")) } else { Ok(items) }
}

/// RFC 9051 §6.3.11, 7162 §3.1.7, 8474 §4.3, 7889 §5, 9208 §4.1.4.
fn status_item(input: &mut Input<'_>) -> Parse<StatusItem> {
    Ok(match input.word()?.as_str() {
        "MESSAGES" => StatusItem::Messages,
        "RECENT" => StatusItem::Recent,
        "UIDNEXT" => StatusItem::UidNext,
        "UIDVALIDITY" => StatusItem::UidValidity,
        "UNSEEN" => StatusItem::Unseen,
        "DELETED" => StatusItem::Deleted,
        "SIZE" => StatusItem::Size,
        "HIGHESTMODSEQ" => StatusItem::HighestModseq,
        "MAILBOXID" => StatusItem::MailboxId,
        "APPENDLIMIT" => StatusItem::AppendLimit,
        "DELETED-STORAGE" => StatusItem::DeletedStorage,
        _ => return Err(Bad::Syntax("unknown item of STATUS")),
    })
}

/// RFC 9208 §4.1.3: read in full, always refused.
pub fn set_quota(input: &mut Input<'_>) -> Parse<Command> {
    argument(input)?;
    input.space()?;
    input.parenthesised(|input| {
        input.word()?;
        input.space()?;
        input.number64()
    })?;
    Ok(Command::SetQuota)
}
