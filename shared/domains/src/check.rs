//! What is in DNS instead of what should be: for each record found, wanted, and how to mend it.

mod hosts;
mod mail;
mod texts;

use crate::keys::Domains;
use crate::records::{Aim, Data, Need, Record};
use penfold_directory::Service;
use penfold_ports::{Dns, DnsError};
use penfold_types::{Domain, Result, TenantId};
use serde::Serialize;
use std::sync::Arc;
use tokio::task::JoinSet;

pub use hosts::leads_to;
pub(crate) use texts::key_verdict;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Ok,
    Missing,
    /// There is something else, or too much.
    Differs,
    /// No name server answers for it.
    CannotBeAsked,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::CannotBeAsked => "cannot be asked",
        }
    }
}

/// What was found for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub wanted: Record,
    pub verdict: Verdict,
    /// As in [`Data`]'s text.
    pub found: Vec<String>,
    /// One sentence: what to do where it is not ok, or what to look at where it is.
    pub advice: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// One sentence for each thing that no single record shows.
    pub conflicts: Vec<String>,
}

impl Report {
    /// Required records that are not as they should be.
    pub fn lacking(&self) -> usize {
        self.findings.iter().filter(|one| one.wanted.need == Need::Required && one.verdict != Verdict::Ok).count()
    }
}

/// What a judge says of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Judged {
    verdict: Verdict,
    advice: Option<String>,
}

impl Judged {
    fn ok() -> Self {
        Self { verdict: Verdict::Ok, advice: None }
    }

    fn noting(advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, advice: Some(advice.into()) }
    }

    fn missing() -> Self {
        Self { verdict: Verdict::Missing, advice: Some("add this record".to_owned()) }
    }

    fn differs(advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Differs, advice: Some(advice.into()) }
    }

    fn unanswered() -> Self {
        Self { verdict: Verdict::CannotBeAsked, advice: Some("no name server answers for this name; try again later".to_owned()) }
    }
}

impl Domains {
    /// Asks for every record that the domain should have, all at once.
    pub async fn check(&self, tenant: TenantId, domain: &Domain) -> Result<Report> {
        let wanted = self.records(tenant, domain).await?;
        let (service, _) = self.service().await?;
        Ok(check(self.dns(), domain, &service, wanted).await)
    }
}

pub(crate) async fn check(dns: &Arc<dyn Dns>, domain: &Domain, service: &Service, wanted: Vec<Record>) -> Report {
    let mut asking = JoinSet::new();
    for (at, record) in wanted.into_iter().enumerate() {
        let dns = dns.clone();
        asking.spawn(async move { (at, one(&*dns, record).await) });
    }
    let conflicts = hosts::conflicts(&**dns, domain, service).await;
    let mut findings: Vec<_> = asking.join_all().await;
    findings.sort_by_key(|(at, _)| *at);
    Report { findings: findings.into_iter().map(|(_, finding)| finding).collect(), conflicts }
}

pub(crate) async fn one(dns: &dyn Dns, wanted: Record) -> Finding {
    let (found, judged) = match &wanted.data {
        Data::Txt(text) => match listed(dns.txt_now(&wanted.name).await.map(|answer| answer.records)) {
            Ok(found) => {
                let texts: Vec<String> = found.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
                let (found, judged) = texts::judge(wanted.aim, text, &texts);
                (found, judged)
            }
            Err(judged) => (Vec::new(), judged),
        },
        Data::Mx { host, .. } => match listed(dns.mx(&wanted.name).await.map(|answer| answer.records)) {
            Ok(found) => (found.iter().map(mail::shown).collect(), mail::mx(host, &found)),
            Err(judged) => (Vec::new(), judged),
        },
        Data::Srv { port, target, .. } => match listed(dns.srv(&wanted.name).await.map(|answer| answer.records)) {
            Ok(found) => (found.iter().map(hosts::shown).collect(), hosts::srv(*port, target, &found)),
            Err(judged) => (Vec::new(), judged),
        },
        Data::Cname(host) => hosts::alias(dns, &wanted.name, host).await,
    };
    Finding { wanted, verdict: judged.verdict, found, advice: judged.advice }
}

/// That there is none is an answer too.
fn listed<T>(answer: Result<Vec<T>, DnsError>) -> Result<Vec<T>, Judged> {
    match answer {
        Err(error) if !error.is_void() => Err(Judged::unanswered()),
        answer => Ok(answer.unwrap_or_default()),
    }
}

/// Whether a TXT record is one of those that are looked at for this aim; others may stand beside it at the same name.
pub(crate) fn concerns(aim: Aim, text: &str) -> bool {
    let version = |version: &str| {
        let begins = text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version));
        begins && text[version.len()..].chars().next().is_none_or(|next| !next.is_ascii_alphanumeric())
    };
    match aim {
        Aim::Ownership => text.starts_with(crate::ownership::PREFIX),
        Aim::Spf => version("v=spf1"),
        Aim::Dmarc => version("v=DMARC1"),
        Aim::MtaSts => version("v=STSv1"),
        Aim::TlsRpt => version("v=TLSRPTv1"),
        _ => true,
    }
}
