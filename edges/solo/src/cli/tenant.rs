use super::operator;
use super::units::{show_day, show_time};
use crate::control::{Context, Reply};
use clap::{Subcommand, ValueEnum};
use penfold_directory::{GRACE, PrincipalKind, Status, TenantInfo, TenantStatus};
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tenant {
    /// Add a tenant, with its first domains
    Add {
        name: String,
        /// A domain of its own; may be given several times
        #[arg(long = "domain", value_name = "DOMAIN")]
        domains: Vec<String>,
    },
    /// List tenants
    List,
    /// Show a tenant and its domains
    Show { name: String },
    /// Change a tenant
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
    Set {
        name: String,
        /// In a suspended tenant mail is read and waits; a closed one is destroyed after 30 days
        #[arg(long, group = "change")]
        status: Option<Stage>,
        /// The pool of addresses that its mail leaves from (see serve --send-from), or none
        #[arg(long, group = "change")]
        pool: Option<String>,
    },
    /// Seal what comes from now on with a new data key
    RotateKey { name: String },
    /// Let nothing be written to a tenant's mailboxes: clients still read, mail waits at its senders
    Freeze { name: String },
    /// Let a tenant's mailboxes be written to again
    Thaw { name: String },
    /// Remove a tenant and destroy its data keys
    Remove {
        name: String,
        /// Remove its people, groups, mailboxes and domains too
        #[arg(long)]
        everything: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    Active,
    Suspended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Active,
    Suspended,
    Closed,
}

impl From<Stage> for TenantStatus {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Active => Self::Active,
            Stage::Suspended => Self::Suspended,
            Stage::Closed => Self::Closed,
        }
    }
}

impl From<Switch> for Status {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::Active => Self::Active,
            Switch::Suspended => Self::Suspended,
        }
    }
}

pub fn show_status(status: Status) -> String {
    match status {
        Status::Active => "active",
        Status::Suspended => "suspended",
        Status::Deleting => "being deleted",
    }
    .to_owned()
}

fn show_stage(tenant: &TenantInfo) -> String {
    match (tenant.status, tenant.trial_ends, tenant.closed) {
        (TenantStatus::Trial, Some(ends), _) => format!("trial until {}", show_day(ends)),
        (TenantStatus::Closed, _, Some(closed)) => format!("closed, destroyed on {}", show_day(closed.plus(GRACE))),
        (TenantStatus::Suspended, ..) => "suspended".to_owned(),
        (TenantStatus::Deleting, ..) => "being deleted".to_owned(),
        _ => "active".to_owned(),
    }
}

impl Tenant {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = operator(context);
        match self {
            Self::Add { name, domains } => {
                let domains = domains.iter().map(|text| super::domain(text)).collect::<Result<Vec<_>>>()?;
                let tenant = operator.create_tenant(&name).await?;
                for domain in &domains {
                    operator.create_domain(&name, domain).await?;
                }
                reply.say(format!("added tenant {name}"), &tenant).await
            }
            Self::List => {
                for tenant in super::tenants(context, None).await? {
                    let cells = [tenant.name.clone(), show_stage(&tenant), show_day(tenant.created)];
                    reply.line(cells, &tenant).await?;
                }
                Ok(())
            }
            Self::Show { name } => show(context, reply, &name).await,
            Self::Set { name, status, pool } => {
                if let Some(status) = status {
                    operator.set_tenant_status(&name, status.into()).await?;
                }
                if let Some(pool) = &pool {
                    operator.set_tenant_pool(&name, Some(pool.as_str()).filter(|pool| *pool != "none")).await?;
                }
                show(context, reply, &name).await
            }
            Self::RotateKey { name } => {
                let version = operator.rotate_data_key(&name).await?;
                reply.say(format!("{name} seals with key {version}"), json!({ "name": name, "key": version })).await
            }
            Self::Freeze { name } => freeze(context, reply, &name).await,
            Self::Thaw { name } => {
                let tenant = operator.tenant(&name).await?;
                let count = each_mailbox(context, reply, &tenant, false).await?;
                operator.note(tenant.id, "tenant.thaw", &tenant.name, "").await?;
                reply.say(format!("{count} mailboxes of {} are thawed", tenant.name), json!({ "name": tenant.name, "thawed": count })).await
            }
            Self::Remove { name, everything } => {
                let tenant = operator.tenant(&name).await?;
                nothing_leaves(context, &tenant).await?;
                if everything {
                    empty(context, reply, &tenant).await?;
                }
                operator.remove_tenant(&name).await?;
                reply.say(format!("removed tenant {}", tenant.name), json!({ "removed": tenant.name })).await
            }
        }
    }
}

/// Every mailbox's head says so, and its epoch is raised: whoever decided on it before writes nothing any more.
pub async fn freeze(context: &Context, reply: &Reply, name: &str) -> Result<()> {
    let tenant = operator(context).tenant(name).await?;
    operator(context).note(tenant.id, "tenant.freeze", &tenant.name, "").await?;
    let count = each_mailbox(context, reply, &tenant, true).await?;
    reply.say(format!("{count} mailboxes of {} are frozen", tenant.name), json!({ "name": tenant.name, "frozen": count })).await
}

/// How many were not so before.
async fn each_mailbox(context: &Context, reply: &Reply, tenant: &TenantInfo, freeze: bool) -> Result<u64> {
    let scopes = context.service.directory.every_account(tenant.id).await?;
    let (mut count, total) = (0, scopes.len() as u64);
    for (done, scope) in scopes.iter().enumerate() {
        let mailbox = context.service.mailboxes.open(scope).await?;
        count += u64::from(if freeze { mailbox.freeze().await? } else { mailbox.thaw().await? });
        reply.progress(done as u64 + 1, Some(total), "mailboxes").await?;
    }
    Ok(count)
}

async fn show(context: &Context, reply: &Reply, name: &str) -> Result<()> {
    let tenant = operator(context).tenant(name).await?;
    let domains: Vec<_> = operator(context).domains(name).await?.into_iter().map(|one| one.domain).collect();
    let rows = vec![
        vec!["name".into(), tenant.name.clone()],
        vec!["id".into(), tenant.id.to_string()],
        vec!["status".into(), show_stage(&tenant)],
        vec!["mail leaves from".into(), tenant.pool.clone().unwrap_or_else(|| "everybody's addresses".to_owned())],
        vec!["created".into(), show_time(tenant.created)],
        vec!["domains".into(), domains.join(", ")],
    ];
    reply
        .item(rows, json!({ "id": tenant.id, "name": tenant.name, "status": tenant.status, "pool": tenant.pool, "created": tenant.created, "domains": domains }))
        .await
}

/// What its people handed in was promised to be delivered or to come back.
async fn nothing_leaves(context: &Context, tenant: &TenantInfo) -> Result<()> {
    let scope = context.service.directory.tenant_scope(tenant.id);
    let count = penfold_transport::outbound::unfinished(&context.service.world, &scope).await?.len();
    if count == 0 {
        return Ok(());
    }
    let name = &tenant.name;
    Err(Error::conflict(format!(
        "{count} messages of {name} are still to leave; see penfold queue list and future, or give them up with penfold queue drop --tenant and cancel"
    )))
}

/// Everybody and every domain, so that the tenant can be removed.
async fn empty(context: &Context, reply: &Reply, tenant: &TenantInfo) -> Result<()> {
    let operator = operator(context);
    let mut done = 0;
    for kind in [PrincipalKind::Group, PrincipalKind::Shared, PrincipalKind::Person] {
        loop {
            let addresses: Vec<_> = match kind {
                PrincipalKind::Group => operator.groups(tenant.id, None, 100).await?.items.into_iter().map(|one| one.address).collect(),
                PrincipalKind::Shared => {
                    operator.shared_mailboxes(tenant.id, None, 100).await?.items.into_iter().map(|one| one.address).collect()
                }
                PrincipalKind::Person => operator.people(tenant.id, None, 100).await?.items.into_iter().map(|one| one.address).collect(),
            };
            if addresses.is_empty() {
                break;
            }
            for address in addresses {
                match kind {
                    PrincipalKind::Group => operator.delete_group(&address).await?,
                    PrincipalKind::Shared => operator.delete_shared(&address).await?,
                    PrincipalKind::Person => operator.delete_person(&address).await?,
                }
                done += 1;
                reply.progress(done, None, &address.to_string()).await?;
            }
        }
    }
    for domain in operator.domains(&tenant.name).await? {
        operator.remove_domain(tenant.id, &super::domain(&domain.domain)?).await?;
    }
    Ok(())
}
