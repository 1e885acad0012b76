//! One's own calendars, task lists, address books and the like, by name.

use crate::Accounts;
use crate::imports::opened;
use axum::extract::State;
use penfold_mailbox::{Folder, Kind};
use penfold_ports::Rights;
use penfold_rest::{Call, Listed, Params, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Collection {
    id: String,
    name: String,
    holds: CollectionKind,
    /// Those that lie in one of files say in which.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CollectionKind {
    Events,
    Tasks,
    Contacts,
    Notes,
    Files,
}

/// `None`: it holds mail, or is none that people see.
fn kind(folder: &Folder) -> Option<CollectionKind> {
    Some(match folder.kind {
        Kind::Mail | Kind::Attachments => return None,
        Kind::Events => CollectionKind::Events,
        Kind::Tasks => CollectionKind::Tasks,
        Kind::Contacts => CollectionKind::Contacts,
        Kind::Notes => CollectionKind::Notes,
        Kind::Files => CollectionKind::Files,
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    /// The address of somebody else, or of a shared mailbox: what is open to oneself there.
    pub owner: Option<String>,
}

/// The calendars, task lists, address books and folders of files that are one's own; those that everybody has are made where
/// they are missing. With `owner` those of another mailbox that one may see.
#[utoipa::path(get, path = "/v1/me/collections", tag = "me", params(Whose), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<Collection>)))]
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    call: Call,
    Params(whose): Params<Whose>,
) -> Result<axum::Json<Listed<Collection>>, Problem> {
    let (mailbox, _) = opened(&call, &accounts, whose.owner.as_deref()).await?;
    let folders = mailbox.collections().await?;
    let view = |folder: &Folder| {
        if !mailbox.rights(folder).has(Rights::LOOKUP) {
            return None;
        }
        let (id, name, parent) = (folder.id.to_string(), folder.name.clone(), folder.parent.map(|id| id.to_string()));
        Some(Collection { id, name, holds: kind(folder)?, parent })
    };
    Ok(axum::Json(Listed::whole(folders.collections().filter_map(view).collect())))
}
