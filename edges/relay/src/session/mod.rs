//! One SMTP session of the client without any I/O: bytes go in, commands and outcomes come out. The driver owns the
//! socket, TLS and the clock; a test owns a text file.

mod answer;
mod auth;
mod command;
mod dots;
mod letter;
mod offers;
mod sending;

pub use answer::{Answer, Answers, Fault};
pub use auth::SignIn;
pub use letter::{Letter, fit};
pub use offers::Offers;

use crate::said::{broken, lost, ours};
use bytes::BytesMut;
use penfold_ports::{Outcome, Said};
use sending::Sending;

/// What waits to be written before the driver is asked to write it.
pub(crate) const FLUSH: usize = 64 * 1024;

/// Whether STARTTLS is used (RFC 3207).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Starttls {
    Never,
    WhereOffered,
    Always,
}

/// How a session begins.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Our name in EHLO.
    pub name: String,
    /// Names in lower case that are ours: who calls itself so is a loop.
    pub own: Vec<String>,
    /// The peer's name, for what is said of it.
    pub host: String,
    pub starttls: Starttls,
    /// TLS is on already.
    pub tls: bool,
    pub sign_in: Option<SignIn>,
    /// Recipients of one transaction at most; RFC 5321 §4.5.3.1.8 promises 100.
    pub recipients: usize,
}

/// What a session waits for, which decides how long: RFC 5321 §4.5.3.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    Greeting,
    Hello,
    Mail,
    Rcpt,
    Data,
    /// The answer to the whole message, or to a chunk of it.
    End,
    Quit,
}

/// Why a session is not to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// It was lost, too slow, or makes no sense.
    Network,
    /// The host said no.
    Refused,
    /// STARTTLS is demanded and not offered, or refused.
    NoTls,
    /// We talk to ourselves.
    Loop,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub cause: Cause,
    pub said: Said,
}

/// What the driver does next.
#[derive(Debug)]
pub enum Step {
    /// Write the output, then read more input.
    Read(Wait),
    /// Write the output.
    Write,
    /// Write the output, do the handshake, then call [`Session::tls_started`].
    StartTls,
    /// Idle: [`Session::send`], [`Session::probe`] or [`Session::quit`].
    Ready,
    /// One outcome for each recipient of the letter. Afterwards it is ready again, or over.
    Sent(Vec<Outcome>),
    Failed(Failure),
    /// Nothing more comes.
    Closed,
}

#[derive(Debug)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Handshake,
    Auth(auth::Exchange),
    Ready,
    Probe,
    Sending(Box<Sending>),
    Quit,
    Over,
}

#[derive(Debug)]
pub struct Session {
    terms: Terms,
    state: State,
    answers: Answers,
    offers: Offers,
    /// Answers read so far: each begins the wait anew, and half an answer does not.
    heard: u64,
    /// To be told at the next turn.
    news: Option<Step>,
    /// What came and was not read yet. The driver appends to it.
    pub input: BytesMut,
    /// What is to be written. The driver empties it.
    pub output: Vec<u8>,
}

impl Session {
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            state: State::Greeting,
            answers: Answers::default(),
            offers: Offers::default(),
            heard: 0,
            news: None,
            input: BytesMut::new(),
            output: Vec::new(),
        }
    }

    pub fn offers(&self) -> &Offers {
        &self.offers
    }

    pub fn is_tls(&self) -> bool {
        self.terms.tls
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready) && self.news.is_none()
    }

    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Begins to hand over a message; the session must be ready.
    pub fn send(&mut self, letter: Letter) {
        if self.is_ready() {
            self.state = State::Sending(Box::new(Sending::new(letter, &self.offers, &self.terms)));
        }
    }

    /// RSET, so that a connection that was kept is known to be alive and has no transaction open; then it is ready again.
    pub fn probe(&mut self) {
        if self.is_ready() {
            self.say("RSET", State::Probe);
        }
    }

    pub fn quit(&mut self) {
        if self.is_ready() {
            self.say("QUIT", State::Quit);
        }
    }

    /// After the handshake.
    pub fn tls_started(&mut self) {
        if matches!(self.state, State::Handshake) {
            self.terms.tls = true;
            // RFC 3207 §4.2: what was learnt in the clear is forgotten.
            self.offers = Offers::default();
            self.hello();
        }
    }

    /// The connection is gone or its time is over. Answers that had come are heard first.
    pub fn lost(&mut self, said: Said) {
        while !matches!(self.state, State::Over)
            && let Ok(Some(answer)) = self.answers.take(&mut self.input)
        {
            self.on_answer(&answer);
        }
        self.end(Cause::Network, said);
    }

    /// Goes on as far as the input allows. No iterator: it waits in between.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step {
        loop {
            if let Some(news) = self.news.take() {
                return news;
            }
            match &mut self.state {
                State::Over => return Step::Closed,
                State::Handshake if self.input.is_empty() => return Step::StartTls,
                // What came in the clear behind the answer was put there by somebody who cannot read what follows.
                State::Handshake => {
                    self.end(Cause::Network, broken("it sent more behind its answer to STARTTLS"));
                    continue;
                }
                State::Ready if self.input.is_empty() => return Step::Ready,
                State::Sending(sending) => {
                    let early = sending.asks_nothing() && !self.input.is_empty();
                    if !early && sending.write(&mut self.output) {
                        return Step::Write;
                    }
                    if let Some(outcomes) = sending.done() {
                        self.state = if sending.is_over() { State::Over } else { State::Ready };
                        return Step::Sent(outcomes);
                    }
                }
                _ => {}
            }
            match self.answers.take(&mut self.input) {
                Ok(Some(answer)) => {
                    self.heard += 1;
                    self.on_answer(&answer);
                }
                Ok(None) if matches!(self.state, State::Ready) => self.end(Cause::Network, broken("it says what nobody asked")),
                Ok(None) => return Step::Read(self.wait()),
                Err(Fault::Endless) => self.end(Cause::Network, broken("an answer has no end")),
                Err(Fault::Malformed) => self.end(Cause::Network, broken("an answer makes no sense")),
            }
        }
    }

    fn wait(&self) -> Wait {
        match &self.state {
            State::Greeting => Wait::Greeting,
            State::Sending(sending) => sending.wait(),
            State::Quit => Wait::Quit,
            _ => Wait::Hello,
        }
    }

    fn on_answer(&mut self, answer: &Answer) {
        if matches!(self.state, State::Quit) {
            return self.state = State::Over;
        }
        // RFC 5321 §4.2.2: 421 comes at any time, and the host hangs up.
        if answer.code == 421 {
            return self.end(Cause::Refused, answer.said(&self.terms.host));
        }
        match &mut self.state {
            State::Greeting => match answer.code {
                220 => self.hello(),
                _ => self.refused(answer),
            },
            State::Ehlo => self.on_ehlo(answer),
            State::Helo if answer.is_positive() => self.on_hello(answer),
            State::StartTls if answer.code == 220 => self.state = State::Handshake,
            State::StartTls if self.terms.starttls == Starttls::Always => self.end(Cause::NoTls, answer.said(&self.terms.host)),
            State::StartTls if answer.is_refusal() => self.sign_in(),
            State::Auth(_) => self.on_auth(answer),
            State::Probe if answer.is_positive() => self.state = State::Ready,
            State::Sending(sending) => {
                if sending.on_answer(answer).is_err() {
                    self.end(Cause::Network, broken("an answer does not fit what was asked"));
                }
            }
            State::Helo | State::StartTls | State::Probe => self.refused(answer),
            State::Ready | State::Handshake | State::Quit | State::Over => {
                self.end(Cause::Network, broken("it says what nobody asked"));
            }
        }
    }

    fn on_ehlo(&mut self, answer: &Answer) {
        match answer.code / 100 {
            2 => self.on_hello(answer),
            // RFC 5321 §4.1.4: a host that knows no EHLO.
            5 => {
                let hello = format!("HELO {}", self.terms.name);
                self.say(&hello, State::Helo);
            }
            _ => self.refused(answer),
        }
    }

    fn on_hello(&mut self, answer: &Answer) {
        let offers = Offers::of(answer);
        if self.terms.own.contains(&offers.name) {
            let text = format!("{} is this host: mail loops back", self.terms.host);
            return self.end(Cause::Loop, ours(554, (5, 4, 6), text));
        }
        if matches!(self.state, State::Ehlo) {
            self.offers = offers;
        }
        match self.terms.starttls {
            Starttls::Never => self.sign_in(),
            _ if self.terms.tls => self.sign_in(),
            _ if self.offers.starttls => self.say("STARTTLS", State::StartTls),
            Starttls::WhereOffered => self.sign_in(),
            Starttls::Always => {
                self.end(Cause::NoTls, ours(451, (4, 7, 10), format!("TLS is required, and {} does not offer it", self.terms.host)));
            }
        }
    }

    fn hello(&mut self) {
        let hello = format!("EHLO {}", self.terms.name);
        self.say(&hello, State::Ehlo);
    }

    fn refused(&mut self, answer: &Answer) {
        if answer.is_refusal() {
            self.end(Cause::Refused, answer.said(&self.terms.host));
        } else {
            self.end(Cause::Network, broken("an answer does not fit what was asked"));
        }
    }

    fn say(&mut self, line: &str, then: State) {
        if !self.input.is_empty() {
            return self.end(Cause::Network, broken("it answers before it is asked"));
        }
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.state = then;
    }

    fn end(&mut self, cause: Cause, said: Said) {
        self.output.clear();
        self.news = match std::mem::replace(&mut self.state, State::Over) {
            State::Sending(mut sending) => Some(Step::Sent(sending.give_up(&said))),
            // Whoever is on the way out wants to hear nothing more.
            State::Quit | State::Over => self.news.take(),
            _ => Some(Step::Failed(Failure { cause, said })),
        };
    }

    /// The driver read the end of the stream.
    pub fn closed(&mut self) {
        self.lost(lost("the host closed it"));
    }
}
