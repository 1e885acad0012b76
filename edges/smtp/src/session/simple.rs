//! The verbs of one answer: RSET, NOOP, VRFY, EXPN, HELP and QUIT (RFC 5321 §4.1.1.5 to §4.1.1.10).

use super::{Mode, Session, Step};
use crate::reply::{self, Reply};

impl<R> Session<R> {
    pub(super) fn rset(&mut self, argument: &str) -> Option<Step<R>> {
        if !argument.is_empty() {
            return self.fail(&reply::NO_ARGUMENT);
        }
        self.draft = None;
        self.chat(&reply::OK)
    }

    /// Its argument is ignored (RFC 5321 §4.1.1.9).
    pub(super) fn noop(&mut self) -> Option<Step<R>> {
        self.chat(&reply::OK)
    }

    /// RFC 5321 §3.5.3: whether an address exists is not told here.
    pub(super) fn vrfy(&mut self, argument: &str) -> Option<Step<R>> {
        if argument.is_empty() {
            return self.fail(&reply::BAD_ARGUMENT);
        }
        self.chat(&reply::CANNOT_VERIFY)
    }

    pub(super) fn expn(&mut self) -> Option<Step<R>> {
        self.chat(&reply::NOT_OFFERED)
    }

    pub(super) fn help(&mut self) -> Option<Step<R>> {
        self.chat(&reply::HELP)
    }

    pub(super) fn quit(&mut self, argument: &str) -> Option<Step<R>> {
        if !argument.is_empty() {
            return self.fail(&reply::NO_ARGUMENT);
        }
        self.say(&reply::BYE);
        self.draft = None;
        self.mode = Mode::Closed;
        None
    }

    /// Answers, and closes where the peer does nothing else.
    fn chat(&mut self, reply: &Reply) -> Option<Step<R>> {
        self.say(reply);
        self.chatter += 1;
        if self.chatter >= self.config.chatter {
            self.close(&reply::ENOUGH_CHATTER);
        }
        None
    }
}
