//! Room for one use more of an attachment that has as many as it may: what named it once and names it no more is forgotten.

use super::{NOTED, USE, names, since, uses_in};
use penfold_mailbox::{Mailbox, UidHash};
use penfold_types::{Error, FolderId, Result};

/// Octets as which the row of a UID counts.
const ROW: u32 = 8 << 10;

/// What one request still looks at to find room: octets of objects, and rows as such.
#[derive(Debug)]
pub struct Looks(usize);

impl Default for Looks {
    fn default() -> Self {
        Self(4 << 20)
    }
}

impl Looks {
    pub(super) fn all() -> Self {
        Self(usize::MAX)
    }

    /// False where it is too much.
    pub(super) fn take(&mut self, octets: u32) -> bool {
        let left = usize::try_from(octets).ok().and_then(|octets| self.0.checked_sub(octets));
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// True where there is room now.
pub(super) async fn make(mailbox: &Mailbox, folder: FolderId, id: &str, looks: &mut Looks) -> Result<bool> {
    let then = mailbox.objects_now(folder).await?;
    let (known, now) = (mailbox.properties(folder, id).await?, mailbox.env().now());
    // What was noted lately may be on its way.
    let old = known.iter().filter(|(_, noted)| now.since(since(noted)) >= 2 * NOTED).map(|(key, _)| key);
    let gone = nameless(mailbox, uses_in(old).collect(), id, looks).await?;
    if gone.is_empty() {
        return Ok(false);
    }
    let keys: Vec<Vec<u8>> = gone.iter().map(|uid| [USE, &uid[..]].concat()).collect();
    // Whoever notes one of them anew meanwhile keeps it.
    match mailbox.if_unchanged(vec![(folder, then)]).set_properties(folder, id, (&[], &keys), None).await {
        Err(error) if error.is_unmet() => Err(Error::retry("attachments change too fast; try again")),
        done => done.map(|()| true),
    }
}

/// Those of which there is nothing, by their rows; only where there is something of each is it read.
async fn nameless(mailbox: &Mailbox, uses: Vec<UidHash>, id: &str, looks: &mut Looks) -> Result<Vec<UidHash>> {
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for uid in uses {
        if !looks.take(ROW) {
            break;
        }
        match mailbox.objects_of_uid(&uid).await? {
            none if none.is_empty() => gone.push(uid),
            objects => there.push((uid, objects)),
        }
    }
    if !gone.is_empty() {
        return Ok(gone);
    }
    for (uid, objects) in there {
        if !names(mailbox, &objects, id, looks).await? {
            gone.push(uid);
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_looks_at_more_than_some() {
        let mut looks = Looks::default();
        let taken = std::iter::repeat_with(|| looks.take(1 << 20)).take_while(|taken| *taken).count();
        assert_eq!((taken, looks.take(1)), (4, false));
    }
}
