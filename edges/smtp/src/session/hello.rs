//! EHLO and HELO: RFC 5321 §4.1.1.1.

use super::{Greeting, Session, Step};
use crate::config::Role;
use crate::grammar::parameters::Offers;
use crate::grammar::times::LONGEST;
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
        let offers = self.offers();
        if offers.require_tls {
            lines.push(Cow::Borrowed("REQUIRETLS"));
        }
        if offers.future_release {
            // RFC 4865 §3 wants a date too. A session has no clock, so the interval is what counts, for dates as well.
            lines.push(Cow::Owned(format!("FUTURERELEASE {LONGEST} 9999-12-31T23:59:59Z")));
        }
        if offers.deliver_by {
            lines.push(Cow::Borrowed("DELIVERBY"));
        }
        if self.may_sign_in() {
            lines.push(Cow::Borrowed("AUTH PLAIN LOGIN"));
        }
    }

    /// What a person may ask for at MAIL. Not of an MX: what it takes stays here.
    pub(super) fn offers(&self) -> Offers {
        let submission = self.role == Role::Submission;
        Offers {
            auth: submission,
            // RFC 8689 §2: only inside TLS.
            require_tls: submission && self.tls,
            future_release: submission,
            deliver_by: submission,
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
