//! The folders of a mailbox, by name alone: what is in them is nobody's to read here. Whoever looks is noted in the audit log.

use crate::Admin;
use axum::extract::State;
use penfold_directory::PrincipalKind;
use penfold_mailbox::{Folder as Own, Kind, Mailbox, Role};
use penfold_rest::{Call, Listed, Problem};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Folder {
    id: String,
    /// All levels, with a slash between them.
    path: String,
    /// The folder that it lies in; absent at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// What it is for, where that is settled.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    purpose: Option<FolderUse>,
    items: u32,
    unread: u32,
    octets: u64,
    /// What its items are.
    holds: FolderKind,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FolderKind {
    Mail,
    Events,
    Tasks,
    Contacts,
    Notes,
    Files,
    Attachments,
}

impl From<Kind> for FolderKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Mail => Self::Mail,
            Kind::Events => Self::Events,
            Kind::Tasks => Self::Tasks,
            Kind::Contacts => Self::Contacts,
            Kind::Notes => Self::Notes,
            Kind::Files => Self::Files,
            Kind::Attachments => Self::Attachments,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FolderUse {
    Inbox,
    Drafts,
    Sent,
    Archive,
    Junk,
    Trash,
    Calendar,
    Tasks,
    Contacts,
    Files,
}

impl From<Role> for FolderUse {
    fn from(role: Role) -> Self {
        match role {
            Role::Inbox => Self::Inbox,
            Role::Drafts => Self::Drafts,
            Role::Sent => Self::Sent,
            Role::Archive => Self::Archive,
            Role::Junk => Self::Junk,
            Role::Trash => Self::Trash,
            Role::Calendar => Self::Calendar,
            Role::Tasks => Self::Tasks,
            Role::Contacts => Self::Contacts,
            Role::Files => Self::Files,
        }
    }
}

fn shown(path: &str, own: &Own) -> Folder {
    Folder {
        id: own.id.to_string(),
        path: path.to_owned(),
        parent: own.parent.map(|parent| parent.to_string()),
        purpose: own.role.map(FolderUse::from),
        items: own.total,
        unread: own.unseen,
        octets: own.bytes,
        holds: own.kind.into(),
    }
}

async fn list(admin: &Admin, call: &Call, kind: PrincipalKind) -> Result<axum::Json<Listed<Folder>>, Problem> {
    let scope = call.operator()?.open_folder_names(call.tenant()?, call.subject()?, kind).await?;
    let mailbox: Mailbox = admin.mailboxes.open(&scope).await?;
    // Calendars and the like are made when they are asked for the first time, in the owner's name.
    let own = admin.mailboxes.open(&admin.api.directory.job_scope(mailbox.account())).await?;
    own.collections().await?;
    let folders = mailbox.folders().await?;
    let mail = folders.iter().map(|(path, own)| shown(path, own));
    let others = folders.collections().map(|own| shown(&own.name, own));
    Ok(axum::Json(Listed::whole(mail.chain(others).collect())))
}

/// The folders of a person's mailbox, with what is counted of them. That somebody looked is noted in the audit log.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/folders", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<Folder>)))]
pub(crate) async fn of_person(State(admin): State<Admin>, call: Call) -> Result<axum::Json<Listed<Folder>>, Problem> {
    list(&admin, &call, PrincipalKind::Person).await
}

/// The folders of a shared mailbox, likewise.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/folders", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<Folder>)))]
pub(crate) async fn of_shared(State(admin): State<Admin>, call: Call) -> Result<axum::Json<Listed<Folder>>, Problem> {
    list(&admin, &call, PrincipalKind::Shared).await
}
