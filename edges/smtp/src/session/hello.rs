//! EHLO and HELO: RFC 5321 §4.1.1.1.

use super::{Greeting, Session, Step};
use crate::config::Role;
use crate::reply::{self, write_lines};
use std::borrow::Cow;

impl<R> Session<R> {
    pub(super) fn hello(&mut self, argument: &str, extended: bool) -> Option<Step<R>> {
        if !is_name(argument) {
            return self.fail(&reply::BAD_NAME);
        }
        // RFC 5321 §4.1.4: as if RSET had been sent.
        self.draft = None;
        self.greeting = Some(Greeting { name: argument.to_owned(), extended });
        let mut lines = vec![Cow::Owned(format!("{} greets {argument}", self.config.hostname))];
        if extended {
            self.extensions(&mut lines);
        }
        write_lines(250, &lines, &mut self.output);
        None
    }

    fn extensions(&self, lines: &mut Vec<Cow<'_, str>>) {
        lines.extend(["PIPELINING", "8BITMIME", "CHUNKING", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"].map(Cow::Borrowed));
        lines.push(Cow::Owned(format!("SIZE {}", self.config.size_limit)));
        if self.config.tls && !self.tls {
            lines.push(Cow::Borrowed("STARTTLS"));
        }
        if self.may_sign_in() {
            lines.push(Cow::Borrowed("AUTH PLAIN LOGIN"));
        }
    }

    /// Passwords cross no network in the clear.
    pub(super) fn may_sign_in(&self) -> bool {
        self.role == Role::Submission && (self.tls || self.loopback)
    }
}

/// A domain or an address literal. RFC 5321 §4.1.4 forbids to refuse a name that does not fit its host, so only what
/// would spoil a Received field is refused.
fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}
