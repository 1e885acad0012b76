//! The one decision whether a message may come in, and whether as junk, from facts that were gathered before: pure. What a
//! spam filter finds will be one more.

use crate::Refusal;
use crate::header::Header;
use penfold_authentication::Handling;

/// RFC 5321 §6.3: a large number of Received fields tells a loop, and 100 is as low as the limit should be.
const RECEIVED: usize = 100;
/// A message that came back to us so often goes in a circle, however short its circle is.
const OURS: usize = 10;

pub(crate) struct Facts<'a> {
    pub header: &'a Header,
    pub size: u64,
    pub size_limit: u64,
    /// What the domain in From asks for (RFC 9989); `None` where it was not asked, or not yet.
    pub author: Option<Handling>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Inbox,
    Junk,
}

pub(crate) fn screen(facts: &Facts<'_>) -> Result<Place, Refusal> {
    if facts.size > facts.size_limit {
        return Err(Refusal::TooLarge);
    }
    if facts.header.too_large {
        return Err(Refusal::HeaderTooLarge);
    }
    // RFC 5322 §3.6 wants one From. Of two, one reader shows this and another one that, and DMARC can judge neither.
    if facts.header.authors > 1 {
        return Err(Refusal::NoAuthor);
    }
    if facts.header.received > RECEIVED || facts.header.ours > OURS {
        return Err(Refusal::Loop);
    }
    match facts.author {
        Some(Handling::Reject) => Err(Refusal::NotAuthentic),
        Some(Handling::Later) => Err(Refusal::NotProvable),
        Some(Handling::Quarantine) => Ok(Place::Junk),
        Some(Handling::Accept) | None => Ok(Place::Inbox),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(received: usize, ours: usize, size: u64) -> Result<Place, Refusal> {
        screen(&Facts { header: &Header { received, ours, ..Header::default() }, size, size_limit: 10, author: None })
    }

    #[test]
    fn the_author_decides() {
        let header = Header::default();
        let judge = |author| screen(&Facts { header: &header, size: 1, size_limit: 10, author });
        assert!(matches!(judge(Some(Handling::Accept)), Ok(Place::Inbox)));
        assert!(matches!(judge(Some(Handling::Quarantine)), Ok(Place::Junk)));
        assert!(matches!(judge(Some(Handling::Reject)), Err(Refusal::NotAuthentic)));
        assert!(matches!(judge(Some(Handling::Later)), Err(Refusal::NotProvable)));
    }

    #[test]
    fn one_author() {
        let judge = |authors| screen(&Facts { header: &Header { authors, ..Header::default() }, size: 1, size_limit: 10, author: None });
        assert!(judge(0).is_ok() && judge(1).is_ok());
        assert!(matches!(judge(2), Err(Refusal::NoAuthor)));
    }

    #[test]
    fn loops_and_sizes() {
        assert!(judge(100, 10, 10).is_ok());
        assert!(matches!(judge(101, 0, 10), Err(Refusal::Loop)));
        assert!(matches!(judge(11, 11, 10), Err(Refusal::Loop)));
        assert!(matches!(judge(0, 0, 11), Err(Refusal::TooLarge)));
    }
}
