//! APPEND (RFC 9051 §6.3.12) with the many messages of RFC 3502 and the UTF8 form of RFC 9755 §4.

use super::mailbox::argument;
use crate::grammar::command::{Command, Message};
use crate::grammar::date::date_time;
use crate::grammar::input::{Bad, Input, Parse};

/// Messages of one APPEND.
const MESSAGES: usize = 1000;

pub fn append(input: &mut Input<'_>) -> Parse<Command> {
    let mailbox = argument(input)?;
    let mut messages = Vec::new();
    while input.space().is_ok() {
        if input.at_end() {
            break;
        }
        if messages.len() == MESSAGES {
            return Err(Bad::Syntax("too many messages in one APPEND"));
        }
        messages.push(message(input)?);
    }
    if messages.is_empty() { Err(Bad::Syntax("APPEND takes a message")) } else { Ok(Command::Append { mailbox, messages }) }
}

fn message(input: &mut Input<'_>) -> Parse<Message> {
    let mut flags = Vec::new();
    let mut received = None;
    if input.peek() == Some(b'(') {
        flags = input.parenthesised(|input| input.flag().map(str::to_owned))?;
        input.space()?;
    }
    if input.peek() == Some(b'"') {
        received = Some(date_time(input)?);
        input.space()?;
    }
    let utf8 = input.eat_word("UTF8");
    if utf8 {
        input.space()?;
        input.expect(b'(', "expected a list")?;
    }
    let (literal, _) = input.literal()?;
    if utf8 {
        input.expect(b')', "expected the end of a list")?;
    }
    Ok(Message { flags, received, bytes: literal.0.clone() })
}
