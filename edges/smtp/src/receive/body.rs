use crate::{Budget, Lease};
use bytes::{Bytes, BytesMut};

/// Why a message cannot be taken; the rest of it is read and thrown away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    TooLarge,
    NoMemory,
    /// A CR or LF that stands alone: RFC 5321 §2.3.8. What one host takes for the end of a message and another does not
    /// is how a message is smuggled inside another, so all of it is refused.
    BareLine,
}

/// The bytes of a message so far.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: BytesMut,
    lease: Lease,
    fault: Option<Fault>,
    seen: u64,
    limit: u64,
}

/// The first piece of memory: most messages fit.
const FIRST: u64 = 8 * 1024;
/// What a declared size may reserve before any of it came.
const DECLARED: u64 = 256 * 1024;
/// How far past the limit bytes are still thrown away politely.
const PATIENCE: u64 = 1024 * 1024;

/// From here on the connection is closed instead.
pub(crate) fn endless(limit: u64) -> u64 {
    limit.saturating_mul(2).saturating_add(PATIENCE)
}

impl Body {
    /// `declared`: the size named in MAIL, 0 where none was. `None` where there is no memory.
    pub fn begin(budget: &Budget, declared: u64, limit: u64) -> Option<Self> {
        let first = declared.saturating_add(64).clamp(FIRST, DECLARED);
        let lease = budget.take(first)?;
        let bytes = BytesMut::with_capacity(usize::try_from(first).ok()?);
        Some(Self { bytes, lease, fault: None, seen: 0, limit })
    }

    pub fn push(&mut self, part: &[u8]) {
        self.seen = self.seen.saturating_add(part.len() as u64);
        if self.fault.is_some() || part.is_empty() {
            return;
        }
        if self.seen > self.limit {
            return self.fail(Fault::TooLarge);
        }
        let needed = self.bytes.len() + part.len();
        if needed > self.bytes.capacity() {
            // Doubled, but never past the limit, which `needed` does not pass.
            let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
            let capacity = (self.bytes.capacity().saturating_mul(2)).min(limit).max(needed);
            if !self.lease.grow(capacity as u64) {
                return self.fail(Fault::NoMemory);
            }
            self.bytes.reserve(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
    }

    /// The first fault counts; its memory is given back at once.
    pub fn fail(&mut self, fault: Fault) {
        if self.fault.is_none() {
            self.fault = Some(fault);
            self.bytes = BytesMut::new();
        }
    }

    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// True where the peer sends on and on.
    pub fn is_endless(&self) -> bool {
        self.seen > endless(self.limit)
    }

    pub fn finish(self) -> Result<(Bytes, Lease), Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok((self.bytes.freeze(), self.lease)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_limits() {
        let budget = Budget::new(100_000);
        let mut body = Body::begin(&budget, 0, 20_000).unwrap();
        body.push(&[b'a'; 20_000]);
        assert_eq!(body.fault(), None);
        body.push(b"b");
        assert_eq!(body.fault(), Some(Fault::TooLarge));
        assert!(!body.is_endless());
        assert_eq!(body.finish().map(|_| ()), Err(Fault::TooLarge));
        assert_eq!(budget.left(), 100_000);

        let mut body = Body::begin(&budget, 0, u64::MAX).unwrap();
        body.push(&vec![b'a'; 100_001]);
        assert_eq!(body.fault(), Some(Fault::NoMemory));
        drop(body);
        assert!(Body::begin(&Budget::new(10), 0, 100).is_none());
    }
}
