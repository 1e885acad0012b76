//! The state of one connection, without any I/O of its own: commands in, bytes out.

mod answer;
mod mailbox;
pub mod notices;
mod output;
mod selected;
mod server;
mod turn;

pub use answer::{Outcome, Stop, target};
pub use mailbox::{OTHER_USERS, Place, shared_name};
pub use output::Output;
pub use selected::{Ranks, Selected};
pub use server::{Options, Server};
pub(crate) use server::{Seated, Stranger};
pub use turn::pieces;

use crate::commands;
use crate::grammar::framer::{Limits, Raw, Refusal};
use crate::grammar::{self, Bad};
use penfold_directory::SignedIn;
use penfold_mailbox::Mailbox;
use penfold_ports::{Rights, Watch};
use std::net::IpAddr;
use std::sync::Arc;

/// Who signed in.
pub struct User {
    pub who: SignedIn,
    pub mailbox: Mailbox,
    pub _seat: Seated,
}

/// What a client has asked for with ENABLE, or by using it (RFC 5161, RFC 7162 §3.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Enabled {
    pub rev2: bool,
    pub utf8: bool,
    pub condstore: bool,
    pub qresync: bool,
}

impl Enabled {
    /// Names and quoted strings may hold UTF-8 (RFC 9051 §5.1, RFC 9755 §3).
    pub fn utf8(self) -> bool {
        self.rev2 || self.utf8
    }
}

/// What the client's next bytes are.
#[derive(Debug)]
pub enum Waiting {
    Command,
    /// DONE, or nothing for a long time.
    Idle {
        tag: String,
    },
    /// The answer of SASL PLAIN.
    Plain {
        tag: String,
    },
}

/// What the driver does after a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    Go,
    StartTls,
    Close,
}

pub struct Session {
    pub server: Arc<Server>,
    pub peer: IpAddr,
    pub tls: bool,
    pub user: Option<Box<User>>,
    /// Until somebody signs in.
    pub stranger: Option<Stranger>,
    pub enabled: Enabled,
    pub selected: Option<Box<Selected>>,
    pub waiting: Waiting,
    /// Wakes an idling connection when its account changes.
    pub watch: Option<Watch>,
    /// Sign-ins that failed, and commands in a row that were not understood.
    pub failures: u8,
    pub errors: u8,
}

/// Failed sign-ins, and commands in a row that mean nothing, that a connection survives.
const FAILURES: u8 = 5;
const ERRORS: u8 = 50;

impl Session {
    pub fn new(server: Arc<Server>, peer: IpAddr, tls: bool) -> Self {
        Self {
            server,
            peer,
            tls,
            user: None,
            stranger: None,
            enabled: Enabled::default(),
            selected: None,
            waiting: Waiting::Command,
            watch: None,
            failures: 0,
            errors: 0,
        }
    }

    /// RFC 9051 §7.1.4: the first words.
    pub fn greet(&self, out: &mut Output) {
        let text = format!("OK [CAPABILITY {}] Penfold", commands::capability::list(self));
        out.untagged(&text);
    }

    pub fn limits(&self) -> Limits {
        if self.user.is_some() { Limits::SIGNED_IN } else { Limits::BEFORE_LOGIN }
    }

    /// The next input is one line, not a command.
    pub fn wants_line(&self) -> bool {
        !matches!(self.waiting, Waiting::Command)
    }

    pub fn is_idling(&self) -> bool {
        matches!(self.waiting, Waiting::Idle { .. })
    }

    /// A password goes over the wire only inside TLS, or where there is no wire.
    /// The tenant was suspended, or opened again, since somebody signed in here: their rights are no longer those. At most a
    /// minute late.
    pub async fn is_of_another_time(&self) -> bool {
        let Some(user) = &self.user else { return false };
        match self.server.directory.tenant_status(user.who.scope.tenant()).await {
            Ok(status) => status.is_open() != user.who.scope.rights().has(Rights::WRITE),
            // What cannot be known now is found out with the next command.
            Err(_) => false,
        }
    }

    pub fn may_sign_in(&self) -> bool {
        self.tls || self.peer.is_loopback()
    }

    /// Carries out one command.
    pub async fn command(&mut self, raw: Raw, out: &mut Output) -> Next {
        let parsed = grammar::parse(&raw);
        // Literals that the command did not keep need not wait for its end.
        drop(raw);
        match parsed {
            Ok(tagged) => {
                self.errors = 0;
                commands::dispatch(self, tagged, out).await
            }
            Err(failure) => {
                let tag = failure.tag.as_deref().unwrap_or("*");
                match failure.bad {
                    Bad::Syntax(text) => out.tagged(tag, &format!("BAD {text}")),
                    Bad::Charset => out.tagged(tag, "NO [BADCHARSET (US-ASCII UTF-8)] unknown charset"),
                }
                self.error(out)
            }
        }
    }

    /// A line that [`Session::wants_line`] asked for.
    pub async fn line(&mut self, line: &[u8], out: &mut Output) -> Next {
        match std::mem::replace(&mut self.waiting, Waiting::Command) {
            Waiting::Idle { tag } => commands::idle::done(self, &tag, line, out).await,
            Waiting::Plain { tag } => commands::authenticate::answer(self, &tag, line, out).await,
            Waiting::Command => Next::Go,
        }
    }

    /// A command that the framer did not take.
    pub fn refused(&mut self, tag: &[u8], why: Refusal, out: &mut Output) -> Next {
        let tag = String::from_utf8_lossy(tag).into_owned();
        self.waiting = Waiting::Command;
        match why {
            Refusal::LineTooLong => out.tagged(&tag, "BAD [TOOBIG] the command is too long"),
            // RFC 9051 §4.3 and RFC 7889 §4: a tagged NO in the place of `+`.
            Refusal::LiteralTooLarge => out.tagged(&tag, "NO [TOOBIG] the literal is too large"),
        }
        self.error(out)
    }

    fn error(&mut self, out: &mut Output) -> Next {
        self.errors = self.errors.saturating_add(1);
        if self.errors >= ERRORS {
            out.untagged("BYE too many errors");
            return Next::Close;
        }
        Next::Go
    }

    /// A sign-in failed.
    pub fn failed(&mut self, out: &mut Output) -> Next {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            out.untagged("BYE too many failed sign-ins");
            return Next::Close;
        }
        Next::Go
    }

    pub fn user(&self) -> Result<&User, Stop> {
        self.user.as_deref().ok_or(Stop::bad("sign in first"))
    }

    pub fn selected(&self) -> Result<&Selected, Stop> {
        self.selected.as_deref().ok_or(Stop::bad("select a mailbox first"))
    }

    pub fn selected_mut(&mut self) -> Result<&mut Selected, Stop> {
        self.selected.as_deref_mut().ok_or(Stop::bad("select a mailbox first"))
    }

    /// RFC 7162 §3.1: using CONDSTORE once enables it, and says so for a mailbox that is selected.
    pub fn enable_condstore(&mut self) {
        self.enabled.condstore = true;
    }
}
