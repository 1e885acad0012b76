//! What certificates promise, in a simulated world: virtual time, a zone in memory, and an authority that does as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authority;
mod orders;
mod rows;

use authority::{Fake, Mood};
use penfold_certificates::*;
use penfold_directory::{Cheap, Directory, Options as Sizes, Service};
use penfold_ports::{Value, When, World, Write, shared};
use penfold_simulated::{Faults, Simulated, Zone};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const HOST: &str = "mx.host.test";

/// One tenant with `one.test`, whose `autoconfig` leads here.
struct House {
    world: World,
    directory: Directory,
    certificates: Certificates,
    zone: Zone,
    fake: Arc<Fake>,
}

async fn house() -> House {
    with(Faults::NONE).await
}

async fn with(faults: Faults) -> House {
    let zone = Zone::default();
    let world = Simulated::new(1, faults).world().with_dns(Arc::new(zone.clone()));
    let directory = Directory::with_options(world.clone(), Sizes { hasher: Arc::new(Cheap), ..Sizes::default() });
    let operator = directory.operator();
    operator.create_tenant("One").await.unwrap();
    operator.create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    directory.set_service(&Service { host: HOST.into(), ..Service::default() }).await.unwrap();
    zone.address(HOST, [192, 0, 2, 1].into());
    zone.alias("autoconfig.one.test", HOST);
    let certificates = Certificates::new(&world, directory.clone());
    let fake = Fake::new(world.env.clone());
    House { world, directory, certificates, zone, fake }
}

impl House {
    fn certifier(&self) -> Certifier {
        let options = Options {
            methods: vec![Method::TlsAlpn, Method::Http],
            zones: None,
            edges_settle: Duration::ZERO,
            names_settle: Duration::ZERO,
            covered: Arc::new(|_| false),
        };
        Certifier { certificates: self.certificates.clone(), authority: self.fake.clone(), dns: self.world.dns.clone(), options }
    }

    async fn round(&self) -> Round {
        self.certifier().round().await.unwrap()
    }

    async fn entry(&self, name: &str) -> Entry {
        self.certificates.entry(name).await.unwrap().unwrap()
    }

    /// What is shown for a name, as an edge reads it that starts now.
    async fn shown(&self, name: &str) -> Option<Certificate> {
        let (changes, _) = self.certificates.changes(0).await.unwrap();
        changes.into_iter().find(|one| one.name == name).and_then(|one| one.certificate)
    }

    /// Sealed attributes of a name's row become such as no key opens.
    async fn damage(&self, name: &str, attributes: &[&'static str]) {
        let set = attributes.iter().map(|name| ((*name).into(), Value::B(vec![9; 64].into()))).collect();
        let write = Write::Update { key: shared::certificate(name), set, remove: Vec::new(), when: When::Always };
        self.world.table.put(write).await.unwrap();
    }

    async fn sleep(&self, span: Duration) {
        self.world.env.sleep(span).await;
    }
}
