//! A small organisation on a simulated world, and the shorthands that the tests speak in.

use bytes::Bytes;
use hooks::Hooks;
use penfold_directory::{Cheap, Directory, NewPerson, Options};
use penfold_formats::mime::summarise;
use penfold_mailbox::{COUNTED, Delivery, Digest, Event, Index, Keywords, Mailbox, Mailboxes, NewMessage, Place, Role, UidSet};
use penfold_ports::{Account, Key, Row, Scope, Sk, World, Write};
use penfold_types::{AcceptanceId, FolderId, Kind, Modseq, Result, Uid};
use std::collections::BTreeMap;
use std::sync::Arc;

pub mod hooks;

pub struct House {
    pub world: World,
    /// What the table is made to do wrong.
    pub hooks: Arc<Hooks>,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub ann: Account,
    pub bob: Account,
    /// Of another tenant.
    pub zoe: Account,
}

/// A directory of its own, as another process has.
pub fn directory(world: &World) -> Directory {
    Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), quota: 1 << 30, ..Options::default() })
}

pub async fn person(directory: &Directory, tenant: &str, address: &str, quota: Option<u64>) -> Account {
    let operator = directory.operator();
    let address: penfold_types::Address = address.parse().unwrap();
    operator.ensure_tenant(tenant).await.unwrap();
    operator.ensure_domain(tenant, address.domain()).await.unwrap();
    let new = NewPerson { address, name: "Somebody".into(), password: None, quota };
    operator.ensure_person(&new).await.unwrap().0
}

pub async fn house() -> House {
    house_with_quota(None).await
}

/// `quota` is Ann's.
pub async fn house_with_quota(quota: Option<u64>) -> House {
    let (world, hooks) = hooks::world(1);
    let directory = directory(&world);
    let ann = person(&directory, "acme", "ann@acme.test", quota).await;
    let bob = person(&directory, "acme", "bob@acme.test", None).await;
    let zoe = person(&directory, "zeta", "zoe@zeta.test", None).await;
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    // The meter came by, and knows of everything.
    for account in [ann, bob, zoe] {
        let mark = directory.tenant_scope(account.tenant).usage(Sk::mark(account.principal));
        world.table.put(Write::put(mark, Row::new().with(COUNTED, u64::MAX))).await.unwrap();
    }
    House { world, hooks, directory, mailboxes, ann, bob, zoe }
}

impl House {
    pub fn scope(&self, account: Account) -> Scope {
        self.directory.job_scope(account)
    }

    pub async fn open(&self, account: Account) -> Mailbox {
        self.mailboxes.open(&self.scope(account)).await.unwrap()
    }

    /// The store as another process knows it: caches of its own.
    pub fn elsewhere(&self) -> Mailboxes {
        Mailboxes::new(self.world.clone(), directory(&self.world))
    }

    /// A message that was accepted for a tenant and waits to be delivered.
    pub async fn accepted(&self, account: Account, message: &str) -> Delivery {
        let bytes = Bytes::from(message.to_owned());
        let summary = summarise(&bytes).encode().into();
        let acceptance = AcceptanceId::new(&self.world.env);
        let blob = self.mailboxes.put_blob(account.tenant, acceptance, vec![bytes]).await.unwrap();
        Delivery {
            blob,
            prefix: Bytes::from_static(b"Return-Path: <sender@example.test>\r\n"),
            summary,
            received: self.world.env.now(),
            place: Place::Role(Role::Inbox),
            keywords: Keywords::NONE,
        }
    }

    pub fn commits(&self) -> u64 {
        self.hooks.commits()
    }

    pub async fn row(&self, key: &Key) -> Option<Row> {
        self.world.table.get(key).await.unwrap()
    }

    /// Damages or repairs a row behind everybody's back.
    pub async fn plant(&self, write: Write) {
        self.world.table.put(write).await.unwrap();
    }
}

pub fn mail(number: usize) -> String {
    letter(&format!("<{number}@example.test>"), "", &format!("Number {number}"))
}

pub fn letter(message_id: &str, references: &str, subject: &str) -> String {
    let references = if references.is_empty() { String::new() } else { format!("References: {references}\r\n") };
    format!(
        "From: Sender <sender@example.test>\r\nTo: ann@acme.test\r\nMessage-ID: {message_id}\r\n{references}Subject: {subject}\r\n\r\nHello.\r\n"
    )
}

pub fn new_message(number: usize) -> NewMessage {
    NewMessage { bytes: Bytes::from(mail(number)), keywords: Keywords::NONE, received: None }
}

pub fn new_messages(count: usize) -> Vec<NewMessage> {
    (0..count).map(new_message).collect()
}

/// Appends many, as many in one commit as it takes.
pub async fn fill(mailbox: &Mailbox, folder: FolderId, count: usize) {
    let messages = new_messages(count);
    for part in messages.chunks(penfold_mailbox::APPEND_LIMIT) {
        mailbox.append(folder, part.to_vec()).await.unwrap();
    }
}

pub async fn folder(mailbox: &Mailbox, path: &str) -> FolderId {
    mailbox.folders().await.unwrap().find(path).unwrap_or_else(|| panic!("no folder {path}")).id
}

pub fn uids(list: impl IntoIterator<Item = u32>) -> UidSet {
    list.into_iter().map(Uid).collect()
}

pub fn keywords(names: &[&str]) -> Keywords {
    Keywords::parse(names.iter().copied()).unwrap()
}

pub fn numbers(list: &[Uid]) -> Vec<u32> {
    list.iter().map(|uid| uid.get()).collect()
}

pub async fn listed(mailbox: &Mailbox, folder: FolderId) -> Vec<u32> {
    mailbox.index(folder).await.unwrap().iter().map(|m| m.uid.get()).collect()
}

/// A folder as a client sees it: uids, keywords and their modseqs.
pub type Seen = BTreeMap<Uid, (Keywords, Modseq)>;

pub fn seen(index: &Index) -> Seen {
    index.iter().map(|m| (m.uid, (m.keywords.clone(), m.modseq))).collect()
}

/// Works events into a view. Strict: what comes is not there yet, what changes or goes is.
pub fn follow(view: &mut Seen, events: Vec<(Modseq, Event)>) {
    for (modseq, event) in events {
        match event {
            Event::Added { uid, keywords } => assert!(view.insert(uid, (keywords, modseq)).is_none(), "{uid} came twice"),
            Event::Keywords { uid, keywords } => {
                *view.get_mut(&uid).unwrap_or_else(|| panic!("{uid} changed and is not there")) = (keywords, modseq)
            }
            Event::Vanished { uid } => assert!(view.remove(&uid).is_some(), "{uid} went twice"),
        }
    }
}

pub fn kind<T: std::fmt::Debug>(answer: Result<T>) -> Kind {
    answer.expect_err("should have failed").kind()
}

/// Every row of the account agrees with every other.
pub async fn assert_clean(mailbox: &Mailbox) {
    let report = mailbox.check(false).await.unwrap();
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
    assert!(report.unfinished.is_empty(), "{:#?}", report.unfinished);
}

/// What the folder's row counts: messages, unseen, deleted, uidnext.
pub async fn counts(mailbox: &Mailbox, folder: FolderId) -> (u32, u32, u32, u32) {
    let own = mailbox.folder(folder).await.unwrap();
    (own.total, own.unseen, own.deleted, own.uidnext.get())
}

pub fn subjects(list: &[(penfold_types::ItemId, Digest)]) -> Vec<&str> {
    list.iter().map(|(_, digest)| digest.subject.as_str()).collect()
}

pub async fn manifest(house: &House, mailbox: &Mailbox, folder: FolderId) -> Option<Row> {
    house.row(&mailbox.scope().key(Sk::checkpoint(folder))).await
}
