//! SEARCH (RFC 9051 §6.4.4) with RETURN (RFC 4731, 5182), WITHIN (RFC 5032), MODSEQ (RFC 7162) and the ids of RFC 8474.

use crate::grammar::command::{Command, DayRange, Returns, Search, SearchKey};
use crate::grammar::date::date;
use crate::grammar::input::{Bad, Input, Parse};
use crate::grammar::sequence::SequenceSet;
use encoding_rs::Encoding;

/// Levels of NOT, OR and parentheses; keys in all.
const DEPTH: u32 = 40;
const KEYS: usize = 2000;

pub fn search(input: &mut Input<'_>, uid: bool) -> Parse<Command> {
    input.space()?;
    let mut returns = None;
    if input.eat_word("RETURN") {
        input.space()?;
        returns = Some(return_options(input)?);
        input.space()?;
    }
    let mut keys = Keys { charset: encoding_rs::UTF_8, left: KEYS };
    if input.eat_word("CHARSET") {
        input.space()?;
        let name = input.astring()?;
        keys.charset = Encoding::for_label(&name).filter(|_| !name.is_empty()).ok_or(Bad::Charset)?;
        input.space()?;
    }
    let mut all = vec![keys.key(input, DEPTH)?];
    while input.eat(b' ') {
        if input.at_end() {
            break;
        }
        all.push(keys.key(input, DEPTH)?);
    }
    let key = if all.len() == 1 { all.pop().unwrap_or(SearchKey::All) } else { SearchKey::And(all) };
    Ok(Command::Search(Search { uid, returns, key }))
}

fn return_options(input: &mut Input<'_>) -> Parse<Returns> {
    let mut returns = Returns::default();
    let options = input.parenthesised(|input| {
        match input.word()?.as_str() {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            _ => return Err(Bad::Syntax("unknown option of RETURN")),
        }
        Ok(())
    })?;
    // RFC 4731 §3.1: an empty list means ALL.
    returns.all |= options.is_empty();
    Ok(returns)
}

struct Keys {
    charset: &'static Encoding,
    left: usize,
}

impl Keys {
    fn text(&self, input: &mut Input<'_>) -> Parse<String> {
        input.space()?;
        let bytes = input.astring()?;
        let (text, _, broken) = self.charset.decode(&bytes);
        if broken { Err(Bad::Syntax("the string is not in its charset")) } else { Ok(text.into_owned()) }
    }

    fn header(&self, input: &mut Input<'_>, name: &str) -> Parse<SearchKey> {
        Ok(SearchKey::Header { name: name.to_owned(), value: self.text(input)? })
    }

    fn key(&mut self, input: &mut Input<'_>, depth: u32) -> Parse<SearchKey> {
        let depth = depth.checked_sub(1).ok_or(Bad::Syntax("keys are nested too deep"))?;
        self.left = self.left.checked_sub(1).ok_or(Bad::Syntax("too many keys"))?;
        match input.peek() {
            Some(b'(') => {
                let keys = input.parenthesised(|input| self.key(input, depth))?;
                return if keys.is_empty() { Err(Bad::Syntax("expected a search key")) } else { Ok(SearchKey::And(keys)) };
            }
            Some(b'0'..=b'9' | b'*' | b'$') => return Ok(SearchKey::Numbers(SequenceSet::parse(input)?)),
            _ => {}
        }
        self.named(input, depth)
    }

    fn named(&mut self, input: &mut Input<'_>, depth: u32) -> Parse<SearchKey> {
        use SearchKey as K;
        let flag = |name: &str| K::Flag(name.to_owned());
        let without = |name: &str| K::Not(Box::new(K::Flag(name.to_owned())));
        Ok(match input.word()?.as_str() {
            "ALL" => K::All,
            "ANSWERED" => flag("\\Answered"),
            "DELETED" => flag("\\Deleted"),
            "DRAFT" => flag("\\Draft"),
            "FLAGGED" => flag("\\Flagged"),
            "SEEN" => flag("\\Seen"),
            "UNANSWERED" => without("\\Answered"),
            "UNDELETED" => without("\\Deleted"),
            "UNDRAFT" => without("\\Draft"),
            "UNFLAGGED" => without("\\Flagged"),
            "UNSEEN" => without("\\Seen"),
            // RFC 3501 §6.4.4: nothing is ever \Recent here, so nothing is NEW and everything is OLD.
            "RECENT" | "NEW" => K::Nothing,
            "OLD" => K::All,
            "KEYWORD" => flag(keyword(input)?),
            "UNKEYWORD" => without(keyword(input)?),
            "UID" => {
                input.space()?;
                K::Uids(SequenceSet::parse(input)?)
            }
            "BEFORE" => K::Received(before(input)?),
            "ON" => K::Received(on(input)?),
            "SINCE" => K::Received(since(input)?),
            "SENTBEFORE" => K::Sent(before(input)?),
            "SENTON" => K::Sent(on(input)?),
            "SENTSINCE" => K::Sent(since(input)?),
            "YOUNGER" => K::Younger(interval(input)?),
            "OLDER" => K::Older(interval(input)?),
            "LARGER" => K::Larger(size(input)?),
            "SMALLER" => K::Smaller(size(input)?),
            "BCC" => self.header(input, "Bcc")?,
            "CC" => self.header(input, "Cc")?,
            "FROM" => self.header(input, "From")?,
            "SUBJECT" => self.header(input, "Subject")?,
            "TO" => self.header(input, "To")?,
            "HEADER" => {
                input.space()?;
                let name = String::from_utf8(input.astring()?.to_vec()).map_err(|_| Bad::Syntax("not a field's name"))?;
                self.header(input, &name)?
            }
            "BODY" => K::Body(self.text(input)?),
            "TEXT" => K::Text(self.text(input)?),
            "MODSEQ" => modseq(input)?,
            "EMAILID" => K::EmailId(object_id(input)?),
            "THREADID" => K::ThreadId(object_id(input)?),
            "NOT" => {
                input.space()?;
                K::Not(Box::new(self.key(input, depth)?))
            }
            "OR" => {
                input.space()?;
                let first = self.key(input, depth)?;
                input.space()?;
                K::Or(Box::new(first), Box::new(self.key(input, depth)?))
            }
            _ => return Err(Bad::Syntax("unknown search key")),
        })
    }
}

fn keyword<'a>(input: &mut Input<'a>) -> Parse<&'a str> {
    input.space()?;
    input.flag()
}

fn interval(input: &mut Input<'_>) -> Parse<u32> {
    input.space()?;
    input.nz_number()
}

fn size(input: &mut Input<'_>) -> Parse<u64> {
    input.space()?;
    input.number64()
}

fn object_id(input: &mut Input<'_>) -> Parse<String> {
    input.space()?;
    String::from_utf8(input.astring()?.to_vec()).map_err(|_| Bad::Syntax("not an id"))
}

fn before(input: &mut Input<'_>) -> Parse<DayRange> {
    input.space()?;
    Ok(DayRange { from: i64::MIN, to: date(input)? })
}

fn on(input: &mut Input<'_>) -> Parse<DayRange> {
    input.space()?;
    let day = date(input)?;
    Ok(DayRange { from: day, to: day + 1 })
}

fn since(input: &mut Input<'_>) -> Parse<DayRange> {
    input.space()?;
    Ok(DayRange { from: date(input)?, to: i64::MAX })
}

/// RFC 7162 §3.1.5: a metadata entry may stand before the number. All entries share one modseq.
fn modseq(input: &mut Input<'_>) -> Parse<SearchKey> {
    input.space()?;
    if input.peek() == Some(b'"') {
        input.string()?;
        input.space()?;
        if !["PRIV", "SHARED", "ALL"].contains(&input.word()?.as_str()) {
            return Err(Bad::Syntax("not a type of entry"));
        }
        input.space()?;
    }
    Ok(SearchKey::Modseq(input.number64()?))
}
