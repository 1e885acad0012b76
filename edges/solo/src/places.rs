//! How much of each kind of work this process does at a time; whose turn it is then is for `penfold_ports::Turns`.

use crate::parts::Parts;
use penfold_metering::Gauge;
use penfold_ports::Turns;

/// Commands of IMAP and requests of DAV for each processor, and at least.
const FOR_EACH: usize = 4;
const AT_LEAST: usize = 8;
/// Beside the cloud's store: most of the time is waiting for that.
#[cfg(feature = "cloud")]
const BESIDE_THE_CLOUD: usize = 64;
/// Messages that are taken in, for each of those: one of them mostly waits for the disk.
const MESSAGES: usize = 4;

#[derive(Clone)]
pub struct Places {
    /// Commands of IMAP and requests of DAV: the same people do both.
    pub clients: Turns,
    pub mail: Turns,
}

impl Places {
    /// `turns`: the setting; 0 is no limit.
    pub fn new(turns: Option<usize>, parts: Parts) -> Self {
        let clients = turns.unwrap_or_else(|| usual(parts));
        Self { clients: Turns::new(clients), mail: Turns::new(clients.saturating_mul(MESSAGES)) }
    }

    pub fn gauges(&self) -> [Gauge; 4] {
        let (clients, mail) = (self.clients.load(), self.mail.load());
        let waiting = |name, help, value: usize| Gauge { name, help, kind: "gauge", value: value as f64 };
        let waited = |name, help, value: u64| Gauge { name, help, kind: "counter", value: value as f64 };
        [
            waiting(
                "penfold_client_turns_waiting",
                "IMAP commands, parts of them, and DAV requests that wait for their turn.",
                clients.waiting,
            ),
            waited("penfold_client_turns_waited_total", "The same that have waited for their turn.", clients.waited),
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
