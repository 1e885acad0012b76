//! LSUB of IMAP4rev1 (RFC 3501 §6.3.9).

use super::list::{nodes, patterns};
use crate::grammar::write::mailbox as write_mailbox;
use crate::session::{Outcome, Output, Session};

pub async fn run(session: &mut Session, reference: &[u8], pattern: &bytes::Bytes, out: &mut Output) -> Outcome {
    let patterns = patterns(session, reference, std::slice::from_ref(pattern))?;
    let nodes = nodes(session, &patterns, out).await?;
    let percent = pattern.ends_with(b"%");
    for (at, node) in nodes.iter().enumerate() {
        if !patterns.iter().any(|pattern| pattern.matches(&node.path)) {
            continue;
        }
        // With `%` at the end, a name that is not subscribed but has such a one below it is told as `\Noselect`.
        let below = percent
            && nodes
                .get(at + 1..)
                .unwrap_or_default()
                .iter()
                .take_while(|other| other.path.starts_with(&format!("{}/", node.path)))
                .any(|other| other.subscribed);
        if !node.subscribed && !below {
            continue;
        }
        out.buf.extend_from_slice(if node.subscribed { b"* LSUB () \"/\" " } else { b"* LSUB (\\Noselect) \"/\" " });
        write_mailbox(&mut out.buf, &node.path, session.enabled.utf8());
        out.buf.extend_from_slice(b"\r\n");
        out.breathe().await?;
    }
    Ok("done".into())
}
