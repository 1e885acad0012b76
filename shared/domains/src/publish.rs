//! Records put into a zone that a name server keeps for us. What is missing is added; what is there and differs is somebody's
//! decision, and is replaced only where that is asked for. Records that say nothing of what is wanted are never touched.

use crate::check::{self, Finding, Verdict, concerns};
use crate::keys::Domains;
use crate::records::{Aim, Data, Record};
use penfold_ports::{Change, Dns, MailExchange, RecordData, RecordKind, Service, ZoneError, Zones};
use penfold_types::{Domain, Error, Result, TenantId};
use std::sync::Arc;

/// Seconds; as in a zone file of ours.
const TTL: u32 = 3600;

/// What was done for one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// It was there.
    Kept,
    Added,
    Replaced,
    /// There is something else, which is left as it is.
    Left,
    /// The name server has no zone for it.
    Outside,
    /// Whose the domain is must be proved by somebody else than us.
    NotOurs,
    /// The name server said no, or nothing.
    Failed,
}

impl Done {
    pub fn words(self) -> &'static str {
        match self {
            Self::Kept => "ok",
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Left => "left as it is",
            Self::Outside => "not in a zone of the name server",
            Self::NotOurs => "to be published by the domain's owner",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Published {
    pub record: Record,
    pub done: Done,
    /// What was there before.
    pub found: Vec<String>,
    /// What the name server said.
    pub error: Option<String>,
}

/// The name server that keeps our zones: how it is changed, and what it answers, which no cache may come between.
#[derive(Clone)]
pub struct Primary {
    pub zones: Arc<dyn Zones>,
    pub dns: Arc<dyn Dns>,
}

impl Domains {
    /// Each record that the domain should have. `replace`: also where there is something else, which then goes.
    pub async fn publish(&self, tenant: TenantId, domain: &Domain, primary: &Primary, replace: bool) -> Result<Vec<Published>> {
        let wanted = self.records(tenant, domain).await?;
        let (service, _) = self.service().await?;
        let report = check::check(&primary.dns, domain, &service, wanted).await;
        let mut published = Vec::with_capacity(report.findings.len());
        for finding in report.findings {
            published.push(one(primary, finding, replace).await?);
        }
        Ok(published)
    }
}

async fn one(primary: &Primary, finding: Finding, replace: bool) -> Result<Published> {
    let Finding { wanted: record, verdict, found, .. } = finding;
    let (done, error) = match verdict {
        Verdict::Ok => (Done::Kept, None),
        // A proof that we publish ourselves would prove nothing but that we can.
        _ if record.aim == Aim::Ownership => (Done::NotOurs, None),
        Verdict::Differs if !replace && !is_ours_alone(record.aim) => (Done::Left, None),
        Verdict::Missing | Verdict::Differs | Verdict::CannotBeAsked => match put(primary, &record, verdict).await {
            Ok(done) => (done, None),
            Err(Stopped::Zone(error)) => (Done::Failed, Some(error.to_string())),
            Err(Stopped::Asking) => (Done::Failed, Some("the name server does not say what is there".to_owned())),
            Err(Stopped::NotSeen) => (Done::Failed, Some("the name server took it and does not show it".to_owned())),
        },
    };
    Ok(Published { record, done, found, error })
}

/// Nobody else has anything to say at these names.
fn is_ours_alone(aim: Aim) -> bool {
    matches!(aim, Aim::Dkim)
}

enum Stopped {
    Zone(ZoneError),
    Asking,
    NotSeen,
}

impl From<ZoneError> for Stopped {
    fn from(error: ZoneError) -> Self {
        Self::Zone(error)
    }
}

async fn put(primary: &Primary, record: &Record, verdict: Verdict) -> Result<Done, Stopped> {
    let Some(zone) = primary.zones.zone_of(&record.name).await? else { return Ok(Done::Outside) };
    if verdict == Verdict::CannotBeAsked {
        return Err(Stopped::Asking);
    }
    let name = || record.name.clone();
    let mut changes = Vec::new();
    if verdict == Verdict::Differs {
        let gone = |kind| Change::RemoveAll { name: name(), kind };
        match &record.data {
            Data::Txt(_) => {
                let texts = primary.dns.txt(&record.name).await.map(|answer| answer.records).unwrap_or_default();
                // What is no UTF-8 is not about us, and could not be named in the change.
                let texts: Vec<_> = texts.into_iter().map(|text| String::from_utf8(text.to_vec()).ok()).collect();
                let meant = |text: &Option<String>| text.as_ref().is_some_and(|text| concerns(record.aim, text.trim_start()));
                if texts.iter().all(meant) {
                    changes.push(gone(RecordKind::Txt));
                } else {
                    let ours = texts.into_iter().filter(meant).flatten();
                    changes.extend(ours.map(|text| Change::Remove { name: name(), data: RecordData::Txt(text) }));
                }
            }
            Data::Mx { .. } => changes.push(gone(RecordKind::Mx)),
            Data::Srv { .. } => changes.push(gone(RecordKind::Srv)),
            Data::Cname(_) => changes.extend([RecordKind::Alias, RecordKind::V4, RecordKind::V6].map(gone)),
        }
    }
    let done = if changes.is_empty() { Done::Added } else { Done::Replaced };
    changes.push(Change::Add { name: name(), ttl: TTL, data: data(&record.data) });
    primary.zones.change(&zone, &changes).await?;
    // An alias beside other records is dropped without a word (RFC 2136 §3.4.2.2), and a text may have been cut in another way.
    match check::one(&*primary.dns, record.clone()).await.verdict {
        Verdict::Ok => Ok(done),
        _ => Err(Stopped::NotSeen),
    }
}

fn data(data: &Data) -> RecordData {
    match data.clone() {
        Data::Txt(text) => RecordData::Txt(text),
        Data::Cname(host) => RecordData::Alias(host),
        Data::Mx { preference, host } => RecordData::Mx(MailExchange { preference, exchange: host }),
        Data::Srv { priority, weight, port, target } => RecordData::Srv(Service { priority, weight, port, target }),
    }
}

impl Domains {
    /// What is missing of every proved domain of all tenants, added without being asked for; for whoever does that now and then.
    /// Domains whose zone is elsewhere are not looked at further. Gives back how many records were added.
    pub async fn publish_missing(&self, primary: &Primary) -> Result<usize> {
        let mut added = 0;
        for tenant in self.directory().every_tenant().await? {
            for info in self.directory().operator().domains(&tenant.to_string()).await? {
                let Ok(domain) = info.domain.parse::<Domain>() else { continue };
                if !info.proved || !self.is_kept_by(&domain, primary).await? {
                    continue;
                }
                let done = self.publish(tenant, &domain, primary, false).await?;
                for one in done.iter().filter(|one| matches!(one.done, Done::Added | Done::Replaced)) {
                    tracing::info!(%tenant, %domain, name = one.record.name, kind = one.record.data.kind(), "a record was published");
                    added += 1;
                }
            }
        }
        Ok(added)
    }

    async fn is_kept_by(&self, domain: &Domain, primary: &Primary) -> Result<bool> {
        match primary.zones.zone_of(domain.as_str()).await {
            Ok(zone) => Ok(zone.is_some()),
            Err(error) => Err(Error::retry("the name server for updates does not answer").because(error)),
        }
    }
}
