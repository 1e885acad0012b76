//! Deliveries on the simulated ports, in virtual time.

mod cost;
mod faults;
mod groups;
mod mailboxes;

use crate::Deliver;
use bytes::Bytes;
use penfold_directory::{Cheap, Directory, NewGroup, NewPerson, Options, PostPolicy};
use penfold_mailbox::{Mailbox, Mailboxes};
use penfold_ports::{Account, QueueName, World};
use penfold_simulated::{Faults, Simulated};
use penfold_transport::trace::Hop;
use penfold_transport::work::run;
use penfold_transport::{Incoming, Origin, Refusal, Settings, To, Transport};
use penfold_types::{AcceptanceId, Address};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A tenant `x.test` in a simulated world.
struct Home {
    simulated: Simulated,
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    transport: Transport,
    deliver: Deliver,
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

impl Home {
    async fn new(seed: u64) -> Self {
        let simulated = Simulated::new(seed, Faults::NONE);
        let world = simulated.world();
        let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let settings = Settings { hostname: "mx.test".to_owned(), ..Settings::default() };
        let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
        let deliver = Deliver::new(&world, &mailboxes, &transport);
        let operator = directory.operator();
        operator.create_tenant("X").await.unwrap();
        operator.create_domain("X", &"x.test".parse().unwrap()).await.unwrap();
        Self { simulated, world, directory, mailboxes, transport, deliver }
    }

    async fn person(&self, name: &str) -> Account {
        let new = NewPerson { address: address(name), name: name.to_owned(), password: None, quota: None };
        self.directory.operator().create_person(&new).await.unwrap()
    }

    async fn group(&self, name: &str, members: &[&str]) -> Account {
        let new = NewGroup { address: address(name), name: name.to_owned(), who_may_post: PostPolicy::Anyone };
        let account = self.directory.operator().create_group(&new).await.unwrap();
        self.members(name, members).await;
        account
    }

    async fn members(&self, group: &str, members: &[&str]) {
        let members: Vec<_> = members.iter().map(|name| address(name)).collect();
        self.directory.operator().add_members(&address(group), &members).await.unwrap();
    }

    /// What an edge does with a message, from RCPT to the 250.
    async fn send(&self, to: &[&str], message: &str) -> Result<AcceptanceId, Refusal> {
        let from = address("sender@y.test");
        let mut recipients = Vec::new();
        for name in to {
            let target = self.transport.recipient(None, Some(&from), &address(name)).await?;
            recipients.push(To::new(target, *name));
        }
        let origin = Origin {
            helo: "y.test".to_owned(),
            peer: [192, 0, 2, 1].into(),
            esmtp: true,
            tls: false,
            utf8: false,
            trusted: true,
            submitter: None,
        };
        let incoming = Incoming {
            origin,
            from_text: from.to_string(),
            from: Some(from),
            envelope: Default::default(),
            recipients,
            message: Bytes::copy_from_slice(message.as_bytes()),
            received: self.world.env.now(),
        };
        self.transport.accept(incoming).await
    }

    fn workers(&self, number: usize) -> Workers {
        let (stop, stopped) = watch::channel(false);
        Workers { stop, task: tokio::spawn(run(self.deliver.clone(), number, stopped)) }
    }

    /// Works until nothing waits that could be done.
    async fn settle(&self) {
        let workers = self.workers(4);
        let tenant = self.directory.operator().tenant("X").await.unwrap().id;
        // A job in the hands of a worker does not wait, but may bring others.
        let mut quiet = 0;
        while quiet < 30 {
            self.world.env.sleep(Duration::from_secs(1)).await;
            let waiting = self.world.queue.backlog(QueueName::Deliver, tenant).await.unwrap();
            quiet = if waiting > 0 { 0 } else { quiet + 1 };
        }
        workers.end().await;
    }

    async fn open(&self, account: Account) -> Mailbox {
        self.mailboxes.open(&self.directory.job_scope(account)).await.unwrap()
    }

    /// The bytes of every message in INBOX, prefix and all.
    async fn inbox(&self, account: Account) -> Vec<String> {
        let mailbox = self.open(account).await;
        let folders = mailbox.folders().await.unwrap();
        let index = mailbox.index(folders.find("INBOX").unwrap().id).await.unwrap();
        let items: Vec<_> = index.iter().map(|message| message.item).collect();
        let mut out = Vec::new();
        for content in mailbox.contents(&items).await.unwrap() {
            let content = content.unwrap();
            let bytes = mailbox.bytes(&content, 0..content.size()).await.unwrap();
            out.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        out
    }

    async fn trace(&self, account: Account, wanted: &str) -> Vec<Hop> {
        let grant = |tenant| self.directory.tenant_scope(tenant);
        self.transport.tracer().flush(&grant).await;
        let scope = self.directory.tenant_scope(account.tenant);
        let entries = penfold_transport::trace::find(&self.world, &scope, wanted).await.unwrap();
        entries.into_iter().map(|entry| entry.hop).collect()
    }
}

struct Workers {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Workers {
    async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

const HELLO: &str = "From: sender@y.test\r\nTo: ann@x.test\r\nSubject: Hello\r\nMessage-ID: <1@y.test>\r\n\r\nHello.\r\n";
