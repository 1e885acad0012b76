//! Signing in at a smart host: RFC 4954 with PLAIN (RFC 4616) or LOGIN.

use super::{Answer, Cause, Session, State};
use crate::said::ours;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    pub user: String,
    pub password: String,
}

/// Passwords stay out of logs.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}

/// Responses that are still to come, the last one first.
pub(super) struct Exchange(Vec<String>);

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl Session {
    /// Where there is something to sign in with; then the session is ready.
    pub(super) fn sign_in(&mut self) {
        let Some(SignIn { user, password }) = self.terms.sign_in.clone() else { return self.state = State::Ready };
        if !self.terms.tls {
            return self.end(Cause::NoTls, ours(451, (4, 7, 10), "passwords are not sent in the clear"));
        }
        let encode = |text: &str| STANDARD.encode(text);
        if self.offers.plain {
            let line = format!("AUTH PLAIN {}", encode(&format!("\0{user}\0{password}")));
            self.say(&line, State::Auth(Exchange(Vec::new())));
        } else if self.offers.login {
            self.say("AUTH LOGIN", State::Auth(Exchange(vec![encode(&password), encode(&user)])));
        } else {
            self.end(Cause::Refused, ours(451, (4, 7, 0), format!("{} offers neither AUTH PLAIN nor LOGIN", self.terms.host)));
        }
    }

    pub(super) fn on_auth(&mut self, answer: &Answer) {
        let State::Auth(Exchange(responses)) = &mut self.state else { return };
        match (answer.code, responses.pop()) {
            (334, Some(response)) => {
                let rest = std::mem::take(responses);
                self.say(&response, State::Auth(Exchange(rest)));
            }
            (235, _) => self.state = State::Ready,
            // A wrong password is the operator's to mend; no message is to be lost for it.
            _ => {
                let text = format!("{} did not let us sign in: {} {}", self.terms.host, answer.code, answer.lines.join(" "));
                self.end(Cause::Refused, ours(451, (4, 7, 8), text));
            }
        }
    }
}
