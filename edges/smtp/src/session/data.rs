//! DATA: RFC 5321 §4.1.1.4, and how a message that came by DATA or BDAT ends.

use super::{Answer, Ask, Draft, Mode, Pending, Session, Step, Transaction};
use crate::Lease;
use crate::receive::{Body, Dots, Fault};
use crate::reply::{self, Reply};
use bytes::Bytes;

impl<R> Session<R> {
    pub(super) fn data(&mut self, argument: &str) -> Option<Step<R>> {
        if !argument.is_empty() {
            return self.fail(&reply::NO_ARGUMENT);
        }
        let Some(draft) = &self.draft else { return self.fail(&reply::MAIL_FIRST) };
        if draft.chunks.is_some() || draft.failed.is_some() {
            return self.fail(&reply::BDAT_BEGUN);
        }
        // RFC 5321 §3.3.
        if draft.recipients.is_empty() {
            return self.fail(&reply::NO_RECIPIENTS);
        }
        let declared = draft.parameters.size.unwrap_or(0);
        let Some(body) = Body::begin(&self.config.budget, declared, self.config.size_limit) else {
            self.say(&reply::NO_ROOM);
            return None;
        };
        self.say(&reply::START_DATA);
        self.mode = Mode::Data { dots: Dots::default(), body };
        None
    }

    pub(super) fn data_ended(&mut self) -> Option<Step<R>> {
        let Mode::Data { body, .. } = std::mem::replace(&mut self.mode, Mode::Command) else { return None };
        let draft = self.draft.take()?;
        match body.finish() {
            Ok((message, lease)) => self.offer(draft, message, lease),
            Err(fault) => {
                self.say(&fault_reply(fault));
                None
            }
        }
    }

    /// Asks for the message to be accepted. The transaction is over, whatever the answer.
    pub(super) fn offer(&mut self, draft: Draft<R>, message: Bytes, lease: Lease) -> Option<Step<R>> {
        let Draft { from, parameters, recipients, .. } = draft;
        let transaction = Transaction { from, parameters, recipients, message, lease: Some(lease) };
        self.ask(Ask::Accept(Box::new(transaction)), Pending::Accept)
    }

    pub(super) fn accept_answered(&mut self, answer: &Answer<R>) {
        match answer {
            Answer::Accepted(id) => {
                self.chatter = 0;
                self.say(&Reply::with(250, "2.0.0", format!("Accepted as {id}")));
            }
            other => self.refuse(other),
        }
    }
}

pub(super) fn fault_reply(fault: Fault) -> Reply {
    match fault {
        Fault::TooLarge => reply::TOO_LARGE,
        Fault::NoMemory => reply::NO_ROOM,
        Fault::BareLine => reply::BARE_LINE,
    }
}
