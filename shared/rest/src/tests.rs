//! The manners of the API, by a small one of its own.

mod gate;
mod limits;
mod manners;
mod once;

use crate::*;
use axum::Router;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use penfold_directory::{Cheap, Directory, NewPerson, NewSession, Options, Role, RoleGrant, SessionKind, TenantStatus};
use penfold_ports::Account;
use penfold_simulated::{Faults, Simulated};
use penfold_types::{Env, PrincipalId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tower::ServiceExt;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How often something was done, which takes a second.
#[derive(Clone)]
struct Work {
    done: Arc<AtomicU32>,
    env: Env,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    size: u8,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Which {
    size: Option<u8>,
}

#[utoipa::path(get, path = "/v1/open", extensions(("x-permission" = json!("public"))), responses((status = 200)))]
async fn open(_: Call) -> &'static str {
    "open"
}

#[utoipa::path(get, path = "/v1/bare", responses((status = 200)))]
async fn bare() -> &'static str {
    "nobody is asked"
}

#[utoipa::path(get, path = "/v1/odd", extensions(("x-permission" = json!("emperor"))), responses((status = 200)))]
async fn odd() -> &'static str {
    "nobody is asked"
}

#[utoipa::path(get, path = "/v1/mine", params(Which), extensions(("x-permission" = json!("signed-in"))), responses((status = 200)))]
async fn mine(call: Call, Params(_): Params<Which>) -> Result<String, Problem> {
    Ok(call.caller()?.actor())
}

#[utoipa::path(get, path = "/v1/own", extensions(("x-permission" = json!("session"))), responses((status = 200)))]
async fn own(call: Call) -> Result<String, Problem> {
    Ok(call.person()?.0.address.to_string())
}

#[utoipa::path(get, path = "/v1/operators", extensions(("x-permission" = json!("operator"))), responses((status = 200)))]
async fn operators(call: Call) -> Result<String, Problem> {
    Ok(call.caller()?.actor())
}

#[utoipa::path(get, path = "/v1/tenants/{tenant}/people", extensions(("x-permission" = json!("person-read"))), responses((status = 200)))]
async fn list(call: Call, paging: Paging) -> Result<axum::Json<Value>, Problem> {
    Ok(axum::Json(json!({ "tenant": call.tenant()?.to_string(), "limit": paging.limit, "after": paging.after_text()? })))
}

/// Answers as the thing's name says, and counts.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/things", extensions(("x-permission" = json!("person-write"))), responses((status = 201)))]
async fn make(call: Call, State(work): State<Work>, Body(thing): Body<Thing>) -> Result<Response, Problem> {
    work.env.sleep(Duration::from_secs(1)).await;
    let count = work.done.fetch_add(1, Ordering::SeqCst) + 1;
    match thing.name.as_str() {
        "busy" => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not now")),
        "taken" => Err(Problem::new(StatusCode::CONFLICT, "taken")),
        _ => Ok(created("/v1/things/1", 7, json!({ "number": count, "token": "pft_in_confidence", "dry": call.dry_run }))),
    }
}

#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}", extensions(("x-permission" = json!("person-read"))), responses((status = 200)))]
async fn show(call: Call) -> Result<String, Problem> {
    Ok(call.subject()?.to_string())
}

#[utoipa::path(patch, path = "/v1/tenants/{tenant}/people/{person}", extensions(("x-permission" = json!("person-write"))), responses((status = 200)))]
async fn change(call: Call, wanted: IfMatch) -> Result<String, Problem> {
    wanted.judge(3)?;
    Ok(call.subject()?.to_string())
}

struct House {
    world: Simulated,
    directory: Directory,
    router: Router,
    work: Work,
    /// Two tenants: ann administers the first, bob has no role in it; eve administers the second.
    ann: Account,
    bob: Account,
    eve: Account,
}

async fn house() -> House {
    limited(|_| ()).await
}

async fn limited(set: impl FnOnce(&mut Limits)) -> House {
    let world = Simulated::new(11, Faults::NONE);
    let directory = Directory::with_options(world.world(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    let mut accounts = Vec::new();
    for (tenant, domain, people) in [("One", "one.test", vec!["ann", "bob"]), ("Two", "two.test", vec!["eve"])] {
        operator.create_tenant(tenant).await.unwrap();
        operator.create_domain(tenant, &domain.parse().unwrap()).await.unwrap();
        for name in people {
            let address = format!("{name}@{domain}").parse().unwrap();
            let new = NewPerson { address, name: name.to_owned(), password: None, quota: None };
            accounts.push(operator.create_person(&new).await.unwrap());
        }
    }
    for address in ["ann@one.test", "eve@two.test"] {
        operator.set_roles(&address.parse().unwrap(), &[RoleGrant::everywhere(Role::TenantAdministrator)]).await.unwrap();
    }
    let mut limits = Limits::new(world.env());
    set(&mut limits);
    let work = Work { done: Arc::default(), env: world.env() };
    let routes = OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(bare))
        .routes(routes!(odd))
        .routes(routes!(mine))
        .routes(routes!(own))
        .routes(routes!(operators))
        .routes(routes!(list))
        .routes(routes!(make))
        .routes(routes!(show, change))
        .with_state(work.clone());
    let (router, _) = guarded(Api { directory: directory.clone(), limits }, routes);
    let [ann, bob, eve] = accounts.try_into().unwrap();
    House { world, directory, router, work, ann, bob, eve }
}

/// A request as it is put together.
struct Ask<'a> {
    method: &'a str,
    path: String,
    token: Option<&'a str>,
    headers: Vec<(&'a str, &'a str)>,
    body: Option<String>,
    from: [u8; 4],
}

fn get(path: impl Into<String>) -> Ask<'static> {
    Ask { method: "GET", path: path.into(), token: None, headers: Vec::new(), body: None, from: [192, 0, 2, 1] }
}

impl<'a> Ask<'a> {
    fn by(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }

    fn how(self, method: &'a str) -> Self {
        Self { method, ..self }
    }

    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn saying(self, body: impl ToString) -> Self {
        Self { body: Some(body.to_string()), ..self.with("content-type", "application/json") }
    }
}

/// What came back; the body as JSON, or as a text.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The field that a problem names.
    fn pointer(&self) -> &str {
        self.body["errors"][0]["pointer"].as_str().unwrap_or("none")
    }

    fn is_problem(&self) -> bool {
        self.header("content-type") == "application/problem+json" && self.body["status"] == self.status && self.body["detail"].is_string()
    }
}

impl House {
    async fn ask(&self, ask: Ask<'_>) -> Answer {
        let mut request = Request::builder().method(ask.method).uri(ask.path).extension(Peer(ask.from.into()));
        if let Some(token) = ask.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let answer = self.router.clone().oneshot(request.body(Bytes::from(ask.body.unwrap_or_default())).unwrap()).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    async fn token_of(&self, account: Account, kind: SessionKind) -> String {
        let (name, from, agent) = (String::new(), String::new(), String::new());
        let new = NewSession { kind, name, roles: None, lasts: Duration::from_secs(30 * 86_400), from, agent };
        self.directory.open_session(account, &new).await.unwrap().1
    }

    async fn token(&self, account: Account) -> String {
        self.token_of(account, SessionKind::Session).await
    }

    fn things(&self) -> String {
        format!("/v1/tenants/{}/things", self.ann.tenant)
    }

    fn done(&self) -> u32 {
        self.work.done.load(Ordering::SeqCst)
    }
}
