//! STORE, COPY and MOVE (RFC 9051 §6.4.6 to §6.4.8, RFC 7162 §3.1.3).

use super::mailbox::argument;
use crate::grammar::command::{Command, Store, StoreHow};
use crate::grammar::input::{Bad, Input, Parse};
use crate::grammar::sequence::SequenceSet;

pub fn store(input: &mut Input<'_>, uid: bool) -> Parse<Command> {
    input.space()?;
    let set = SequenceSet::parse(input)?;
    input.space()?;
    let mut unchanged_since = None;
    if input.peek() == Some(b'(') {
        input.parenthesised(|input| {
            if !input.eat_word("UNCHANGEDSINCE") {
                return Err(Bad::Syntax("unknown modifier of STORE"));
            }
            input.space()?;
            unchanged_since = Some(input.number64()?);
            Ok(())
        })?;
        input.space()?;
    }
    let how = match (input.eat(b'+'), input.eat(b'-')) {
        (true, false) => StoreHow::Add,
        (false, true) => StoreHow::Remove,
        (false, false) => StoreHow::Set,
        (true, true) => return Err(Bad::Syntax("unknown item of STORE")),
    };
    let silent = match input.word()?.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(Bad::Syntax("unknown item of STORE")),
    };
    input.space()?;
    Ok(Command::Store(Store { uid, set, how, silent, flags: flags(input)?, unchanged_since }))
}

/// flag-list, or flags without parentheses.
fn flags(input: &mut Input<'_>) -> Parse<Vec<String>> {
    if input.peek() == Some(b'(') {
        return input.parenthesised(|input| input.flag().map(str::to_owned));
    }
    let mut flags = vec![input.flag()?.to_owned()];
    while input.eat(b' ') {
        if input.at_end() {
            break;
        }
        flags.push(input.flag()?.to_owned());
    }
    Ok(flags)
}

pub fn copy(input: &mut Input<'_>, uid: bool, moving: bool) -> Parse<Command> {
    input.space()?;
    let set = SequenceSet::parse(input)?;
    Ok(Command::Copy { uid, set, mailbox: argument(input)?, moving })
}
