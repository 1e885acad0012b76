//! Commands about rights (RFC 4314 §3).

use super::mailbox::argument;
use crate::grammar::command::Command;
use crate::grammar::input::{Input, Parse};

pub fn set(input: &mut Input<'_>) -> Parse<Command> {
    Ok(Command::SetAcl { mailbox: argument(input)?, identifier: argument(input)?, rights: argument(input)? })
}

pub fn delete(input: &mut Input<'_>) -> Parse<Command> {
    Ok(Command::DeleteAcl { mailbox: argument(input)?, identifier: argument(input)? })
}

pub fn list(input: &mut Input<'_>) -> Parse<Command> {
    Ok(Command::ListRights { mailbox: argument(input)?, identifier: argument(input)? })
}
