//! The one decision whether a message may come in, from facts that were gathered before: pure. What SPF, DKIM, DMARC and
//! a spam filter find will be further facts.

use crate::Refusal;
use crate::header::Header;

/// RFC 5321 §6.3: a large number of Received fields tells a loop, and 100 is as low as the limit should be.
const RECEIVED: usize = 100;
/// A message that came back to us so often goes in a circle, however short its circle is.
const OURS: usize = 10;

pub(crate) struct Facts<'a> {
    pub header: &'a Header,
    pub size: u64,
    pub size_limit: u64,
}

pub(crate) fn screen(facts: &Facts<'_>) -> Result<(), Refusal> {
    if facts.size > facts.size_limit {
        return Err(Refusal::TooLarge);
    }
    if facts.header.too_large {
        return Err(Refusal::HeaderTooLarge);
    }
    if facts.header.received > RECEIVED || facts.header.ours > OURS {
        return Err(Refusal::Loop);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(received: usize, ours: usize, size: u64) -> Result<(), Refusal> {
        screen(&Facts { header: &Header { received, ours, ..Header::default() }, size, size_limit: 10 })
    }

    #[test]
    fn loops_and_sizes() {
        assert!(judge(100, 10, 10).is_ok());
        assert!(matches!(judge(101, 0, 10), Err(Refusal::Loop)));
        assert!(matches!(judge(11, 11, 10), Err(Refusal::Loop)));
        assert!(matches!(judge(0, 0, 11), Err(Refusal::TooLarge)));
    }
}
