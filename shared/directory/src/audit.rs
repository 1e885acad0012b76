//! The audit log: one row for each administrative act and each access to somebody else's mailbox, in the same commit as
//! the act itself where it has one.

use crate::{Directory, access};
use penfold_ports::{Query, Row, Sk, Write};
use penfold_types::{CommitId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// Partitions of one day.
pub const SHARDS: u8 = 4;
const DAY: i64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub actor: String,
    /// As a verb with its noun: `person.create`.
    pub act: String,
    pub target: String,
    pub detail: String,
}

impl Directory {
    /// The write that notes an act.
    pub(crate) fn audit_write(&self, tenant: TenantId, actor: &str, act: &str, target: &str, detail: &str) -> Write {
        let id = CommitId::new(self.env());
        let now = self.env().now();
        let shard = id.as_bytes()[15] % SHARDS;
        let key = access::organisation(tenant).audit(now.seconds().div_euclid(DAY), shard, Sk::text(&id.to_string()));
        let mut row = Row::new().with("w", actor).with("act", act).with("on", target);
        if !detail.is_empty() {
            row.set("d", detail.chars().take(1000).collect::<String>());
        }
        Write::put(key, row)
    }

    /// One day's acts (`day` counts from 1970-01-01), the newest first, at most `limit`.
    pub(crate) async fn audit_day(&self, tenant: TenantId, day: i64, limit: usize) -> Result<Vec<AuditEntry>> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let pk = access::organisation(tenant).audit(day, shard, Sk::text("")).pk().clone();
            let query = Query { pk, from: Sk::text("0"), to: None, limit, reverse: true };
            found.extend(self.store().query_all(&query).await?);
        }
        found.sort_by(|(a, _), (b, _)| b.cmp(a));
        found.truncate(limit);
        Ok(found.into_iter().filter_map(|(key, row)| read(&key, &row)).collect())
    }
}

fn read(key: &Sk, row: &Row) -> Option<AuditEntry> {
    let id: CommitId = std::str::from_utf8(key.as_bytes()).ok()?.parse().ok()?;
    let text = |name: &'static str| row.str(name).unwrap_or_default().to_owned();
    Some(AuditEntry { at: id.time(), actor: text("w"), act: text("act"), target: text("on"), detail: text("d") })
}
