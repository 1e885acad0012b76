//! LOGIN (RFC 9051 §6.2.3), and what every way of signing in does.

use super::capability;
use crate::session::{Outcome, Session, Stop, User};
use penfold_directory::{SignInError, Use};

pub async fn run(session: &mut Session, user: &[u8], secret: &[u8]) -> Outcome {
    allowed(session)?;
    sign_in(session, user, secret).await
}

/// RFC 9051 §11.1: no password goes over a wire in the clear.
pub fn allowed(session: &Session) -> Result<(), Stop> {
    if session.user.is_some() {
        return Err(Stop::bad("somebody is signed in already"));
    }
    if !session.may_sign_in() {
        return Err(Stop::no("[PRIVACYREQUIRED] sign in inside TLS only"));
    }
    Ok(())
}

/// The codes of RFC 5530 §3; whether an address exists is never told.
pub async fn sign_in(session: &mut Session, user: &[u8], secret: &[u8]) -> Outcome {
    const REFUSED: Stop = Stop::no("[AUTHENTICATIONFAILED] the address or the password is wrong");
    let (Ok(user), Ok(secret)) = (std::str::from_utf8(user), std::str::from_utf8(secret)) else { return Err(REFUSED) };
    let server = session.server.clone();
    let who = match server.directory.sign_in_for(Use::Imap, user, secret, session.peer).await {
        Ok(who) => who,
        Err(SignInError::Refused | SignInError::NeedsCode) => return Err(REFUSED),
        Err(SignInError::TooMany(_)) => return Err(Stop::no("[LIMIT] too many failed sign-ins, come back later")),
        Err(SignInError::Unavailable) => return Err(Stop::no("[UNAVAILABLE] signing in is not possible at the moment")),
    };
    let seat = server.seat(who.account).ok_or(Stop::no("[LIMIT] too many connections of this person or organisation"))?;
    let mailbox = server.mailboxes.open(&who.scope).await?;
    session.user = Some(Box::new(User { who, mailbox, _seat: seat }));
    session.stranger = None;
    session.failures = 0;
    Ok(format!("[CAPABILITY {}] welcome", capability::list(session)).into())
}
