//! How much of each kind of work this process does at a time; whose turn it is then is for `penfold_ports::Turns`.

use crate::parts::Parts;
use penfold_metering::Gauge;
use penfold_ports::Turns;

/// Commands of IMAP for each processor, and at least.
const FOR_EACH: usize = 4;
const AT_LEAST: usize = 8;
/// Beside the cloud's store: most of the time is waiting for that.
#[cfg(feature = "cloud")]
const BESIDE_THE_CLOUD: usize = 64;
/// Messages that are taken in, for each command of IMAP: one of them mostly waits for the disk.
const MESSAGES: usize = 4;

#[derive(Clone)]
pub struct Places {
    pub imap: Turns,
    /// Requests of calendar, contact and file clients: as many as commands.
    pub dav: Turns,
    pub mail: Turns,
}

impl Places {
    /// `turns`: the setting; 0 is no limit.
    pub fn new(turns: Option<usize>, parts: Parts) -> Self {
        let imap = turns.unwrap_or_else(|| usual(parts));
        Self { imap: Turns::new(imap), dav: Turns::new(imap), mail: Turns::new(imap.saturating_mul(MESSAGES)) }
    }

    pub fn gauges(&self) -> [Gauge; 6] {
        let (imap, dav, mail) = (self.imap.load(), self.dav.load(), self.mail.load());
        let waiting = |name, help, value: usize| Gauge { name, help, kind: "gauge", value: value as f64 };
        let waited = |name, help, value: u64| Gauge { name, help, kind: "counter", value: value as f64 };
        [
            waiting("penfold_imap_turns_waiting", "IMAP commands, and parts of them, that wait for their turn.", imap.waiting),
            waited("penfold_imap_turns_waited_total", "IMAP commands, and parts of them, that have waited for their turn.", imap.waited),
            waiting("penfold_dav_turns_waiting", "DAV requests that wait for their turn.", dav.waiting),
            waited("penfold_dav_turns_waited_total", "DAV requests that have waited for their turn.", dav.waited),
            waiting("penfold_mail_turns_waiting", "Messages that wait for their turn to be taken in.", mail.waiting),
            waited("penfold_mail_turns_waited_total", "Messages that have waited for their turn to be taken in.", mail.waited),
        ]
    }
}

#[cfg(feature = "cloud")]
fn usual(parts: Parts) -> usize {
    if parts == Parts::ALL { of_this_machine() } else { BESIDE_THE_CLOUD }
}

#[cfg(not(feature = "cloud"))]
fn usual(_: Parts) -> usize {
    of_this_machine()
}

fn of_this_machine() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (processors * FOR_EACH).max(AT_LEAST)
}
