//! What one tenant may have of this edge while its mail is flooding in, and one person of it. Only the flooded tenant's
//! recipients are put off: whoever sends keeps the message, and comes again.

use crate::config::Config;
use crate::reply::{self, Reply};
use penfold_ports::{Rates, Seat, Seats};
use penfold_types::{Env, PrincipalId, TenantId};
use std::collections::BTreeMap;

const TOO_OFTEN: Reply = Reply::new(452, "4.7.0", "Too much mail for these recipients, try again in a minute");

/// What is counted over all connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shares {
    transactions: Seats<TenantId>,
    messages: Rates<TenantId>,
    pub people: Seats<PrincipalId>,
}

/// The tenants that have recipients in one transaction.
#[derive(Default)]
pub(crate) struct Received(BTreeMap<TenantId, Seat<TenantId>>);

impl Shares {
    pub fn new(config: &Config, env: &Env) -> Self {
        Self {
            transactions: Seats::new(config.transactions_per_tenant),
            messages: Rates::per_minute(env.clone(), config.messages_per_minute),
            people: Seats::new(config.connections_per_person),
        }
    }
}

impl Received {
    /// A recipient of this tenant. Nothing of its minute is spent before there is a message: else whoever names recipients and sends
    /// nothing would keep all others from it.
    pub fn admit(&mut self, tenant: TenantId, shares: &Shares) -> Result<(), Reply> {
        if self.0.contains_key(&tenant) {
            return Ok(());
        }
        let seat = shares.transactions.take(tenant).ok_or(reply::NO_ROOM)?;
        if !shares.messages.has(tenant) {
            return Err(TOO_OFTEN);
        }
        self.0.insert(tenant, seat);
        Ok(())
    }

    /// The message is there, one for each tenant. Those that were let in at the same moment are all taken, and spend what comes later:
    /// a transaction is not refused for one of its tenants alone, and more than the seats cannot be under way.
    pub fn spend(&self, shares: &Shares) {
        for tenant in self.0.keys() {
            shares.messages.pace(*tenant);
        }
    }

    /// The transaction is over.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn only_the_flooded_tenant_is_put_off() {
        let env = Env::system();
        let config = Config { transactions_per_tenant: 2, messages_per_minute: 3, ..Config::default() };
        let shares = Shares::new(&config, &env);
        let (flooded, quiet) = (TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
        let mut open: [Received; 3] = Default::default();
        open[0].admit(flooded, &shares).unwrap();
        open[0].admit(flooded, &shares).unwrap();
        open[1].admit(flooded, &shares).unwrap();
        assert_eq!(open[2].admit(flooded, &shares).unwrap_err(), reply::NO_ROOM);
        open[2].admit(quiet, &shares).unwrap();
        // Recipients alone spend nothing, however many there are.
        for _ in 0..100 {
            open[0].clear();
            open[0].admit(flooded, &shares).unwrap();
        }
        for _ in 0..2 {
            open[0].spend(&shares);
            open[0].clear();
            open[0].admit(flooded, &shares).unwrap();
        }
        // Both of them were let in for the last one.
        open[0].spend(&shares);
        open[1].spend(&shares);
        open[1].clear();
        assert_eq!(open[1].admit(flooded, &shares).unwrap_err(), TOO_OFTEN);
        open[1].admit(quiet, &shares).unwrap();
        env.sleep(Duration::from_secs(20)).await;
        assert_eq!(open[1].admit(flooded, &shares).unwrap_err(), TOO_OFTEN);
        env.sleep(Duration::from_secs(20)).await;
        open[1].admit(flooded, &shares).unwrap();
    }
}
