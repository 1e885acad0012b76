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
    /// A recipient of this tenant. Counted are messages, so only the first of a transaction.
    pub fn admit(&mut self, tenant: TenantId, shares: &Shares) -> Result<(), Reply> {
        if self.0.contains_key(&tenant) {
            return Ok(());
        }
        let seat = shares.transactions.take(tenant).ok_or(reply::NO_ROOM)?;
        shares.messages.try_take(tenant).map_err(|_| TOO_OFTEN)?;
        self.0.insert(tenant, seat);
        Ok(())
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
        open[0].clear();
        open[0].admit(flooded, &shares).unwrap();
        open[1].clear();
        assert_eq!(open[1].admit(flooded, &shares).unwrap_err(), TOO_OFTEN);
        open[1].admit(quiet, &shares).unwrap();
        env.sleep(Duration::from_secs(20)).await;
        open[1].admit(flooded, &shares).unwrap();
    }
}
