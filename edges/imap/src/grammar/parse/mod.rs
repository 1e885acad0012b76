//! One file for each family of commands; this one finds the verb.

mod acl;
mod append;
mod auth;
mod fetch;
mod list;
mod mailbox;
mod search;
mod store;

use super::command::{Command, Tagged};
use super::framer::Raw;
use super::input::{Bad, Input, Parse};
use super::sequence::SequenceSet;

/// What could not be read, with the tag to answer under.
#[derive(PartialEq, Eq, Debug)]
pub struct Failure {
    pub tag: Option<String>,
    pub bad: Bad,
}

/// Reads one command.
pub fn parse(raw: &Raw) -> Result<Tagged, Failure> {
    let mut input = Input::new(raw);
    let tag = input.tag().map_err(|bad| Failure { tag: None, bad })?.to_owned();
    match tagged(&mut input) {
        Ok(command) => Ok(Tagged { tag, command }),
        Err(bad) => Err(Failure { tag: Some(tag), bad }),
    }
}

fn tagged(input: &mut Input<'_>) -> Parse<Command> {
    input.space()?;
    let verb = input.word()?;
    let command = verb_arguments(&verb, input)?;
    input.end()?;
    Ok(command)
}

fn verb_arguments(verb: &str, input: &mut Input<'_>) -> Parse<Command> {
    Ok(match verb {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "ID" => auth::id(input)?,
        "STARTTLS" => Command::StartTls,
        "AUTHENTICATE" => auth::authenticate(input)?,
        "LOGIN" => auth::login(input)?,
        "ENABLE" => auth::enable(input)?,
        "SELECT" => mailbox::select(input, false)?,
        "EXAMINE" => mailbox::select(input, true)?,
        "CREATE" => mailbox::create(input)?,
        "DELETE" => Command::Delete(mailbox::argument(input)?),
        "RENAME" => mailbox::rename(input)?,
        "SUBSCRIBE" => Command::Subscribe { mailbox: mailbox::argument(input)?, on: true },
        "UNSUBSCRIBE" => Command::Subscribe { mailbox: mailbox::argument(input)?, on: false },
        "LIST" => list::list(input)?,
        "LSUB" => list::lsub(input)?,
        "NAMESPACE" => Command::Namespace,
        "STATUS" => mailbox::status(input)?,
        "APPEND" => append::append(input)?,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        "SEARCH" => search::search(input, false)?,
        "FETCH" => fetch::fetch(input, false)?,
        "STORE" => store::store(input, false)?,
        "COPY" => store::copy(input, false, false)?,
        "MOVE" => store::copy(input, false, true)?,
        "UID" => uid(input)?,
        "GETQUOTA" => Command::GetQuota(mailbox::argument(input)?),
        "GETQUOTAROOT" => Command::GetQuotaRoot(mailbox::argument(input)?),
        "GETACL" => Command::GetAcl(mailbox::argument(input)?),
        "SETACL" => acl::set(input)?,
        "DELETEACL" => acl::delete(input)?,
        "LISTRIGHTS" => acl::list(input)?,
        "MYRIGHTS" => Command::MyRights(mailbox::argument(input)?),
        "SETQUOTA" => mailbox::set_quota(input)?,
        _ => return Err(Bad::Syntax("unknown command")),
    })
}

/// RFC 9051 §6.4.9.
fn uid(input: &mut Input<'_>) -> Parse<Command> {
    input.space()?;
    match input.word()?.as_str() {
        "SEARCH" => search::search(input, true),
        "FETCH" => fetch::fetch(input, true),
        "STORE" => store::store(input, true),
        "COPY" => store::copy(input, true, false),
        "MOVE" => store::copy(input, true, true),
        "EXPUNGE" => {
            input.space()?;
            Ok(Command::Expunge(Some(SequenceSet::parse(input)?)))
        }
        _ => Err(Bad::Syntax("unknown command after UID")),
    }
}

#[cfg(test)]
mod tests;
