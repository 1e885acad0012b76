//! STARTTLS (RFC 9051 §6.2.1): what is offered before and after it, and that nothing sent in the clear survives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::World;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn certificate() -> (TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["mail.test".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)))
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_in_the_clear_means_nothing_inside_tls() {
    let (acceptor, connector) = certificate();
    let world = World::new(1, |options| options.tls = Some(acceptor)).await;
    let mut client = world.connect(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1 << 20);
    let greeting = client.line().await.unwrap();
    assert!(greeting.contains(" STARTTLS LOGINDISABLED]"), "{greeting}");
    // The NOOP was put in by somebody on the way.
    client.send(b"a STARTTLS\r\nb NOOP\r\n").await;
    assert!(client.line().await.unwrap().starts_with("a OK"));
    let wire = client.into_wire();
    let mut inside = BufReader::new(connector.connect(ServerName::try_from("mail.test").unwrap(), wire).await.unwrap());
    inside.write_all(b"c CAPABILITY\r\n").await.unwrap();
    let mut line = String::new();
    inside.read_line(&mut line).await.unwrap();
    assert!(
        line.starts_with("* CAPABILITY ") && line.contains(" AUTH=PLAIN") && !line.contains("STARTTLS") && !line.contains("LOGINDISABLED"),
        "{line}"
    );
    line.clear();
    inside.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("c OK"), "{line}");
    inside.write_all(b"d STARTTLS\r\ne LOGIN ada@a.test secret\r\nf LOGOUT\r\n").await.unwrap();
    let mut rest = String::new();
    inside.read_to_string(&mut rest).await.ok();
    assert!(rest.contains("d BAD") && rest.contains("e OK [CAPABILITY") && rest.contains("f OK"), "{rest}");
}
