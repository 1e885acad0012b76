//! SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.7 and §6.3.8).

use crate::session::{Outcome, Session};

pub async fn run(session: &mut Session, name: &[u8], on: bool) -> Outcome {
    let place = session.place(name).await?;
    let (_, folder) = place.folder().await?;
    place.mailbox.subscribe(folder.id, on).await?;
    Ok("done".into())
}
