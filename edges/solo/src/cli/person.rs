use super::tenant::{Switch, show_status};
use super::units::{show_size, show_time, size};
use super::{operator, password};
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_directory::{Attribute, NewPerson, Operator, PersonChange, PersonInfo, ProfileChange, Quota, Role, RoleGrant};
use penfold_types::{Address, Env, Error, PrincipalId, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Person {
    /// Add a person; without a password, one is made and shown
    Add {
        address: Address,
        /// [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        password: password::Given,
        /// Such as 50G
        #[arg(long, value_parser = size)]
        quota: Option<u64>,
    },
    /// List people, of all tenants or of one
    List { tenant: Option<String> },
    /// Show a person
    Show { address: Address },
    /// Change a person
    Set {
        address: Address,
        #[arg(long)]
        name: Option<String>,
        /// Such as 50G, or default
        #[arg(long, value_parser = quota)]
        quota: Option<Quota>,
        /// A suspended person does not sign in; mail still comes in
        #[arg(long)]
        status: Option<Switch>,
        /// Whether what the person sends is kept in Sent by the server
        #[arg(long, value_name = "on|off", value_parser = on_or_off)]
        sent_copy: Option<bool>,
        /// What the person administers, such as tenant-administrator or help-desk; none for nothing
        #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<String>,
        /// Part of the profile, such as department=Sales; nothing behind the = takes it away
        #[arg(long = "profile", value_name = "NAME=TEXT", value_parser = attribute)]
        profile: Vec<(Attribute, Option<String>)>,
        /// The address of the person's manager, or none
        #[arg(long)]
        manager: Option<String>,
    },
    /// Remove a person and free the addresses
    Remove { address: Address },
    /// Further addresses of a person, group or shared mailbox
    #[command(subcommand)]
    Alias(Alias),
}

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alias {
    /// Add an alias
    Add { address: Address, alias: Address },
    /// Remove an alias
    Remove { address: Address, alias: Address },
}

pub fn quota(text: &str) -> std::result::Result<Quota, String> {
    if text == "default" { Ok(Quota::Default) } else { size(text).map(Quota::Bytes) }
}

pub fn on_or_off(text: &str) -> std::result::Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".to_owned()),
    }
}

impl Person {
    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        match self {
            Self::Add { password, .. } => password.read(false),
            _ => Ok(()),
        }
    }

    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = operator(context);
        match self {
            Self::Add { address, name, password, quota } => add(context, reply, address, name, password.taken(), quota).await,
            Self::List { tenant } => list(context, reply, tenant.as_deref()).await,
            Self::Show { address } => show(reply, operator.person(&address).await?).await,
            Self::Set { address, name, quota, status, sent_copy, roles, profile, manager } => {
                let profile = ProfileChange { texts: profile.into_iter().collect(), manager: boss(&operator, manager.as_deref()).await? };
                let change = PersonChange { name, quota, status: status.map(Into::into), sent_copy, recovery: None, hidden: None, profile };
                if !roles.is_empty() {
                    operator.set_roles(&address, &grants(&roles)?).await?;
                }
                show(reply, operator.update_person(&address, &change).await?).await
            }
            Self::Remove { address } => {
                operator.delete_person(&address).await?;
                reply.say(format!("removed {address}"), json!({ "removed": address })).await
            }
            Self::Alias(Alias::Add { address, alias }) => {
                operator.add_alias(&address, &alias).await?;
                reply.say(format!("{alias} is an address of {address}"), json!({ "address": address, "alias": alias })).await
            }
            Self::Alias(Alias::Remove { address, alias }) => {
                operator.remove_alias(&address, &alias).await?;
                reply.say(format!("removed {alias}"), json!({ "address": address, "removed": alias })).await
            }
        }
    }
}

/// Of the profile.
fn attribute(text: &str) -> std::result::Result<(Attribute, Option<String>), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=TEXT")?;
    let known = || format!("there is no {name}; there are {}", Attribute::ALL.map(Attribute::as_str).join(", "));
    Ok((Attribute::parse(name).ok_or_else(known)?, Some(value.to_owned()).filter(|value| !value.is_empty())))
}

async fn boss(operator: &Operator, given: Option<&str>) -> Result<Option<Option<PrincipalId>>> {
    match given {
        None => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(address) => {
            let address: Address = address.parse().map_err(|error| Error::invalid(format!("{address}: {error}")))?;
            Ok(Some(Some(operator.person(&address).await?.id)))
        }
    }
}

fn grants(names: &[String]) -> Result<Vec<RoleGrant>> {
    let known = Role::ALL.map(Role::as_str).join(", ");
    let one = |name: &String| match Role::ALL.into_iter().find(|role| role.as_str() == name) {
        Some(role) => Ok(RoleGrant::everywhere(role)),
        None => Err(Error::invalid(format!("there is no role {name}; there are {known}, and none"))),
    };
    names.iter().filter(|name| *name != "none").map(one).collect()
}

async fn add(
    context: &Context,
    reply: &Reply,
    address: Address,
    name: Option<String>,
    given: Option<String>,
    quota: Option<u64>,
) -> Result<()> {
    let made = given.is_none().then(|| make_password(&context.service.world.env));
    let name = name.unwrap_or_else(|| address.local().to_owned());
    let new = NewPerson { address: address.clone(), name, password: given.or_else(|| made.clone()), quota };
    let account = operator(context).create_person(&new).await?;
    let mut rows = vec![vec![format!("added {address}")]];
    rows.extend(made.iter().map(|password| vec!["password".to_owned(), password.clone()]));
    reply.item(rows, json!({ "address": address, "id": account.principal, "password": made })).await
}

/// Sixteen characters that are told apart when read aloud: 80 bits.
fn make_password(env: &Env) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 16];
    env.fill(&mut bytes);
    bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|letter| char::from(*letter)).collect()
}

async fn list(context: &Context, reply: &Reply, tenant: Option<&str>) -> Result<()> {
    for tenant in super::tenants(context, tenant).await? {
        let mut after = None;
        loop {
            let page = operator(context).people(tenant.id, after.as_deref(), 500).await?;
            for one in page.items {
                let cells = [one.address.to_string(), one.name.clone(), show_size(one.quota), show_status(one.status)];
                reply.line(cells, &one).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

async fn show(reply: &Reply, person: PersonInfo) -> Result<()> {
    let aliases: Vec<_> = person.aliases.iter().map(Address::to_string).collect();
    let default = if person.quota_is_own { "" } else { " (default)" };
    let rows = vec![
        vec!["address".into(), person.address.to_string()],
        vec!["name".into(), person.name.clone()],
        vec!["id".into(), person.id.to_string()],
        vec!["status".into(), show_status(person.status)],
        vec!["aliases".into(), aliases.join(", ")],
        vec!["quota".into(), format!("{}{default}", show_size(person.quota))],
        vec!["roles".into(), person.roles.iter().map(|grant| grant.role.as_str()).collect::<Vec<_>>().join(", ")],
        vec!["sent copy".into(), if person.sent_copy { "on" } else { "off" }.into()],
        vec!["created".into(), show_time(person.created)],
    ];
    let profile = person.profile.texts.iter().map(|(name, text)| vec![name.as_str().replace('_', " "), text.clone()]);
    let rows = rows.into_iter().chain(profile).collect();
    reply.item(rows, &person).await
}
