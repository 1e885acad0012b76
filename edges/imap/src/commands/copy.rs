//! COPY and MOVE (RFC 9051 §6.4.7 and §6.4.8, RFC 6851), with COPYUID (RFC 4315 §3).

use crate::grammar::SequenceSet;
use crate::grammar::write::number;
use crate::session::{Outcome, Output, Session, Stop, target};
use penfold_mailbox::Copied;
use penfold_types::Uid;

pub async fn run(session: &mut Session, uid: bool, set: &SequenceSet, name: &[u8], moving: bool, out: &mut Output) -> Outcome {
    let selected = session.selected()?;
    if moving {
        selected.writable()?;
    }
    let uids = selected.uids(set, uid)?;
    let place = match session.place(name).await {
        Ok(place) => place,
        Err(Stop::No(text)) if text.starts_with("[NONEXISTENT]") => return Err(Stop::no("[TRYCREATE] no such mailbox")),
        Err(stop) => return Err(stop),
    };
    let folders = place.mailbox.folders().await?;
    let to = folders.find(&place.path).ok_or(Stop::no("[TRYCREATE] no such mailbox"))?.id;
    let selected = session.selected()?;
    let copied = if moving {
        selected.mailbox.move_items(selected.folder, &uids, &place.mailbox, to).await.map_err(target)?
    } else {
        selected.mailbox.copy(selected.folder, &uids, &place.mailbox, to).await.map_err(target)?
    };
    // Nothing copied: RFC 4315 §3 has no form for an empty set.
    if copied.pairs.is_empty() {
        return if uid { Ok("nothing to do".into()) } else { Err(Stop::no("[EXPUNGEISSUED] the messages are gone")) };
    }
    let code = copyuid(&copied);
    if moving {
        // RFC 6851 §4.3: COPYUID comes before the EXPUNGE responses, which the notices after this command give.
        out.untagged(&format!("OK [{code}] moved"));
        if session.enabled.qresync {
            let selected = session.selected()?;
            let folder = selected.mailbox.folder(selected.folder).await?;
            return Ok(format!("[HIGHESTMODSEQ {}] moved", super::select::highest(&folder)).into());
        }
        return Ok("moved".into());
    }
    Ok(format!("[{code}] copied").into())
}

fn copyuid(copied: &Copied) -> String {
    let mut text = format!("COPYUID {} ", copied.uidvalidity).into_bytes();
    write_uids(&mut text, copied.pairs.iter().map(|(from, _)| *from));
    text.push(b' ');
    write_uids(&mut text, copied.pairs.iter().map(|(_, to)| *to));
    String::from_utf8_lossy(&text).into_owned()
}

/// Uids in the order given, runs shortened: the two lists of COPYUID correspond place by place.
pub fn write_uids(out: &mut Vec<u8>, uids: impl Iterator<Item = Uid>) {
    let mut run: Option<(u32, u32)> = None;
    let mut first = true;
    let mut put = |out: &mut Vec<u8>, (from, to): (u32, u32)| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        number(out, from.into());
        if to > from {
            out.push(b':');
            number(out, to.into());
        }
    };
    for uid in uids {
        run = Some(match run {
            Some((from, to)) if to.checked_add(1) == Some(uid.get()) => (from, uid.get()),
            Some(done) => {
                put(out, done);
                (uid.get(), uid.get())
            }
            None => (uid.get(), uid.get()),
        });
    }
    if let Some(done) = run {
        put(out, done);
    }
}
