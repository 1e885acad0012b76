//! One verb, one file. The dispatcher decides whether a command may be given in this state (RFC 9051 §3), routes it, and
//! says how it ended; after it, what is new in the selected mailbox is announced.

mod acl;
pub mod append;
pub mod authenticate;
pub mod capability;
mod close;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
pub mod idle;
mod list;
mod login;
mod lsub;
mod namespace;
mod quota;
mod rename;
mod search;
mod select;
mod status;
mod store;
mod subscribe;

use crate::grammar::{Command, Tagged};
use crate::session::notices::When;
use crate::session::{Next, Outcome, Output, Session, Stop};
use penfold_types::{Modseq, Uid};

/// What a command leaves for the notices after it.
#[derive(Default)]
pub struct After {
    pub expunge: bool,
    pub told: Vec<(Uid, Modseq)>,
    pub seen: Option<Modseq>,
}

/// Whether the notices after a command may tell of expunged messages: not after FETCH, STORE and SEARCH by number
/// (RFC 9051 §7.5.1). `None`: the command has nothing to do with what is selected.
fn expunge_after(command: &Command) -> Option<bool> {
    match command {
        Command::Fetch(fetch) => Some(fetch.uid),
        Command::Store(store) => Some(store.uid),
        Command::Search(search) => Some(search.uid),
        Command::Noop | Command::Check | Command::Status { .. } | Command::Append { .. } | Command::Copy { .. } | Command::Expunge(_) => {
            Some(true)
        }
        _ => None,
    }
}

/// What is answered from what the session knows takes no turn.
fn takes_turn(command: &Command) -> bool {
    !matches!(command, Command::Capability | Command::Logout | Command::Id | Command::StartTls | Command::Enable(_) | Command::Namespace)
}

/// Carries out one command and says how it ended.
pub async fn dispatch(session: &mut Session, tagged: Tagged, out: &mut Output) -> Next {
    let Tagged { tag, command } = tagged;
    session.keep_pace().await;
    if takes_turn(&command) {
        session.take_turn(out).await;
    }
    if session.is_of_another_time().await {
        out.untagged("BYE [UNAVAILABLE] what the organisation may do has changed; sign in again");
        return Next::Close;
    }
    let next = match &command {
        Command::Logout => {
            out.untagged("BYE see you");
            Next::Close
        }
        Command::StartTls if !session.tls && session.user.is_none() && session.server.options.tls.is_some() => Next::StartTls,
        _ => Next::Go,
    };
    let notices = expunge_after(&command);
    let beside = matches!(command, Command::Status { .. } | Command::Append { .. });
    let signing_in = matches!(command, Command::Login { .. });
    let mut after = After { expunge: notices.unwrap_or(false), ..After::default() };
    let mut outcome = run(session, &tag, command, &mut after, out).await;
    if beside {
        // A right that was lost meanwhile ends what is selected, not what this command did elsewhere.
        let _ = session.recheck_right(out).await;
    }
    // What EXPUNGE and MOVE did is told by the notices, before the tagged answer.
    if notices.is_some() && session.selected.is_some() && !matches!(outcome, Err(Stop::Gone)) {
        let when = When { expunge: after.expunge, told: &after.told, seen: after.seen };
        if let Err(stop) = session.notices(when, out).await
            && outcome.is_ok()
        {
            outcome = Err(stop);
        }
    }
    if signing_in && matches!(outcome, Err(Stop::No(_))) {
        finish(&tag, outcome, out);
        return session.failed(out);
    }
    match finish(&tag, outcome, out) {
        Next::Go => next,
        other => other,
    }
}

/// The tagged answer.
pub fn finish(tag: &str, outcome: Outcome, out: &mut Output) -> Next {
    match outcome {
        // The command answers later: IDLE and AUTHENTICATE.
        Ok(text) if text.is_empty() => {}
        Ok(text) => out.tagged(tag, &format!("OK {text}")),
        Err(Stop::No(text)) => out.tagged(tag, &format!("NO {text}")),
        Err(Stop::Bad(text)) => out.tagged(tag, &format!("BAD {text}")),
        Err(Stop::Gone) => return Next::Close,
    }
    Next::Go
}

async fn run(session: &mut Session, tag: &str, command: Command, after: &mut After, out: &mut Output) -> Outcome {
    match command {
        Command::Capability => return capability::run(session, out),
        Command::Noop if session.selected.is_none() => return Ok("done".into()),
        Command::Logout => return Ok("bye".into()),
        Command::Id => return id::run(out),
        Command::StartTls => return starttls(session),
        Command::Authenticate { mechanism, initial } => return authenticate::run(session, tag, &mechanism, initial.as_deref(), out).await,
        Command::Login { user, secret } => return login::run(session, &user, &secret).await,
        _ => {}
    }
    session.user()?;
    match command {
        Command::Enable(names) => return enable::run(session, &names, out),
        Command::Select(select) => return select::run(session, select, out).await,
        Command::Create { mailbox, uses } => return create::run(session, &mailbox, &uses).await,
        Command::Delete(mailbox) => return delete::run(session, &mailbox, out).await,
        Command::Rename { from, to } => return rename::run(session, &from, &to).await,
        Command::Subscribe { mailbox, on } => return subscribe::run(session, &mailbox, on).await,
        Command::List(args) => return list::run(session, &args, out).await,
        Command::Lsub { reference, pattern } => return lsub::run(session, &reference, &pattern, out).await,
        Command::Namespace => return namespace::run(out),
        Command::Status { mailbox, items } => return status::run(session, &mailbox, &items, out).await,
        Command::Append { mailbox, messages } => return append::run(session, &mailbox, messages).await,
        Command::GetQuota(root) => return quota::get(session, &root, out).await,
        Command::GetQuotaRoot(mailbox) => return quota::root(session, &mailbox, out).await,
        Command::GetAcl(mailbox) => return acl::get(session, &mailbox, out).await,
        Command::SetAcl { mailbox, identifier, rights } => return acl::set(session, &mailbox, &identifier, &rights).await,
        Command::DeleteAcl { mailbox, identifier } => return acl::delete(session, &mailbox, &identifier).await,
        Command::ListRights { mailbox, identifier } => return acl::list(session, &mailbox, &identifier, out).await,
        Command::MyRights(mailbox) => return acl::mine(session, &mailbox, out).await,
        Command::SetQuota => return Err(Stop::no("[NOPERM] quotas are the administrator's")),
        Command::Idle => return idle::run(session, tag, out).await,
        _ => {}
    }
    session.selected()?;
    session.recheck_right(out).await?;
    match command {
        Command::Noop | Command::Check => Ok("done".into()),
        Command::Close => close::run(session, true).await,
        Command::Unselect => close::run(session, false).await,
        Command::Expunge(set) => expunge::run(session, set.as_ref(), out).await,
        Command::Search(search) => search::run(session, tag, &search, after, out).await,
        Command::Fetch(fetch) => fetch::run(session, fetch, after, out).await,
        Command::Store(store) => store::run(session, store, after, out).await,
        Command::Copy { uid, set, mailbox, moving } => copy::run(session, uid, &set, &mailbox, moving, out).await,
        _ => Err(Stop::bad("not now")),
    }
}

/// RFC 9051 §6.2.1; the driver does the rest.
fn starttls(session: &Session) -> Outcome {
    if session.tls {
        return Err(Stop::bad("TLS is on already"));
    }
    if session.user.is_some() {
        return Err(Stop::bad("too late for STARTTLS"));
    }
    if session.server.options.tls.is_none() {
        return Err(Stop::no("TLS is not set up here"));
    }
    Ok("begin TLS now".into())
}
