//! Whoever gets certificates: rounds over all names, one at a time in the whole cell.

use crate::authority::{Authority, Method};
use crate::certificates::Certificates;
use crate::lease::Lease;
use crate::row::Entry;
use crate::schedule::{Due, due};
use penfold_ports::{Dns, Zones};
use penfold_types::{Result, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Names are looked at so often.
const EVERY: Duration = Duration::from_secs(3600);
/// Wishes are looked for so often.
const GLANCE: Duration = Duration::from_secs(10);
/// Orders of one round: an authority allows some hundred in three hours.
const ORDERS: usize = 50;

/// Keeps what the file certificate says of names; true where a name has a certificate already.
pub type Covered = Arc<dyn Fn(&str) -> bool + Send + Sync>;

#[derive(Clone)]
pub struct Options {
    /// Preferred ones first.
    pub methods: Vec<Method>,
    /// For [`Method::Dns`].
    pub zones: Option<Arc<dyn Zones>>,
    /// How long a proof takes to be shown by all edges, and by all name servers.
    pub edges_settle: Duration,
    pub names_settle: Duration,
    /// Names that another certificate is shown for.
    pub covered: Covered,
}

impl Options {
    pub(crate) async fn settle(&self, method: Method, certificates: &Certificates) {
        let span = match method {
            Method::TlsAlpn => self.edges_settle,
            Method::Dns => self.names_settle,
            // Each request is answered from the store.
            Method::Http => Duration::ZERO,
        };
        if method == Method::TlsAlpn {
            certificates.settled().await;
        }
        if !span.is_zero() {
            certificates.env().sleep(span).await;
        }
    }
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    pub ordered: usize,
    pub failed: usize,
    /// Names that do not lead to us.
    pub elsewhere: usize,
    /// Somebody else orders.
    pub busy: bool,
}

pub struct Certifier {
    pub certificates: Certificates,
    pub authority: Arc<dyn Authority>,
    pub dns: Arc<dyn Dns>,
    pub options: Options,
}

impl Certifier {
    /// Runs until the shutdown: at once, then every hour, and where somebody wishes.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let env = self.certificates.env().clone();
        let (mut last, mut seen) = (None, 0);
        loop {
            let now = env.monotonic();
            let version = self.certificates.version().await.unwrap_or(seen);
            if version != seen || last.is_none_or(|last| now - last >= EVERY) {
                last = Some(now);
                tokio::select! {
                    biased;
                    _ = stop.wait_for(|stop| *stop) => return,
                    done = self.round() => match done {
                        Ok(round) if round.ordered + round.failed > 0 => tracing::info!(?round, "certificates"),
                        Ok(round) => tracing::debug!(?round, "certificates"),
                        Err(error) => tracing::warn!(%error, "certificates wait for the next round"),
                    },
                }
                // What the round itself changes brings one more round, which finds nothing; a wish made meanwhile is not lost.
                seen = version;
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = env.sleep_jittered(GLANCE) => {}
            }
        }
    }

    /// Once over all names.
    pub async fn round(&self) -> Result<Round> {
        let Some(mut lease) = Lease::take(&self.certificates).await? else { return Ok(Round { busy: true, ..Round::default() }) };
        let done = self.under(&mut lease).await;
        lease.give_back().await?;
        done
    }

    async fn under(&self, lease: &mut Lease<'_>) -> Result<Round> {
        let mut round = Round::default();
        let names = self.certificates.names().await?;
        self.drop_unwanted(&names).await?;
        self.certificates.sweep_proofs().await?;
        let entries = self.certificates.list().await?;
        for name in self.turns(names, &entries) {
            if round.ordered + round.failed >= ORDERS || !lease.renew().await? {
                break;
            }
            match self.one(&name, &entries).await {
                Ok(Some(true)) => round.ordered += 1,
                Ok(Some(false)) => round.failed += 1,
                Ok(None) => round.elsewhere += 1,
                // One name does not stop the others.
                Err(error) => {
                    tracing::warn!(name, %error, "its certificate waits for another round");
                    round.failed += 1;
                }
            }
        }
        Ok(round)
    }

    /// Whether there is a new certificate; `None` where the name does not lead to us.
    async fn one(&self, name: &str, entries: &[Entry]) -> Result<Option<bool>> {
        if let Some(obstacle) = self.certificates.obstacle(&*self.dns, name).await? {
            tracing::debug!(name, obstacle, "no certificate is ordered");
            // Said where the operator looks for it; a name without a row is just one of many that are not here.
            if entries.iter().any(|entry| entry.name == name && entry.error.as_ref() != Some(&obstacle)) {
                self.certificates.note(name, &obstacle).await?;
            }
            return Ok(None);
        }
        match self.order(name).await {
            Ok(done) => Ok(Some(done)),
            // A fault of ours counts like one of the authority's, or the name would be tried again within seconds.
            Err(error) => {
                let now = self.certificates.env().now();
                self.failed(name, &error.into(), now).await.map(|()| Some(false))
            }
        }
    }

    /// Names whose turn it is: those that failed least first, so that many that always fail keep nobody out; of these, those whose
    /// certificate ends soonest, then those that have none.
    fn turns(&self, names: Vec<String>, entries: &[Entry]) -> Vec<String> {
        let (now, authority) = (self.certificates.env().now(), self.authority.name());
        let find = |name: &str| entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok().map(|at| &entries[at]);
        let is_due = |name: &String| {
            let known = find(name).map(|entry| Due {
                renew: entry.renew,
                same_authority: entry.authority.as_deref().is_none_or(|own| own == authority),
                next: entry.next,
            });
            !(self.options.covered)(name) && due(known.unwrap_or(Due { same_authority: true, ..Due::default() }), now)
        };
        let mut due: Vec<_> = names.into_iter().filter(is_due).collect();
        let ends = |entry: &Entry| (entry.failures, entry.until.map_or(i64::MAX, Timestamp::millis));
        due.sort_by_key(|name| find(name).map_or((0, i64::MAX), ends));
        due
    }
}
