//! Reports about mail: what others say of a domain's, and what was said to others.

mod dmarc;
mod sent;
mod tls;

use crate::control::{Context, Reply};
use clap::{Args, Subcommand};
use penfold_reports::{Kind, Received, time};
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Who sends in a domain's name, and how it fared with others: their DMARC reports, by source
    Dmarc(About),
    /// How TLS to a domain's hosts went for others: their TLS reports
    Tls(About),
    /// Reports that went out to other domains, the latest first
    Sent {
        /// About so many days
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=100))]
        days: u16,
    },
}

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct About {
    domain: String,
    /// About so many days
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=100))]
    days: u16,
}

impl Report {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::Dmarc(about) => dmarc::show(context, reply, &about).await,
            Self::Tls(about) => tls::show(context, reply, &about).await,
            Self::Sent { days } => sent::show(context, reply, days).await,
        }
    }
}

/// What is said below a list.
#[derive(Default)]
struct Heard {
    reports: u64,
    /// Whose DMARC did not pass: anybody may have written them.
    unproven: BTreeSet<String>,
    dropped: u64,
}

impl Heard {
    fn add(&mut self, received: &Received, reporter: &str) {
        self.reports += 1;
        self.dropped = self.dropped.saturating_add(received.dropped);
        if !matches!(received.verdict.as_str(), "pass" | "own") {
            self.unproven.insert(reporter.to_owned());
        }
    }

    async fn say(self, reply: &Reply, days: u16) -> Result<()> {
        reply.note(format!("{} reports about the last {days} days", self.reports)).await?;
        if !self.unproven.is_empty() {
            let names: Vec<String> = self.unproven.into_iter().take(20).collect();
            reply.note(format!("anybody may have written those that name {}: they did not pass DMARC", names.join(", "))).await?;
        }
        if self.dropped > 0 {
            reply.note(format!("{} messages or sessions stood in records that were too many to keep", self.dropped)).await?;
        }
        Ok(())
    }
}

impl About {
    /// Each report about the domain.
    async fn each(&self, context: &Context, kind: Kind, take: impl FnMut(Received)) -> Result<()> {
        let service = &context.service;
        let domain = super::domain(&self.domain)?;
        let tenant = service.directory.domain_tenant(&domain).await?;
        let tenant = tenant.ok_or_else(|| Error::not_found(format!("the domain {domain} belongs to no tenant, or is not proved to")))?;
        let scope = service.directory.tenant_scope(tenant);
        let from = time::day(service.world.env.now()) - i64::from(self.days);
        Received::each(&service.world, &service.directory, &scope, kind, &domain, from, take).await
    }
}
