//! CREATE (RFC 9051 §6.3.4) with USE (RFC 6154 §3) and MAILBOXID (RFC 8474 §4.1).

use crate::session::{OTHER_USERS, Outcome, Session, Stop};
use penfold_mailbox::Role;
use penfold_types::Kind;

pub async fn run(session: &mut Session, name: &[u8], uses: &[String]) -> Outcome {
    // One folder has one use here; a use that is not known cannot be given (RFC 6154 §3).
    let role = match uses {
        [] => None,
        [one] => Some(Role::from_special_use(one).ok_or(Stop::no("[USEATTR] that use is not known"))?),
        _ => return Err(Stop::no("[USEATTR] a mailbox has one use at most")),
    };
    let place = session.place(name).await?;
    if place.path.eq_ignore_ascii_case(OTHER_USERS) {
        return Err(Stop::no("[CANNOT] the name is taken"));
    }
    match place.mailbox.create_folder(&place.path, role).await {
        Ok(folder) => Ok(format!("[MAILBOXID (F{folder})] created").into()),
        Err(error) if error.kind() == Kind::Conflict => {
            let exists = place.mailbox.folders().await?.find(&place.path).is_some();
            Err(if exists {
                Stop::no("[ALREADYEXISTS] there is such a mailbox")
            } else {
                Stop::no("[USEATTR] another mailbox has that use")
            })
        }
        Err(error) => Err(error.into()),
    }
}
