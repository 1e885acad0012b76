//! Who may do what in one folder of somebody's mailbox, beside its owner: people, groups with all who are in them, and everybody of
//! the tenant. Giving and taking a right is noted in the audit log, in the same commit.

use crate::Admin;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use penfold_directory::{GranteeInfo, PrincipalKind, Reach};
use penfold_mailbox::{FolderRights, Mailbox, RightsChange};
use penfold_ports::{Grantee, Preset, Rights};
use penfold_rest::{Body, Call, IfMatch, Listed, Problem, tagged};
use penfold_types::{FolderId, Kind, Modseq};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody may do in a folder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FolderRight {
    /// Of a person or a group, or `anyone`.
    address: String,
    kind: FolderGrantee,
    name: String,
    /// The name of exactly these rights, where they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<FolderRole>,
    /// The letters of RFC 4314: l sees that it is there, r reads, s marks as read, w changes marks, i puts in, p posts, k makes
    /// folders in it, x deletes it, t deletes what is in it, e expunges, a gives rights.
    rights: String,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FolderGrantee {
    Person,
    Group,
    /// Everybody in the tenant.
    Anyone,
}

/// Exchange's names. What is granted there for one's own items alone is left out.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FolderRole {
    /// Nothing: as if it had never been granted.
    None,
    /// Of a calendar: when its owner is busy, by free/busy queries.
    AvailabilityOnly,
    /// The same, with titles and places.
    LimitedDetails,
    /// Puts things in, and sees nothing of it.
    Contributor,
    /// Reads.
    Reviewer,
    /// Reads, marks as read, and puts things in.
    Author,
    /// The same, and makes folders in it.
    PublishingAuthor,
    /// Reads and changes all that is in it.
    Editor,
    /// The same, and makes folders in it.
    PublishingEditor,
    /// Everything, also giving rights to others.
    Owner,
}

/// One of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "reviewer" }))]
pub(crate) struct NewFolderRight {
    role: Option<FolderRole>,
    /// Letters of RFC 4314, such as `lrs`.
    #[schema(example = "lrs")]
    rights: Option<String>,
}

impl From<FolderRole> for Preset {
    fn from(role: FolderRole) -> Self {
        match role {
            FolderRole::None => Self::None,
            FolderRole::AvailabilityOnly => Self::AvailabilityOnly,
            FolderRole::LimitedDetails => Self::LimitedDetails,
            FolderRole::Contributor => Self::Contributor,
            FolderRole::Reviewer => Self::Reviewer,
            FolderRole::Author => Self::Author,
            FolderRole::PublishingAuthor => Self::PublishingAuthor,
            FolderRole::Editor => Self::Editor,
            FolderRole::PublishingEditor => Self::PublishingEditor,
            FolderRole::Owner => Self::Owner,
        }
    }
}

impl From<Preset> for FolderRole {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::None => Self::None,
            Preset::AvailabilityOnly => Self::AvailabilityOnly,
            Preset::LimitedDetails => Self::LimitedDetails,
            Preset::Contributor => Self::Contributor,
            Preset::Reviewer => Self::Reviewer,
            Preset::Author => Self::Author,
            Preset::PublishingAuthor => Self::PublishingAuthor,
            Preset::Editor => Self::Editor,
            Preset::PublishingEditor => Self::PublishingEditor,
            Preset::Owner => Self::Owner,
        }
    }
}

impl NewFolderRight {
    fn read(&self) -> Result<Rights, Problem> {
        match (self.role, &self.rights) {
            (Some(role), None) => Ok(Preset::from(role).rights()),
            (None, Some(letters)) => {
                let rights = Rights::read(letters).ok_or_else(|| Problem::field("/rights", "letters of RFC 4314: lrswipkxtea"))?;
                // Without it nothing is there for them, whatever else was granted.
                if rights.is_none() || rights.has(Rights::LOOKUP) {
                    Ok(rights)
                } else {
                    Err(Problem::field("/rights", "without l nothing else has an effect"))
                }
            }
            (Some(_), Some(_)) => Err(Problem::field("/rights", "a role or rights, not both")),
            (None, None) => Err(Problem::field("/role", "a role or rights")),
        }
    }
}

fn shown((grantee, rights): (GranteeInfo, Rights)) -> FolderRight {
    let kind = match &grantee.who {
        None => FolderGrantee::Anyone,
        Some((PrincipalKind::Group, _)) => FolderGrantee::Group,
        Some(_) => FolderGrantee::Person,
    };
    let role = Preset::of(rights).map(FolderRole::from);
    FolderRight { address: grantee.identifier(), kind, name: grantee.name, role, rights: rights.to_string() }
}

/// The mailbox, opened for nothing but this, and the folder of the path.
async fn open(admin: &Admin, call: &Call, kind: PrincipalKind, folder: &str) -> Result<(Mailbox, FolderId), Problem> {
    let folder: FolderId = folder.parse().map_err(|_| Problem::not_found())?;
    let scope = call.operator()?.open_rights(call.tenant()?, call.subject()?, kind).await?;
    Ok((admin.mailboxes.open(&scope).await?, folder))
}

async fn list(admin: &Admin, call: &Call, kind: PrincipalKind, folder: &str) -> Result<Response, Problem> {
    let (mailbox, folder) = open(admin, call, kind, folder).await?;
    let FolderRights { revision, list } = mailbox.folder_rights(folder).await?;
    Ok(tagged(revision.get(), Listed::whole(list.into_iter().map(shown).collect())))
}

/// Whose roles are for a part opens folders to nobody whom they do not reach, themselves least of all. Those are not there for them.
async fn reached(call: &Call, to: Grantee) -> Result<(), Problem> {
    let (tenant, refused) = (call.tenant()?, |text: &str| Problem::new(StatusCode::FORBIDDEN, text));
    match to {
        _ if *call.reach() == Reach::Everybody => Ok(()),
        Grantee::Anyone => Err(refused("Your roles do not reach to everybody.")),
        Grantee::Principal(id) if call.directory().within(call.reach(), tenant, &[id]).await?.is_empty() => Err(Problem::not_found()),
        Grantee::Principal(id) => match call.operator()?.address_of(tenant, id, PrincipalKind::Group).await {
            Ok(group) if call.operator()?.group(&group).await?.rules.dynamic => {
                Err(refused("The filter of this group takes in people whom your roles do not reach."))
            }
            Err(error) if error.kind() != Kind::NotFound => Err(error.into()),
            _ => Ok(()),
        },
    }
}

/// Of whom a path speaks, in which folder.
type Named = Path<(String, String, String, String)>;

async fn set(
    admin: &Admin,
    call: &Call,
    kind: PrincipalKind,
    Path((_, _, folder, who)): Named,
    wanted: &IfMatch,
    rights: Option<Rights>,
) -> Result<StatusCode, Problem> {
    let (mailbox, folder) = open(admin, call, kind, &folder).await?;
    let before = mailbox.folder_rights(folder).await?;
    let expected = wanted.judge(before.revision.get())?.map(Modseq);
    let to = match call.directory().grantee(call.tenant()?, &who).await {
        Err(error) if error.kind() == Kind::NotFound => return Err(Problem::not_found()),
        found => found?,
    };
    let has_some = before.list.iter().any(|(grantee, _)| grantee.to == to);
    if rights.is_none() && !has_some {
        return Err(Problem::not_found());
    }
    if rights.is_some_and(|rights| !rights.is_none()) || !has_some {
        reached(call, to).await?;
    }
    let (operator, change) = (call.operator()?, RightsChange::Set(rights.unwrap_or(Rights::NONE)));
    let done = mailbox.set_rights(folder, to, change, operator.actor(), expected, call.dry_run).await;
    done.map_err(|error| wanted.explain(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who may do what in a folder of a person's mailbox.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/folders/{folder}/rights", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<FolderRight>)))]
pub(crate) async fn of_person(
    State(admin): State<Admin>,
    call: Call,
    Path((_, _, folder)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    list(&admin, &call, PrincipalKind::Person, &folder).await
}

/// Sets what somebody may do in a folder of a person's mailbox; `anyone` in the place of an address is everybody in the tenant.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/people/{person}/folders/{folder}/rights/{address}", tag = "mailbox rights",
    request_body = NewFolderRight, extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn set_for_person(
    State(admin): State<Admin>,
    call: Call,
    named: Named,
    wanted: IfMatch,
    Body(new): Body<NewFolderRight>,
) -> Result<StatusCode, Problem> {
    set(&admin, &call, PrincipalKind::Person, named, &wanted, Some(new.read()?)).await
}

/// Takes that back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/folders/{folder}/rights/{address}", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn remove_from_person(
    State(admin): State<Admin>,
    call: Call,
    named: Named,
    wanted: IfMatch,
) -> Result<StatusCode, Problem> {
    set(&admin, &call, PrincipalKind::Person, named, &wanted, None).await
}

/// Who may do what in a folder of a shared mailbox, beside its members, who may do everything but give rights.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/folders/{folder}/rights", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<FolderRight>)))]
pub(crate) async fn of_shared(
    State(admin): State<Admin>,
    call: Call,
    Path((_, _, folder)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    list(&admin, &call, PrincipalKind::Shared, &folder).await
}

/// Sets what somebody may do in a folder of a shared mailbox.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/folders/{folder}/rights/{address}", tag = "mailbox rights",
    request_body = NewFolderRight, extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn set_for_shared(
    State(admin): State<Admin>,
    call: Call,
    named: Named,
    wanted: IfMatch,
    Body(new): Body<NewFolderRight>,
) -> Result<StatusCode, Problem> {
    set(&admin, &call, PrincipalKind::Shared, named, &wanted, Some(new.read()?)).await
}

/// Takes that back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/folders/{folder}/rights/{address}", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn remove_from_shared(
    State(admin): State<Admin>,
    call: Call,
    named: Named,
    wanted: IfMatch,
) -> Result<StatusCode, Problem> {
    set(&admin, &call, PrincipalKind::Shared, named, &wanted, None).await
}
