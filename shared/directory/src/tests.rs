//! What the directory promises, in a simulated world.

mod audit;
mod branding;
mod claims;
mod dynamic;
mod groups;
mod joining;
mod life;
mod once;
mod people;
mod rehearsal;
mod restore;
mod revisions;
mod roles;
mod search;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_up;
mod sources;
mod storm;
mod tenants;

use crate::*;
use penfold_ports::{Account, Key, Row, Write};
use penfold_simulated::{Faults, Simulated};
use penfold_types::{Address, Domain, Kind, TenantId};
use std::sync::Arc;
use std::time::Duration;

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

struct House {
    directory: Directory,
    operator: Operator,
    world: Simulated,
}

fn a(text: &str) -> Address {
    text.parse().unwrap()
}

fn d(text: &str) -> Domain {
    text.parse().unwrap()
}

fn person(address: &str) -> NewPerson {
    NewPerson { address: a(address), name: "Somebody".into(), password: Some("secret".into()), quota: None }
}

fn group(address: &str, who_may_post: PostPolicy) -> NewGroup {
    NewGroup { address: a(address), name: "Team".into(), who_may_post }
}

/// Two tenants: `one.test` with ann and bob, `two.test` with eve.
async fn house() -> House {
    seeded(1).await
}

async fn seeded(seed: u64) -> House {
    let world = Simulated::new(seed, Faults::NONE);
    let directory = Directory::with_options(world.world(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    for (tenant, domain) in [("One", "one.test"), ("Two", "two.test")] {
        operator.create_tenant(tenant).await.unwrap();
        operator.create_domain(tenant, &d(domain)).await.unwrap();
    }
    for address in ["ann@one.test", "bob@one.test", "eve@two.test"] {
        operator.create_person(&person(address)).await.unwrap();
    }
    House { directory, operator, world }
}

impl House {
    /// Another process over the same rows: its caches are its own.
    fn neighbour(&self) -> Directory {
        Directory::with_options(self.directory.inner.store.world.clone(), self.directory.inner.options.clone())
    }

    async fn tenant(&self, name: &str) -> TenantId {
        self.operator.tenant(name).await.unwrap().id
    }

    async fn account(&self, address: &str) -> Account {
        let person = self.operator.person(&a(address)).await.unwrap();
        Account { tenant: person.tenant, principal: person.id }
    }

    async fn sleep(&self, span: Duration) {
        self.directory.env().sleep(span).await;
    }

    /// A row as somebody writes it who goes around the directory.
    async fn write(&self, write: Write) {
        self.world.world().table.put(write).await.unwrap();
    }

    /// The rows of one table partition, in order.
    fn partition(&self, begins: &str) -> Vec<(Key, Row)> {
        self.world.rows().into_iter().filter(|(key, _)| key.pk().as_str().starts_with(begins)).collect()
    }

    /// Somebody's token, from signing in with their password.
    async fn token(&self, address: &str) -> String {
        let account = self.account(address).await;
        self.directory.open_session(account, &session(SessionKind::Session)).await.unwrap().1
    }

    async fn caller(&self, address: &str) -> Caller {
        self.directory.authenticate(&self.token(address).await).await.unwrap()
    }

    async fn grant(&self, address: &str, grants: &[RoleGrant]) {
        self.operator.set_roles(&a(address), grants).await.unwrap();
    }

    async fn sign_in(&self, address: &str, secret: &str) -> Result<SignedIn, SignInError> {
        self.directory.sign_in(address, secret, [127, 0, 0, 1].into()).await
    }
}

fn session(kind: SessionKind) -> NewSession {
    let (name, from, agent) = ("phone".to_owned(), "192.0.2.1".to_owned(), "test".to_owned());
    NewSession { kind, name, roles: None, lasts: 90 * DAY, from, agent }
}

/// All row keys but those of the audit log.
fn keys(house: &House) -> Vec<penfold_ports::Key> {
    house.world.rows().into_iter().map(|(key, _)| key).filter(|key| !key.pk().as_str().starts_with("au#")).collect()
}

fn kind<T: std::fmt::Debug>(answer: penfold_types::Result<T>) -> Kind {
    answer.unwrap_err().kind()
}
