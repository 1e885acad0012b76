use super::operator;
use super::person::on_or_off;
use super::units::show_time;
use crate::control::{Context, Reply};
use clap::{Args, Subcommand, ValueEnum};
use penfold_directory::{GroupChange, GroupInfo, JoinPolicy, NewGroup, PostPolicy};
use penfold_rest::{FilterView, Problem};
use penfold_types::{Address, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Add a group
    Add {
        address: Address,
        /// [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        /// Who may send to it
        #[arg(long, default_value = "inside")]
        post: Post,
        #[command(flatten)]
        more: More,
    },
    /// List groups, of all tenants or of one
    List { tenant: Option<String> },
    /// Show a group
    Show { address: Address },
    /// Change a group
    Set {
        address: Address,
        #[arg(long)]
        name: Option<String>,
        /// Who may send to it
        #[arg(long)]
        post: Option<Post>,
        /// Name somebody who may send; may be given several times
        #[arg(long, value_name = "ADDRESS")]
        allow: Vec<Address>,
        /// Take that back
        #[arg(long, value_name = "ADDRESS")]
        disallow: Vec<Address>,
        /// No longer an owner; may be given several times
        #[arg(long, value_name = "ADDRESS")]
        disown: Vec<Address>,
        #[command(flatten)]
        more: More,
    },
    /// Remove a group; its members stay
    Remove { address: Address },
    /// Members of a group
    #[command(subcommand)]
    Member(Member),
}

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Member {
    /// Add people, groups, shared mailboxes or addresses outside
    Add {
        group: Address,
        members: Vec<Address>,
        /// A file with one address a line, or - for standard input
        #[arg(long, value_name = "FILE")]
        #[serde(skip)]
        from: Option<PathBuf>,
    },
    /// Remove a member
    Remove { group: Address, member: Address },
    /// List members
    List { group: Address },
}

/// What is said of a group when it is made and later.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
pub struct More {
    #[arg(long)]
    description: Option<String>,
    /// Who becomes a member by themselves
    #[arg(long)]
    join: Option<Join>,
    /// Whether members may leave by themselves
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    leave: Option<bool>,
    /// Whether only owners and administrators see that it is there
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    hidden: Option<bool>,
    /// Somebody who manages it; may be given several times
    #[arg(long = "owner", value_name = "ADDRESS")]
    owners: Vec<Address>,
    /// Its members are those who fit, such as {"all": [{"attribute": "department", "is": "Sales"}]}
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
}

impl More {
    fn change(self) -> Result<GroupChange> {
        let wrong = |text: String| Error::invalid(format!("--filter: {text}"));
        let read = |text: String| {
            let view: FilterView = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            let words =
                |problem: Problem| problem.errors.into_iter().map(|one| format!("{} {}", one.pointer, one.detail)).collect::<String>();
            view.read("").map_err(|problem| wrong(words(problem)))
        };
        Ok(GroupChange {
            description: self.description,
            join: self.join.map(Into::into),
            may_leave: self.leave,
            hidden: self.hidden,
            add_owners: self.owners,
            filter: self.filter.map(read).transpose()?,
            ..GroupChange::default()
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// Everybody of the tenant, at once
    Open,
    /// Who asks, once somebody said yes
    Approval,
    Closed,
}

impl From<Join> for JoinPolicy {
    fn from(join: Join) -> Self {
        match join {
            Join::Open => Self::Open,
            Join::Approval => Self::Approval,
            Join::Closed => Self::Closed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Post {
    Anyone,
    /// Addresses of the tenant
    Inside,
    Members,
    /// Those who are named with --allow
    Named,
    Owners,
}

impl From<Post> for PostPolicy {
    fn from(post: Post) -> Self {
        match post {
            Post::Anyone => Self::Anyone,
            Post::Inside => Self::Inside,
            Post::Members => Self::Members,
            Post::Named => Self::Named,
            Post::Owners => Self::Owners,
        }
    }
}

fn show_policy(policy: PostPolicy) -> String {
    match policy {
        PostPolicy::Anyone => "anyone",
        PostPolicy::Inside => "inside",
        PostPolicy::Members => "members",
        PostPolicy::Named => "named",
        PostPolicy::Owners => "owners",
    }
    .to_owned()
}

impl Group {
    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        match self {
            Self::Member(Member::Add { members, from, .. }) => read_members(members, from.take()),
            _ => Ok(()),
        }
    }

    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = operator(context);
        match self {
            Self::Add { address, name, post, more } => {
                let name = name.unwrap_or_else(|| address.local().to_owned());
                let new = NewGroup { address: address.clone(), name, who_may_post: post.into() };
                let account = operator.create_group_with(&new, &more.change()?).await?;
                reply.say(format!("added {address}"), json!({ "address": address, "id": account.principal })).await
            }
            Self::List { tenant } => list(context, reply, tenant.as_deref()).await,
            Self::Show { address } => show(reply, operator.group(&address).await?).await,
            Self::Set { address, name, post, allow, disallow, disown, more } => {
                let (add_posters, remove_posters, remove_owners) = (allow, disallow, disown);
                let who_may_post = post.map(Into::into);
                let change = GroupChange { name, who_may_post, add_posters, remove_posters, remove_owners, ..more.change()? };
                show(reply, operator.update_group(&address, &change).await?).await
            }
            Self::Remove { address } => {
                operator.delete_group(&address).await?;
                reply.say(format!("removed {address}"), json!({ "removed": address })).await
            }
            Self::Member(Member::Add { group, members, .. }) => {
                let (mut added, total) = (0, members.len() as u64);
                for (index, chunk) in members.chunks(300).enumerate() {
                    added += operator.add_members(&group, chunk).await?;
                    reply.progress(300 * index as u64 + chunk.len() as u64, Some(total), "members").await?;
                }
                reply.say(format!("{added} added to {group}"), json!({ "group": group, "added": added })).await
            }
            Self::Member(Member::Remove { group, member }) => {
                operator.remove_member(&group, &member).await?;
                reply.say(format!("removed {member} from {group}"), json!({ "group": group, "removed": member })).await
            }
            Self::Member(Member::List { group }) => {
                operator.group(&group).await?;
                list_members(context, reply, &group).await
            }
        }
    }
}

fn read_members(members: &mut Vec<Address>, from: Option<PathBuf>) -> std::result::Result<(), String> {
    if let Some(path) = from {
        let text = if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(&path) };
        let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                members.push(line.parse().map_err(|error| format!("{} line {}: {line}: {error}", path.display(), number + 1))?);
            }
        }
    }
    if members.is_empty() { Err("name at least one member, or a file of them with --from".to_owned()) } else { Ok(()) }
}

pub async fn list_members(context: &Context, reply: &Reply, of: &Address) -> Result<()> {
    let mut after = None;
    loop {
        let (members, next) = operator(context).list_members(of, after.as_ref(), 500).await?;
        for one in members {
            let kind = one.kind.map_or("outside", |kind| kind.words()).to_owned();
            reply.line([one.address.to_string(), kind, one.name.clone()], &one).await?;
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn list(context: &Context, reply: &Reply, tenant: Option<&str>) -> Result<()> {
    for tenant in super::tenants(context, tenant).await? {
        let mut after = None;
        loop {
            let page = operator(context).groups(tenant.id, after.as_deref(), 500).await?;
            for one in page.items {
                reply.line([one.address.to_string(), one.name.clone(), show_policy(one.who_may_post)], &one).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

async fn show(reply: &Reply, group: GroupInfo) -> Result<()> {
    let posters: Vec<_> = group.posters.iter().map(Address::to_string).collect();
    let owners: Vec<_> = group.owners.iter().map(Address::to_string).collect();
    let filter = group.filter.as_ref().and_then(|filter| serde_json::to_string(&FilterView::from(filter)).ok()).unwrap_or_default();
    let rows = vec![
        vec!["address".into(), group.address.to_string()],
        vec!["name".into(), group.name.clone()],
        vec!["id".into(), group.id.to_string()],
        vec!["may post".into(), show_policy(group.who_may_post)],
        vec!["named".into(), posters.join(", ")],
        vec!["owners".into(), owners.join(", ")],
        vec!["join".into(), format!("{:?}", group.rules.join).to_lowercase()],
        vec!["filter".into(), filter],
        vec!["created".into(), show_time(group.created)],
    ];
    reply.item(rows, &group).await
}
