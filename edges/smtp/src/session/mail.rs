//! MAIL: RFC 5321 §4.1.1.2.

use super::{Answer, Ask, Draft, Pending, Session, Step};
use crate::grammar::parameters::{self, MailParameters};
use crate::grammar::path::{self, Path};
use crate::reply::{self, Reply};

impl<R> Session<R> {
    pub(super) fn mail(&mut self, argument: &str) -> Option<Step<R>> {
        if self.greeting.is_none() {
            return self.fail(&reply::HELLO_FIRST);
        }
        // RFC 6409 §4.3.
        if !self.signed_in_or_open() {
            return self.fail(&reply::SIGN_IN_FIRST);
        }
        if self.draft.is_some() {
            return self.fail(&reply::MAIL_ALREADY);
        }
        let Some((from, rest)) = path::reverse(argument) else { return self.fail(&reply::BAD_SENDER) };
        let parameters = match parameters::mail(rest, self.offers()) {
            Ok(parameters) => parameters,
            Err(reply) => return self.fail(&reply),
        };
        if from.is_international() && !parameters.utf8 {
            return self.fail(&reply::NEEDS_UTF8);
        }
        // RFC 1870 §6.1: better now than after the bytes.
        if parameters.size.is_some_and(|size| size > self.config.size_limit) {
            self.say(&reply::TOO_LARGE);
            return None;
        }
        self.ask(Ask::Mail { from: from.clone(), hold: parameters.hold }, Pending::Mail { from, parameters })
    }

    pub(super) fn mail_answered(&mut self, from: Path, parameters: MailParameters, answer: &Answer<R>) {
        match answer {
            Answer::Yes => {
                self.draft = Some(Draft { from, parameters, recipients: Vec::new(), chunks: None, failed: None });
                self.say(&reply::SENDER_OK);
            }
            other => self.refuse(other),
        }
    }

    /// Passes a refusal on.
    pub(super) fn refuse(&mut self, answer: &Answer<R>) {
        const ODD: Reply = Reply::new(451, "4.3.0", "Try again later");
        match answer {
            Answer::No(reply) if reply.code == 421 => self.close(reply),
            Answer::No(reply) => self.say(reply),
            _ => self.say(&ODD),
        }
    }
}
