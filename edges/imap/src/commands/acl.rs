//! GETACL, SETACL, DELETEACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3). Identifiers are addresses of the tenant's people and groups, and
//! `anyone`, who is everybody in the tenant.

use crate::grammar::write::{astring, mailbox as write_mailbox};
use crate::session::{Outcome, Output, Place, Session, Stop};
use penfold_directory::ANYONE;
use penfold_mailbox::{Folder, RightsChange};
use penfold_ports::Rights;
use penfold_types::Kind;

/// With the rights of RFC 2086 for the clients that know no others (§2.1.1).
fn letters(rights: Rights) -> String {
    let mut text = rights.to_string();
    if rights.has_some(Rights::CREATE.and(Rights::DELETE_FOLDER)) {
        text.push('c');
    }
    if rights.has_some(Rights::DELETE_ITEM.and(Rights::EXPUNGE)) {
        text.push('d');
    }
    text
}

/// The folder of a command that needs the right to administer it.
async fn administered(session: &Session, name: &[u8]) -> Result<(Place, Folder), Stop> {
    let place = session.place(name).await?;
    let (_, folder) = place.folder().await?;
    if !place.mailbox.rights(&folder).has(Rights::ADMINISTER) {
        return Err(Stop::no("[NOPERM] whose rights these are is not yours to see or to change"));
    }
    Ok((place, folder))
}

/// Whose mailbox it is.
async fn owner(session: &Session, place: &Place) -> Result<String, Stop> {
    let account = place.mailbox.account();
    Ok(session.server.directory.address_of(account.tenant, account.principal).await?.to_string())
}

fn identifier(bytes: &[u8]) -> Result<&str, Stop> {
    let text = std::str::from_utf8(bytes).map_err(|_| Stop::bad("not an identifier"))?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(Stop::bad("not an identifier"));
    }
    if text.starts_with('-') {
        return Err(Stop::no("[CANNOT] rights are only given here, not denied"));
    }
    Ok(text)
}

pub async fn get(session: &mut Session, name: &[u8], out: &mut Output) -> Outcome {
    let (place, folder) = administered(session, name).await?;
    let rights = place.mailbox.folder_rights(folder.id).await?;
    let (shown, utf8) = (session.name(name)?, session.enabled.utf8());
    out.buf.extend_from_slice(b"* ACL ");
    write_mailbox(&mut out.buf, &shown, utf8);
    let lines = rights.list.into_iter().map(|(grantee, rights)| (grantee.identifier(), rights));
    for (who, rights) in std::iter::once((owner(session, &place).await?, Rights::ALL)).chain(lines) {
        out.buf.push(b' ');
        astring(&mut out.buf, who.as_bytes(), utf8);
        out.buf.push(b' ');
        astring(&mut out.buf, letters(rights).as_bytes(), utf8);
    }
    out.buf.extend_from_slice(b"\r\n");
    Ok("done".into())
}

pub async fn set(session: &mut Session, name: &[u8], who: &[u8], modification: &[u8]) -> Outcome {
    let text = std::str::from_utf8(modification).map_err(|_| Stop::bad("not rights that are known here"))?;
    let (how, letters): (fn(Rights) -> RightsChange, &str) = match text.split_at_checked(1) {
        Some(("+", letters)) => (RightsChange::Add, letters),
        Some(("-", letters)) => (RightsChange::Remove, letters),
        _ => (RightsChange::Set, text),
    };
    // §3.1: one that is not known is never passed over.
    let rights = Rights::read(letters).ok_or(Stop::bad("not rights that are known here"))?;
    change(session, name, who, how(rights)).await
}

pub async fn delete(session: &mut Session, name: &[u8], who: &[u8]) -> Outcome {
    change(session, name, who, RightsChange::Set(Rights::NONE)).await
}

async fn change(session: &mut Session, name: &[u8], who: &[u8], change: RightsChange) -> Outcome {
    let who = identifier(who)?;
    let (place, folder) = administered(session, name).await?;
    let user = session.user()?;
    let unknown = || Stop::no("[CANNOT] there is no such person or group");
    let to = match session.server.directory.grantee(place.mailbox.scope().tenant(), who).await {
        Ok(to) => to,
        Err(error) if error.kind() == Kind::NotFound => return Err(unknown()),
        Err(error) => return Err(error.into()),
    };
    let actor = user.who.address.to_string();
    match place.mailbox.set_rights(folder.id, to, change, &actor, None, false).await {
        Ok(_) => Ok("done".into()),
        Err(error) if error.kind() == Kind::NotFound => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

/// The same for every identifier but the owner's: whether it is somebody's is not told.
pub async fn list(session: &mut Session, name: &[u8], who: &[u8], out: &mut Output) -> Outcome {
    let identifier = identifier(who)?;
    let (place, _) = administered(session, name).await?;
    let always = identifier.eq_ignore_ascii_case(&owner(session, &place).await?) && !identifier.eq_ignore_ascii_case(ANYONE);
    let (shown, utf8) = (session.name(name)?, session.enabled.utf8());
    out.buf.extend_from_slice(b"* LISTRIGHTS ");
    write_mailbox(&mut out.buf, &shown, utf8);
    out.buf.push(b' ');
    astring(&mut out.buf, who, utf8);
    let all = letters(Rights::ALL);
    if always {
        out.buf.extend_from_slice(format!(" {all}\r\n").as_bytes());
        return Ok("done".into());
    }
    out.buf.extend_from_slice(b" \"\"");
    for letter in all.chars() {
        out.buf.extend_from_slice(format!(" {letter}").as_bytes());
    }
    out.buf.extend_from_slice(b"\r\n");
    Ok("done".into())
}

pub async fn mine(session: &mut Session, name: &[u8], out: &mut Output) -> Outcome {
    let place = session.place(name).await?;
    let (_, folder) = place.folder().await?;
    let rights = letters(place.mailbox.rights(&folder));
    let (shown, utf8) = (session.name(name)?, session.enabled.utf8());
    out.buf.extend_from_slice(b"* MYRIGHTS ");
    write_mailbox(&mut out.buf, &shown, utf8);
    out.buf.push(b' ');
    astring(&mut out.buf, rights.as_bytes(), utf8);
    out.buf.extend_from_slice(b"\r\n");
    Ok("done".into())
}
