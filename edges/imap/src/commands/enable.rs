//! ENABLE (RFC 9051 §6.3.1).

use crate::session::{Outcome, Output, Session};

pub fn run(session: &mut Session, names: &[String], out: &mut Output) -> Outcome {
    let mut on = String::new();
    for name in names {
        let enabled = &mut session.enabled;
        match name.as_str() {
            "IMAP4REV2" => enabled.rev2 = true,
            "UTF8=ACCEPT" => enabled.utf8 = true,
            "CONDSTORE" => enabled.condstore = true,
            // RFC 7162 §3.2.3: QRESYNC brings CONDSTORE along.
            "QRESYNC" => {
                enabled.qresync = true;
                enabled.condstore = true;
            }
            _ => continue,
        }
        on.push(' ');
        on.push_str(if name == "IMAP4REV2" { "IMAP4rev2" } else { name });
    }
    out.untagged(&format!("ENABLED{on}"));
    Ok("done".into())
}
