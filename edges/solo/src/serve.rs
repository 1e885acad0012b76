//! `penfold serve`: every function and edge in this one process, over the embedded store.

use crate::control::{self, Service};
use crate::process::SoloProcess;
use crate::seed::{self, DemoPerson, Seed};
use penfold_deliver::Deliver;
use penfold_directory::Directory;
use penfold_embedded::{OpenError, Ports};
use penfold_imap as imap;
use penfold_mailbox::{Budgets, Mailboxes};
use penfold_runtime::{Config, Settings, Tls, start_logging};
use penfold_smtp::{Port, Role, Smtp};
use penfold_transport::Transport;
use penfold_types::Env;
use penfold_upkeep::Upkeep;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the process ends where it cannot go on.
pub enum Failure {
    /// A flag, file or setting that has to be changed: exit 2.
    Usage(String),
    /// Anything else: exit 1.
    Other(String),
}

impl Failure {
    pub fn report(self) -> ExitCode {
        let (text, code) = match self {
            Self::Usage(text) => (text, 2),
            Self::Other(text) => (text, 1),
        };
        eprintln!("penfold: {text}");
        ExitCode::from(code)
    }
}

/// Room for clients: every connection is a file descriptor.
const DESCRIPTORS: u64 = 200_000;
/// After SIGTERM: how long what is under way may take.
const DRAIN: Duration = Duration::from_secs(30);
/// Delivery workers: enough that one waiting for the disk does not idle the others.
const WORKERS: usize = 16;

pub async fn serve(data: &Path, settings: Settings) -> Result<(), Failure> {
    let config = settings.resolve().map_err(|e| Failure::Usage(e.to_string()))?;
    start_logging(config.log_format, &config.log).map_err(Failure::Usage)?;
    let seed = config.seed.as_deref().map(Seed::read).transpose().map_err(Failure::Usage)?;
    // A lower limit only means fewer connections.
    if let Err(error) = rlimit::increase_nofile_limit(DESCRIPTORS) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    let env = Env::system();
    let ports = open_store(&env, data)?;
    let tls = match &config.tls {
        Some((certificate, key)) => Tls::load(certificate, key),
        None => Tls::load_or_make(&data.join("tls"), &config.host_name),
    }
    .map_err(|e| Failure::Usage(e.to_string()))?;
    let listeners = Listeners::bind(&config).await?;

    let world = ports.world(env.clone());
    let directory = Directory::new(world.clone());
    let half = config.cache_bytes / 2;
    let mailboxes =
        Mailboxes::with_budgets(world.clone(), directory.clone(), Budgets { indexes: half, contents: half, ..Budgets::default() });
    let failed = |error: penfold_types::Error| Failure::Other(error.to_string());
    let demo = match &seed {
        Some(seed) => seed.plant(&directory).await.map(|()| None),
        None => seed::demo(&env, &directory.operator()).await,
    }
    .map_err(failed)?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let transport = start_mail(&mut tasks, &config, &world, &directory, &mailboxes, &stopped);
    let smtp = start_smtp(&mut tasks, &config, &env, &transport, &tls, listeners.smtp, &stopped);
    let imap = start_imap(&mut tasks, &env, &directory, &mailboxes, &tls, listeners.imap, &stopped);
    let process = Arc::new(SoloProcess::new(world.clone(), transport, smtp, imap));
    for (listener, tls) in listeners.http.into_iter().zip([None, Some(tls.server.clone())]) {
        let router = penfold_http::router(process.clone());
        let serving = penfold_http::serve(env.clone(), listener, tls, router, stopped.clone());
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "HTTP ended");
            }
        });
    }
    let service = Service { world: world.clone(), directory: directory.clone(), mailboxes: mailboxes.clone() };
    let control = control::listen(service, &data.join("control.sock"), stopped.clone()).map_err(|e| Failure::Other(e.to_string()))?;
    tasks.spawn(control);
    let upkeep = Upkeep { env: env.clone(), directory, mailboxes: mailboxes.named("upkeep"), retention_days: config.retention_days };
    tasks.spawn(upkeep.run(stopped.clone()));

    announce(&config, demo.as_deref());
    wait_for_signal().await.map_err(|e| Failure::Other(format!("signals cannot be received: {e}")))?;
    tracing::info!("stopping");
    stop.send_replace(true);
    if tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("some connections were cut off");
    }
    ports.close();
    Ok(())
}

pub fn open_store(env: &Env, data: &Path) -> Result<Ports, Failure> {
    penfold_embedded::open(env.clone(), data, store_options()).map_err(|error| match &error {
        OpenError::Locked(_) => Failure::Usage(format!("{error}: stop it, or give another directory with --data")),
        OpenError::Io { .. } | OpenError::Store { .. } => Failure::Other(error.to_string()),
    })
}

/// `PENFOLD_UNSAFE_NO_SYNC` exists for one purpose: to show that the power-cut test notices when it is set.
fn store_options() -> penfold_embedded::Options {
    let mut options = penfold_embedded::Options::default();
    if std::env::var_os("PENFOLD_UNSAFE_NO_SYNC").is_some() {
        tracing::warn!("PENFOLD_UNSAFE_NO_SYNC is set: a power cut will lose mail");
        options.sync = false;
    }
    options
}

/// All sockets, bound before anything else is started, so that a port that is taken is one clear sentence.
struct Listeners {
    smtp: Vec<(TcpListener, Port)>,
    /// True for TLS from the first byte.
    imap: Vec<(TcpListener, bool)>,
    http: [TcpListener; 2],
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, Failure> {
        let port = |role, implicit_tls| Port { role, implicit_tls };
        Ok(Self {
            smtp: vec![
                (bind("smtp", config.smtp).await?, port(Role::Mx, false)),
                (bind("submission", config.submission).await?, port(Role::Submission, false)),
                (bind("submissions", config.submissions).await?, port(Role::Submission, true)),
            ],
            imap: vec![(bind("imap", config.imap).await?, false), (bind("imaps", config.imaps).await?, true)],
            http: [bind("http", config.http).await?, bind("https", config.https).await?],
        })
    }
}

async fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = |e: std::io::Error| Failure::Usage(format!("cannot listen on {address}: {e}; choose another with --{name}"));
    let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() }.map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    socket.listen(4096).map_err(failed)
}

fn start_mail(
    tasks: &mut JoinSet<()>,
    config: &Config,
    world: &penfold_ports::World,
    directory: &Directory,
    mailboxes: &Mailboxes,
    stopped: &watch::Receiver<bool>,
) -> Transport {
    let settings = penfold_transport::Settings {
        hostname: config.host_name.clone(),
        size_limit: config.max_message_size as u64,
        ..penfold_transport::Settings::default()
    };
    let transport = Transport::new(world, directory.clone(), mailboxes.clone(), settings);
    let granting = directory.clone();
    tasks.spawn(transport.tracer().clone().run(move |tenant| granting.tenant_scope(tenant), stopped.clone()));
    let deliver = Deliver::new(world, mailboxes, &transport);
    tasks.spawn(penfold_deliver::run(deliver, WORKERS, stopped.clone()));
    transport
}

fn start_smtp(
    tasks: &mut JoinSet<()>,
    config: &Config,
    env: &Env,
    transport: &Transport,
    tls: &Tls,
    listeners: Vec<(TcpListener, Port)>,
    stopped: &watch::Receiver<bool>,
) -> Smtp {
    let settings = penfold_smtp::Config {
        hostname: config.host_name.clone(),
        size_limit: config.max_message_size as u64,
        ..penfold_smtp::Config::default()
    };
    let smtp = Smtp::new(settings, env.clone(), transport.clone(), Some(tls.server.clone()));
    for (listener, port) in listeners {
        tasks.spawn(smtp.clone().serve(listener, port, stopped.clone()));
    }
    smtp
}

fn start_imap(
    tasks: &mut JoinSet<()>,
    env: &Env,
    directory: &Directory,
    mailboxes: &Mailboxes,
    tls: &Tls,
    listeners: Vec<(TcpListener, bool)>,
    stopped: &watch::Receiver<bool>,
) -> Arc<imap::Server> {
    let options = imap::Options { tls: Some(tls.server.clone().into()), ..imap::Options::default() };
    let server = imap::Server::new(env.clone(), directory.clone(), mailboxes.named("imap"), options);
    for (listener, implicit_tls) in listeners {
        tasks.spawn(imap::serve(server.clone(), listener, implicit_tls, stopped.clone()));
    }
    server
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
