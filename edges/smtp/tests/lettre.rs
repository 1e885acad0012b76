//! A mail library of Rust as a sender, over real sockets: lettre signs in after STARTTLS and over implicit TLS, and as another
//! host hands mail to the MX.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lettre::message::{Mailbox, MultiPart, SinglePart, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use penfold_deliver::Deliver;
use penfold_directory::{Cheap, Directory, NewPerson, Options};
use penfold_mailbox::Mailboxes;
use penfold_runtime::Front;
use penfold_simulated::{Faults, Simulated};
use penfold_smtp::{Config, Port, Role, Smtp};
use penfold_transport::{Settings, Transport};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

type Sender = AsyncSmtpTransport<Tokio1Executor>;

fn message(from: &str, to: &str) -> Message {
    let parts = MultiPart::alternative()
        .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body("Grüße, und ein\n.\nallein auf seiner Zeile".to_owned()))
        .singlepart(SinglePart::builder().header(ContentType::TEXT_HTML).body("<p>Grüße</p>".to_owned()));
    let to: Mailbox = to.parse().unwrap();
    Message::builder().from(from.parse().unwrap()).to(to).subject("Grüße von lettre").multipart(parts).unwrap()
}

#[tokio::test]
async fn lettre_sends() {
    let world = Simulated::new(7, Faults::NONE).world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let settings = Settings { hostname: "localhost".to_owned(), ..Settings::default() };
    let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
    let operator = directory.operator();
    operator.create_tenant("X").await.unwrap();
    operator.create_domain("X", &"x.test".parse().unwrap()).await.unwrap();
    let mut people = Vec::new();
    for name in ["ann@x.test", "bob@x.test"] {
        let new = NewPerson { address: name.parse().unwrap(), name: name.to_owned(), password: Some("a secret".to_owned()), quota: None };
        people.push(operator.create_person(&new).await.unwrap());
    }
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = Certificate::from_der(made.cert.der().to_vec()).unwrap();
    let tls = penfold_runtime::Tls::from_pem(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(penfold_transport::work::run(Deliver::new(&world, &mailboxes, &transport), 2, stopped.clone()));
    let config = Config { hostname: "localhost".to_owned(), ..Config::default() };
    let smtp = Smtp::new(config, world.env.clone(), transport, Some(tls.server.clone()));
    let mut ports = Vec::new();
    for port in [
        Port { role: Role::Submission, implicit_tls: false },
        Port { role: Role::Submission, implicit_tls: true },
        Port { role: Role::Mx, implicit_tls: false },
    ] {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        ports.push(socket.local_addr().unwrap().port());
        tokio::spawn(smtp.clone().serve(socket, port, Front::new(&[]), stopped.clone()));
    }
    let trust = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate).build().unwrap();
    let sender = |port: u16, tls: Tls| {
        let hello = ClientId::Domain("laptop.test".to_owned());
        Sender::builder_dangerous("localhost").port(port).tls(tls).hello_name(hello).timeout(Some(Duration::from_secs(60)))
    };
    let ann = || Credentials::new("ann@x.test".to_owned(), "a secret".to_owned());
    let submitted = sender(ports[0], Tls::Required(trust.clone())).credentials(ann()).build();
    submitted.send(message("Ann <ann@x.test>", "Bob <bob@x.test>")).await.unwrap();
    let submitted = sender(ports[1], Tls::Wrapper(trust.clone())).credentials(ann()).build();
    submitted.send(message("Ann <ann@x.test>", "Bob <bob@x.test>")).await.unwrap();
    let outside = sender(ports[2], Tls::Required(trust)).build();
    outside.send(message("Far <f@y.test>", "Bob <bob@x.test>")).await.unwrap();
    // And what is not allowed, it hears as such.
    let forged = submitted.send(message("Bob <bob@x.test>", "Bob <bob@x.test>")).await.unwrap_err();
    assert!(forged.is_permanent(), "{forged}");
    let relayed = outside.send(message("Far <f@y.test>", "Other <o@z.test>")).await.unwrap_err();
    assert!(relayed.is_permanent(), "{relayed}");

    let mailbox = mailboxes.open(&directory.job_scope(people[1])).await.unwrap();
    let inbox = mailbox.folders().await.unwrap().find("INBOX").unwrap().id;
    let index = loop {
        let index = mailbox.index(inbox).await.unwrap();
        if index.len() == 3 {
            break index;
        }
        world.env.sleep(Duration::from_millis(20)).await;
    };
    let items: Vec<_> = index.iter().map(|message| message.item).collect();
    for content in mailbox.contents(&items).await.unwrap() {
        let content = content.unwrap();
        let subject = String::from_utf8_lossy(content.summary.envelope.subject.as_ref().unwrap()).into_owned();
        let text = String::from_utf8(mailbox.bytes(&content, 0..content.size()).await.unwrap().to_vec()).unwrap();
        assert!(subject.contains("=?utf-8?") && text.contains("\r\n.\r\n"), "{text}");
    }
    stop.send(true).unwrap();
}
