//! Wakes between processes. A process that lives long (an edge) has a queue of its own and, in each account that somebody
//! watches there, a row that names it; who commits to an account reads those rows and sends to the queues that they name.
//! Inside one process wakes go straight to the watchers. All of it is best effort: what is lost costs latency.

mod edge;
mod orphans;
mod sending;

use crate::table::DynamoTable;
use crate::wire::Wire;
use aws_sdk_sqs::Client;
use edge::Edge;
use orphans::Orphans;
use parking_lot::Mutex;
use penfold_ports::{Account, PortError, Units, Wake, Watch, Watchers};
use penfold_types::{Modseq, PrincipalId, TenantId};
use sending::Sending;
use std::sync::Arc;

/// What a watch row says, and the row of an edge.
mod names {
    use penfold_ports::Name;
    /// Seconds since 1970 after which the row means nothing; the table's time-to-live attribute.
    pub(super) const EXPIRES: Name = Name::new("exp");
    /// The URL of the edge's queue.
    pub(super) const QUEUE: Name = Name::new("q");
    /// Seconds since 1970 when the edge lived.
    pub(super) const SEEN: Name = Name::new("at");
}

pub(crate) struct SqsWake {
    watchers: Arc<Watchers>,
    edge: Option<Arc<Edge>>,
    sending: Arc<Sending>,
    orphans: Orphans,
    spent: Mutex<Units>,
}

fn no_such_queue(code: &str) -> bool {
    code.contains("QueueDoesNotExist") || code.contains("NonExistentQueue")
}

fn encode(account: Account, modseq: Modseq) -> String {
    format!("1 {} {} {modseq}", account.tenant, account.principal)
}

fn decode(text: &str) -> Option<(Account, Modseq)> {
    let mut fields = text.split(' ');
    if fields.next()? != "1" {
        return None;
    }
    let tenant: TenantId = fields.next()?.parse().ok()?;
    let principal: PrincipalId = fields.next()?.parse().ok()?;
    Some((Account { tenant, principal }, Modseq(fields.next()?.parse().ok()?)))
}

impl SqsWake {
    /// `edge` is the name of this process and of its queue, where it has one.
    pub(crate) fn new(wire: Arc<Wire>, client: Client, table: DynamoTable, edge: Option<(String, String)>) -> Self {
        let watchers = Arc::new(Watchers::default());
        let name = edge.as_ref().map(|(name, _)| name.clone());
        let sending = Arc::new(Sending::new(wire.clone(), client.clone(), table.clone(), name));
        let orphans = Orphans { wire: wire.clone(), client: client.clone(), table: table.clone() };
        let edge = edge.map(|(name, queue)| Edge::start(wire, client, table, watchers.clone(), name, queue));
        Self { watchers, edge, sending, orphans, spent: Mutex::default() }
    }

    /// Waits until the wakes so far are sent.
    pub(crate) async fn drain(&self) {
        self.sending.drain().await;
    }

    /// Waits until this edge can be woken; at once where it is none.
    pub(crate) async fn ready(&self) {
        if let Some(edge) = &self.edge {
            edge.ready().await;
        }
    }

    pub(crate) async fn close(&self) {
        self.drain().await;
        if let Some(edge) = &self.edge {
            edge.close().await;
        }
    }

    /// Deletes queues of edges that are no more; `prefix` begins the names of this cell's.
    pub(crate) async fn delete_orphans(&self, prefix: &str) -> Result<usize, PortError> {
        let mut spent = Units::default();
        let deleted = self.orphans.delete(prefix, &mut spent).await;
        *self.spent.lock() += spent;
        deleted
    }

    pub(crate) fn spent(&self) -> Units {
        let mut units = self.sending.spent();
        units += *self.spent.lock();
        if let Some(edge) = &self.edge {
            units += edge.spent();
        }
        units
    }
}

impl Wake for SqsWake {
    fn watch(&self, account: Account) -> Watch {
        let watch = self.watchers.watch(account);
        match &self.edge {
            Some(edge) => watch.with(Box::new(edge.register(account))),
            None => watch,
        }
    }

    fn wake(&self, account: Account, modseq: Modseq) {
        self.watchers.wake(account, modseq);
        self.sending.add(account, modseq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_survive_the_way() {
        let account = Account { tenant: TenantId::from_bytes([1; 16]), principal: PrincipalId::from_bytes([2; 16]) };
        assert_eq!(decode(&encode(account, Modseq(7))), Some((account, Modseq(7))));
        for text in ["", "1", "2 x y 3", "1 x y 3"] {
            assert_eq!(decode(text), None);
        }
    }
}
