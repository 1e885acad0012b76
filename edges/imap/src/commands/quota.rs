//! GETQUOTA and GETQUOTAROOT (RFC 9208 §4.1): one root for each account, STORAGE in units of 1,024 octets.

use crate::grammar::write::{mailbox as write_mailbox, string};
use crate::session::{OTHER_USERS, Outcome, Output, Session, Stop};
use penfold_mailbox::Mailbox;

/// A quota root: one's own is `""`, that of a shared mailbox is the name of its tree.
pub async fn get(session: &mut Session, root: &[u8], out: &mut Output) -> Outcome {
    if root.is_empty() {
        let mailbox = session.user()?.mailbox.clone();
        quota(session, "", &mailbox, out).await?;
        return Ok("done".into());
    }
    let name = session.name(root)?;
    if !name.starts_with(OTHER_USERS) {
        return Err(Stop::no("[NONEXISTENT] no such quota root"));
    }
    let place = session.place(&[root, b"/INBOX"].concat()).await?;
    if place.is_in_part() {
        return Err(Stop::no("[NONEXISTENT] no such quota root"));
    }
    quota(session, &name, &place.mailbox, out).await?;
    Ok("done".into())
}

pub async fn root(session: &mut Session, name: &[u8], out: &mut Output) -> Outcome {
    let place = session.place(name).await?;
    place.folder().await?;
    let shown = session.name(name)?;
    let root = match place.owner {
        None => String::new(),
        // How much somebody has is not for those to whom some folders are open.
        Some(_) if place.is_in_part() => {
            out.buf.extend_from_slice(b"* QUOTAROOT ");
            write_mailbox(&mut out.buf, &shown, session.enabled.utf8());
            out.buf.extend_from_slice(b"\r\n");
            return Ok("done".into());
        }
        Some(_) => shown.split('/').take(2).collect::<Vec<_>>().join("/"),
    };
    out.buf.extend_from_slice(b"* QUOTAROOT ");
    write_mailbox(&mut out.buf, &shown, session.enabled.utf8());
    out.buf.push(b' ');
    string(&mut out.buf, root.as_bytes(), session.enabled.utf8());
    out.buf.extend_from_slice(b"\r\n");
    quota(session, &root, &place.mailbox, out).await?;
    Ok("done".into())
}

async fn quota(session: &Session, root: &str, mailbox: &Mailbox, out: &mut Output) -> Result<(), Stop> {
    let (used, limit) = mailbox.usage().await?;
    out.buf.extend_from_slice(b"* QUOTA ");
    string(&mut out.buf, root.as_bytes(), session.enabled.utf8());
    out.buf.extend_from_slice(format!(" (STORAGE {} {})\r\n", used.div_ceil(1024), (limit / 1024).min(i64::MAX as u64)).as_bytes());
    Ok(())
}
