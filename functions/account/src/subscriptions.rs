//! Calendars from elsewhere that one has subscribed to.

use crate::Accounts;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use penfold_mailbox::Folders;
use penfold_rest::{Body, Call, IfMatch, Listed, Problem, When, created, tagged};
use penfold_subscriptions::{Change, New, State as Stage, Subscription, Subscriptions, USUAL};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://calendars.example/holidays.ics", "name": "Holidays", "color": "#2a7fff" }))]
pub(crate) struct NewSubscription {
    /// `https:` or `http:`; `webcal:` is taken for `https:`.
    url: String,
    /// 1 to 200 octets.
    name: String,
    /// `#rrggbb`
    color: Option<String>,
    /// Seconds between fetches, 900 to 604800; 14400 where it is absent. The file may ask for more.
    refresh: Option<u64>,
}

/// What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Public holidays", "refresh": 86400 }))]
pub(crate) struct SubscriptionChange {
    url: Option<String>,
    name: Option<String>,
    refresh: Option<u64>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SubscriptionState {
    /// It was not fetched yet.
    New,
    /// It is as it was at the last fetch.
    Current,
    /// The last fetch failed; another is to come.
    Failing,
    /// It is not fetched until it is changed or refreshed.
    Stopped,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriptionView {
    /// Also the id of the calendar that it fills.
    id: String,
    url: String,
    name: String,
    /// Seconds between fetches.
    refresh: u64,
    state: SubscriptionState,
    /// What is wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    created: When,
    /// When it was fetched the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched: Option<When>,
    /// When an event was changed the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<When>,
    /// When it is fetched again.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<When>,
    /// Events of the file, and how many of its parts could not be taken.
    events: u64,
    left_out: u64,
    revision: u64,
}

fn view(one: Subscription, name: String) -> SubscriptionView {
    let state = match one.state() {
        Stage::New => SubscriptionState::New,
        Stage::Current => SubscriptionState::Current,
        Stage::Failing => SubscriptionState::Failing,
        Stage::Stopped => SubscriptionState::Stopped,
    };
    SubscriptionView {
        id: one.folder.to_string(),
        url: one.kept.url,
        name,
        refresh: one.refresh,
        state,
        error: one.error,
        created: When(one.created),
        fetched: one.fetched.map(When),
        changed: one.changed.map(When),
        next: (!one.stopped).then_some(When(one.due)),
        events: one.objects,
        left_out: one.skipped,
        revision: one.revision,
    }
}

/// `None`: its calendar was deleted.
fn called(folders: &Folders, one: &Subscription) -> Option<String> {
    folders.get(one.folder).map(|folder| folder.name.as_str()).or_else(|| one.kept.to_be_called()).map(str::to_owned)
}

impl Accounts {
    fn subscriptions(&self, call: &Call) -> Subscriptions {
        Subscriptions::new(&self.world, call.directory())
    }

    /// One of the person's own, with its name; one whose calendar was deleted is not there.
    async fn subscription(&self, call: &Call, id: &str) -> Result<(Subscription, String), Problem> {
        let (who, _) = call.person()?;
        let folder = id.parse().map_err(|_| Problem::not_found())?;
        let one = self.subscriptions(call).find(who.account, folder).await?;
        let folders = self.mailboxes.open(&who.scope).await?.folders().await?;
        let name = called(&folders, &one).ok_or_else(Problem::not_found)?;
        Ok((one, name))
    }
}

/// One's own, with how the last fetch of each went.
#[utoipa::path(get, path = "/v1/me/subscriptions", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = Listed<SubscriptionView>)))]
pub(crate) async fn list(State(accounts): State<Accounts>, call: Call) -> Result<axum::Json<Listed<SubscriptionView>>, Problem> {
    let (who, _) = call.person()?;
    let all = accounts.subscriptions(&call).of(who.account).await?;
    let folders = accounts.mailboxes.open(&who.scope).await?.folders().await?;
    let found = all.into_iter().filter_map(|one| called(&folders, &one).map(|name| view(one, name))).collect();
    Ok(axum::Json(Listed::whole(found)))
}

/// Makes a calendar whose events come from a URL: 20 at most. It is fetched at once, and then again and again.
#[utoipa::path(post, path = "/v1/me/subscriptions", tag = "me", request_body = NewSubscription,
    extensions(("x-permission" = json!("session"))), responses((status = 201, body = SubscriptionView)))]
pub(crate) async fn create(State(accounts): State<Accounts>, call: Call, Body(new): Body<NewSubscription>) -> Result<Response, Problem> {
    let (who, _) = call.person()?;
    penfold_directory::check_name(&new.name).map_err(|error| Problem::field("/name", error.text()))?;
    let subscriptions = accounts.subscriptions(&call);
    let name = new.name.clone();
    let new = New { url: new.url, name: new.name, color: new.color, refresh: new.refresh.unwrap_or(USUAL) };
    new.check().map_err(|(field, error)| Problem::field(field, error.text()))?;
    let mailbox = accounts.mailboxes.open(&who.scope).await?;
    let one = subscriptions.add(&call.operator()?, &mailbox, &new).await?;
    let place = format!("/v1/me/subscriptions/{}", one.folder);
    Ok(created(&place, one.revision, view(one, name)))
}

/// One of one's own.
#[utoipa::path(get, path = "/v1/me/subscriptions/{subscription}", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = SubscriptionView)))]
pub(crate) async fn show(State(accounts): State<Accounts>, call: Call, Path(id): Path<String>) -> Result<Response, Problem> {
    let (one, name) = accounts.subscription(&call, &id).await?;
    Ok(tagged(one.revision, view(one, name)))
}

/// Another URL or another interval is fetched at once.
#[utoipa::path(patch, path = "/v1/me/subscriptions/{subscription}", tag = "me", request_body = SubscriptionChange,
    extensions(("x-permission" = json!("session"))), responses((status = 200, body = SubscriptionView)))]
pub(crate) async fn change(
    State(accounts): State<Accounts>,
    call: Call,
    Path(id): Path<String>,
    expected: IfMatch,
    Body(change): Body<SubscriptionChange>,
) -> Result<Response, Problem> {
    let (who, _) = call.person()?;
    let (one, name) = accounts.subscription(&call, &id).await?;
    expected.judge(one.revision)?;
    if let Some(name) = &change.name {
        penfold_directory::check_name(name).map_err(|error| Problem::field("/name", error.text()))?;
    }
    let name = change.name.clone().unwrap_or(name);
    let change = Change { url: change.url, name: change.name, refresh: change.refresh };
    change.check().map_err(|(field, error)| Problem::field(field, error.text()))?;
    let subscriptions = accounts.subscriptions(&call);
    if change.fetches()
        && let Some(wait) = subscriptions.wait(&one)
    {
        return Err(often(wait));
    }
    let mailbox = accounts.mailboxes.open(&who.scope).await?;
    let after = subscriptions.change(&call.operator()?, &mailbox, &one, &change).await?;
    Ok(tagged(after.revision, view(after, name)))
}

/// Ends it; the calendar goes with all that is in it.
#[utoipa::path(delete, path = "/v1/me/subscriptions/{subscription}", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 204)))]
pub(crate) async fn remove(State(accounts): State<Accounts>, call: Call, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let (who, _) = call.person()?;
    let (one, _) = accounts.subscription(&call, &id).await?;
    let mailbox = accounts.mailboxes.open(&who.scope).await?;
    accounts.subscriptions(&call).remove(&call.operator()?, &mailbox, &one).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Fetches it now: once a minute at most. One that was given up begins again.
#[utoipa::path(post, path = "/v1/me/subscriptions/{subscription}/refresh", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = SubscriptionView)))]
pub(crate) async fn refresh(State(accounts): State<Accounts>, call: Call, Path(id): Path<String>) -> Result<Response, Problem> {
    let (one, name) = accounts.subscription(&call, &id).await?;
    let subscriptions = accounts.subscriptions(&call);
    if let Some(wait) = subscriptions.wait(&one) {
        return Err(often(wait));
    }
    let after = subscriptions.refresh(&call.operator()?, &one).await?;
    Ok(tagged(after.revision, view(after, name)))
}

fn often(wait: std::time::Duration) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "It was asked for within the last minute.").after(wait)
}
