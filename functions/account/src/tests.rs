//! What people do with their own account, as they do it: over HTTP.

mod account;
mod codes;
mod companies;
mod directory;
mod groups;
mod links;
mod resets;
mod subscriptions;
mod visits;
mod whoami;

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use penfold_directory::{Cheap, Directory, NewPerson, Options, Role, RoleGrant, Service};
use penfold_mailbox::{Blob, Mailboxes};
use penfold_ports::QueueName;
use penfold_rest::{Limits, Peer};
use penfold_simulated::{Faults, Simulated, Zone};
use penfold_types::AcceptanceId;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

const PASSWORD: &str = "plum cactus orbit";
const OTHER: &str = "walnut river lantern";

struct House {
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    zone: Zone,
    router: Router,
}

/// Ann and bob of one tenant, and the service's own name in its domain.
async fn house() -> House {
    let zone = Zone::default();
    let world = Simulated::new(3, Faults::NONE).world().with_dns(Arc::new(zone.clone()));
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    operator.create_tenant("One").await.unwrap();
    operator.create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    for (name, address) in [("Ann", "ann@one.test"), ("Bob", "bob@one.test")] {
        let new = NewPerson { address: address.parse().unwrap(), name: name.to_owned(), password: Some(PASSWORD.to_owned()), quota: None };
        operator.create_person(&new).await.unwrap();
    }
    operator.set_roles(&"ann@one.test".parse().unwrap(), &[RoleGrant::everywhere(Role::TenantAdministrator)]).await.unwrap();
    directory.set_service(&Service { host: "mail.one.test".to_owned(), ..Service::default() }).await.unwrap();
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let settings = penfold_transport::Settings { hostname: "mail.one.test".to_owned(), sends: true, ..Default::default() };
    let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
    let api = Api { directory: directory.clone(), limits: Limits::new(world.env.clone()) };
    let (router, _) = router(Accounts::new(api, &world, &mailboxes, &transport));
    House { world, directory, mailboxes, zone, router }
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
}

impl House {
    async fn send(&self, request: axum::http::request::Builder, body: Option<Value>) -> Answer {
        let request = request.extension(Peer([192, 0, 2, 1].into()));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
        self.send(request, body).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, token, None).await
    }

    async fn delete(&self, path: &str, token: &str) -> Answer {
        self.ask("DELETE", path, token, None).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.ask("POST", path, token, Some(body)).await
    }

    async fn sign_in(&self, address: &str, password: &str, code: Option<&str>) -> Answer {
        self.post("/v1/sessions", "", json!({ "address": address, "password": password, "code": code })).await
    }

    async fn token(&self, address: &str) -> String {
        let answer = self.sign_in(address, PASSWORD, None).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("token").to_owned()
    }

    async fn sleep(&self, span: Duration) {
        self.world.env.sleep(span).await;
    }

    /// The next message that the service hands in, where one is there.
    async fn letter(&self) -> Option<String> {
        let waits = self.world.queue.receive(QueueName::Send, 1, Duration::from_secs(60));
        let received = tokio::time::timeout(Duration::from_secs(1), waits).await.ok()?.unwrap().remove(0);
        let acceptance = AcceptanceId::from_bytes(*received.job.id.as_bytes());
        let bytes = self.mailboxes.blob(received.job.tenant, Blob { acceptance, length: 0 }).await.unwrap();
        self.world.queue.done(QueueName::Send, &[received.receipt]).await.unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }
}
