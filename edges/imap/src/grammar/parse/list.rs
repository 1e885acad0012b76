//! LIST and LSUB (RFC 9051 §6.3.9, RFC 5258, 5819, 6154; RFC 3501 §6.3.9).

use super::mailbox::{argument, status_items};
use crate::grammar::command::{Command, List};
use crate::grammar::input::{Bad, Input, Parse};

/// Octets of all patterns of one LIST: matching costs their product with those of all names.
const PATTERNS: usize = 2048;

pub fn lsub(input: &mut Input<'_>) -> Parse<Command> {
    let reference = argument(input)?;
    input.space()?;
    Ok(Command::Lsub { reference, pattern: input.list_mailbox()? })
}

pub fn list(input: &mut Input<'_>) -> Parse<Command> {
    let mut list = List::default();
    input.space()?;
    if input.peek() == Some(b'(') {
        list.extended = true;
        input.parenthesised(|input| selection(input, &mut list))?;
        input.space()?;
    }
    // RFC 5258 §3: RECURSIVEMATCH needs another option that selects.
    if list.recursive_match && !list.only_subscribed && !list.only_special {
        return Err(Bad::Syntax("RECURSIVEMATCH must not stand alone"));
    }
    list.reference = input.astring()?;
    input.space()?;
    if input.peek() == Some(b'(') {
        list.extended = true;
        list.patterns = input.parenthesised(Input::list_mailbox)?;
    } else {
        list.patterns.push(input.list_mailbox()?);
    }
    let octets: usize = list.patterns.iter().map(|pattern| pattern.len() + list.reference.len()).sum();
    if list.patterns.len() > 100 || octets > PATTERNS {
        return Err(Bad::Syntax("too many patterns"));
    }
    if input.eat(b' ') && !input.at_end() {
        if !input.eat_word("RETURN") {
            return Err(Bad::Syntax("expected RETURN"));
        }
        list.extended = true;
        input.space()?;
        input.parenthesised(|input| returned(input, &mut list))?;
    }
    Ok(Command::List(list))
}

fn selection(input: &mut Input<'_>, list: &mut List) -> Parse<()> {
    match input.word()?.as_str() {
        "SUBSCRIBED" => {
            list.only_subscribed = true;
            list.return_subscribed = true;
        }
        // There are no mailboxes on other servers.
        "REMOTE" => {}
        "RECURSIVEMATCH" => list.recursive_match = true,
        "SPECIAL-USE" => {
            list.only_special = true;
            list.return_special = true;
        }
        _ => return Err(Bad::Syntax("unknown selection option of LIST")),
    }
    Ok(())
}

fn returned(input: &mut Input<'_>, list: &mut List) -> Parse<()> {
    match input.word()?.as_str() {
        "SUBSCRIBED" => list.return_subscribed = true,
        "CHILDREN" => list.return_children = true,
        "SPECIAL-USE" => list.return_special = true,
        "STATUS" => {
            input.space()?;
            list.status = status_items(input)?;
        }
        _ => return Err(Bad::Syntax("unknown return option of LIST")),
    }
    Ok(())
}
