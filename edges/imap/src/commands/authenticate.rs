//! AUTHENTICATE with PLAIN (RFC 9051 §6.2.2, RFC 4616), also with an initial response (RFC 4959).

use super::{finish, login};
use crate::session::{Next, Outcome, Output, Session, Stop, Waiting};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub async fn run(session: &mut Session, tag: &str, mechanism: &str, initial: Option<&[u8]>, out: &mut Output) -> Outcome {
    login::allowed(session)?;
    if mechanism != "PLAIN" {
        return Err(Stop::no("[CANNOT] only PLAIN is served"));
    }
    match initial {
        None => {
            out.buf.extend_from_slice(b"+ \r\n");
            session.waiting = Waiting::Plain { tag: tag.to_owned() };
            Ok("".into())
        }
        Some(initial) => {
            let outcome = plain(session, initial).await;
            if matches!(outcome, Err(Stop::No(_))) && session.failed(out) == Next::Close {
                return Err(Stop::Gone);
            }
            outcome
        }
    }
}

/// The line after `+`.
pub async fn answer(session: &mut Session, tag: &str, line: &[u8], out: &mut Output) -> Next {
    if line == b"*" {
        out.tagged(tag, "BAD cancelled");
        return Next::Go;
    }
    let outcome = plain(session, line).await;
    let failed = matches!(outcome, Err(Stop::No(_)));
    match finish(tag, outcome, out) {
        Next::Go if failed => session.failed(out),
        next => next,
    }
}

/// RFC 4616 §2: authorization identity, NUL, address, NUL, password.
async fn plain(session: &mut Session, encoded: &[u8]) -> Outcome {
    let decoded = STANDARD.decode(encoded).map_err(|_| Stop::bad("not base64"))?;
    let mut parts = decoded.split(|b| *b == 0);
    let (Some(acting), Some(user), Some(secret), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Stop::bad("not an answer of PLAIN"));
    };
    if !acting.is_empty() && !acting.eq_ignore_ascii_case(user) {
        return Err(Stop::no("[AUTHORIZATIONFAILED] nobody acts for somebody else here"));
    }
    login::sign_in(session, user, secret).await
}
