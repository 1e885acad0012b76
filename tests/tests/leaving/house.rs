use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_authentication::Algorithm;
use penfold_deliver::Deliver;
use penfold_directory::{Cheap, Directory, NewGroup, NewPerson, Options, PostPolicy, SignedIn};
use penfold_mailbox::Mailboxes;
use penfold_ports::{Attempt, Notify, Outcome, Outgoing, QueueName, Relay, Said, World};
use penfold_send::Send;
use penfold_simulated::{Faults, Simulated};
use penfold_timer::Timer;
use penfold_transport::outbound::{Carrier, Envelope};
use penfold_transport::trace::{Entry, find};
use penfold_transport::work::run;
use penfold_transport::{Incoming, Origin, Refusal, Settings, To, Transport};
use penfold_types::{AcceptanceId, Address, Env};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a peer does with a recipient, at the time of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    Take,
    Later,
    Never,
    /// The connection is lost after the final dot: the message was taken, or it was not.
    Lost {
        taken: bool,
    },
}

type Plan = dyn Fn(&str, Duration) -> Deed + std::marker::Send + Sync;

/// Other hosts.
#[derive(Clone)]
pub struct Peers {
    plan: Arc<Plan>,
    /// How long an attempt takes.
    takes: Duration,
    begun: Arc<Mutex<Option<(Env, penfold_types::Timestamp)>>>,
    taken: Arc<Mutex<Vec<(String, String)>>>,
    sent: Arc<Mutex<Vec<(Outgoing, String)>>>,
}

impl Default for Peers {
    fn default() -> Self {
        Self::of(|_, _| Deed::Take)
    }
}

impl Peers {
    /// `plan`: by recipient, and the time since the beginning.
    pub fn of(plan: impl Fn(&str, Duration) -> Deed + std::marker::Send + Sync + 'static) -> Self {
        let takes = Duration::from_millis(300);
        Self { plan: Arc::new(plan), takes, begun: Arc::default(), taken: Arc::default(), sent: Arc::default() }
    }

    pub fn taking(self, takes: Duration) -> Self {
        Self { takes, ..self }
    }

    /// Recipient and subject of what was taken, in order.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.taken.lock().clone()
    }

    pub fn sent(&self) -> Vec<Outgoing> {
        self.sent.lock().iter().map(|(mail, _)| mail.clone()).collect()
    }

    /// The messages of the same attempts.
    pub fn texts(&self) -> Vec<String> {
        self.sent.lock().iter().map(|(_, text)| text.clone()).collect()
    }
}

pub fn said(code: u16, text: &str) -> Said {
    Said { code, status: (u8::try_from(code / 100).unwrap(), 1, 1), text: text.to_owned(), host: Some("mx.out.test".to_owned()) }
}

#[async_trait]
impl Relay for Peers {
    async fn attempt(&self, mail: &Outgoing) -> Attempt {
        let (env, begun) = self.begun.lock().clone().unwrap();
        env.sleep(self.takes / 2).await;
        let text = String::from_utf8(mail.message.fetch().await.unwrap().concat()).unwrap();
        self.sent.lock().push((mail.clone(), text.clone()));
        let subject = text.split_once("Subject: ").unwrap().1.split("\r\n").next().unwrap().to_owned();
        let since = env.now().since(begun);
        let outcome = |to: &String| {
            let deed = (self.plan)(to, since);
            if matches!(deed, Deed::Take | Deed::Lost { taken: true }) {
                self.taken.lock().push((to.clone(), subject.clone()));
            }
            match deed {
                Deed::Take => Outcome::Accepted { said: said(250, "queued"), reports: false },
                Deed::Later => Outcome::Deferred { said: said(451, "come again"), unsure: false },
                Deed::Never => Outcome::Refused { said: said(550, "nobody here") },
                Deed::Lost { .. } => Outcome::Deferred { said: said(451, "connection lost"), unsure: true },
            }
        };
        let outcomes = mail.recipients.iter().map(|recipient| outcome(&recipient.path)).collect();
        // The answer takes a while, in which a process may die.
        env.sleep(self.takes / 2).await;
        Attempt { outcomes, host: Some("mx.out.test".to_owned()), tls: Some(("TLSv1.3".to_owned(), None)) }
    }
}

pub struct House {
    pub simulated: Simulated,
    pub world: World,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub transport: Transport,
    pub peers: Peers,
    pub ann: SignedIn,
    work: Mutex<JoinSet<()>>,
    stop: watch::Sender<bool>,
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub fn letter(subject: &str) -> String {
    format!(
        "From: Ann <ann@x.test>\r\nTo: somebody\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.test>\r\n\r\nThe text of {subject}.\r\n"
    )
}

impl House {
    pub async fn new(seed: u64, peers: Peers) -> Self {
        let simulated = Simulated::new(seed, Faults::NONE);
        let world = simulated.world();
        let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
        let operator = directory.operator();
        operator.create_tenant("X").await.unwrap();
        operator.create_domain("X", &"x.test".parse().unwrap()).await.unwrap();
        for name in ["ann@x.test", "bob@x.test", "cid@x.test"] {
            let new = NewPerson { address: address(name), name: name.to_owned(), password: Some("secret".to_owned()), quota: None };
            operator.create_person(&new).await.unwrap();
        }
        let team = NewGroup { address: address("team@x.test"), name: "Team".to_owned(), who_may_post: PostPolicy::Anyone };
        operator.create_group(&team).await.unwrap();
        operator.add_members(&team.address, &[address("cid@x.test")]).await.unwrap();
        let ann = directory.sign_in("ann@x.test", "secret", [192, 0, 2, 9].into()).await.unwrap();
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let settings =
            Settings { hostname: "mx.test".to_owned(), sends: true, signatures: &[Algorithm::Ed25519Sha256], ..Settings::default() };
        let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
        *peers.begun.lock() = Some((world.env.clone(), world.env.now()));
        let (stop, _) = watch::channel(false);
        let house = Self { simulated, world, directory, mailboxes, transport, peers, ann, work: Mutex::default(), stop };
        house.serve();
        house
    }

    /// A process: all that takes jobs.
    pub fn serve(&self) {
        let mut work = self.work.lock();
        work.spawn(run(Deliver::new(&self.world, &self.mailboxes, &self.transport), 2, self.stop.subscribe()));
        work.spawn(run(Send::new(&self.world, &self.transport), 2, self.stop.subscribe()));
        work.spawn(run(Carrier::new(self.transport.clone(), Arc::new(self.peers.clone())), 4, self.stop.subscribe()));
        work.spawn(Timer::new(&self.world).run(self.stop.subscribe()));
    }

    /// Everything in this process stops where it is.
    pub async fn kill(&self) {
        let mut work = std::mem::take(&mut *self.work.lock());
        work.shutdown().await;
        self.simulated.crash();
    }

    pub async fn submit(&self, to: &[&str], message: &str) -> Result<AcceptanceId, Refusal> {
        let plain: Vec<_> = to.iter().map(|to| (*to, None, None)).collect();
        self.submit_with(&plain, message, |_| ()).await
    }

    pub async fn submit_with(
        &self,
        to: &[(&str, Option<Notify>, Option<&str>)],
        message: &str,
        envelope: impl FnOnce(&mut Envelope),
    ) -> Result<AcceptanceId, Refusal> {
        let mut own = Envelope::default();
        envelope(&mut own);
        self.accept(Some(self.ann.clone()), self.ann.address.clone(), to, message, own).await
    }

    /// From another host, whatever it says of itself.
    pub async fn arrive(&self, from: &str, to: &str, message: &str) -> Result<AcceptanceId, Refusal> {
        self.accept(None, address(from), &[(to, None, None)], message, Envelope::default()).await
    }

    async fn accept(
        &self,
        submitter: Option<SignedIn>,
        from: Address,
        to: &[(&str, Option<Notify>, Option<&str>)],
        message: &str,
        envelope: Envelope,
    ) -> Result<AcceptanceId, Refusal> {
        let mut recipients = Vec::new();
        for (path, notify, orcpt) in to {
            let target = self.transport.recipient(submitter.as_ref(), Some(&from), &address(path)).await?;
            recipients.push(To { notify: *notify, orcpt: orcpt.map(str::to_owned), ..To::new(target, *path) });
        }
        let origin = Origin { helo: "laptop".to_owned(), peer: [192, 0, 2, 9].into(), ..penfold_tests::town::origin(submitter) };
        let incoming = Incoming {
            origin,
            from_text: from.to_string(),
            from: Some(from),
            envelope,
            recipients,
            message: Bytes::copy_from_slice(message.as_bytes()),
            received: self.world.env.now(),
        };
        self.transport.accept(incoming).await
    }

    /// Until no job waits and nothing is due within a minute.
    pub async fn quiet(&self) {
        let mut quiet = 0;
        while quiet < 70 {
            self.world.env.sleep(Duration::from_secs(1)).await;
            let mut waiting = 0;
            for queue in QueueName::ALL {
                waiting += self.world.queue.backlog(queue, self.ann.account.tenant).await.unwrap();
            }
            quiet = if waiting > 0 { 0 } else { quiet + 1 };
        }
    }

    /// The bytes of every message in somebody's INBOX, prefix and all.
    pub async fn inbox(&self, name: &str) -> Vec<String> {
        self.folder(name, "INBOX").await
    }

    pub async fn folder(&self, name: &str, path: &str) -> Vec<String> {
        let penfold_directory::Recipient::Mailbox(account) = self.directory.resolve_now(&address(name)).await.unwrap() else {
            panic!("{name} has no mailbox");
        };
        let mailbox = self.mailboxes.open(&self.directory.job_scope(account)).await.unwrap();
        let folders = mailbox.folders().await.unwrap();
        let index = mailbox.index(folders.find(path).unwrap().id).await.unwrap();
        let items: Vec<_> = index.iter().map(|message| message.item).collect();
        let mut out = Vec::new();
        for content in mailbox.contents(&items).await.unwrap() {
            let content = content.unwrap();
            out.push(String::from_utf8_lossy(&mailbox.bytes(&content, 0..content.size()).await.unwrap()).into_owned());
        }
        out
    }

    pub async fn trace(&self, acceptance: AcceptanceId) -> Vec<Entry> {
        let grant = |tenant| self.directory.tenant_scope(tenant);
        self.transport.tracer().flush(&grant).await;
        let scope = self.directory.tenant_scope(self.ann.account.tenant);
        find(&self.world, &scope, &acceptance.to_string()).await.unwrap()
    }
}
