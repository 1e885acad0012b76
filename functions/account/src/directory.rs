//! Whom one may write to: the organisation's directory by what is typed, and behind it those outside whom one wrote to; and one's
//! own photo, which stands there.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use penfold_directory::{DirectoryCard, Mailed};
use penfold_rest::{Call, Listed, Params, Problem, ProfileView, no_photo, photo, sent_photo};
use penfold_types::Address;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

const DEFAULT: usize = 20;
const MOST: usize = 50;
/// Octets of what is typed.
const TYPED: usize = 200;

/// Somebody to write to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    kind: EntryKind,
    /// Absent where it stands in no directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: String,
    /// The first is the one that is written to.
    addresses: Vec<String>,
    profile: ProfileView,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EntryKind {
    Person,
    Group,
    /// A shared mailbox.
    Shared,
    /// Somebody outside, whom the organisation keeps for all.
    Contact,
    /// An address outside that this person wrote to.
    Mailed,
}

impl From<DirectoryCard> for Entry {
    fn from(card: DirectoryCard) -> Self {
        use penfold_directory::CardKind as K;
        let kind = match card.kind {
            K::Person => EntryKind::Person,
            K::Group => EntryKind::Group,
            K::Shared => EntryKind::Shared,
            K::Contact => EntryKind::Contact,
        };
        let addresses = std::iter::once(&card.address).chain(&card.more_addresses).map(Address::to_string).collect();
        Self { kind, id: Some(card.id.to_string()), name: card.name, addresses, profile: card.profile.into() }
    }
}

impl From<Mailed> for Entry {
    fn from(own: Mailed) -> Self {
        let addresses = vec![own.address.to_string()];
        Self { kind: EntryKind::Mailed, id: None, name: own.name, addresses, profile: ProfileView::default() }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Typed {
    /// At most 200 octets: the beginnings of words of a name or of an address. Without it, those whom one wrote to.
    #[param(example = "an", max_length = 200)]
    q: Option<String>,
    /// Entries at most, 1 to 50; 20 where it is absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

/// Those who are called by what is typed: of the directory, and then outside whom one wrote to.
#[utoipa::path(get, path = "/v1/me/directory", tag = "me", params(Typed), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<Entry>)))]
pub(crate) async fn search(call: Call, Params(typed): Params<Typed>) -> Result<axum::Json<Listed<Entry>>, Problem> {
    let (who, _) = call.person()?;
    let limit = typed.limit.unwrap_or(DEFAULT);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::field("limit", format!("1 to {MOST}")));
    }
    if typed.q.as_ref().is_some_and(|q| q.len() > TYPED) {
        return Err(Problem::field("q", format!("at most {TYPED} octets")));
    }
    let cards = match &typed.q {
        Some(q) => call.directory().find_cards(who.account.tenant, q, limit).await?.0,
        None => Vec::new(),
    };
    let there: BTreeSet<String> =
        cards.iter().flat_map(|card| std::iter::once(&card.address).chain(&card.more_addresses)).map(Address::key).collect();
    let mut found: Vec<Entry> = cards.into_iter().map(Entry::from).collect();
    if found.len() < limit {
        let mailed = call.directory().mailed(who.account, typed.q.as_deref(), MOST).await?;
        found.extend(mailed.into_iter().filter(|own| !there.contains(&own.address.key())).map(Entry::from));
        found.truncate(limit);
    }
    Ok(axum::Json(Listed::whole(found)))
}

/// One's own photo.
#[utoipa::path(get, path = "/v1/me/photo", tag = "me", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, content(("image/jpeg"), ("image/png")))))]
pub(crate) async fn show_photo(call: Call, headers: HeaderMap) -> Result<Response, Problem> {
    photo(&call, call.person()?.0.account, &headers).await
}

/// Sets one's own photo: a JPEG or PNG of at most 204,800 octets, whatever it is called.
#[utoipa::path(put, path = "/v1/me/photo", tag = "me", request_body(content(("image/jpeg"), ("image/png"))),
    extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn set_photo(call: Call, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    let (who, _) = call.person()?;
    call.operator()?.set_photo(&who.address, Some(sent_photo(&headers, body)?)).await.map_err(no_photo)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes one's own photo away.
#[utoipa::path(delete, path = "/v1/me/photo", tag = "me", extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn remove_photo(call: Call) -> Result<StatusCode, Problem> {
    let (who, _) = call.person()?;
    call.operator()?.set_photo(&who.address, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
