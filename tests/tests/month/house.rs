//! The processes of a cell, each with caches of its own, over one simulated store.

use crate::wire::Wire;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use penfold_deliver::Deliver;
use penfold_domains::Domains;
use penfold_mailbox::Mailboxes;
use penfold_meter::Meter;
use penfold_metering::usage::Usage;
use penfold_ports::{Account, PortError, QueueName, Secrets, World};
use penfold_simulated::{Faults, Simulated};
use penfold_smtp::{Config, Port, Role, Smtp};
use penfold_tests::town::{self, person};
use penfold_tests::wakes::Edges;
use penfold_transport::{Settings, Transport};
use penfold_types::TenantId;
use penfold_upkeep::Upkeep;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

pub const PASSWORD: &str = "correct horse battery";
pub const ANN: &str = "ann@acme.test";
/// Stands for the world outside, to which there is no sending yet.
pub const ZOE: &str = "zoe@zeta.test";
const HIDDEN: Duration = Duration::from_secs(360);
const RETENTION_DAYS: u32 = 30;

/// Requests that the meter does not see, and a function's time.
#[derive(Default)]
pub struct Aside {
    pub unwraps: AtomicU64,
    pub accepted: AtomicU64,
    pub deliveries: AtomicU64,
    /// Milliseconds in which `deliver` waited for the store.
    pub waited: AtomicU64,
}

struct Counted(Arc<dyn Secrets>, Arc<Aside>);

#[async_trait]
impl Secrets for Counted {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        self.0.wrap(tenant, key).await
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        self.1.unwraps.fetch_add(1, Ordering::Relaxed);
        self.0.unwrap(tenant, wrapped).await
    }

    async fn destroy(&self, tenant: TenantId) -> Result<(), PortError> {
        self.0.destroy(tenant).await
    }

    async fn renew(&self, tenant: TenantId) -> Result<(), PortError> {
        self.0.renew(tenant).await
    }
}

#[derive(Clone)]
pub struct House {
    pub simulated: Simulated,
    pub world: World,
    pub edges: Arc<Edges>,
    pub aside: Arc<Aside>,
    pub ann: Account,
}

/// A process that holds connections.
#[derive(Clone)]
pub struct Edge {
    world: World,
    imap: Arc<penfold_imap::Server>,
    transport: Transport,
    aside: Arc<Aside>,
    keep: Arc<watch::Sender<bool>>,
}

pub async fn house() -> House {
    let simulated = Simulated::new(5, Faults::NONE);
    let aside = Arc::<Aside>::default();
    let world = simulated.world();
    let world = World { secrets: Arc::new(Counted(world.secrets.clone(), aside.clone())), ..world };
    let directory = town::directory(&world);
    let ann = person(&world, &directory, "acme", ANN, Some(PASSWORD)).await;
    person(&world, &directory, "zeta", ZOE, Some(PASSWORD)).await;
    House { simulated, world, edges: Arc::default(), aside, ann }
}

impl House {
    pub fn edge(&self, name: &str) -> Edge {
        let world = self.edges.edge(&self.world, name);
        let directory = town::directory(&world);
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let imap =
            penfold_imap::Server::new(world.env.clone(), directory.clone(), mailboxes.named("imap"), penfold_imap::Options::default());
        let transport = Transport::new(&world, directory.clone(), mailboxes, Settings::default());
        let keep = Arc::new(watch::Sender::new(false));
        tokio::spawn(transport.tracer().clone().run(move |tenant| directory.tenant_scope(tenant), keep.subscribe()));
        Edge { world, imap, transport, aside: self.aside.clone(), keep }
    }

    /// `deliver` as Lambda runs it, every call in another environment whose caches are empty: nothing is dearer.
    pub async fn deliver(self) {
        let queue = self.world.named("deliver").queue;
        loop {
            let batch = queue.receive(QueueName::Deliver, 10, HIDDEN).await.unwrap();
            let world = self.edges.function(&self.world);
            let since = world.env.now();
            let directory = town::directory(&world);
            let mailboxes = Mailboxes::new(world.clone(), directory.clone());
            let transport = Transport::new(&world, directory, mailboxes.clone(), Settings::default());
            penfold_transport::work::once(&Deliver::new(&world, &mailboxes, &transport), &batch).await;
            transport.tracer().flush(&|tenant| transport.directory().tenant_scope(tenant)).await;
            if batch.iter().any(|received| received.job.tenant == self.ann.tenant) {
                self.aside.deliveries.fetch_add(1, Ordering::Relaxed);
                let waited = u64::try_from(world.env.now().since(since).as_millis()).unwrap();
                self.aside.waited.fetch_add(waited, Ordering::Relaxed);
            }
        }
    }

    /// `upkeep`, called every six hours, sweeping once a week.
    pub async fn upkeep(self) {
        for round in 1u32.. {
            self.world.env.sleep(Duration::from_secs(6 * 3600)).await;
            self.upkeep_once(false).await;
            if round.is_multiple_of(28) {
                self.upkeep_once(true).await;
            }
        }
    }

    /// Write units under Ann's tenant so far.
    pub fn written(&self) -> u64 {
        let own = self.world.meter.usage().into_iter().filter(|usage| usage.tenant == Some(self.ann.tenant));
        own.map(|usage| usage.units.write).sum()
    }

    /// `meter`, called every three hours.
    pub async fn meter(self) {
        loop {
            self.world.env.sleep(Duration::from_secs(3 * 3600)).await;
            self.meter_once().await;
        }
    }

    pub async fn meter_once(&self) {
        let world = self.edges.function(&self.world);
        let directory = town::directory(&world);
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let meter = Meter { env: world.env.clone(), usage: Usage::new(&world, directory, &mailboxes) };
        meter.round().await.unwrap();
    }

    pub async fn upkeep_once(&self, sweep: bool) {
        let world = self.edges.function(&self.world).named(if sweep { "sweep" } else { "upkeep" });
        let directory = town::directory(&world);
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let domains = Domains::new(&world, directory.clone());
        let upkeep = Upkeep { world: world.clone(), directory, domains, mailboxes, retention_days: RETENTION_DAYS };
        upkeep.round(sweep).await.unwrap();
    }
}

impl Edge {
    pub async fn imap(&self) -> Wire {
        let (ours, theirs) = tokio::io::duplex(1 << 18);
        let (server, stop) = (self.imap.clone(), self.keep.subscribe());
        tokio::spawn(penfold_imap::connection(server, theirs, [127, 0, 0, 1].into(), false, stop));
        let mut wire = Wire::new(ours);
        wire.until("* OK").await;
        wire.imap(&format!("LOGIN {ANN} \"{PASSWORD}\"")).await;
        wire
    }

    async fn smtp(&self, role: Role) -> Wire {
        let smtp = Smtp::new(Config::default(), self.world.env.clone(), self.transport.clone(), None);
        let (ours, theirs) = tokio::io::duplex(1 << 18);
        let stop = self.keep.subscribe();
        tokio::spawn(async move { smtp.converse(theirs, [127, 0, 0, 1].into(), Port { role, implicit_tls: false }, stop).await });
        let mut wire = Wire::new(ours);
        wire.smtp(b"").await;
        wire.smtp(b"EHLO mail.example.com\r\n").await;
        wire
    }

    async fn hand_in(&self, mut wire: Wire, from: &str, to: &str, message: &[u8]) {
        for command in [format!("MAIL FROM:<{from}>\r\n"), format!("RCPT TO:<{to}>\r\n"), format!("BDAT {} LAST\r\n", message.len())] {
            let bdat = command.starts_with("BDAT");
            let bytes = if bdat { [command.as_bytes(), message].concat() } else { command.clone().into_bytes() };
            let answer = wire.smtp(&bytes).await;
            assert!(answer.starts_with("250"), "{command}: {answer}");
        }
        wire.smtp(b"QUIT\r\n").await;
        self.aside.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// A mail from outside.
    pub async fn receive(&self, message: &[u8]) {
        let wire = self.smtp(Role::Mx).await;
        self.hand_in(wire, "margarethe.lindqvist@example.com", ANN, message).await;
    }

    /// A mail that Ann sends.
    pub async fn submit(&self, message: &[u8]) {
        let mut wire = self.smtp(Role::Submission).await;
        let token = STANDARD.encode(format!("\0{ANN}\0{PASSWORD}"));
        let answer = wire.smtp(format!("AUTH PLAIN {token}\r\n").as_bytes()).await;
        assert!(answer.starts_with("235"), "{answer}");
        self.hand_in(wire, ANN, ZOE, message).await;
    }
}
