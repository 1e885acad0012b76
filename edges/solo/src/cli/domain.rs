//! Domains: whose they are, what they need in DNS, and the keys that they sign with.

mod check;
mod keys;
mod publish;
mod records;

use super::operator;
use super::units::show_day;
use crate::control::{Context, Reply};
use clap::{Args, Subcommand};
use penfold_domains::Domains;
use penfold_types::{Error, Result, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Add a domain to a tenant
    Add {
        tenant: String,
        domain: String,
        /// It waits for its proof: a TXT record that only its owner can publish
        #[arg(long)]
        unproved: bool,
    },
    /// List domains, of all tenants or of one
    List { tenant: Option<String> },
    /// Remove a domain that no address uses
    Remove {
        domain: String,
        #[command(flatten)]
        of: Of,
    },
    /// The DNS records that a domain should have; with --json all of them in one list
    Records {
        domain: String,
        /// As lines of a zone file
        #[arg(long)]
        zone: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Ask DNS for these records: what is found, and how to mend it
    Check {
        domain: String,
        #[command(flatten)]
        of: Of,
    },
    /// Put what is missing of these records into the zone, by the name server of --dns-update
    Publish {
        domain: String,
        /// Also where there is something else, which is then gone: an MX of another host, say
        #[arg(long)]
        replace: bool,
        /// Name server and key, where the server that runs has no such setting
        #[arg(long, env = "PENFOLD_DNS_UPDATE", value_name = "KEY-NAME:FILE@SERVER")]
        dns_update: Option<String>,
        #[command(flatten)]
        of: Of,
    },
    /// Look for the record that proves whose a domain is
    Prove {
        domain: String,
        /// Do not look: the operator knows
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Make the next DKIM keys; once their records are seen, let them sign
    Rotate {
        domain: String,
        /// Let them sign at once, seen or not
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        of: Of,
    },
}

/// Whose domain is meant.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Of {
    /// Whose, where several tenants claim it
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

impl Of {
    /// The tenant that has the domain or, where it is proved to nobody, the one that claims it.
    async fn find(&self, context: &Context, domain: &penfold_types::Domain) -> Result<TenantId> {
        if let Some(name) = &self.tenant {
            return Ok(operator(context).tenant(name).await?.id);
        }
        let found = context.service.directory.holders(domain).await?;
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(Error::not_found(format!("the domain {domain} belongs to no tenant; add it: penfold domain add TENANT {domain}"))),
            several => {
                let ids = several.iter().map(TenantId::to_string).collect::<Vec<_>>().join(", ");
                Err(Error::conflict(format!("several tenants claim {domain}; say which with --tenant: {ids}")))
            }
        }
    }
}

impl Domain {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::Add { tenant, domain, unproved } => add(context, reply, &tenant, &super::domain(&domain)?, unproved).await,
            Self::List { tenant } => {
                for tenant in super::tenants(context, tenant.as_deref()).await? {
                    for one in operator(context).domains(&tenant.name).await? {
                        let value = json!({ "domain": one.domain, "tenant": tenant.name, "created": one.created, "proved": one.proved });
                        let waits = if one.proved { "" } else { "not proved" };
                        reply.line([one.domain, tenant.name.clone(), show_day(one.created), waits.to_owned()], value).await?;
                    }
                }
                Ok(())
            }
            Self::Remove { domain, of } => {
                let domain = super::domain(&domain)?;
                operator(context).remove_domain(of.find(context, &domain).await?, &domain).await?;
                reply.say(format!("removed {domain}"), json!({ "removed": domain.as_str() })).await
            }
            Self::Records { domain, zone, of } => records::records(context, reply, &of, &super::domain(&domain)?, zone).await,
            Self::Check { domain, of } => check::check(context, reply, &of, &super::domain(&domain)?).await,
            Self::Publish { domain, replace, dns_update, of } => {
                publish::publish(context, reply, &of, &super::domain(&domain)?, replace, dns_update.as_deref()).await
            }
            Self::Prove { domain, force, of } => check::prove(context, reply, &of, &super::domain(&domain)?, force).await,
            Self::Rotate { domain, force, of } => keys::rotate(context, reply, &of, &super::domain(&domain)?, force).await,
        }
    }
}

fn domains(context: &Context) -> Domains {
    Domains::new(&context.service.world, context.service.directory.clone()).acting_as("command line")
}

async fn add(context: &Context, reply: &Reply, tenant: &str, domain: &penfold_types::Domain, unproved: bool) -> Result<()> {
    if unproved {
        operator(context).claim_domain(tenant, domain).await?;
    } else {
        operator(context).create_domain(tenant, domain).await?;
    }
    let owner = operator(context).tenant(tenant).await?.id;
    domains(context).ensure(owner, domain).await?;
    let mut rows = vec![vec![format!("added {domain} to {tenant}; now publish: penfold domain records {domain}")]];
    if unproved {
        rows.push(vec![format!("it is used once it is proved: penfold domain prove {domain}")]);
    }
    reply.item(rows, json!({ "domain": domain.as_str(), "tenant": tenant, "proved": !unproved })).await
}
