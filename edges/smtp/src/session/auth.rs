//! AUTH: RFC 4954, with the mechanisms PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login).

use super::{Answer, Ask, Mode, Pending, Session, Step};
use crate::config::Role;
use crate::reply::{self, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the next line of a SASL exchange is.
#[derive(Debug)]
pub(super) enum Exchange {
    Plain,
    LoginName,
    LoginSecret(String),
}

const EMPTY_CHALLENGE: Reply = Reply::new(334, "", "");
/// "Username:"
const NAME_CHALLENGE: Reply = Reply::new(334, "", "VXNlcm5hbWU6");
/// "Password:"
const SECRET_CHALLENGE: Reply = Reply::new(334, "", "UGFzc3dvcmQ6");

impl<R> Session<R> {
    pub(super) fn auth(&mut self, argument: &str) -> Option<Step<R>> {
        if self.role == Role::Mx {
            return self.fail(&reply::NOT_OFFERED);
        }
        if !self.is_extended() {
            return self.fail(&reply::HELLO_FIRST);
        }
        if self.user.is_some() || self.draft.is_some() {
            return self.fail(&reply::SIGNED_IN_ALREADY);
        }
        if !self.may_sign_in() {
            return self.fail(&reply::NEEDS_TLS);
        }
        let (mechanism, initial) = match argument.split_once(' ') {
            Some((mechanism, initial)) => (mechanism, Some(initial)),
            None => (argument, None),
        };
        let exchange = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => Exchange::Plain,
            "LOGIN" => Exchange::LoginName,
            _ => return self.fail(&reply::UNKNOWN_MECHANISM),
        };
        match initial {
            // RFC 4954 §4: "=" is an initial response of no octets.
            Some("=") => self.auth_response(exchange, Vec::new()),
            Some(initial) => self.auth_line(exchange, initial),
            None => {
                let challenge = if matches!(exchange, Exchange::Plain) { EMPTY_CHALLENGE } else { NAME_CHALLENGE };
                self.challenge(&challenge, exchange)
            }
        }
    }

    fn challenge(&mut self, challenge: &Reply, exchange: Exchange) -> Option<Step<R>> {
        self.say(challenge);
        self.mode = Mode::Auth(exchange);
        None
    }

    pub(super) fn auth_line(&mut self, exchange: Exchange, line: &str) -> Option<Step<R>> {
        if line == "*" {
            return self.fail(&reply::CANCELLED);
        }
        match STANDARD.decode(line) {
            Ok(response) => self.auth_response(exchange, response),
            Err(_) => self.fail(&reply::BAD_BASE64),
        }
    }

    fn auth_response(&mut self, exchange: Exchange, response: Vec<u8>) -> Option<Step<R>> {
        let Ok(response) = String::from_utf8(response) else { return self.refuse_sign_in(&reply::SIGN_IN_REFUSED) };
        match exchange {
            Exchange::Plain => match plain(&response) {
                Some((identity, secret)) => self.ask_sign_in(identity, secret),
                None => self.refuse_sign_in(&reply::SIGN_IN_REFUSED),
            },
            Exchange::LoginName => self.challenge(&SECRET_CHALLENGE, Exchange::LoginSecret(response)),
            Exchange::LoginSecret(name) => self.ask_sign_in(name, response),
        }
    }

    fn ask_sign_in(&mut self, identity: String, secret: String) -> Option<Step<R>> {
        // The longest address, and longer than any sensible password.
        if identity.is_empty() || identity.len() > 320 || secret.is_empty() || secret.len() > 1024 {
            return self.refuse_sign_in(&reply::SIGN_IN_REFUSED);
        }
        self.ask(Ask::SignIn { identity: identity.clone(), secret }, Pending::SignIn { identity })
    }

    pub(super) fn signed_in(&mut self, identity: String, answer: &Answer<R>) {
        match answer {
            Answer::Yes => {
                self.user = Some(identity);
                self.say(&reply::SIGNED_IN);
            }
            Answer::No(reply) if reply.code == 421 => self.close(reply),
            Answer::No(reply) => {
                self.refuse_sign_in(&reply.clone());
            }
            _ => {
                self.refuse_sign_in(&reply::SIGN_IN_LATER);
            }
        }
    }

    fn refuse_sign_in(&mut self, reply: &Reply) -> Option<Step<R>> {
        self.say(reply);
        self.refused += 1;
        if self.refused >= self.config.refused {
            self.close(&reply::ENOUGH_ERRORS);
        }
        None
    }
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`. Acting as somebody else is not offered.
fn plain(response: &str) -> Option<(String, String)> {
    let mut parts = response.split('\0');
    let (authzid, authcid, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let own = authzid.is_empty() || authzid.eq_ignore_ascii_case(authcid);
    (own && parts.next().is_none()).then(|| (authcid.to_owned(), secret.to_owned()))
}
