//! One SMTP session without any I/O: bytes go in, replies and questions come out. The driver owns the socket, the clock
//! and the directory; a test owns a text file.

mod auth;
mod bdat;
mod data;
mod hello;
mod mail;
mod rcpt;
mod simple;
mod starttls;

use crate::config::{Config, Role};
use crate::grammar::line::{Line, Lines};
use crate::grammar::parameters::{Hold, MailParameters, RcptParameters};
use crate::grammar::path::Path;
use crate::receive::{Body, Chunk, Dots, Ends};
use crate::reply::{self, Reply};
use crate::{Lease, grammar};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// Replies that wait for this much are written before more input is read.
const FLUSH: usize = 8 * 1024;

/// A recipient that was accepted. `R` is what the driver resolved it to.
#[derive(Clone, Debug)]
pub struct Recipient<R> {
    pub path: Path,
    pub parameters: RcptParameters,
    pub resolved: R,
}

/// A whole message with its envelope, waiting for its answer.
#[derive(Debug)]
pub struct Transaction<R> {
    pub from: Path,
    pub parameters: MailParameters,
    pub recipients: Vec<Recipient<R>>,
    pub message: Bytes,
    /// Keeps the message's memory counted until it is dropped.
    pub lease: Option<Lease>,
}

/// What the session needs to know before it goes on. Answer with [`Session::answer`].
#[derive(Debug)]
pub enum Ask<R> {
    SignIn {
        identity: String,
        secret: String,
    },
    /// May a message from here begin?
    Mail {
        from: Path,
        hold: Option<Hold>,
    },
    /// Answer with [`Answer::Recipient`] or [`Answer::No`].
    Rcpt {
        from: Path,
        to: Path,
    },
    /// Answer with [`Answer::Accepted`] once it is durable.
    Accept(Box<Transaction<R>>),
}

#[derive(Debug)]
pub enum Answer<R> {
    Yes,
    Recipient(R),
    /// The id under which the message is now known.
    Accepted(String),
    No(Reply),
}

/// What the driver does next.
#[derive(Debug)]
pub enum Step<R> {
    /// Write the output, then read more input.
    Read,
    /// Write the output.
    Write,
    Ask(Ask<R>),
    /// Write the output, do the handshake, then call [`Session::tls_started`].
    StartTls,
    /// Write the output, then close.
    Close,
}

/// What is being read.
#[derive(Debug)]
enum Mode {
    Command,
    Auth(auth::Exchange),
    Data {
        dots: Dots,
        body: Body,
    },
    Chunk(Chunk),
    /// A question is open.
    Asked(Pending),
    Closed,
}

#[derive(Debug)]
enum Pending {
    SignIn { identity: String },
    Mail { from: Path, parameters: MailParameters },
    Rcpt { path: Path, parameters: RcptParameters },
    Accept,
}

/// A transaction on its way: RFC 5321 §3.3.
#[derive(Debug)]
struct Draft<R> {
    from: Path,
    parameters: MailParameters,
    recipients: Vec<Recipient<R>>,
    /// Begun by the first BDAT.
    chunks: Option<(Body, Ends)>,
    /// A BDAT failed: the client must begin again (RFC 3030 §2).
    failed: Option<Reply>,
}

#[derive(Clone, Debug)]
struct Greeting {
    name: String,
    /// EHLO, not HELO.
    extended: bool,
}

pub struct Session<R> {
    config: Arc<Config>,
    role: Role,
    /// The peer is this machine, so that a clear-text password crosses no network.
    loopback: bool,
    tls: bool,
    greeting: Option<Greeting>,
    user: Option<String>,
    mode: Mode,
    draft: Option<Draft<R>>,
    lines: Lines,
    errors: u32,
    unknown: u32,
    refused: u32,
    chatter: u32,
    /// What came and was not read yet. The driver appends to it.
    pub input: BytesMut,
    /// What is to be written. The driver empties it.
    pub output: Vec<u8>,
}

impl<R> Session<R> {
    /// The greeting is in `output` already. `tls`: on from the first byte.
    pub fn new(config: Arc<Config>, role: Role, loopback: bool, tls: bool) -> Self {
        let mut session = Self {
            config,
            role,
            loopback,
            tls,
            greeting: None,
            user: None,
            mode: Mode::Command,
            draft: None,
            lines: Lines::default(),
            errors: 0,
            unknown: 0,
            refused: 0,
            chatter: 0,
            input: BytesMut::new(),
            output: Vec::with_capacity(256),
        };
        let text = format!("{} ESMTP Penfold", session.config.hostname);
        session.say(&Reply::with(220, "", text));
        session
    }

    pub fn is_tls(&self) -> bool {
        self.tls
    }

    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The name of HELO or EHLO; empty before it.
    pub fn peer_name(&self) -> &str {
        self.greeting.as_ref().map_or("", |g| g.name.as_str())
    }

    pub fn is_extended(&self) -> bool {
        self.greeting.as_ref().is_some_and(|g| g.extended)
    }

    /// True between MAIL and its end: the time limit of a transaction holds, and a shutdown waits for it.
    pub fn in_transaction(&self) -> bool {
        self.draft.is_some() || matches!(self.mode, Mode::Chunk(_))
    }

    /// True while message bytes are awaited: a larger read is worth its buffer.
    pub fn is_receiving(&self) -> bool {
        matches!(self.mode, Mode::Data { .. } | Mode::Chunk(_))
    }

    /// Goes on as far as the input allows. No iterator: it waits for answers in between, and has no end of its own.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step<R> {
        loop {
            if self.output.len() > FLUSH {
                return Step::Write;
            }
            let step = match &mut self.mode {
                Mode::Closed => return Step::Close,
                // The driver owes an answer; without one there is no going on.
                Mode::Asked(_) => return Step::Close,
                Mode::Command | Mode::Auth(_) => match self.next_line() {
                    Some(line) => self.on_line(line),
                    None => return Step::Read,
                },
                Mode::Data { dots, body } => {
                    let ended = dots.take(&mut self.input, body);
                    if !ended && body.is_endless() {
                        self.close(&reply::ENDLESS);
                        None
                    } else if ended {
                        self.data_ended()
                    } else {
                        return Step::Read;
                    }
                }
                Mode::Chunk(_) => match self.on_chunk() {
                    bdat::Progress::Read => return Step::Read,
                    bdat::Progress::Went(step) => step,
                },
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Answers the question that [`Session::next`] asked last.
    pub fn answer(&mut self, answer: Answer<R>) {
        match std::mem::replace(&mut self.mode, Mode::Command) {
            Mode::Asked(Pending::SignIn { identity }) => self.signed_in(identity, &answer),
            Mode::Asked(Pending::Mail { from, parameters }) => self.mail_answered(from, parameters, &answer),
            Mode::Asked(Pending::Rcpt { path, parameters }) => self.rcpt_answered(path, parameters, answer),
            Mode::Asked(Pending::Accept) => self.accept_answered(&answer),
            other => self.mode = other,
        }
    }

    /// The driver gives up: time, shutdown. Says why and closes.
    pub fn close(&mut self, why: &Reply) {
        self.say(why);
        self.draft = None;
        self.mode = Mode::Closed;
    }

    fn next_line(&mut self) -> Option<Line> {
        match self.lines.take(&mut self.input, matches!(self.mode, Mode::Auth(_))) {
            Line::Partial => None,
            line => Some(line),
        }
    }

    fn on_line(&mut self, line: Line) -> Option<Step<R>> {
        let text = match line {
            Line::Whole(text) => text,
            Line::Endless => {
                self.close(&reply::LONG_LINE);
                return None;
            }
            // RFC 4954 §6.
            Line::TooLong if matches!(self.mode, Mode::Auth(_)) => return self.spoilt(&reply::LONG_RESPONSE),
            Line::TooLong => return self.spoilt(&reply::LONG_LINE),
            Line::Bad | Line::Partial => return self.spoilt(&reply::BAD_LINE),
        };
        match std::mem::replace(&mut self.mode, Mode::Command) {
            Mode::Auth(exchange) => self.auth_line(exchange, &text),
            _ => self.command(&text),
        }
    }

    /// A line that cannot be read also ends a SASL exchange.
    fn spoilt(&mut self, why: &Reply) -> Option<Step<R>> {
        self.mode = Mode::Command;
        self.fail(why)
    }

    fn command(&mut self, line: &str) -> Option<Step<R>> {
        let (verb, argument) = grammar::split_verb(line);
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello(argument, true),
            "HELO" => self.hello(argument, false),
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument),
            "DATA" => self.data(argument),
            "BDAT" => self.bdat(argument),
            "RSET" => self.rset(argument),
            "NOOP" => self.noop(),
            "VRFY" => self.vrfy(argument),
            "EXPN" => self.expn(),
            "HELP" => self.help(),
            "QUIT" => self.quit(argument),
            "STARTTLS" => self.starttls(argument),
            "AUTH" => self.auth(argument),
            // A browser that was led here: what follows are its headers and its body, not commands.
            "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => {
                self.close(&reply::WRONG_PROTOCOL);
                None
            }
            _ => self.fail(&reply::UNKNOWN_COMMAND),
        }
    }

    fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// Says that a command was wrong, and closes after too many.
    fn fail(&mut self, reply: &Reply) -> Option<Step<R>> {
        self.say(reply);
        self.errors += 1;
        if self.errors >= self.config.errors {
            self.close(&reply::ENOUGH_ERRORS);
        }
        None
    }

    fn ask(&mut self, ask: Ask<R>, pending: Pending) -> Option<Step<R>> {
        self.mode = Mode::Asked(pending);
        Some(Step::Ask(ask))
    }

    fn signed_in_or_open(&self) -> bool {
        self.role == Role::Mx || self.user.is_some()
    }
}
