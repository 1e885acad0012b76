//! STATUS (RFC 9051 §6.3.11). Everything is told from the folder's own row, whatever its size.

use super::select::highest;
use crate::grammar::StatusItem;
use crate::grammar::framer::Limits;
use crate::grammar::write::mailbox;
use crate::session::{Outcome, Output, Session, Stop};
use penfold_mailbox::{Folder, Mailbox};
use std::fmt::Write;

pub async fn run(session: &mut Session, name: &[u8], items: &[StatusItem], out: &mut Output) -> Outcome {
    let place = session.place(name).await?;
    let (_, folder) = place.readable().await?;
    if items.contains(&StatusItem::HighestModseq) {
        session.enable_condstore();
    }
    let shown = session.name(name)?;
    let deleted = deleted_storage(&place.mailbox, &folder, items).await?;
    line(session, &shown, &folder, items, deleted, out);
    Ok("done".into())
}

/// RFC 9208 §4.1.4: the octets of what is marked `\\Deleted`. Only asked for, and only where there is any, is the list read.
pub async fn deleted_storage(mailbox: &Mailbox, folder: &Folder, items: &[StatusItem]) -> Result<u64, Stop> {
    if folder.deleted == 0 || !items.contains(&StatusItem::DeletedStorage) {
        return Ok(0);
    }
    let index = mailbox.index(folder.id).await?;
    Ok(index.iter().filter(|message| message.keywords.deleted()).map(|message| u64::from(message.size)).sum())
}

/// `* STATUS name (items)`, also after LIST (RFC 5819).
pub fn line(session: &Session, name: &str, folder: &Folder, items: &[StatusItem], deleted: u64, out: &mut Output) {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push(' ');
        }
        // Writing to a String does not fail.
        let _ = match item {
            StatusItem::Messages => write!(text, "MESSAGES {}", folder.total),
            StatusItem::Recent => write!(text, "RECENT 0"),
            StatusItem::UidNext => write!(text, "UIDNEXT {}", folder.uidnext),
            StatusItem::UidValidity => write!(text, "UIDVALIDITY {}", folder.uidvalidity),
            StatusItem::Unseen => write!(text, "UNSEEN {}", folder.unseen),
            StatusItem::Deleted => write!(text, "DELETED {}", folder.deleted),
            StatusItem::Size => write!(text, "SIZE {}", folder.bytes),
            StatusItem::HighestModseq => write!(text, "HIGHESTMODSEQ {}", highest(folder)),
            StatusItem::MailboxId => write!(text, "MAILBOXID (F{})", folder.id),
            StatusItem::AppendLimit => write!(text, "APPENDLIMIT {}", Limits::SIGNED_IN.append),
            StatusItem::DeletedStorage => write!(text, "DELETED-STORAGE {deleted}"),
        };
    }
    out.buf.extend_from_slice(b"* STATUS ");
    mailbox(&mut out.buf, name, session.enabled.utf8());
    out.buf.extend_from_slice(b" (");
    out.buf.extend_from_slice(text.as_bytes());
    out.buf.extend_from_slice(b")\r\n");
}
