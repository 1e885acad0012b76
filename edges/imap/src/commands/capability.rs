//! CAPABILITY (RFC 9051 §6.1.1): one list before sign-in, another after it.

use crate::grammar::framer::Limits;
use crate::session::{Outcome, Output, Session};

/// True in both states. LITERAL- is never named beside LITERAL+ (RFC 7888 §5).
const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE ID";

const SIGNED_IN: &str = "IDLE NAMESPACE UNSELECT UIDPLUS MULTIAPPEND ESEARCH SEARCHRES WITHIN CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE \
                         CREATE-SPECIAL-USE STATUS=SIZE MOVE CONDSTORE QRESYNC OBJECTID BINARY QUOTA QUOTA=RES-STORAGE UTF8=ACCEPT \
                         ACL RIGHTS=kxte";

pub fn list(session: &Session) -> String {
    if session.user.is_some() {
        return format!("{ALWAYS} {SIGNED_IN} APPENDLIMIT={}", Limits::SIGNED_IN.append);
    }
    let tls = if !session.tls && session.server.options.tls.is_some() { " STARTTLS" } else { "" };
    let sign_in = if session.may_sign_in() { " AUTH=PLAIN" } else { " LOGINDISABLED" };
    format!("{ALWAYS}{tls}{sign_in}")
}

pub fn run(session: &Session, out: &mut Output) -> Outcome {
    out.untagged(&format!("CAPABILITY {}", list(session)));
    Ok("done".into())
}
