//! `penfold serve`: every function and edge in this one process; `penfold edge`: one of them beside the cloud's store.

use crate::api;
use crate::certificates;
use crate::control::{self, Service};
use crate::failure::Failure;
use crate::listeners::Listeners;
use crate::outside;
use crate::parts::Parts;
use crate::places::Places;
use crate::process::SoloProcess;
use crate::public;
use crate::seed::{self, DemoPerson, Seed};
use crate::store::Store;
use penfold_certificates::Certificates;
use penfold_deliver::Deliver;
use penfold_directory::Directory;
use penfold_domains::Domains;
use penfold_imap as imap;
use penfold_mailbox::{Budgets, Mailboxes};
use penfold_meter::Meter;
use penfold_metering::usage::Usage;
use penfold_relay::Client;
use penfold_report::Reporter;
use penfold_reports::Tally;
use penfold_runtime::{Config, Settings, Tls, start_logging};
use penfold_send::Send;
use penfold_smtp::{Port, Smtp};
use penfold_subscribe::Subscribe;
use penfold_timer::Timer;
use penfold_transfer::Transfer;
use penfold_transport::outbound::Carrier;
use penfold_transport::{Transport, work};
use penfold_types::{Env, Error};
use penfold_upkeep::Upkeep;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Room for clients: every connection is a file descriptor.
const DESCRIPTORS: u64 = 200_000;
/// After SIGTERM: how long what is under way may take.
const DRAIN: Duration = Duration::from_secs(30);
/// Delivery workers: enough that one waiting for the disk does not idle the others.
const WORKERS: usize = 16;
/// Tenants whose imports and exports are carried on at a time; the others have their turn after seconds.
const TRANSFERS: usize = 4;
/// Tenants whose calendars from elsewhere are fetched at a time; most of it is waiting for other hosts.
const SUBSCRIBERS: usize = 8;
/// Attempts at a time: most of them wait for another host, and a third of those may be dead. Far more than may be patient
/// with slow ones (`penfold_relay::Config`).
const ATTEMPTS: usize = 1000;

/// Everything, over the store in `data`.
pub async fn serve(data: &Path, settings: Settings) -> Result<(), Failure> {
    let (config, env) = begin(settings)?;
    let seed = read_seed(&config)?;
    let store = Store::local(&env, data)?;
    let tls = tls(&config, || Tls::load_or_make(&data.join("tls"), &config.host_name))?;
    let listeners = Listeners::bind(&config, Parts::ALL)?;
    let mut host = Host::new(config, env, store, tls, Parts::ALL)?;
    let demo = match &seed {
        Some(seed) => seed.plant(&host.service.directory).await.map(|()| None),
        None => seed::demo(&host.env, &host.service.directory.operator()).await,
    };
    let demo = demo.map_err(failed)?;
    public::tell(&host.service.directory, &host.config).await.map_err(failed)?;
    host.start_certificates(Parts::ALL).await?;
    host.start(Parts::ALL, listeners);
    host.start_control(data)?;
    announce(&host.config, demo.as_deref());
    host.run().await
}

/// One edge, over the store that the environment names.
#[cfg(feature = "cloud")]
pub async fn edge(parts: Parts, settings: Settings) -> Result<(), Failure> {
    let (config, env) = begin(settings)?;
    let seed = read_seed(&config)?;
    let store = Store::cloud(&env, parts.imap || parts.http).await?;
    let tls = tls(&config, || Tls::make(&config.host_name))?;
    let listeners = Listeners::bind(&config, parts)?;
    let mut host = Host::new(config, env, store, tls, parts)?;
    if let Some(seed) = &seed {
        seed.plant(&host.service.directory).await.map_err(failed)?;
    }
    public::tell(&host.service.directory, &host.config).await.map_err(failed)?;
    host.start_certificates(parts).await?;
    host.start(parts, listeners);
    println!("ready");
    host.run().await
}

fn begin(settings: Settings) -> Result<(Config, Env), Failure> {
    let config = settings.resolve().map_err(|e| Failure::Usage(e.to_string()))?;
    start_logging(config.log_format, &config.log).map_err(Failure::Usage)?;
    // A lower limit only means fewer connections.
    if let Err(error) = rlimit::increase_nofile_limit(DESCRIPTORS) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    Ok((config, Env::system()))
}

fn read_seed(config: &Config) -> Result<Option<Seed>, Failure> {
    config.seed.as_deref().map(Seed::read).transpose().map_err(Failure::Usage)
}

/// The certificate that is configured, or another.
fn tls(config: &Config, other: impl FnOnce() -> Result<Tls, penfold_runtime::TlsError>) -> Result<Tls, Failure> {
    let tls = match (&config.tls_pem, &config.tls) {
        (Some((certificate, key)), _) => Tls::from_pem(certificate, key),
        (None, Some((certificate, key))) => Tls::load(certificate, key),
        (None, None) => other(),
    };
    tls.and_then(|tls| tls.called(&config.host_name)).map_err(|e| Failure::Usage(e.to_string()))
}

fn failed(error: Error) -> Failure {
    Failure::Other(error.to_string())
}

struct Host {
    config: Config,
    env: Env,
    store: Store,
    tls: Tls,
    service: Service,
    certificates: Certificates,
    relay: Option<Client>,
    /// What the relay counts for reports about TLS.
    sessions: Tally,
    places: Places,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Host {
    fn new(config: Config, env: Env, store: Store, tls: Tls, parts: Parts) -> Result<Self, Failure> {
        let dns = outside::dns(&config, &env)?;
        let world = store.world(&env).with_dns(dns.clone());
        let sessions = Tally::new(&world);
        let relay = parts.relay.then(|| outside::relay(&config, &env, &dns, &sessions)).transpose()?;
        let directory = Directory::new(world.clone());
        let half = config.cache_bytes / 2;
        let budgets = Budgets { indexes: half, contents: half, ..Budgets::default() };
        let mailboxes = Mailboxes::with_budgets(world.clone(), directory.clone(), budgets);
        let primary = config.dns_update.as_ref().map(|setting| certificates::primary(setting, &env)).transpose()?;
        let certificates = Certificates::new(&world, directory.clone());
        let service = Service { world, directory, mailboxes, primary };
        let places = Places::new(config.fairness.turns, parts);
        let (tasks, stop) = (JoinSet::new(), watch::channel(false).0);
        Ok(Self { config, env, store, tls, service, certificates, relay, sessions, places, tasks, stop })
    }

    fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    fn start(&mut self, parts: Parts, listeners: Listeners) {
        let transport = self.start_transport();
        if parts.jobs {
            self.start_jobs(&transport);
            self.start_subscriptions();
        }
        if let Some(relay) = self.relay.clone() {
            let carrier = Carrier::new(transport.clone(), Arc::new(relay));
            self.tasks.spawn(work::run(carrier, ATTEMPTS, self.stopped()));
            self.start_reports(&transport);
        }
        let smtp = parts.smtp.then(|| self.start_smtp(&transport, listeners.smtp));
        let imap = parts.imap.then(|| self.start_imap(listeners.imap));
        let (world, store, places) = (self.service.world.clone(), self.store.clone(), self.places.clone());
        let process = SoloProcess { world, store, transport: transport.clone(), smtp, imap, places };
        self.start_http(Arc::new(process), &transport, parts, listeners.http);
    }

    /// Whoever has a TLS listener shows what there is; the HTTP edge, which authorities come to, also gets it.
    async fn start_certificates(&mut self, parts: Parts) -> Result<(), Failure> {
        if !(parts.smtp || parts.imap || parts.http) {
            return Ok(());
        }
        let (certificates, names) = (self.certificates.clone(), self.tls.names.clone());
        let seen = certificates::load(&certificates, &names, 0).await.map_err(failed)?;
        self.tasks.spawn(certificates::show(certificates.clone(), names.clone(), seen, self.env.clone(), self.stopped()));
        if !parts.http {
            return Ok(());
        }
        let Service { world, directory, primary, .. } = self.service.clone();
        if let Some(acme) = &self.config.acme {
            let zones = primary.as_ref().map(|primary| primary.zones.clone());
            let alone = parts == Parts::ALL;
            if alone {
                certificates.break_lease().await.map_err(failed)?;
            }
            let getting = certificates::certifier(acme, zones, certificates, &world, names, alone)?;
            self.tasks.spawn(getting.run(self.stopped()));
        }
        if let Some(primary) = primary {
            let domains = Domains::new(&world, directory).acting_as("upkeep");
            self.tasks.spawn(certificates::publish(domains, primary, self.env.clone(), self.stopped()));
        }
        Ok(())
    }

    fn start_transport(&mut self) -> Transport {
        let settings = penfold_transport::Settings {
            hostname: self.config.host_name.clone(),
            postmaster: self.config.postmaster.clone(),
            size_limit: self.config.max_message_size as u64,
            sends: true,
            recipients_per_day: self.config.recipients_per_day,
            messages_per_minute: self.config.messages_per_minute,
            reports: self.config.send_reports,
            turns: self.places.mail.clone(),
            ..penfold_transport::Settings::default()
        };
        let Service { world, directory, mailboxes, .. } = self.service.clone();
        let transport = Transport::new(&world, directory.clone(), mailboxes, settings);
        self.tasks.spawn(transport.tally().clone().run(self.stopped()));
        self.tasks.spawn(transport.tracer().clone().run(move |tenant| directory.tenant_scope(tenant), self.stopped()));
        transport
    }

    /// To other domains, from where mail leaves.
    fn start_reports(&mut self, transport: &Transport) {
        if !self.config.send_reports {
            return;
        }
        self.tasks.spawn(self.sessions.clone().run(self.stopped()));
        let world = self.service.world.named("reports");
        let post = Arc::new(outside::post(&self.env, &world.dns));
        let (host, from) = (self.config.host_name.clone(), self.config.report_from.clone());
        self.tasks.spawn(Reporter { world, transport: transport.clone(), post, host, from }.run(self.stopped()));
    }

    fn start_jobs(&mut self, transport: &Transport) {
        let Service { world, directory, mailboxes, .. } = self.service.clone();
        let domains = Domains::new(&world, directory.clone()).acting_as("upkeep");
        let deliver = Deliver::new(&world, &mailboxes, transport);
        self.tasks.spawn(work::run(deliver, WORKERS, self.stopped()));
        self.tasks.spawn(work::run(Send::new(&world, transport), WORKERS, self.stopped()));
        let transfer = Transfer::new(&world, &directory, &mailboxes);
        self.tasks.spawn(work::run(transfer, TRANSFERS, self.stopped()));
        self.tasks.spawn(Timer::new(&world).run(self.stopped()));
        let meter = Meter { env: self.env.clone(), usage: Usage::new(&world, directory.clone(), &mailboxes) };
        self.tasks.spawn(meter.run(self.stopped()));
        let (world, retention_days) = (world.named("upkeep"), self.config.retention_days);
        let upkeep = Upkeep { world, directory, domains, mailboxes: mailboxes.named("upkeep"), retention_days };
        self.tasks.spawn(upkeep.run(self.stopped()));
    }

    /// Calendars that people have subscribed to.
    fn start_subscriptions(&mut self) {
        let Service { world, directory, mailboxes, .. } = self.service.clone();
        let web = outside::web(&self.config, &self.env, &world.dns);
        self.tasks.spawn(work::run(Subscribe::new(&world, &directory, &mailboxes, web), SUBSCRIBERS, self.stopped()));
    }

    fn start_smtp(&mut self, transport: &Transport, listeners: Vec<(TcpListener, Port)>) -> Smtp {
        let settings = penfold_smtp::Config {
            hostname: self.config.host_name.clone(),
            size_limit: self.config.max_message_size as u64,
            trusted: self.config.trusted.clone(),
            recipients_submitted: self.config.recipients_per_message,
            connections_per_person: self.config.fairness.submissions_per_person,
            transactions_per_tenant: self.config.fairness.mail_in_per_tenant,
            messages_per_minute: self.config.fairness.mail_in_per_minute,
            ..penfold_smtp::Config::default()
        };
        let smtp = Smtp::new(settings, self.env.clone(), transport.clone(), Some(self.tls.server.clone()));
        for (listener, port) in listeners {
            self.tasks.spawn(smtp.clone().serve(listener, port, self.config.front.clone(), self.stopped()));
        }
        smtp
    }

    fn start_imap(&mut self, listeners: Vec<(TcpListener, bool)>) -> Arc<imap::Server> {
        let fairness = self.config.fairness;
        let options = imap::Options {
            tls: Some(self.tls.server.clone().into()),
            connections_per_person: fairness.imap_per_person,
            connections_per_tenant: fairness.imap_per_tenant,
            strangers_per_network: fairness.imap_strangers_per_network,
            commands_per_minute: fairness.imap_commands_per_minute,
            turns: self.places.clients.clone(),
            ..imap::Options::default()
        };
        let Service { directory, mailboxes, .. } = self.service.clone();
        let server = imap::Server::new(self.env.clone(), directory, mailboxes.named("imap"), options);
        for (listener, implicit_tls) in listeners {
            self.tasks.spawn(imap::serve(server.clone(), listener, implicit_tls, self.config.front.clone(), self.stopped()));
        }
        server
    }

    fn start_http(&mut self, process: Arc<SoloProcess>, transport: &Transport, parts: Parts, listeners: Vec<(TcpListener, bool)>) {
        for (listener, implicit_tls) in listeners {
            let mut router = penfold_http::router(process.clone());
            if parts.http {
                router = router.merge(api::router(&self.service, transport));
                router = router.merge(penfold_setup::router(self.service.directory.clone()));
                let Service { directory, mailboxes, .. } = self.service.clone();
                let dav = penfold_dav::Dav::new(&self.env, &directory, &mailboxes, self.places.clients.clone());
                router = router.merge(penfold_dav::router(dav));
                router = router.merge(penfold_http::challenges(Arc::new(certificates::Proofs(self.certificates.clone()))));
            }
            let tls = implicit_tls.then(|| self.tls.web.clone());
            let serving = penfold_http::serve(self.env.clone(), listener, tls, self.config.front.clone(), router, self.stopped());
            self.tasks.spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "HTTP ended");
                }
            });
        }
    }

    /// The command line's way in.
    fn start_control(&mut self, data: &Path) -> Result<(), Failure> {
        let control = control::listen(self.service.clone(), &data.join("control.sock"), self.stopped());
        self.tasks.spawn(control.map_err(|e| Failure::Other(e.to_string()))?);
        Ok(())
    }

    /// Until SIGTERM or SIGINT, and through the drain.
    async fn run(mut self) -> Result<(), Failure> {
        wait_for_signal().await.map_err(|e| Failure::Other(format!("signals cannot be received: {e}")))?;
        tracing::info!("stopping");
        self.stop.send_replace(true);
        if let Some(relay) = &self.relay {
            relay.hurry();
        }
        if tokio::time::timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!("some connections were cut off");
        }
        if let Some(relay) = &self.relay {
            relay.close().await;
        }
        self.store.close().await;
        Ok(())
    }
}

/// SIGTERM or SIGINT.
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// What a person needs to begin, then the line that scripts wait for.
fn announce(config: &Config, demo: Option<&[DemoPerson]>) {
    println!("Penfold serves");
    println!("  SMTP        {} (MX)", config.smtp);
    println!("  submission  {} (STARTTLS), {} (TLS)", config.submission, config.submissions);
    println!("  IMAP        {} (STARTTLS), {} (TLS)", config.imap, config.imaps);
    println!("  HTTP        {}, {} (TLS)", config.http, config.https);
    if let Some(people) = demo {
        println!("People to try it with:");
        for person in people {
            match &person.password {
                Some(password) => println!("  {}  password {password}", person.address),
                None => println!("  {}  (for a new password: penfold password set {})", person.address, person.address),
            }
        }
        if let [first, second] = people {
            println!("Send a mail and read it:");
            println!("  printf 'From: <{}>\\nTo: <{}>\\nSubject: Hello\\n\\nIt works.\\n' > hello.eml", second.address, first.address);
            println!("  curl smtp://{} --mail-from {} --mail-rcpt {} -T hello.eml --crlf", config.smtp, second.address, first.address);
            let shown = first.password.as_deref().unwrap_or("PASSWORD");
            println!("  curl 'imap://{}/INBOX;MAILINDEX=1' --user {}:{shown}", config.imap, first.address);
        }
    }
    println!("ready");
}
