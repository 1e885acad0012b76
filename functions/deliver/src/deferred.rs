//! Members of a group that are not ours. Until there is a sending side, each is kept as a row beside the traces of the
//! acceptance's day, so that nothing which was accepted is forgotten; `functions/send` will take them from there.

use crate::Deliver;
use penfold_ports::{Commit, Query, Row, Sk, TenantScope, World, Write, limits};
use penfold_transport::job::Delivery;
use penfold_transport::trace::Hop;
use penfold_types::{AcceptanceId, Address, CommitId, Result, Timestamp};

const PREFIX: &[u8] = b"o#";

/// A copy that still has to go out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deferred {
    pub acceptance: AcceptanceId,
    pub address: Address,
}

fn day(acceptance: AcceptanceId) -> i64 {
    acceptance.time().seconds().div_euclid(86_400)
}

fn sk(acceptance: AcceptanceId, address: &str) -> Sk {
    Sk::from_stored(&[PREFIX, acceptance.as_bytes(), address.as_bytes()].concat())
}

impl Deliver {
    pub(crate) async fn defer(&self, job: &Delivery, outside: &[Address]) -> Result<()> {
        let (tenant, acceptance) = (job.mail.tenant, job.mail.acceptance);
        let scope = self.directory.tenant_scope(tenant);
        for some in outside.chunks(limits::WRITES) {
            let writes = some.iter().map(|address| {
                let row = Row::new().with("v", 1u64).with("a", address.to_string()).with("n", job.mail.length);
                Write::put(scope.trace(day(acceptance), sk(acceptance, &address.key())), row)
            });
            let commit = Commit { id: CommitId::new(&self.world.env), writes: writes.collect() };
            // Writing such a row again changes nothing, so a lost answer is simply asked for again with the job.
            self.world.table.commit(&commit).await?;
            for address in some {
                self.tracer.note(tenant, acceptance, Hop::Deferred { address: address.to_string() });
                tracing::info!(target: "mail", trace = %acceptance, %address, "deferred: there is no sending side yet");
            }
        }
        Ok(())
    }
}

/// What a tenant's groups still owe to addresses outside, of messages accepted on the day of `at`.
pub async fn deferred(world: &World, scope: &TenantScope, at: Timestamp) -> Result<Vec<Deferred>> {
    let prefix = Sk::from_stored(PREFIX);
    let pk = scope.trace(at.seconds().div_euclid(86_400), prefix.clone()).pk().clone();
    let rows = world.table.query_all(Query::prefix(pk, &prefix)).await?;
    let read = |(key, row): (Sk, Row)| {
        let acceptance = AcceptanceId::from_slice(key.as_bytes().get(2..18)?)?;
        Some(Deferred { acceptance, address: row.str("a")?.parse().ok()? })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}
