//! APPEND (RFC 9051 §6.3.12), all messages of one command or none (RFC 3502), with APPENDUID (RFC 4315 §3).

use super::store::keywords;
use crate::grammar::Message;
use crate::session::{Outcome, Session, Stop, target};
use penfold_mailbox::{APPEND_LIMIT, NewMessage};

pub async fn run(session: &mut Session, name: &[u8], messages: Vec<Message>) -> Outcome {
    if messages.len() > APPEND_LIMIT {
        return Err(Stop::no("[LIMIT] too many messages in one APPEND"));
    }
    let mut new = Vec::with_capacity(messages.len());
    for message in messages {
        // RFC 3502 §6.3.11: an empty literal takes the whole command back.
        if message.bytes.is_empty() {
            return Err(Stop::no("nothing was appended"));
        }
        let (keywords, _) = keywords(&message.flags)?;
        new.push(NewMessage { bytes: message.bytes, keywords, received: message.received });
    }
    let place = match session.place(name).await {
        Ok(place) => place,
        Err(Stop::No(text)) if text.starts_with("[NONEXISTENT]") => return Err(Stop::no("[TRYCREATE] no such mailbox")),
        Err(stop) => return Err(stop),
    };
    let folders = place.mailbox.folders().await?;
    let folder = folders.find(&place.path).ok_or(Stop::no("[TRYCREATE] no such mailbox"))?.id;
    let appended = place.mailbox.append(folder, new).await.map_err(target)?;
    let mut uids = Vec::new();
    super::copy::write_uids(&mut uids, appended.uids.iter().copied());
    Ok(format!("[APPENDUID {} {}] appended", appended.uidvalidity, String::from_utf8_lossy(&uids)).into())
}
