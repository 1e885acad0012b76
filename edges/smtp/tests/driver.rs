//! Whole connections on virtual time: the driver, transport and the workers over the simulated ports.
#![allow(clippy::unwrap_used)]

use penfold_deliver::Deliver;
use penfold_directory::{Cheap, Directory, NewPerson, Options};
use penfold_mailbox::Mailboxes;
use penfold_ports::{Account, Turns, World};
use penfold_simulated::{Faults, Simulated};
use penfold_smtp::{Config, Port, Role, Smtp};
use penfold_transport::{Settings, Transport};
use penfold_types::Env;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::sync::watch;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsConnector, client::TlsStream};

struct House {
    world: World,
    env: Env,
    directory: Directory,
    mailboxes: Mailboxes,
    smtp: Smtp,
    connector: TlsConnector,
    ann: Account,
    stop: watch::Sender<bool>,
}

fn certificate() -> (Arc<ServerConfig>, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["mx.test".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server), TlsConnector::from(Arc::new(client)))
}

const MX: Port = Port { role: Role::Mx, implicit_tls: false };
const SUBMISSION: Port = Port { role: Role::Submission, implicit_tls: false };
const SUBMISSIONS: Port = Port { role: Role::Submission, implicit_tls: true };

impl House {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_both(change, |_| ()).await
    }

    async fn with_both(change: impl FnOnce(&mut Settings), edge: impl FnOnce(&mut Config)) -> Self {
        let world = Simulated::new(7, Faults::NONE).world();
        let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let mut settings = Settings { hostname: "mx.test".to_owned(), ..Settings::default() };
        change(&mut settings);
        let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
        let operator = directory.operator();
        operator.create_tenant("X").await.unwrap();
        operator.create_domain("X", &"x.test".parse().unwrap()).await.unwrap();
        let password = Some("correct horse battery".to_owned());
        let new = NewPerson { address: "ann@x.test".parse().unwrap(), name: "Ann".to_owned(), password, quota: None };
        let ann = operator.create_person(&new).await.unwrap();
        operator.add_alias(&new.address, &"a@x.test".parse().unwrap()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(penfold_transport::work::run(Deliver::new(&world, &mailboxes, &transport), 2, stopped));
        let (server, connector) = certificate();
        let mut config = Config { hostname: "mx.test".to_owned(), ..Config::default() };
        edge(&mut config);
        let smtp = Smtp::new(config, world.env.clone(), transport, Some(server));
        Self { env: world.env.clone(), world, directory, mailboxes, smtp, connector, ann, stop }
    }

    fn dial(&self, port: Port, peer: &str) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (smtp, peer, stopped) = (self.smtp.clone(), peer.parse().unwrap(), self.stop.subscribe());
        tokio::spawn(async move { smtp.converse(ours, peer, port, stopped).await });
        theirs
    }

    /// Another process, over the same store.
    fn elsewhere(&self) -> Smtp {
        let directory = Directory::with_options(self.world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
        let mailboxes = Mailboxes::new(self.world.clone(), directory.clone());
        let transport = Transport::new(&self.world, directory, mailboxes, Settings::default());
        Smtp::new(Config { hostname: "mx2.test".to_owned(), ..Config::default() }, self.env.clone(), transport, None)
    }

    /// Ann, signed in, from this machine.
    async fn ann(&self, smtp: &Smtp) -> Client<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (smtp, stopped) = (smtp.clone(), self.stop.subscribe());
        tokio::spawn(async move { smtp.converse(ours, [127, 0, 0, 1].into(), SUBMISSION, stopped).await });
        let mut client = Client::new(theirs);
        client.reply().await;
        client.say("EHLO laptop.test", "250 AUTH").await;
        client.say(AUTH, "235").await;
        client
    }

    async fn tls<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Client<TlsStream<S>> {
        Client::new(self.connector.connect(ServerName::try_from("mx.test").unwrap(), stream).await.unwrap())
    }

    async fn inbox(&self) -> Vec<String> {
        let mailbox = self.mailboxes.open(&self.directory.job_scope(self.ann)).await.unwrap();
        let folders = mailbox.folders().await.unwrap();
        let index = mailbox.index(folders.find("INBOX").unwrap().id).await.unwrap();
        let items: Vec<_> = index.iter().map(|message| message.item).collect();
        let mut out = Vec::new();
        for content in mailbox.contents(&items).await.unwrap().into_iter().flatten() {
            let bytes = mailbox.bytes(&content, 0..content.size()).await.unwrap();
            out.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        out
    }
}

struct Client<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The last line of the next reply.
    async fn reply(&mut self) -> String {
        let mut line = Vec::new();
        loop {
            let byte = self.0.read_u8().await.unwrap();
            line.push(byte);
            if byte == b'\n' {
                let text = String::from_utf8(std::mem::take(&mut line)).unwrap();
                if text.as_bytes().get(3) != Some(&b'-') {
                    return text.trim_end().to_owned();
                }
            }
        }
    }

    async fn say(&mut self, text: &str, expected: &str) -> String {
        self.write(&format!("{text}\r\n")).await;
        let reply = self.reply().await;
        assert!(reply.starts_with(expected), "{text}: {reply}");
        reply
    }

    /// One transaction of Ann's; the answer to its data.
    async fn submit(&mut self, to: &[&str], message: &str) -> String {
        self.say("MAIL FROM:<ann@x.test>", "250").await;
        for to in to {
            self.say(&format!("RCPT TO:<{to}>"), "250").await;
        }
        self.say("DATA", "354").await;
        self.write(&format!("{message}.\r\n")).await;
        self.reply().await
    }

    async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.is_ok() && rest.is_empty()
    }
}

const AUTH: &str = "AUTH PLAIN AGFubkB4LnRlc3QAY29ycmVjdCBob3JzZSBiYXR0ZXJ5";

#[tokio::test(start_paused = true)]
async fn a_message_comes_in_and_is_in_the_inbox() {
    let house = House::new().await;
    let mut client = Client::new(house.dial(MX, "192.0.2.1"));
    assert_eq!(client.reply().await, "220 mx.test ESMTP Penfold");
    client.say("EHLO y.test", "250 STARTTLS").await;
    client.write("MAIL FROM:<s@y.test>\r\nRCPT TO:<ann@x.test>\r\nRCPT TO:<no@x.test>\r\nRCPT TO:<a@other.test>\r\nDATA\r\n").await;
    for expected in ["250 2.1.0", "250 2.1.5", "550 5.1.1", "550 5.7.1", "354"] {
        let reply = client.reply().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
    let accepted = client.say("Subject: x\r\n\r\n..dot\r\n.", "250 2.0.0 Accepted as ").await;
    client.say("QUIT", "221").await;
    assert!(client.is_closed().await);
    house.env.sleep(Duration::from_secs(5)).await;
    let inbox = house.inbox().await;
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].ends_with("+0000\r\nSubject: x\r\n\r\n.dot\r\n"), "{}", inbox[0]);
    assert!(inbox[0].contains(&format!("with ESMTP id {}\r\n\tfor <ann@x.test>;", accepted.rsplit(' ').next().unwrap())));
}

#[tokio::test(start_paused = true)]
async fn starttls_begins_again_and_forgets_what_was_put_in_behind_it() {
    let house = House::new().await;
    let mut client = Client::new(house.dial(SUBMISSION, "192.0.2.1"));
    client.reply().await;
    client.say("EHLO y.test", "250 DELIVERBY").await;
    client.say(AUTH, "538 5.7.11").await;
    client.say("STARTTLS", "220").await;
    let mut client = house.tls(client.0.into_inner()).await;
    client.say("MAIL FROM:<ann@x.test>", "503").await;
    client.say("EHLO y.test", "250 AUTH PLAIN LOGIN").await;
    client.say(AUTH, "235").await;
    client.say("MAIL FROM:<s@y.test>", "553 5.7.1").await;
    client.say("MAIL FROM:<a@x.test>", "250").await;
    client.say("RCPT TO:<friend@y.test>", "451 4.3.0").await;
    client.say("RCPT TO:<ann@x.test>", "250").await;
    client.say("DATA", "354").await;
    client.say("From: Somebody <s@y.test>\r\n\r\n.", "550 5.7.1").await;
    client.say("MAIL FROM:<ann@x.test>", "250").await;
    client.say("RCPT TO:<ann@x.test>", "250").await;
    client.say("DATA", "354").await;
    client.say("Subject: nobody's\r\n\r\n.", "550 5.7.1").await;
    client.say("MAIL FROM:<ann@x.test>", "250").await;
    client.say("RCPT TO:<ann@x.test>", "250").await;
    client.say("DATA", "354").await;
    client.say("From: Ann <a+work@x.test>\r\n\r\n.", "250").await;
    house.env.sleep(Duration::from_secs(5)).await;
    let inbox = house.inbox().await;
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].contains("with ESMTPSA id"), "{}", inbox[0]);
}

#[tokio::test(start_paused = true)]
async fn commands_behind_starttls_in_one_packet_are_not_carried_out() {
    let house = House::new().await;
    let mut client = Client::new(house.dial(MX, "192.0.2.1"));
    client.reply().await;
    client.write("STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@y.test>\r\n").await;
    assert!(client.reply().await.starts_with("220"));
    let mut client = house.tls(client.0.into_inner()).await;
    client.say("RCPT TO:<ann@x.test>", "503").await;
}

#[tokio::test(start_paused = true)]
async fn implicit_tls_and_wrong_passwords() {
    let house = House::new().await;
    let mut client = house.tls(house.dial(SUBMISSIONS, "192.0.2.1")).await;
    assert!(client.reply().await.starts_with("220"));
    client.say("EHLO y.test", "250 AUTH PLAIN LOGIN").await;
    client.say("MAIL FROM:<ann@x.test>", "530 5.7.0").await;
    client.say("AUTH PLAIN AGFubkB4LnRlc3QAd3Jvbmc=", "535 5.7.8").await;
    client.say("AUTH PLAIN AG5vYm9keUB4LnRlc3QAd3Jvbmc=", "535 5.7.8").await;
    client.say(AUTH, "235").await;
}

#[tokio::test(start_paused = true)]
async fn idle_and_slow_peers_are_let_go() {
    let house = House::new().await;
    let mut idle = Client::new(house.dial(MX, "192.0.2.1"));
    idle.reply().await;
    assert!(idle.reply().await.starts_with("421 4.4.2"));
    assert!(idle.is_closed().await);

    // A command that comes letter by letter buys no time.
    let mut slow = Client::new(house.dial(MX, "192.0.2.1"));
    slow.reply().await;
    for _ in 0..3 {
        slow.write("N").await;
        house.env.sleep(Duration::from_secs(99)).await;
    }
    house.env.sleep(Duration::from_secs(5)).await;
    assert!(slow.reply().await.starts_with("421 4.4.2"));

    // Nor does a message, for ever.
    let mut endless = Client::new(house.dial(MX, "192.0.2.1"));
    endless.reply().await;
    endless.say("HELO y.test", "250").await;
    endless.say("MAIL FROM:<s@y.test>", "250").await;
    endless.say("RCPT TO:<ann@x.test>", "250").await;
    endless.say("DATA", "354").await;
    for _ in 0..17 {
        endless.write("x\r\n").await;
        house.env.sleep(Duration::from_secs(110)).await;
    }
    assert!(endless.reply().await.starts_with("421 4.4.2"));
    assert!(house.inbox().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_a_transaction_end_and_sends_the_others_away() {
    let house = House::new().await;
    let mut busy = Client::new(house.dial(MX, "192.0.2.1"));
    busy.reply().await;
    busy.say("HELO y.test", "250").await;
    busy.say("MAIL FROM:<s@y.test>", "250").await;
    busy.say("RCPT TO:<ann@x.test>", "250").await;
    busy.say("DATA", "354").await;
    let mut stuck = Client::new(house.dial(MX, "192.0.2.1"));
    stuck.reply().await;
    stuck.say("HELO y.test", "250").await;
    stuck.say("MAIL FROM:<s@y.test>", "250").await;
    let mut idle = Client::new(house.dial(MX, "192.0.2.1"));
    idle.reply().await;
    house.stop.send_replace(true);
    assert!(idle.reply().await.starts_with("421 4.3.2"));
    assert!(idle.is_closed().await);
    busy.write("Subject: last\r\n\r\n.\r\n").await;
    assert!(busy.reply().await.starts_with("250 2.0.0"));
    assert!(busy.reply().await.starts_with("421 4.3.2"));
    let before = house.env.monotonic();
    assert!(stuck.reply().await.starts_with("421 4.3.2"));
    assert!(house.env.monotonic().duration_since(before) <= Duration::from_secs(21));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanishes_in_the_middle_leaves_nothing() {
    let house = House::new().await;
    let mut client = Client::new(house.dial(MX, "192.0.2.1"));
    client.reply().await;
    client.say("HELO y.test", "250").await;
    client.say("MAIL FROM:<s@y.test>", "250").await;
    client.say("RCPT TO:<ann@x.test>", "250").await;
    client.say("DATA", "354").await;
    client.write("Subject: half\r\n\r\nhalf").await;
    drop(client);
    house.env.sleep(Duration::from_secs(60)).await;
    assert!(house.inbox().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_large_message_comes_whole() {
    let house = House::new().await;
    let mut client = Client::new(house.dial(MX, "192.0.2.1"));
    client.reply().await;
    client.say("EHLO y.test", "250").await;
    let body: String = (0..40_000).map(|n| format!("{n} line of a large message\r\n")).collect();
    let message = format!("Subject: large\r\n\r\n{body}");
    client.say(&format!("MAIL FROM:<s@y.test> SIZE={}", message.len()), "250").await;
    client.say("RCPT TO:<ann@x.test>", "250").await;
    client.write(&format!("BDAT {} LAST\r\n{message}", message.len())).await;
    assert!(client.reply().await.starts_with("250 2.0.0"));
    house.env.sleep(Duration::from_secs(60)).await;
    assert!(house.inbox().await[0].ends_with(&message));
}

const PLAIN: &str = "From: ann@x.test\r\n\r\nText\r\n";

#[tokio::test(start_paused = true)]
async fn what_a_person_hands_in_is_complete_and_keeps_its_blind_copies_secret() {
    let house = House::new().await;
    let mut client = house.ann(&house.smtp).await;
    let bare =
        "Bcc: secret@x.test,\r\n\tmore@x.test\r\nFrom: Ann <a@x.test>\r\nbcc: last@x.test\r\nSubject: bare\r\n\r\nBcc: in the text\r\n";
    let accepted = client.submit(&["ann@x.test"], bare).await;
    let id = accepted.rsplit(' ').next().unwrap().to_owned();
    house.env.sleep(Duration::from_secs(5)).await;
    let whole = "Message-ID: <1@x.test>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\nFrom: ann@x.test\r\n\r\n";
    client.submit(&["ann@x.test"], whole).await;
    client.submit(&["ann@x.test"], "From: ann@x.test\r\nSubject: no text\r\n").await;
    house.env.sleep(Duration::from_secs(5)).await;
    let inbox = house.inbox().await;
    let behind_prefix = |text: &str| text[text.find("+0000\r\n").unwrap() + 7..].to_owned();
    let [first, second, third] = &inbox[..] else { panic!("{inbox:?}") };
    let added = format!("Message-ID: <{id}@x.test>\r\nDate: ");
    assert!(behind_prefix(first).starts_with(&added), "{first}");
    assert!(first.ends_with(" +0000\r\nFrom: Ann <a@x.test>\r\nSubject: bare\r\n\r\nBcc: in the text\r\n"), "{first}");
    assert_eq!(behind_prefix(second), whole);
    assert!(third.ends_with("\r\nFrom: ann@x.test\r\nSubject: no text\r\n\r\n"), "{third}");
}

/// An MX hands on what it got: what is missing there is the sender's affair, and signatures must stay good.
#[tokio::test(start_paused = true)]
async fn what_comes_from_other_hosts_is_not_touched() {
    let house = House::new().await;
    let mut client = Client::new(house.dial(MX, "192.0.2.1"));
    client.reply().await;
    client.say("HELO y.test", "250").await;
    for _ in 0..40 {
        client.say("MAIL FROM:<s@y.test>", "250").await;
        client.say("RCPT TO:<ann@x.test>", "250").await;
        client.say("DATA", "354").await;
        client.say("Bcc: b@x.test\r\nSubject: x\r\n\r\n.", "250").await;
    }
    house.env.sleep(Duration::from_secs(5)).await;
    let inbox = house.inbox().await;
    assert!(inbox.len() == 40 && inbox.iter().all(|message| message.ends_with("+0000\r\nBcc: b@x.test\r\nSubject: x\r\n\r\n")));
}

#[tokio::test(start_paused = true)]
async fn a_person_sends_so_many_messages_a_minute_wherever_they_connect() {
    let house = House::new().await;
    let second = house.elsewhere();
    let (mut here, mut there) = (house.ann(&house.smtp).await, house.ann(&second).await);
    // From the beginning of a minute on, so that all fall into one.
    house.env.sleep(Duration::from_secs(60 - house.env.now().seconds().rem_euclid(60) as u64)).await;
    for _ in 0..15 {
        assert!(here.submit(&["ann@x.test"], PLAIN).await.starts_with("250"));
        assert!(there.submit(&["ann@x.test"], PLAIN).await.starts_with("250"));
    }
    for client in [&mut here, &mut there] {
        assert_eq!(client.submit(&["ann@x.test"], PLAIN).await, "450 4.7.0 More than 30 messages a minute; try again in a minute");
    }
    // A process that begins now knows of it too.
    let third = house.elsewhere();
    assert!(house.ann(&third).await.submit(&["ann@x.test"], PLAIN).await.starts_with("450 4.7.0"));
    house.env.sleep(Duration::from_secs(60)).await;
    assert!(here.submit(&["ann@x.test"], PLAIN).await.starts_with("250"));
    house.env.sleep(Duration::from_secs(5)).await;
    assert_eq!(house.inbox().await.len(), 31);
}

#[tokio::test(start_paused = true)]
async fn a_person_has_so_many_recipients_a_day() {
    let house = House::with(|settings| settings.recipients_per_day = 3).await;
    let mut client = house.ann(&house.smtp).await;
    assert!(client.submit(&["ann@x.test", "a@x.test"], PLAIN).await.starts_with("250"));
    let refused = "451 4.7.0 More than 3 recipients a day; try again after 00:00 UTC";
    assert_eq!(client.submit(&["ann@x.test", "a@x.test"], PLAIN).await, refused);
    assert!(client.submit(&["ann@x.test"], PLAIN).await.starts_with("250"));
    assert_eq!(client.submit(&["ann@x.test"], PLAIN).await, refused);
    house.env.sleep(Duration::from_secs(86_400)).await;
    let mut client = house.ann(&house.smtp).await;
    assert!(client.submit(&["ann@x.test"], PLAIN).await.starts_with("250"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_counted_where_there_is_no_limit() {
    let house = House::with(|settings| (settings.recipients_per_day, settings.messages_per_minute) = (0, 0)).await;
    let mut client = house.ann(&house.smtp).await;
    for _ in 0..100 {
        assert!(client.submit(&["ann@x.test"], PLAIN).await.starts_with("250"));
    }
}

/// A tenant that is flooded puts off its own mail; the other recipients of the same transaction get theirs.
#[tokio::test(start_paused = true)]
async fn only_the_flooded_tenant_puts_off() {
    let turns = Turns::new(1);
    let house = House::with_both(|settings| settings.turns = turns.clone(), |config| config.messages_per_minute = 3).await;
    let operator = house.directory.operator();
    operator.create_tenant("Y").await.unwrap();
    operator.create_domain("Y", &"y.test".parse().unwrap()).await.unwrap();
    let bob = NewPerson { address: "bob@y.test".parse().unwrap(), name: "Bob".to_owned(), password: None, quota: None };
    operator.create_person(&bob).await.unwrap();
    let mut client = Client::new(house.dial(MX, "192.0.2.1"));
    client.reply().await;
    client.say("EHLO s.test", "250 STARTTLS").await;
    // Whoever names recipients and sends nothing keeps nobody's mail away.
    for _ in 0..10 {
        client.say("MAIL FROM:<s@s.test>", "250").await;
        client.say("RCPT TO:<ann@x.test>", "250 2.1.5").await;
        client.say("RSET", "250").await;
    }
    for round in 0..5 {
        client.say("MAIL FROM:<s@s.test>", "250").await;
        let answer = if round < 3 { "250 2.1.5" } else { "452 4.7.0" };
        client.say("RCPT TO:<ann@x.test>", answer).await;
        client.say("RCPT TO:<a@x.test>", answer).await;
        if round >= 3 {
            client.say("RCPT TO:<bob@y.test>", "250 2.1.5").await;
        }
        client.say("DATA", "354").await;
        client.say("Subject: x\r\n\r\n.", "250 2.0.0").await;
    }
    house.env.sleep(Duration::from_secs(60)).await;
    client.say("MAIL FROM:<s@s.test>", "250").await;
    client.say("RCPT TO:<ann@x.test>", "250").await;
    assert_eq!((turns.load().working, turns.load().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn transactions_for_a_tenant_are_counted_while_they_are_open() {
    let house = House::with_both(|_| (), |config| config.transactions_per_tenant = 1).await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::new(house.dial(MX, "192.0.2.1"));
        client.reply().await;
        client.say("EHLO s.test", "250 STARTTLS").await;
        client.say("MAIL FROM:<s@s.test>", "250").await;
        clients.push(client);
    }
    clients[0].say("RCPT TO:<ann@x.test>", "250").await;
    clients[1].say("RCPT TO:<ann@x.test>", "452 4.3.1").await;
    clients[0].say("RSET", "250").await;
    clients[0].say("NOOP", "250").await;
    clients[1].say("RCPT TO:<ann@x.test>", "250").await;
    clients[1].say("DATA", "354").await;
    clients[1].say("Subject: x\r\n\r\n.", "250").await;
    clients[0].say("MAIL FROM:<s@s.test>", "250").await;
    clients[0].say("RCPT TO:<ann@x.test>", "250").await;
    drop(clients.remove(0));
    house.env.sleep(Duration::from_secs(1)).await;
    clients[0].say("MAIL FROM:<s@s.test>", "250").await;
    clients[0].say("RCPT TO:<ann@x.test>", "250").await;
}

#[tokio::test(start_paused = true)]
async fn a_person_has_so_many_connections_to_submission() {
    let house = House::with_both(|_| (), |config| config.connections_per_person = 2).await;
    let (_one, two) = (house.ann(&house.smtp).await, house.ann(&house.smtp).await);
    let mut third = Client::new(house.dial(SUBMISSION, "127.0.0.1"));
    third.reply().await;
    third.say("EHLO laptop.test", "250 AUTH").await;
    third.say(AUTH, "421 4.7.0 Too many connections of this person").await;
    assert!(third.is_closed().await);
    drop(two);
    house.env.sleep(Duration::from_secs(1)).await;
    house.ann(&house.smtp).await;
}
