//! What the directory promises, in a simulated world.

mod claims;
mod groups;
mod people;
mod sign_in;
mod sources;
mod storm;
mod tenants;

use crate::*;
use penfold_simulated::{Faults, Simulated};
use penfold_types::{Address, Domain, Kind};
use std::sync::Arc;

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

    async fn sign_in(&self, address: &str, secret: &str) -> Result<SignedIn, SignInError> {
        self.directory.sign_in(address, secret, [127, 0, 0, 1].into()).await
    }
}

/// All row keys but those of the audit log.
fn keys(house: &House) -> Vec<penfold_ports::Key> {
    house.world.rows().into_iter().map(|(key, _)| key).filter(|key| !key.pk().as_str().starts_with("au#")).collect()
}

fn kind<T: std::fmt::Debug>(answer: penfold_types::Result<T>) -> Kind {
    answer.unwrap_err().kind()
}
