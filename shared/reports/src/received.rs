//! What others reported about a tenant's domains: a row for each report, sealed with the tenant's key, under the day that it
//! is about. A report that comes twice is one.

use crate::bounds::{XML, tidy};
use crate::dmarc::Feedback;
use crate::{Found, Kind, archive, time, tls};
use aws_lc_rs::digest;
use penfold_directory::Directory;
use penfold_ports::{Commit, Key, PortError, Query, Row, Sk, TenantScope, When, World, Write, limits};
use penfold_types::{CommitId, Domain, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Reports that a tenant takes on one day; then senders are told to come again.
pub const DAILY: u64 = 1_000;
/// For how long they are kept.
pub const KEPT_DAYS: i64 = 100;
/// Records of one DMARC report that are kept, and failures of one TLS report: the largest ones.
const RECORDS: usize = 10_000;
/// Bytes of one row's content; a row has 400 KB.
const ROW: usize = 350 * 1024;
/// A report about a day so long ago, or ahead, is none.
const PAST_DAYS: i64 = 60;
const AHEAD_DAYS: i64 = 2;
const TRIES: u32 = 8;

/// A report as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Received {
    pub at: Timestamp,
    /// Of the tenant's domains the one that it is about, perhaps by a name below.
    pub domain: String,
    /// Who sent it, and what DMARC said of them: `pass`, `fail`, `none` and so on, or `own`.
    pub from: String,
    pub verdict: String,
    pub kept: Kept,
    /// Messages or sessions of records that were too many to keep.
    pub dropped: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kept {
    Dmarc(Box<Feedback>),
    Tls(tls::Report),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filed {
    New,
    /// It was here before.
    Again,
}

impl Received {
    /// What is about `about`, a name that is the tenant's; `None` where its time is out of bounds.
    pub fn of(found: Found, domain: &Domain, from: &str, verdict: &str, at: Timestamp) -> Option<Self> {
        let kept = match found {
            Found::Dmarc(feedback) => Kept::Dmarc(feedback),
            Found::Tls(report) => Kept::Tls(report),
        };
        let own = Self { at, domain: domain.to_string(), from: tidy(from, 254), verdict: tidy(verdict, 20), kept, dropped: 0 };
        let (day, today) = (own.day(), time::day(at));
        (day > today - PAST_DAYS && day < today + AHEAD_DAYS).then_some(own)
    }

    pub fn kind(&self) -> Kind {
        match &self.kept {
            Kept::Dmarc(_) => Kind::Dmarc,
            Kept::Tls(_) => Kind::Tls,
        }
    }

    /// The one it is about: the one it begins on.
    pub fn day(&self) -> i64 {
        let begin = match &self.kept {
            Kept::Dmarc(feedback) => feedback.metadata.begin,
            Kept::Tls(report) => report.begin(),
        };
        begin.div_euclid(time::DAY)
    }

    /// By whom and under which name; two of one name are one.
    fn sk(&self) -> Sk {
        let mut context = digest::Context::new(&digest::SHA256);
        let names = match &self.kept {
            Kept::Dmarc(feedback) => [&feedback.metadata.org_name, &feedback.metadata.report_id, &feedback.policy.domain],
            Kept::Tls(report) => [&report.organization_name, &report.report_id, &report.date_range.start_datetime],
        };
        for name in names.into_iter().chain([&self.domain]) {
            context.update(name.as_bytes());
            context.update(&[0]);
        }
        Sk::report(self.kind().letter(), self.day(), &self.domain, context.finish().as_ref().get(..16).unwrap_or_default())
    }

    /// Keeps the largest records, as many as a row takes.
    fn packed(&mut self) -> Result<Vec<u8>> {
        let mut room = RECORDS;
        loop {
            self.cut(room);
            let text = serde_json::to_vec(self).map_err(|error| Error::broken("a report cannot be written").because(error))?;
            let packed = archive::gzip(&text);
            if packed.len() <= ROW || room == 0 {
                return Ok(packed.to_vec());
            }
            room /= 2;
        }
    }

    fn cut(&mut self, room: usize) {
        match &mut self.kept {
            Kept::Dmarc(feedback) => {
                feedback.records.sort_by_key(|record| std::cmp::Reverse(record.count));
                self.dropped +=
                    feedback.records.drain(room.min(feedback.records.len())..).map(|record| record.count).fold(0, u64::saturating_add);
            }
            Kept::Tls(report) => {
                report.policies.truncate(100.min(room.max(1)));
                for policy in &mut report.policies {
                    policy.failure_details.sort_by_key(|failure| std::cmp::Reverse(failure.failed_session_count));
                    let least = policy.failure_details.drain(room.min(policy.failure_details.len())..);
                    self.dropped += least.map(|failure| failure.failed_session_count).fold(0, u64::saturating_add);
                    if room < 100 {
                        policy.policy.policy_string.truncate(1);
                        policy.policy.mx_host.truncate(1);
                    }
                }
            }
        }
    }

    /// Files it with its tenant.
    pub async fn file(mut self, world: &World, directory: &Directory, scope: &TenantScope) -> Result<Filed> {
        let key = scope.report(self.sk());
        let packed = self.packed()?;
        let sealed = directory.seal(scope.tenant(), &aad(&key), &packed).await?;
        let today = u64::try_from(time::day(self.at)).unwrap_or(0);
        let count = scope.report(Sk::report_count());
        for attempt in 0..TRIES {
            if attempt > 0 {
                world.env.sleep_jittered(std::time::Duration::from_millis(10 << attempt)).await;
            }
            let known = world.table.get(&count).await?;
            let (day, number) = counted(known.as_ref());
            let when =
                if known.is_some() { When::Equal(vec![("d".into(), day.into()), ("n".into(), number.into())]) } else { When::Absent };
            let number = if day == today { number + 1 } else { 1 };
            let writes = vec![
                Write::put_new(key.clone(), Row::new().with("s", sealed.clone())),
                Write::Update {
                    key: count.clone(),
                    set: vec![("d".into(), today.into()), ("n".into(), number.into())],
                    remove: Vec::new(),
                    when,
                },
            ];
            match world.table.commit(&Commit { id: CommitId::new(&world.env), writes }).await {
                Ok(()) => return Ok(Filed::New),
                Err(PortError::Condition { write: 0 }) => return Ok(Filed::Again),
                Err(PortError::Condition { .. } | PortError::Throttled | PortError::Unknown) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::retry("too many reports at once"))
    }

    /// Whether the tenant takes more today.
    pub async fn has_room(world: &World, scope: &TenantScope) -> Result<bool> {
        let (day, number) = counted(world.table.get(&scope.report(Sk::report_count())).await?.as_ref());
        Ok(i64::try_from(day) != Ok(time::day(world.env.now())) || number < DAILY)
    }

    /// Hands on what is known of a domain, about the days from `from` on: oldest first.
    pub async fn each(
        world: &World,
        directory: &Directory,
        scope: &TenantScope,
        kind: Kind,
        domain: &Domain,
        from: i64,
        mut take: impl FnMut(Self),
    ) -> Result<()> {
        let kind = kind.letter();
        let pk = scope.report(Sk::reports(kind)).pk().clone();
        let to = Some(Sk::reports(kind).after_prefix());
        let mut query = Query { pk, from: Sk::reports_from(kind, from), to, limit: limits::BATCH, reverse: false };
        loop {
            let page = world.table.query(&query).await?;
            for (sk, row) in &page.rows {
                if Sk::report_domain(sk) == Some(domain.as_str()) {
                    take(open(directory, scope, sk, row).await?);
                }
            }
            match page.rows.last() {
                Some((last, _)) if page.more => query.from = last.successor(),
                _ => return Ok(()),
            }
        }
    }
}

fn aad(key: &Key) -> Vec<u8> {
    [b"report#", key.sk().as_bytes()].concat()
}

/// The day, and the reports of it.
fn counted(row: Option<&Row>) -> (u64, u64) {
    row.map_or((0, 0), |row| (row.u64("d").unwrap_or(0), row.u64("n").unwrap_or(0)))
}

async fn open(directory: &Directory, scope: &TenantScope, sk: &Sk, row: &Row) -> Result<Received> {
    let broken = || Error::broken("a report that was kept cannot be read");
    let sealed = row.bytes("s").ok_or_else(broken)?;
    let packed = directory.open(scope.tenant(), &aad(&scope.report(sk.clone())), sealed).await?;
    let text = archive::unpack(&packed, 4 * XML).map_err(|error| broken().because(error))?;
    serde_json::from_slice(&text).map_err(|error| broken().because(error))
}

/// Deletes what is older than it is kept. Gives back how many reports that were.
pub async fn expire(world: &World, scope: &TenantScope) -> Result<usize> {
    let before = time::day(world.env.now()) - KEPT_DAYS;
    let mut gone = 0;
    for kind in Kind::ALL.map(Kind::letter) {
        let pk = scope.report(Sk::reports(kind)).pk().clone();
        gone += delete(
            world,
            Query { pk, from: Sk::reports(kind), to: Some(Sk::reports_from(kind, before)), limit: limits::BATCH, reverse: false },
        )
        .await?;
    }
    Ok(gone)
}

/// Of a tenant that is no more.
pub async fn forget(world: &World, scope: &TenantScope) -> Result<()> {
    let pk = scope.report(Sk::report_count()).pk().clone();
    delete(world, Query { pk, from: Sk::text(""), to: None, limit: limits::BATCH, reverse: false }).await?;
    Ok(())
}

async fn delete(world: &World, query: Query) -> Result<usize> {
    let mut gone = 0;
    loop {
        let page = world.table.query(&query).await?;
        for (sk, _) in &page.rows {
            world.table.put(Write::delete(Key::from_stored(query.pk.clone(), sk.clone()))).await?;
        }
        gone += page.rows.len();
        if !page.more || page.rows.is_empty() {
            return Ok(gone);
        }
    }
}
