//! A street of two tenants on any ports, and walks along it that look for a difference between what exists and what does not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "wire.rs"]
mod wire;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use penfold_directory::{Cheap, Directory, Hasher, Options, SignInError};
use penfold_imap::Server;
use penfold_mailbox::{Keywords, Mailboxes, NewMessage};
use penfold_ports::{Account, World};
use penfold_smtp::{Config, Port, Role, Smtp};
use penfold_tests::town;
use penfold_tests::town::{address, folder, group, person};
use penfold_transport::{Settings, Transport};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::Wire;

const PASSWORD: &str = "correct horse battery";

/// What must never be said to another tenant.
const SECRETS: [&str; 4] = ["Merger with Globex", "Geheimakte", "topsecretkeyword", "Strictly between us"];

pub struct Street {
    pub world: World,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub transport: Transport,
    pub ann: Account,
}

pub async fn street(world: World) -> Street {
    let directory = town::directory(&world);
    let ann = person(&world, &directory, "acme", "ann@acme.test", Some(PASSWORD)).await;
    for mail in ["zoe@zeta.test", "zed@zeta.test"] {
        person(&world, &directory, "zeta", mail, Some(PASSWORD)).await;
    }
    group(&directory, "board@acme.test", &[address("ann@acme.test")]).await;
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), Settings::default());
    let street = Street { world, directory, mailboxes, transport, ann };
    let mailbox = street.mailboxes.open(&street.directory.job_scope(ann)).await.unwrap();
    let secret = "From: boss@acme.test\r\nSubject: Merger with Globex\r\nMessage-ID: <merger@acme.test>\r\n\r\nStrictly between us.\r\n";
    let keywords = Keywords::parse(["topsecretkeyword"]).unwrap();
    let file = mailbox.create_folder("Geheimakte", None).await.unwrap();
    for target in [file, folder(&mailbox, "INBOX").await] {
        let new = NewMessage { bytes: Bytes::from_static(secret.as_bytes()), keywords: keywords.clone(), received: None };
        mailbox.append(target, vec![new]).await.unwrap();
    }
    street
}

impl Street {
    fn imap(&self) -> Wire {
        let server = Server::new(self.world.env.clone(), self.directory.clone(), self.mailboxes.clone(), penfold_imap::Options::default());
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (keep, stop) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            penfold_imap::connection(server, theirs, [127, 0, 0, 1].into(), false, stop).await;
            drop(keep);
        });
        Wire::new(ours)
    }

    fn smtp(&self, role: Role) -> Wire {
        let smtp = Smtp::new(Config::default(), self.world.env.clone(), self.transport.clone(), None);
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (keep, stop) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            smtp.converse(theirs, [127, 0, 0, 1].into(), Port { role, implicit_tls: false }, stop).await;
            drop(keep);
        });
        Wire::new(ours)
    }
}

/// Names and ids to try: another tenant's, or made-up ones of the same shape.
struct Names {
    address: &'static str,
    group: &'static str,
    folder: &'static str,
    mailbox_id: String,
    item: String,
    thread: String,
    uidvalidity: u32,
    modseq: u64,
    tenant: String,
    principal: String,
}

fn imap_commands(n: &Names) -> Vec<String> {
    let mut out = Vec::new();
    let mut paths = Vec::new();
    for root in ["Other Users/", "Users/", "Shared/", "user/", "#user/", "~", ""] {
        paths.push(format!("{root}{}/{}", n.address, n.folder));
        paths.push(format!("{root}{}/INBOX", n.address));
        paths.push(format!("{root}{}", n.address));
        paths.push(format!("{root}{}", n.principal));
    }
    paths.extend([
        n.folder.to_owned(),
        n.mailbox_id.clone(),
        format!("../{}/INBOX", n.principal),
        format!("a#{}#{}", n.tenant, n.principal),
    ]);
    for path in &paths {
        for command in [
            "SELECT \"{}\"",
            "EXAMINE \"{}\"",
            "SELECT \"{}\" (CONDSTORE)",
            "STATUS \"{}\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ MAILBOXID)",
            "LIST \"\" \"{}\"",
            "LIST \"{}\" \"*\"",
            "LSUB \"\" \"{}*\"",
            "LIST (SUBSCRIBED) \"\" \"{}*\" RETURN (STATUS (MESSAGES) SPECIAL-USE CHILDREN)",
            "GETQUOTAROOT \"{}\"",
            "GETQUOTA \"{}\"",
            "SUBSCRIBE \"{}\"",
            "UNSUBSCRIBE \"{}\"",
            "DELETE \"{}\"",
            "RENAME \"{}\" \"Mine\"",
            "GETACL \"{}\"",
            "MYRIGHTS \"{}\"",
            "SETACL \"{}\" anyone lr",
            "DELETEACL \"{}\" anyone",
            "LISTRIGHTS \"{}\" anyone",
        ] {
            out.push(command.replace("{}", path));
        }
        out.push(format!("SELECT \"{path}\" (QRESYNC ({} {} 1:*))", n.uidvalidity, n.modseq.saturating_sub(1)));
        out.push("SELECT INBOX".to_owned());
        out.push(format!("COPY 1:* \"{path}\""));
        out.push(format!("UID COPY 1:* \"{path}\""));
        out.push(format!("MOVE 1:* \"{path}\""));
        out.push(format!("UID MOVE 1:* \"{path}\""));
        out.push("CLOSE".to_owned());
    }
    out.push("SELECT INBOX".to_owned());
    for text in [n.mailbox_id.as_str(), n.item.as_str(), n.thread.as_str()] {
        out.push(format!("SEARCH EMAILID {text}"));
        out.push(format!("SEARCH THREADID {text}"));
        out.push(format!("UID SEARCH RETURN (ALL COUNT) EMAILID {text}"));
        out.push(format!("STATUS \"{text}\" (MESSAGES)"));
    }
    for command in [
        "SEARCH HEADER Message-ID merger@acme.test",
        "SEARCH TEXT between",
        "SEARCH KEYWORD topsecretkeyword",
        "SEARCH ALL",
        "UID SEARCH UID 1:*",
        "UID FETCH 1:* (FLAGS UID ENVELOPE BODYSTRUCTURE EMAILID THREADID INTERNALDATE RFC822.SIZE BODY.PEEK[])",
        "FETCH 1:* (FLAGS)",
        "FETCH 1 BINARY.PEEK[1]",
        "UID STORE 1:* +FLAGS (\\Seen)",
        "STORE 1 FLAGS (\\Deleted)",
        "UID EXPUNGE 1:*",
        "EXPUNGE",
        "NAMESPACE",
        "LIST \"\" \"*\"",
        "LIST \"\" \"%/%/%\"",
        "LSUB \"\" \"*\"",
        "NOOP",
        "CHECK",
        "ID NIL",
        "ENABLE QRESYNC CONDSTORE",
        "CAPABILITY",
        "UNSELECT",
        "GETQUOTA \"\"",
        "SETQUOTA \"\" (STORAGE 1)",
    ] {
        out.push(command.to_owned());
    }
    out
}

/// The whole walk, its answers with the names and what is never the same taken out.
async fn walk_imap(street: &Street, who: &str, names: &Names) -> Vec<(String, String)> {
    let mut wire = street.imap();
    let mut out = vec![(String::new(), wire.line().await)];
    let login = wire.imap(&format!("LOGIN {who} \"{PASSWORD}\"")).await;
    assert!(login.contains("OK"), "{login}");
    for command in imap_commands(names) {
        let answer = wire.imap(&command).await;
        assert!(!answer.is_empty(), "{command} closed the connection");
        out.push((command, answer));
    }
    let literal = wire.imap(&format!("APPEND \"Other Users/{}/INBOX\" {{3+}}\r\nabc", names.address)).await;
    out.push(("APPEND".into(), literal));
    out.push(("LOGOUT".into(), wire.imap("LOGOUT").await));
    out
}

fn normal(text: &str, names: &Names, who: &str) -> String {
    let mut text = text.to_owned();
    let ids = [&names.mailbox_id, &names.item, &names.thread, &names.tenant, &names.principal];
    for (word, with) in ids.iter().map(|id| (id.as_str(), "ID")).chain([
        (names.address, "ADDRESS"),
        (names.group, "GROUP"),
        (names.folder, "FOLDER"),
        (who, "WHO"),
    ]) {
        text = text.replace(word, with);
    }
    // Uidvalidities and mailbox ids of one's own folders differ from person to person.
    wire::without_numbers(&text)
}

pub async fn imap(world: World) {
    let street = street(world).await;
    let ann = street.mailboxes.open(&street.directory.job_scope(street.ann)).await.unwrap();
    let file = folder(&ann, "Geheimakte").await;
    let index = ann.index(file).await.unwrap();
    let item = index.iter().next().unwrap().item;
    let thread = ann.contents(&[item]).await.unwrap()[0].as_ref().unwrap().thread;
    let own = ann.folder(file).await.unwrap();
    let theirs = Names {
        address: "ann@acme.test",
        group: "board@acme.test",
        folder: "Geheimakte",
        mailbox_id: file.to_string(),
        item: item.to_string(),
        thread: thread.to_string(),
        uidvalidity: own.uidvalidity.get(),
        modseq: own.modseq.get(),
        tenant: street.ann.tenant.to_string(),
        principal: street.ann.principal.to_string(),
    };
    let made_up = Names {
        address: "ann@acne.test",
        group: "board@acne.test",
        folder: "Gehe1makte",
        mailbox_id: file.to_string().replace(['0', '1', '2'], "3"),
        item: item.to_string().replace(['0', '1', '2'], "3"),
        thread: thread.to_string().replace(['0', '1', '2'], "4"),
        uidvalidity: own.uidvalidity.get() + 77,
        modseq: own.modseq.get(),
        tenant: street.ann.tenant.to_string().replace(['0', '1', '2'], "3"),
        principal: street.ann.principal.to_string().replace(['0', '1', '2'], "3"),
    };
    let before = ann.head().await.unwrap();
    let real = walk_imap(&street, "zoe@zeta.test", &theirs).await;
    let fake = walk_imap(&street, "zed@zeta.test", &made_up).await;
    assert_eq!(ann.head().await.unwrap(), before, "nothing of Ann's was changed");
    for ((command, real), (_, fake)) in real.iter().zip(&fake) {
        for secret in SECRETS.iter().filter(|secret| !command.contains(**secret)) {
            assert!(!real.contains(secret), "{command} gave {secret}: {real}");
        }
        let (real, fake) = (normal(real, &theirs, "zoe@zeta.test"), normal(fake, &made_up, "zed@zeta.test"));
        assert_eq!(real, fake, "{command} tells a name that exists from one that does not");
    }
    // The walk did reach the server's commands.
    let answer = |wanted: &str| real.iter().find(|(command, _)| command == wanted).map(|(_, answer)| answer.as_str()).unwrap();
    assert!(answer("LIST \"\" \"*\"").contains("INBOX") && answer("LIST \"\" \"*\"").contains("OK"));
    assert!(answer("SELECT INBOX").contains("EXISTS"));
    assert!(answer("SELECT \"Other Users/ann@acme.test/INBOX\"").contains("NO"));
    assert!(answer("STATUS \"Geheimakte\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ MAILBOXID)").contains("NO"));
    println!("{} commands", real.len());
}

pub async fn submission(world: World) {
    let street = street(world).await;
    let mut answers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for from in ["ann@acme.test", "nobody@acme.test", "board@acme.test", "zoe@elsewhere.test"] {
        let mut wire = street.smtp(Role::Submission);
        wire.line().await;
        let mut all = vec![wire.smtp("EHLO me.test").await];
        let token = STANDARD.encode(format!("\0zoe@zeta.test\0{PASSWORD}"));
        let signed_in = wire.smtp(&format!("AUTH PLAIN {token}")).await;
        assert!(signed_in.starts_with("235"), "{signed_in}");
        for command in [format!("MAIL FROM:<{from}>"), format!("VRFY {from}"), format!("EXPN {from}")] {
            all.push(wire.smtp(&command).await.replace(from, "FROM"));
        }
        // From the right person in the envelope, but in somebody else's name.
        all.push(wire.smtp("MAIL FROM:<zoe@zeta.test>").await);
        all.push(wire.smtp("RCPT TO:<zed@zeta.test>").await);
        all.push(wire.smtp("DATA").await);
        all.push(wire.smtp(&format!("From: {from}\r\nSubject: x\r\n\r\nx\r\n.")).await.replace(from, "FROM"));
        all.push(wire.smtp("RSET").await);
        answers.insert(from, all);
    }
    let mut kinds: Vec<&Vec<String>> = answers.values().collect();
    assert!(kinds[0][1].starts_with("55"), "{:?}", kinds[0]);
    assert!(kinds[0][7].starts_with("55"), "{:?}", kinds[0]);
    kinds.dedup();
    assert_eq!(kinds.len(), 1, "{answers:#?}");
}

/// Counts what a sign-in costs.
struct Counting(AtomicU64);

impl Hasher for Counting {
    fn hash(&self, secret: &str, salt: &[u8; 16]) -> penfold_types::Result<String> {
        Cheap.hash(secret, salt)
    }

    fn verify(&self, secret: &str, hash: &str) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        Cheap.verify(secret, hash)
    }

    fn blocking(&self) -> bool {
        false
    }
}

pub async fn sign_in(world: World) {
    let street = street(world).await;
    let hasher = Arc::new(Counting(AtomicU64::new(0)));
    let directory = Directory::with_options(street.world.clone(), Options { hasher: hasher.clone(), ..Options::default() });
    // Wrong password, no such person, a group, another domain, no domain of ours, no address at all.
    let who = ["ann@acme.test", "nobody@acme.test", "board@acme.test", "nobody@nowhere.test", "ann", "zoe@acme.test"];
    let mut seen = Vec::new();
    for (at, who) in who.iter().enumerate() {
        let before = hasher.0.load(Ordering::Relaxed);
        let from = [198, 51, 100, at as u8 + 1].into();
        let answer = directory.sign_in(who, "wrong", from).await;
        assert!(matches!(answer, Err(SignInError::Refused)), "{who}");
        seen.push((who, hasher.0.load(Ordering::Relaxed) - before));
    }
    assert!(seen.iter().all(|(_, hashed)| *hashed == seen[0].1), "an absent address costs another number of hashes: {seen:?}");
    let mut texts = Vec::new();
    for who in ["ann@acme.test", "nobody@acme.test", "ann@nowhere.test"] {
        let mut imap = street.imap();
        imap.line().await;
        let login = imap.imap(&format!("LOGIN {who} wrong")).await.replace(who, "WHO");
        let token = STANDARD.encode(format!("\0{who}\0wrong"));
        let plain = imap.imap(&format!("AUTHENTICATE PLAIN {token}")).await;
        let other = STANDARD.encode(format!("{who}\0zoe@zeta.test\0{PASSWORD}"));
        let proxy = imap.imap(&format!("AUTHENTICATE PLAIN {other}")).await;
        let mut smtp = street.smtp(Role::Submission);
        smtp.line().await;
        smtp.smtp("EHLO me.test").await;
        let submission = smtp.smtp(&format!("AUTH PLAIN {token}")).await;
        let proxied = smtp.smtp(&format!("AUTH PLAIN {other}")).await;
        assert!(!proxy.contains("OK") && !proxied.starts_with('2'), "signed in for somebody else: {proxy} {proxied}");
        texts.push([login, plain, proxy, submission, proxied]);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
}
