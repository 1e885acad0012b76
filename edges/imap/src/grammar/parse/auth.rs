//! Commands about who is there: ID, AUTHENTICATE, LOGIN, ENABLE.

use crate::grammar::command::Command;
use crate::grammar::input::{Bad, Input, Parse};

/// RFC 2971 §3.1: at most 30 pairs. What a client says of itself is not kept.
pub fn id(input: &mut Input<'_>) -> Parse<Command> {
    input.space()?;
    if !input.eat_word("NIL") {
        let values = input.parenthesised(|input| input.nstring().map(drop))?;
        if values.len() > 60 || values.len() % 2 == 1 {
            return Err(Bad::Syntax("ID takes at most 30 pairs"));
        }
    }
    Ok(Command::Id)
}

/// RFC 9051 §6.2.2, with the initial response of RFC 4959.
pub fn authenticate(input: &mut Input<'_>) -> Parse<Command> {
    input.space()?;
    let mechanism = input.word()?;
    let initial = if input.eat(b' ') { Some(input.take_while(|b| b.is_ascii_graphic()).to_vec().into()) } else { None };
    Ok(Command::Authenticate { mechanism, initial })
}

pub fn login(input: &mut Input<'_>) -> Parse<Command> {
    input.space()?;
    let user = input.astring()?;
    input.space()?;
    let secret = input.astring()?;
    Ok(Command::Login { user, secret })
}

pub fn enable(input: &mut Input<'_>) -> Parse<Command> {
    let mut names = Vec::new();
    while input.eat(b' ') {
        if input.at_end() {
            break;
        }
        names.push(input.word()?);
    }
    if names.is_empty() { Err(Bad::Syntax("ENABLE takes at least one name")) } else { Ok(Command::Enable(names)) }
}
