use super::operator;
use super::units::show_day;
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_types::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Add a domain to a tenant
    Add { tenant: String, domain: String },
    /// List domains, of all tenants or of one
    List { tenant: Option<String> },
    /// Remove a domain that no address uses
    Remove { domain: String },
}

impl Domain {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::Add { tenant, domain } => {
                let domain = super::domain(&domain)?;
                operator(context).create_domain(&tenant, &domain).await?;
                reply.say(format!("added {domain} to {tenant}"), json!({ "domain": domain.as_str(), "tenant": tenant })).await
            }
            Self::List { tenant } => {
                for tenant in super::tenants(context, tenant.as_deref()).await? {
                    for one in operator(context).domains(&tenant.name).await? {
                        let value = json!({ "domain": one.domain, "tenant": tenant.name, "created": one.created });
                        reply.line([one.domain, tenant.name.clone(), show_day(one.created)], value).await?;
                    }
                }
                Ok(())
            }
            Self::Remove { domain } => {
                let domain = super::domain(&domain)?;
                operator(context).remove_domain(&domain).await?;
                reply.say(format!("removed {domain}"), json!({ "removed": domain.as_str() })).await
            }
        }
    }
}
