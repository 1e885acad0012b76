//! FETCH (RFC 9051 §6.4.5) with the modifiers of RFC 7162 and the items of RFC 8474.

use crate::grammar::command::{Command, Fetch, FetchItem, Section, SectionText};
use crate::grammar::input::{Bad, Input, Parse};
use crate::grammar::sequence::SequenceSet;

/// Items of one FETCH, and levels of a part's number.
const ITEMS: usize = 500;
const LEVELS: usize = 100;

pub fn fetch(input: &mut Input<'_>, uid: bool) -> Parse<Command> {
    input.space()?;
    let set = SequenceSet::parse(input)?;
    input.space()?;
    let mut items = Vec::new();
    if input.peek() == Some(b'(') {
        input.parenthesised(|input| item(input, &mut items))?;
    } else {
        item(input, &mut items)?;
    }
    if items.is_empty() || items.len() > ITEMS {
        return Err(Bad::Syntax("expected what to fetch"));
    }
    let mut fetch = Fetch { uid, set, items, changed_since: None, vanished: false };
    if input.eat(b' ') && !input.at_end() {
        input.parenthesised(|input| modifier(input, &mut fetch))?;
    }
    // RFC 7162 §3.2.6: VANISHED stands only beside CHANGEDSINCE, in UID FETCH.
    if fetch.vanished && (fetch.changed_since.is_none() || !uid) {
        return Err(Bad::Syntax("VANISHED needs UID FETCH and CHANGEDSINCE"));
    }
    Ok(Command::Fetch(fetch))
}

fn modifier(input: &mut Input<'_>, fetch: &mut Fetch) -> Parse<()> {
    match input.word()?.as_str() {
        "CHANGEDSINCE" => {
            input.space()?;
            fetch.changed_since = Some(input.number64()?);
        }
        "VANISHED" => fetch.vanished = true,
        _ => return Err(Bad::Syntax("unknown modifier of FETCH")),
    }
    Ok(())
}

fn item(input: &mut Input<'_>, items: &mut Vec<FetchItem>) -> Parse<()> {
    use FetchItem as I;
    match input.word()?.as_str() {
        // RFC 9051 §6.4.5: the macros.
        "ALL" => items.extend([I::Flags, I::InternalDate, I::Size, I::Envelope]),
        "FAST" => items.extend([I::Flags, I::InternalDate, I::Size]),
        "FULL" => items.extend([I::Flags, I::InternalDate, I::Size, I::Envelope, I::Body]),
        "UID" => items.push(I::Uid),
        "FLAGS" => items.push(I::Flags),
        "INTERNALDATE" => items.push(I::InternalDate),
        "RFC822.SIZE" => items.push(I::Size),
        "ENVELOPE" => items.push(I::Envelope),
        "BODYSTRUCTURE" => items.push(I::BodyStructure),
        "MODSEQ" => items.push(I::Modseq),
        "EMAILID" => items.push(I::EmailId),
        "THREADID" => items.push(I::ThreadId),
        "RFC822" => items.push(I::Rfc822),
        "RFC822.HEADER" => items.push(I::Rfc822Header),
        "RFC822.TEXT" => items.push(I::Rfc822Text),
        "BODY" if input.peek() != Some(b'[') => items.push(I::Body),
        "BODY" => items.push(body(input, false)?),
        "BODY.PEEK" => items.push(body(input, true)?),
        "BINARY" => items.push(binary(input, false)?),
        "BINARY.PEEK" => items.push(binary(input, true)?),
        "BINARY.SIZE" => {
            input.expect(b'[', "expected a section")?;
            let part = part(input)?;
            input.expect(b']', "expected the end of a section")?;
            items.push(I::BinarySize(part));
        }
        _ => return Err(Bad::Syntax("unknown item of FETCH")),
    }
    Ok(())
}

fn body(input: &mut Input<'_>, peek: bool) -> Parse<FetchItem> {
    input.expect(b'[', "expected a section")?;
    let section = section(input)?;
    input.expect(b']', "expected the end of a section")?;
    Ok(FetchItem::Section { section, peek, partial: partial(input)? })
}

fn binary(input: &mut Input<'_>, peek: bool) -> Parse<FetchItem> {
    input.expect(b'[', "expected a section")?;
    let part = part(input)?;
    input.expect(b']', "expected the end of a section")?;
    Ok(FetchItem::Binary { part, peek, partial: partial(input)? })
}

/// `<offset.length>`
fn partial(input: &mut Input<'_>) -> Parse<Option<(u64, u64)>> {
    if !input.eat(b'<') {
        return Ok(None);
    }
    let offset = input.number64()?;
    input.expect(b'.', "expected a length")?;
    let len = input.number64()?;
    input.expect(b'>', "expected the end of a range")?;
    if len == 0 { Err(Bad::Syntax("a range must not be empty")) } else { Ok(Some((offset, len))) }
}

/// section-part, or nothing.
fn part(input: &mut Input<'_>) -> Parse<Vec<u32>> {
    let mut part = Vec::new();
    if !input.peek().is_some_and(|b| b.is_ascii_digit()) {
        return Ok(part);
    }
    loop {
        part.push(input.nz_number()?);
        if part.len() > LEVELS {
            return Err(Bad::Syntax("no message has so many levels"));
        }
        if !input.eat(b'.') {
            return Ok(part);
        }
        if !input.peek().is_some_and(|b| b.is_ascii_digit()) {
            // The dot before HEADER, TEXT or MIME: an empty last level says so.
            part.push(0);
            return Ok(part);
        }
    }
}

fn section(input: &mut Input<'_>) -> Parse<Section> {
    let mut part = part(input)?;
    let dotted = part.pop_if(|last| *last == 0).is_some();
    if input.peek() == Some(b']') && !dotted {
        return Ok(Section { part, text: SectionText::All });
    }
    if !part.is_empty() && !dotted {
        return Err(Bad::Syntax("not a section"));
    }
    let text = match input.word()?.as_str() {
        "HEADER" => SectionText::Header,
        "HEADER.FIELDS" => SectionText::HeaderFields { not: false, names: names(input)? },
        "HEADER.FIELDS.NOT" => SectionText::HeaderFields { not: true, names: names(input)? },
        "TEXT" => SectionText::Text,
        "MIME" if !part.is_empty() => SectionText::Mime,
        _ => return Err(Bad::Syntax("not a section")),
    };
    Ok(Section { part, text })
}

fn names(input: &mut Input<'_>) -> Parse<Vec<String>> {
    input.space()?;
    let names = input.parenthesised(|input| String::from_utf8(input.astring()?.to_vec()).map_err(|_| Bad::Syntax("not a field's name")))?;
    if names.is_empty() { Err(Bad::Syntax("expected names of fields")) } else { Ok(names) }
}
