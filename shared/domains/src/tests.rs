//! What domains promise, in a simulated world with a zone in memory.

mod check;
mod ownership;
mod publish;
mod records;
mod rotation;
mod signing;

use crate::*;
use penfold_directory::{Cheap, Directory, DomainKey, KeyState, Options, Service};
use penfold_ports::World;
use penfold_simulated::{Faults, Simulated, Zone};
use penfold_types::{Domain, Kind, TenantId};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One tenant, `one.test`, and its zone.
struct House {
    world: World,
    directory: Directory,
    domains: Domains,
    zone: Zone,
    tenant: TenantId,
}

fn d(text: &str) -> Domain {
    text.parse().unwrap()
}

fn service() -> Service {
    Service { host: "mx.host.test".into(), spf: "mx".into(), ..Service::default() }
}

/// RSA keys take seconds of real time, so they are for the tests that are about them.
async fn house() -> House {
    with(&[Algorithm::Ed25519Sha256]).await
}

async fn with(algorithms: &[Algorithm]) -> House {
    let zone = Zone::default();
    let world = Simulated::new(1, Faults::NONE).world().with_dns(Arc::new(zone.clone()));
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    let tenant = operator.create_tenant("One").await.unwrap().id;
    operator.create_tenant("Two").await.unwrap();
    operator.create_domain("One", &d("one.test")).await.unwrap();
    directory.set_service(&service()).await.unwrap();
    let domains = Domains::with_algorithms(&world, directory.clone(), algorithms);
    House { world, directory, domains, zone, tenant }
}

impl House {
    async fn keys(&self) -> Vec<DomainKey> {
        self.directory.domain_keys(self.tenant, &d("one.test")).await.unwrap()
    }

    async fn states(&self) -> Vec<KeyState> {
        self.keys().await.into_iter().map(|key| key.state).collect()
    }

    async fn records(&self) -> Vec<Record> {
        self.domains.records(self.tenant, &d("one.test")).await.unwrap()
    }

    /// Everything that is wanted, published as a provider would.
    fn publish(&self, records: &[Record]) {
        for record in records {
            match &record.data {
                Data::Txt(text) => self.zone.txt(&record.name, text),
                Data::Mx { preference, host } => self.zone.mx(&record.name, *preference, host),
                Data::Cname(host) => self.zone.alias(&record.name, host),
                Data::Srv { priority, weight, port, target } => {
                    let srv = penfold_ports::Service { priority: *priority, weight: *weight, port: *port, target: target.clone() };
                    self.zone.srv(&record.name, srv)
                }
            };
        }
    }

    async fn sleep(&self, span: Duration) {
        self.world.env.sleep(span).await;
    }
}
