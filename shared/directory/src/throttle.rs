//! Failed sign-ins, counted by network and by address in a bounded table, in memory: first they wait, then there are no
//! more for a while. An address is not locked against the networks that its owner has signed in from, or everybody could
//! lock out everybody; and the same wrong secret again, as a client sends whose password was changed, waits but does not
//! count towards the end.

use crate::Options;
use crate::cache::Cache;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(600);
const KNOWN: Duration = Duration::from_secs(30 * 86_400);
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(4);

/// Hashed names, so that an entry has the same size whatever the peer sends.
pub(crate) type Digest = [u8; 16];

#[derive(Clone, Copy, Default)]
struct Record {
    failures: u32,
    distinct: u32,
    until: Option<Instant>,
}

pub(crate) struct Throttle {
    before_delay: u32,
    before_refusal: u32,
    records: Cache<Digest, Record>,
    known: Cache<Digest, ()>,
    wrong: Cache<Digest, ()>,
}

/// Who tries, by the digests of the address, the network, both, and both with the secret.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    pub address: Digest,
    pub network: Digest,
    pub pair: Digest,
    pub guess: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Wait(Duration),
    /// Nothing more for this long.
    Stop(Duration),
}

impl Throttle {
    pub fn new(options: &Options) -> Self {
        Self {
            before_delay: options.failures_before_delay,
            before_refusal: options.failures_before_refusal,
            records: Cache::new(50_000),
            known: Cache::new(50_000),
            wrong: Cache::new(50_000),
        }
    }

    fn subjects(&self, attempt: &Attempt, now: Instant) -> [Digest; 2] {
        let known = self.known.get(&attempt.pair, now).is_some();
        [attempt.network, if known { attempt.pair } else { attempt.address }]
    }

    pub fn verdict(&self, attempt: &Attempt, now: Instant) -> Verdict {
        let mut verdict = Verdict::Go;
        for subject in self.subjects(attempt, now) {
            let Some(record) = self.records.get(&subject, now) else { continue };
            if record.distinct >= self.before_refusal {
                let left = record.until.map_or(WINDOW, |until| until.saturating_duration_since(now));
                return Verdict::Stop(left);
            }
            let over = record.failures.checked_sub(self.before_delay);
            if let Some(over) = over {
                let delay = FIRST_DELAY.saturating_mul(1 << over.min(8)).min(LONGEST_DELAY);
                verdict = match verdict {
                    Verdict::Wait(other) => Verdict::Wait(other.max(delay)),
                    _ => Verdict::Wait(delay),
                };
            }
        }
        verdict
    }

    pub fn failed(&self, attempt: &Attempt, now: Instant) {
        let repeated = self.wrong.get(&attempt.guess, now).is_some();
        self.wrong.put(attempt.guess, (), now + WINDOW);
        for subject in self.subjects(attempt, now) {
            let mut record = self.records.get(&subject, now).unwrap_or_default();
            let until = record.until.unwrap_or(now + WINDOW);
            record.failures = record.failures.saturating_add(1);
            record.distinct = record.distinct.saturating_add(u32::from(!repeated));
            record.until = Some(until);
            self.records.put(subject, record, until);
        }
    }

    /// The address's owner was here: its own failures are forgotten, the network's stay, or an attacker with one account
    /// could wipe them.
    pub fn succeeded(&self, attempt: &Attempt, now: Instant) {
        self.known.put(attempt.pair, (), now + KNOWN);
        self.records.remove(&attempt.pair);
        self.wrong.remove(&attempt.guess);
    }
}

/// What one customer of a provider has: an IPv4 address, an IPv6 /64.
pub(crate) fn network(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => (u128::from(v6) >> 64 << 64).to_be_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_types::Env;

    fn attempt(address: u8, network: u8, guess: u8) -> Attempt {
        Attempt { address: [address; 16], network: [network; 16], pair: [address ^ 0x80 ^ network; 16], guess: [guess; 16] }
    }

    #[test]
    fn failures_wait_then_stop_then_are_forgotten() {
        let (throttle, now) = (Throttle::new(&Options::default()), Env::system().monotonic());
        let mut seen = Vec::new();
        for guess in 0..20 {
            let attempt = attempt(1, 2, guess);
            seen.push(throttle.verdict(&attempt, now));
            throttle.failed(&attempt, now);
        }
        assert!(seen[..5].iter().all(|v| *v == Verdict::Go));
        let millis = [500, 1000, 2000, 4000, 4000];
        assert_eq!(seen[5..10].to_vec(), millis.map(|m| Verdict::Wait(Duration::from_millis(m))).to_vec());
        assert_eq!(throttle.verdict(&attempt(1, 9, 0), now), Verdict::Stop(WINDOW));
        assert_eq!(throttle.verdict(&attempt(9, 2, 0), now), Verdict::Stop(WINDOW));
        assert_eq!(throttle.verdict(&attempt(9, 9, 0), now), Verdict::Go);
        assert_eq!(throttle.verdict(&attempt(1, 2, 0), now + WINDOW), Verdict::Go);
    }

    #[test]
    fn the_same_wrong_secret_waits_but_locks_nobody_out() {
        let (throttle, now) = (Throttle::new(&Options::default()), Env::system().monotonic());
        for _ in 0..100 {
            throttle.failed(&attempt(1, 2, 7), now);
        }
        assert_eq!(throttle.verdict(&attempt(1, 2, 7), now), Verdict::Wait(LONGEST_DELAY));
    }

    #[test]
    fn strangers_do_not_lock_the_owner_out() {
        let (throttle, now) = (Throttle::new(&Options::default()), Env::system().monotonic());
        throttle.succeeded(&attempt(1, 2, 0), now);
        for guess in 0..50 {
            throttle.failed(&attempt(1, 3, guess), now);
        }
        assert_eq!(throttle.verdict(&attempt(1, 2, 0), now), Verdict::Go);
        assert!(matches!(throttle.verdict(&attempt(1, 4, 0), now), Verdict::Stop(_)));
    }
}
