//! Over real sockets.

use super::net::*;
use bytes::Bytes;
use penfold_ports::{Body, Outgoing, Relay as _};
use penfold_relay::{Client, Config, NoFacts, NoPolicies, Outside, Tcp};
use penfold_simulated::Zone;
use penfold_types::Env;
use std::sync::Arc;
use tokio::net::TcpListener;

async fn listen(peer: Peer) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(peer.clone().serve(Box::new(stream)));
        }
    });
    port
}

fn client(port: u16, authority: &Authority) -> Client {
    let zone = Zone::default();
    zone.mx("y.test", 10, "mx.y.test").address("mx.y.test", "127.0.0.1".parse().unwrap());
    let outside = Outside {
        dns: Arc::new(zone),
        dial: Arc::new(Tcp),
        policies: Arc::new(NoPolicies),
        facts: Arc::new(NoFacts),
        roots: authority.roots(),
    };
    let sources = vec!["127.0.0.1".parse().unwrap()];
    Client::new(Config { port, sources, allow_loopback: true, ..config() }, Env::system(), outside)
}

#[tokio::test]
async fn a_large_message_goes_whole_each_way() {
    let authority = Authority::new();
    let certificate = authority.certificate("mx.y.test");
    let content: String = (0..200_000).map(|n| format!(".{n} line\r\n")).collect();
    let pieces: Vec<Bytes> = content.as_bytes().chunks(1_000_003).map(Bytes::copy_from_slice).collect();
    for body in [Body::SevenBit, Body::Binary] {
        let peer = Peer::new().tls(certificate.server()).offers("CHUNKING").offers("BINARYMIME");
        let client = client(listen(peer.clone()).await, &authority);
        let mail = Outgoing { message: pieces.clone().into(), body, ..mail(&["b@y.test"]) };
        let attempt = client.attempt(&mail).await;
        assert_eq!(briefs(&attempt), ["accepted 250 2.0.0"]);
        assert_eq!(attempt.tls.unwrap().0, "TLSv1.3");
        let heard = peer.heard.lock().clone();
        let chunks = heard.commands.iter().filter(|command| command.starts_with("BDAT")).count();
        if body == Body::Binary {
            // Of the chunks the host keeps the last.
            assert_eq!(chunks, content.len().div_ceil(1 << 20));
            assert!(content.ends_with(&heard.messages[0].1) && !heard.messages[0].1.is_empty());
        } else {
            assert!(heard.messages[0].1 == content, "as it was sent");
        }
        client.close().await;
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(one(&client(port, &Authority::new())).await, "deferred 451 4.4.1");
}
