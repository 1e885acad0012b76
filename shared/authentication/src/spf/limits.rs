//! What one check may cost (RFC 7208 §4.6.4).

use super::SpfResult;
use penfold_ports::{Answer, DnsError};

/// Terms that ask.
const TERMS: usize = 10;
/// Questions that found nothing.
const VOIDS: usize = 2;
/// Hosts of one `mx`, and names of one `ptr`.
pub(super) const HOSTS: usize = 10;

#[derive(Default)]
pub(super) struct Limits {
    terms: usize,
    voids: usize,
}

impl Limits {
    pub fn term(&mut self) -> Result<(), SpfResult> {
        self.terms += 1;
        if self.terms > TERMS { Err(SpfResult::PermError) } else { Ok(()) }
    }

    /// The records of an answer; none where there are none, which may happen twice.
    pub fn records<T>(&mut self, answer: Result<Answer<T>, DnsError>) -> Result<Vec<T>, SpfResult> {
        match answer {
            Ok(answer) => Ok(answer.records),
            Err(error) if error.is_void() => {
                self.voids += 1;
                if self.voids > VOIDS { Err(SpfResult::PermError) } else { Ok(Vec::new()) }
            }
            Err(_) => Err(SpfResult::TempError),
        }
    }
}
