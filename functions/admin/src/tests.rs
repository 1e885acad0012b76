//! What administrators do, over HTTP.

mod contacts;
mod life;
mod people;
mod reach;

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use penfold_directory::{Cheap, Directory, NewPerson, NewSession, Options, Role, RoleGrant, SessionKind, TenantStatus, Within};
use penfold_ports::{Account, Key, Row};
use penfold_rest::Limits;
use penfold_simulated::{Faults, Simulated};
use penfold_types::{Address, TenantId};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

struct House {
    simulated: Simulated,
    directory: Directory,
    router: Router,
    tenant: TenantId,
}

fn a(text: &str) -> Address {
    text.parse().unwrap()
}

/// `one.test` and `sub.test` of the first tenant, which boss administers; `two.test` of the second.
async fn house() -> House {
    let simulated = Simulated::new(5, Faults::NONE);
    let world = simulated.world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    for (tenant, domain) in [("One", "one.test"), ("One", "sub.test"), ("Two", "two.test")] {
        operator.ensure_tenant(tenant).await.unwrap();
        operator.create_domain(tenant, &domain.parse().unwrap()).await.unwrap();
    }
    for address in ["boss@one.test", "ann@one.test", "bob@one.test", "sam@sub.test", "eve@two.test"] {
        let new = NewPerson { address: a(address), name: "Somebody".to_owned(), password: Some("secret".to_owned()), quota: None };
        operator.create_person(&new).await.unwrap();
    }
    for address in ["boss@one.test", "eve@two.test"] {
        operator.set_roles(&a(address), &[RoleGrant::everywhere(Role::TenantAdministrator)]).await.unwrap();
    }
    let tenant = operator.tenant("One").await.unwrap().id;
    let api = Api { directory: directory.clone(), limits: Limits::new(world.env.clone()) };
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let (router, _) = router(Admin::new(api, &world, &mailboxes));
    House { simulated, directory, router, tenant }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    fn pointer(&self) -> &str {
        self.body["errors"][0]["pointer"].as_str().unwrap_or_default()
    }

    fn tag(&self) -> &str {
        self.headers["etag"].to_str().unwrap()
    }

    /// The addresses of a page.
    fn addresses(&self) -> Vec<&str> {
        self.body["items"].as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap()).collect()
    }
}

impl House {
    async fn token(&self, address: &str) -> String {
        let (name, from, agent) = (String::new(), String::new(), String::new());
        let new = NewSession { kind: SessionKind::Session, name, roles: None, lasts: Duration::from_secs(90 * 86_400), from, agent };
        self.directory.open_session(self.account(address).await, &new).await.unwrap().1
    }

    async fn account(&self, address: &str) -> Account {
        let person = self.directory.operator().person(&a(address)).await.unwrap();
        Account { tenant: person.tenant, principal: person.id }
    }

    /// `path` below the first tenant.
    fn own(&self, path: &str) -> String {
        format!("/v1/tenants/{}{path}", self.tenant)
    }

    async fn person(&self, address: &str, rest: &str) -> String {
        self.own(&format!("/people/{}{rest}", self.account(address).await.principal))
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}")), body).await
    }

    async fn change(&self, method: &str, path: &str, token: &str, tag: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("if-match", tag);
        self.send(request.header("authorization", format!("Bearer {token}")), body).await
    }

    async fn send(&self, request: axum::http::request::Builder, body: Option<Value>) -> Answer {
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn grant(&self, address: &str, grants: &[RoleGrant]) {
        self.directory.operator().set_roles(&a(address), grants).await.unwrap();
    }

    fn rows(&self) -> Vec<(Key, Row)> {
        self.simulated.rows()
    }
}
