use crate::control::{Context, Reply, Service};
use crate::moving::digest::is_data_key;
use crate::moving::walk::{Pages, Walk};
use crate::moving::{ExportKey, Moved, export, import, read_archive};
use penfold_directory::{Cheap, Directory, NewGroup, NewPerson, NewShared, Options, PostPolicy, claimed_by, tenant_entry};
use penfold_domains::{Algorithm, Domains};
use penfold_mailbox::{Delta, Keywords, Mailbox, Mailboxes, NewMessage, Store, UidSet};
use penfold_metering::usage::{Round, Usage};
use penfold_ports::{Key, Row, Sk, World};
use penfold_simulated::{Faults, Simulated};
use penfold_types::{Address, FolderId, Modseq, Result, TenantId, Uid};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

pub fn context(world: World) -> Context {
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    Context { service: Service { world, directory, mailboxes, primary: None }, data: PathBuf::new() }
}

pub fn simulated(seed: u64) -> (Simulated, Context) {
    let simulated = Simulated::new(seed, Faults::NONE);
    let context = context(simulated.world());
    (simulated, context)
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Nobody listens, and it does not matter.
pub fn quiet() -> Reply {
    let (reply, mut responses) = Reply::channel();
    tokio::spawn(async move { while responses.recv().await.is_some() {} });
    reply
}

pub async fn exported(from: &Context, key: &ExportKey) -> Result<(Moved, Vec<u8>)> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(8);
    let gathering = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(bytes) = receiver.recv().await {
            all.extend(bytes);
        }
        all
    });
    let moved = export(from, "One", key, sender, &quiet()).await?;
    Ok((moved, gathering.await.unwrap()))
}

pub fn records(archive: &[u8], key: &ExportKey) -> mpsc::Receiver<Result<crate::moving::frame::Read1>> {
    let (sender, receiver) = mpsc::channel(4);
    let (archive, key) = (archive.to_vec(), key.clone());
    std::thread::spawn(move || read_archive(&archive[..], &key, &sender));
    receiver
}

pub async fn imported(into: &Context, archive: &[u8], key: &ExportKey) -> Result<Moved> {
    import(into, key, records(archive, key), &quiet()).await
}

pub async fn mailbox(context: &Context, mail: &str) -> Mailbox {
    let recipient = context.service.directory.resolve_now(&address(mail)).await.unwrap();
    let penfold_directory::Recipient::Mailbox(account) = recipient else { panic!("{mail} has no mailbox") };
    context.service.mailboxes.open(&context.service.directory.job_scope(account)).await.unwrap()
}

pub async fn append(mailbox: &Mailbox, folder: FolderId, texts: &[String]) {
    let message = |text: &String| NewMessage {
        bytes: text.clone().into_bytes().into(),
        keywords: Keywords::parse(["\\Flagged", "Work"]).unwrap(),
        received: Some((1_700_000_000, 60)),
    };
    mailbox.append(folder, texts.iter().map(message).collect()).await.unwrap();
}

fn uids(list: &[u32]) -> UidSet {
    UidSet::from_ranges(list.iter().map(|uid| *uid..=*uid))
}

/// The secret of an app password of ann's.
pub async fn fill(context: &Context, large: usize) -> String {
    let operator = context.service.directory.operator();
    operator.create_tenant("One").await.unwrap();
    for domain in ["one.test", "one.example"] {
        operator.create_domain("One", &domain.parse().unwrap()).await.unwrap();
    }
    for name in ["ann", "bob", "old"] {
        let new = NewPerson {
            address: address(&format!("{name}@one.test")),
            name: name.to_owned(),
            password: Some("secret".to_owned()),
            quota: None,
        };
        operator.create_person(&new).await.unwrap();
    }
    domain_keys(context).await;
    operator.add_alias(&address("ann@one.test"), &address("a.n.n@one.example")).await.unwrap();
    let (_, secret) = operator.create_app_password(&address("ann@one.test"), "phone", &[]).await.unwrap();
    let team = address("team@one.test");
    operator.create_group(&NewGroup { address: team.clone(), name: "Team".to_owned(), who_may_post: PostPolicy::Members }).await.unwrap();
    operator.add_members(&team, &[address("ann@one.test"), address("bob@one.test"), address("x@outside.test")]).await.unwrap();
    let info = address("info@one.test");
    operator.create_shared(&NewShared { address: info.clone(), name: "Info".to_owned(), quota: Some(1 << 30) }).await.unwrap();
    operator.add_shared_members(&info, &[address("ann@one.test")]).await.unwrap();
    mail(context, large).await;
    operator.rotate_data_key("One").await.unwrap();
    let shared = mailbox(context, "info@one.test").await;
    append(&shared, inbox(&shared).await, &["Subject: shared\r\n\r\nx\r\n".to_owned()]).await;
    let old = mailbox(context, "old@one.test").await;
    append(&old, inbox(&old).await, &["Subject: kept for a while\r\n\r\nx\r\n".to_owned()]).await;
    operator.delete_person(&address("old@one.test")).await.unwrap();
    assert!(count(context).await.moved > 2);
    secret
}

/// What the domain signs with, made where there is nothing.
pub async fn domain_keys(context: &Context) -> Vec<penfold_directory::DomainKey> {
    let Service { world, directory, .. } = &context.service;
    let domains = Domains::with_algorithms(world, directory.clone(), &[Algorithm::Ed25519Sha256]);
    domains.ensure(tenant(context).await, &"one.test".parse().unwrap()).await.unwrap()
}

/// A round of the meter.
pub async fn count(context: &Context) -> Round {
    let Service { world, directory, mailboxes, .. } = &context.service;
    Usage::new(world, directory.clone(), mailboxes).round().await.unwrap()
}

pub async fn inbox(mailbox: &Mailbox) -> FolderId {
    mailbox.folders().await.unwrap().find("INBOX").unwrap().id
}

async fn mail(context: &Context, large: usize) {
    let ann = mailbox(context, "ann@one.test").await;
    let inbox = inbox(&ann).await;
    let texts: Vec<_> = (0..12).map(|n| format!("Subject: number {n}\r\nMessage-ID: <{n}@x>\r\n\r\ntext {n}\r\n")).collect();
    append(&ann, inbox, &texts).await;
    // Does not compress, so that its blob has pieces.
    let mut bits = vec![0; large];
    context.service.world.env.fill(&mut bits);
    let body: String = bits.iter().map(|bits| char::from(b'!' + bits % 90)).collect();
    append(&ann, inbox, &[format!("Subject: large\r\n\r\n{body}\r\n")]).await;
    let deep = ann.create_folder("Über/Tief", None).await.unwrap();
    let gone = ann.create_folder("Gone", None).await.unwrap();
    ann.move_items(inbox, &uids(&[2, 3, 4]), &ann, deep).await.unwrap();
    ann.copy(inbox, &uids(&[5]), &ann, gone).await.unwrap();
    ann.store(inbox, &uids(&[6, 7]), Store::Add, &Keywords::parse(["\\Deleted", "$Junk"]).unwrap(), None).await.unwrap();
    ann.expunge(inbox, Some(&uids(&[6])), true).await.unwrap();
    ann.delete_folder(gone).await.unwrap();
    ann.subscribe(deep, true).await.unwrap();
}

/// Every row of the tenant, those aside that differ by design: wrapped data keys, and acts noted on the way.
pub async fn rows(context: &Context, tenant: TenantId) -> BTreeMap<Key, Row> {
    let (world, directory) = (context.service.world.clone(), context.service.directory.clone());
    let walk = Walk { world: world.clone(), directory, tenant };
    let mut partitions = vec![walk.organisation(), walk.usage(), walk.reports()];
    for principal in walk.principals().await.unwrap() {
        partitions.push(walk.account(principal));
        partitions.extend(walk.of_principal(principal));
    }
    let mut found = BTreeMap::new();
    let mut keys = vec![tenant_entry("One")];
    for pk in partitions {
        let mut pages = Pages::new(pk);
        while let Some(page) = pages.next(&world).await.unwrap() {
            for (key, mut row) in page {
                // Where the log ends: the import itself is an act.
                if key.sk().as_bytes() == b"audit" {
                    continue;
                }
                keys.extend(claimed_by(key.sk()));
                if is_data_key(&key) {
                    row.remove("w");
                }
                found.insert(key, row);
            }
        }
    }
    for key in keys {
        if let Some(row) = world.table.get(&key).await.unwrap() {
            found.insert(key, row);
        }
    }
    found
}

pub async fn tenant(context: &Context) -> TenantId {
    context.service.directory.operator().tenant("One").await.unwrap().id
}

/// One sentence for each thing that is wrong.
pub async fn problems(context: &Context) -> Vec<String> {
    let directory = &context.service.directory;
    let mut found = directory.check().await.unwrap();
    for scope in directory.every_account(tenant(context).await).await.unwrap() {
        let mailbox = context.service.mailboxes.open(&scope).await.unwrap();
        found.extend(mailbox.check(false).await.unwrap().problems);
    }
    found
}

/// Folder -> uidvalidity, messages as IMAP shows them, and what changed since a while ago.
pub type Seen = BTreeMap<String, (u32, Vec<(Uid, Modseq, String, Vec<u8>)>, Delta)>;

pub async fn seen(context: &Context, mail: &str) -> Seen {
    let mailbox = mailbox(context, mail).await;
    let mut out = Seen::new();
    for (path, folder) in mailbox.folders().await.unwrap().iter() {
        let mut messages = Vec::new();
        for message in mailbox.index(folder.id).await.unwrap().iter() {
            let content = mailbox.contents(&[message.item]).await.unwrap().remove(0).unwrap();
            let bytes = mailbox.bytes(&content, 0..content.size()).await.unwrap().to_vec();
            messages.push((message.uid, message.modseq, message.keywords.iter().collect::<Vec<_>>().join(" "), bytes));
        }
        let delta = mailbox.changes(folder.id, Modseq(3)).await.unwrap();
        out.insert(path.to_owned(), (folder.uidvalidity.get(), messages, delta));
    }
    out
}

pub fn head_of(rows: &BTreeMap<Key, Row>) -> usize {
    rows.keys().filter(|key| *key.sk() == Sk::head()).count()
}
