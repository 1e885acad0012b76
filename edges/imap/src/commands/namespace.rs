//! NAMESPACE (RFC 9051 §6.3.10): one's own, that of other users' mailboxes, and none that is shared by all.

use crate::session::{OTHER_USERS, Outcome, Output};

pub fn run(out: &mut Output) -> Outcome {
    out.untagged(&format!("NAMESPACE ((\"\" \"/\")) ((\"{OTHER_USERS}/\" \"/\")) NIL"));
    Ok("done".into())
}
