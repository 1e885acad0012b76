//! One message on its way over one connection: RFC 5321 §3.3, pipelined where offered (RFC 2920), by BDAT where it is
//! binary (RFC 3030), in as many transactions as the peer wants (RFC 5321 §4.5.3.1.10).

use super::dots::Dots;
use super::{Answer, FLUSH, Letter, Offers, Terms, Wait, command};
use bytes::Bytes;
use penfold_ports::{Body, Outcome, Said};
use std::collections::VecDeque;

/// Octets of one BDAT.
const CHUNK: usize = 1024 * 1024;

/// An answer that fits nothing that was asked.
#[derive(Debug)]
pub(super) struct Unfit;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Command {
    Reset,
    Mail,
    Rcpt(usize),
    Data,
    /// A chunk that is not the last.
    Chunk,
    /// The lone dot or the last chunk.
    End,
    /// The lone dot of a message for nobody.
    Nobody,
}

/// The content, as far as it is not written.
#[derive(Debug)]
enum Content {
    /// It is not its time.
    Waits,
    Dotted {
        pieces: VecDeque<Bytes>,
        dots: Dots,
    },
    /// `rest` octets are in no chunk yet.
    Chunks {
        pieces: VecDeque<Bytes>,
        rest: u64,
        chunk: Chunk,
    },
}

#[derive(Debug)]
enum Chunk {
    Next,
    /// Announced, and `left` octets of it are to come.
    Open {
        left: usize,
    },
    Unanswered,
}

#[derive(Debug)]
pub(super) struct Sending {
    letter: Letter,
    offers: Offers,
    host: String,
    limit: usize,
    /// Recipients of later transactions.
    waiting: VecDeque<usize>,
    /// What this transaction still has to say, and what has no answer yet.
    script: VecDeque<Command>,
    asked: VecDeque<Command>,
    /// MAIL was not accepted.
    sender_refused: Option<Outcome>,
    accepted: Vec<usize>,
    content: Content,
    outcomes: Vec<Option<Outcome>>,
    /// The peer has, or may have, all of the message.
    whole: bool,
    /// The peer holds a transaction that did not end.
    open: bool,
    over: bool,
}

impl Sending {
    pub fn new(letter: Letter, offers: &Offers, terms: &Terms) -> Self {
        let count = letter.recipients.len();
        let mut sending = Self {
            letter,
            offers: offers.clone(),
            host: terms.host.clone(),
            limit: terms.recipients.max(1),
            waiting: (0..count).collect(),
            script: VecDeque::new(),
            asked: VecDeque::new(),
            sender_refused: None,
            accepted: Vec::new(),
            content: Content::Waits,
            outcomes: vec![None; count],
            whole: false,
            open: false,
            over: false,
        };
        sending.begin();
        sending
    }

    /// True where the output should be written before it goes on.
    pub fn write(&mut self, out: &mut Vec<u8>) -> bool {
        loop {
            self.commands(out);
            if self.content(out) {
                return true;
            }
            let at_rest = self.asked.is_empty() && self.script.is_empty() && matches!(self.content, Content::Waits);
            if !at_rest || self.over {
                return false;
            }
            if self.wants_chunks() {
                let pieces = self.letter.message.iter().filter(|piece| !piece.is_empty()).cloned().collect();
                self.content = Content::Chunks { pieces, rest: self.letter.size, chunk: Chunk::Next };
            } else if !self.next_transaction() {
                return false;
            }
        }
    }

    /// The outcomes, once there is nothing more to do.
    pub fn done(&mut self) -> Option<Vec<Outcome>> {
        let idle = self.asked.is_empty() && self.script.is_empty() && self.waiting.is_empty();
        let ended = self.over || (idle && matches!(self.content, Content::Waits));
        if !ended {
            return None;
        }
        self.outcomes.iter().all(Option::is_some).then(|| std::mem::take(&mut self.outcomes).into_iter().flatten().collect())
    }

    /// No answer is due: one that is there already belongs to nothing.
    pub fn asks_nothing(&self) -> bool {
        self.asked.is_empty() && matches!(self.content, Content::Waits)
    }

    /// The connection cannot be used any more.
    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn wait(&self) -> Wait {
        match self.asked.front() {
            Some(Command::Rcpt(_)) => Wait::Rcpt,
            Some(Command::Data) => Wait::Data,
            Some(Command::Chunk | Command::End | Command::Nobody) => Wait::End,
            _ => Wait::Mail,
        }
    }

    /// Nothing more will be heard: the outcomes as far as they are known.
    pub fn give_up(&mut self, said: &Said) -> Vec<Outcome> {
        // An answer that came says what became of the message; a silence does not.
        let unsure = self.whole && said.host.is_none();
        for index in std::mem::take(&mut self.accepted) {
            self.settle(index, Outcome::Deferred { said: said.clone(), unsure });
        }
        let rest = std::mem::take(&mut self.outcomes).into_iter();
        rest.map(|known| known.unwrap_or_else(|| Outcome::Deferred { said: said.clone(), unsure: false })).collect()
    }

    pub fn on_answer(&mut self, answer: &Answer) -> Result<(), Unfit> {
        let Some(command) = self.asked.pop_front() else { return self.on_early_answer(answer) };
        match command {
            Command::Reset => answer.is_positive().then_some(()).ok_or(Unfit),
            Command::Mail => {
                if !answer.is_positive() {
                    self.sender_refused = Some(answer.refusal(&self.host).ok_or(Unfit)?);
                }
                Ok(())
            }
            Command::Rcpt(index) => self.on_rcpt(index, answer),
            Command::Data => self.on_data(answer),
            Command::Chunk if answer.is_positive() => {
                if let Content::Chunks { chunk, .. } = &mut self.content {
                    *chunk = Chunk::Next;
                }
                Ok(())
            }
            Command::End if answer.is_positive() => {
                let said = answer.said(&self.host);
                for index in std::mem::take(&mut self.accepted) {
                    self.settle(index, Outcome::Accepted { said: said.clone(), reports: self.letter.reports });
                }
                self.open = false;
                Ok(())
            }
            Command::Chunk | Command::End => self.refuse_data(answer),
            Command::Nobody => Ok(()),
        }
    }

    /// The peer does not wait for the end of the content, and is not waited for either.
    fn on_early_answer(&mut self, answer: &Answer) -> Result<(), Unfit> {
        if matches!(self.content, Content::Waits) || !answer.is_refusal() {
            return Err(Unfit);
        }
        self.over = true;
        let refused = self.refuse_data(answer);
        self.script.clear();
        self.defer_waiting(answer);
        refused
    }

    fn on_rcpt(&mut self, index: usize, answer: &Answer) -> Result<(), Unfit> {
        if let Some(refused) = &self.sender_refused {
            let refused = refused.clone();
            self.settle(index, refused);
        } else if answer.is_positive() {
            self.accepted.push(index);
        } else if is_too_many(answer) && !self.accepted.is_empty() {
            self.waiting.push_back(index);
        } else {
            let refusal = answer.refusal(&self.host).ok_or(Unfit)?;
            self.settle(index, refusal);
        }
        Ok(())
    }

    fn on_data(&mut self, answer: &Answer) -> Result<(), Unfit> {
        if answer.code != 354 {
            // Where no recipient is left, a refusal is what RFC 2920 §3.1 wants.
            return self.refuse_data(answer);
        }
        let pieces = if self.accepted.is_empty() { VecDeque::new() } else { self.letter.message.clone().into() };
        self.content = Content::Dotted { pieces, dots: Dots::new() };
        Ok(())
    }

    fn refuse_data(&mut self, answer: &Answer) -> Result<(), Unfit> {
        let refusal = answer.refusal(&self.host).ok_or(Unfit)?;
        self.content = Content::Waits;
        self.whole = false;
        for index in std::mem::take(&mut self.accepted) {
            self.settle(index, refusal.clone());
        }
        Ok(())
    }

    fn defer_waiting(&mut self, answer: &Answer) {
        let said = answer.said(&self.host);
        self.waiting.clear();
        for outcome in self.outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
            *outcome = Some(Outcome::Deferred { said: said.clone(), unsure: false });
        }
    }

    fn settle(&mut self, index: usize, outcome: Outcome) {
        if let Some(place) = self.outcomes.get_mut(index) {
            *place = Some(outcome);
        }
    }

    /// False where all recipients had their turn.
    fn next_transaction(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        self.begin();
        true
    }

    fn begin(&mut self) {
        (self.sender_refused, self.whole) = (None, false);
        if self.open {
            self.script.push_back(Command::Reset);
        }
        self.open = true;
        self.script.push_back(Command::Mail);
        let count = self.waiting.len().min(self.limit);
        self.script.extend(self.waiting.drain(..count).map(Command::Rcpt));
        if self.letter.body != Body::Binary {
            self.script.push_back(Command::Data);
        }
    }

    /// Says what may be said now: all of it, or the next line once the one before was answered.
    fn commands(&mut self, out: &mut Vec<u8>) {
        while let Some(command) = self.script.front().copied() {
            if !self.offers.pipelining {
                if !self.asked.is_empty() {
                    return;
                }
                if let Some(refused) = self.sender_refused.clone() {
                    for command in std::mem::take(&mut self.script) {
                        if let Command::Rcpt(index) = command {
                            self.settle(index, refused.clone());
                        }
                    }
                    return;
                }
                if command == Command::Data && self.accepted.is_empty() {
                    self.script.clear();
                    return;
                }
            }
            self.script.pop_front();
            let line = match command {
                Command::Reset => "RSET".to_owned(),
                Command::Mail => command::mail(&self.letter, &self.offers),
                Command::Rcpt(index) => match self.letter.recipients.get(index) {
                    Some(recipient) => command::rcpt(recipient, &self.offers),
                    None => continue,
                },
                _ => "DATA".to_owned(),
            };
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            self.asked.push_back(command);
        }
    }

    /// Writes content; true where there is more of it, or it is worth writing now.
    fn content(&mut self, out: &mut Vec<u8>) -> bool {
        loop {
            let full = out.len() >= FLUSH;
            match &mut self.content {
                Content::Waits => return false,
                _ if full => return true,
                Content::Dotted { pieces, dots } => match take(pieces, FLUSH) {
                    Some(piece) => dots.push(&piece, out),
                    None => {
                        dots.finish(out);
                        self.content = Content::Waits;
                        self.whole = !self.accepted.is_empty();
                        self.asked.push_back(if self.whole { Command::End } else { Command::Nobody });
                    }
                },
                Content::Chunks { rest, chunk: chunk @ Chunk::Next, .. } => {
                    let octets = CHUNK.min(usize::try_from(*rest).unwrap_or(CHUNK));
                    *rest -= octets as u64;
                    let last = if *rest == 0 { " LAST" } else { "" };
                    out.extend_from_slice(format!("BDAT {octets}{last}\r\n").as_bytes());
                    *chunk = Chunk::Open { left: octets };
                }
                Content::Chunks { rest: 0, chunk: Chunk::Open { left: 0 }, .. } => {
                    (self.content, self.whole) = (Content::Waits, true);
                    self.asked.push_back(Command::End);
                }
                Content::Chunks { chunk: chunk @ Chunk::Open { left: 0 }, .. } => {
                    *chunk = Chunk::Unanswered;
                    self.asked.push_back(Command::Chunk);
                }
                Content::Chunks { pieces, chunk: Chunk::Open { left }, .. } => {
                    let piece = take(pieces, FLUSH.min(*left)).unwrap_or_default();
                    // Never less than announced: the sum was taken of the same pieces.
                    *left = if piece.is_empty() { 0 } else { *left - piece.len() };
                    out.extend_from_slice(&piece);
                }
                Content::Chunks { chunk: Chunk::Unanswered, .. } => return false,
            }
        }
    }

    fn wants_chunks(&self) -> bool {
        self.letter.body == Body::Binary && !self.accepted.is_empty()
    }
}

/// Octets from the front, at most `max`; `None` where there are no more.
fn take(pieces: &mut VecDeque<Bytes>, max: usize) -> Option<Bytes> {
    let mut first = pieces.pop_front()?;
    if first.len() > max {
        let piece = first.split_to(max);
        pieces.push_front(first);
        return Some(piece);
    }
    Some(first)
}

/// RFC 5321 §4.5.3.1.10: 452, and 552 from older hosts, where the status does not say something else.
fn is_too_many(answer: &Answer) -> bool {
    matches!(answer.code, 452 | 552) && answer.status.is_none_or(|(_, subject, detail)| (subject, detail) == (5, 3))
}
