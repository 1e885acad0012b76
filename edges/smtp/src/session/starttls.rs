//! STARTTLS: RFC 3207.

use super::{Mode, Session, Step};
use crate::reply;

impl<R> Session<R> {
    pub(super) fn starttls(&mut self, argument: &str) -> Option<Step<R>> {
        if !argument.is_empty() {
            return self.fail(&reply::NO_ARGUMENT);
        }
        if self.tls {
            return self.fail(&reply::TLS_ALREADY);
        }
        if !self.config.tls {
            return self.fail(&reply::NOT_OFFERED);
        }
        self.say(&reply::START_TLS);
        // Until the handshake is done nothing is read.
        self.mode = Mode::Closed;
        Some(Step::StartTls)
    }

    /// RFC 3207 §4.2: the session begins again, and what was sent in the clear counts for nothing; commands that
    /// somebody put in behind STARTTLS are thrown away unread.
    pub fn tls_started(&mut self) {
        self.input.clear();
        self.lines.reset();
        self.tls = true;
        self.greeting = None;
        self.user = None;
        self.draft = None;
        self.mode = Mode::Command;
    }
}
