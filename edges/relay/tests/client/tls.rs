//! Opportunistic TLS, DANE and REQUIRETLS.

use super::net::*;
use penfold_ports::{Outgoing, Relay as _};
use penfold_relay::{PolicyType, ResultType};

fn host(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[tokio::test(start_paused = true)]
async fn encrypted_where_offered_whoever_signed_it() {
    let world = World::new();
    let stranger = Authority::new().certificate("other.test");
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(stranger.server()));
    let attempt = world.client().attempt(&mail(&["b@y.test"])).await;
    assert_eq!(briefs(&attempt), ["accepted 250 2.0.0"]);
    assert_eq!(attempt.tls, Some(("TLSv1.3".to_owned(), None)));
    assert_eq!(world.facts(), [(PolicyType::NoPolicyFound, host("mx.y.test"), Ok(()))]);
    assert_eq!(peer.heard.lock().commands[..2], ["EHLO us.test", "STARTTLS"]);

    let world = World::new();
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(world.facts(), [(PolicyType::NoPolicyFound, host("mx.y.test"), Err(ResultType::StarttlsNotSupported))]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_handshake_keeps_no_mail_back_where_nobody_asks_for_tls() {
    let world = World::new();
    // It says 220 and goes on in the clear.
    let broken = Peer::new().offers("STARTTLS").answers("STARTTLS", "220-go\r\n220 ahead\r\n250 no TLS here");
    let broken = world.peer(10, "mx.y.test", "192.0.2.1", broken);
    let attempt = world.client().attempt(&mail(&["b@y.test"])).await;
    // More behind the answer is an attack, not a broken handshake.
    assert_eq!(briefs(&attempt), ["deferred 451 4.5.0"]);
    assert_eq!(broken.connections(), 1);

    let world = World::new();
    let broken = At::raw(|stream, _| async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = stream;
        let mut buffer = [0; 1000];
        stream.write_all(b"220 mx\r\n").await.unwrap();
        let _ = stream.read(&mut buffer).await;
        stream.write_all(b"250-mx\r\n250 STARTTLS\r\n").await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        if buffer[..read].starts_with(b"STARTTLS") {
            stream.write_all(b"220 go ahead\r\n").await.unwrap();
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"what is this?\r\n").await;
        } else {
            stream.write_all(b"550 5.7.1 at least this\r\n").await.unwrap();
        }
        let _ = stream.read(&mut buffer).await;
    });
    world.mx(10, "mx.y.test", "192.0.2.1", broken);
    assert_eq!(one(&world.client()).await, "refused 550 5.7.1");
    assert_eq!(world.dials().len(), 2);
    assert_eq!(world.facts(), [(PolicyType::NoPolicyFound, host("mx.y.test"), Err(ResultType::ValidationFailure))]);
}

#[tokio::test(start_paused = true)]
async fn dane_records_that_match() {
    let stranger = Authority::new();
    for (name, other) in [("mx.y.test", "other.test"), ("y.test", "mx.y.test")] {
        // RFC 7672 §3.1.1: of an end entity neither name nor date matters.
        let old = stranger.dated(other, 2020);
        let good = stranger.certificate(name);
        let (leaf, anchor) = (old.chain[0].to_vec(), good.chain[1].to_vec());
        let cases = [
            (&old, tlsa(3, 0, 0, &leaf)),
            (&old, tlsa(3, 0, 1, &leaf)),
            (&old, tlsa(3, 0, 2, &leaf)),
            (&old, tlsa(3, 1, 0, &old.spki)),
            (&old, tlsa(3, 1, 1, &old.spki)),
            (&old, tlsa(3, 1, 2, &old.spki)),
            (&good, tlsa(2, 0, 0, &anchor)),
            (&good, tlsa(2, 0, 1, &anchor)),
            (&good, tlsa(2, 0, 2, &anchor)),
        ];
        for (certificate, record) in cases {
            let world = World::new();
            world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(certificate.server()));
            world.zone.tlsa("_25._tcp.mx.y.test", tlsa(3, 1, 1, b"an older key")).tlsa("_25._tcp.mx.y.test", record.clone());
            let attempt = world.client().attempt(&mail(&["b@y.test"])).await;
            assert_eq!(briefs(&attempt), ["accepted 250 2.0.0"], "{record:?}");
            assert_eq!(attempt.tls, Some(("TLSv1.3".to_owned(), Some("dane"))));
            assert_eq!(world.facts(), [(PolicyType::Tlsa, host("mx.y.test"), Ok(()))]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dane_records_that_do_not_match_keep_the_mail_back() {
    let authority = Authority::new();
    let (good, named, old) = (authority.certificate("mx.y.test"), authority.certificate("other.test"), authority.dated("mx.y.test", 2020));
    let anchor = good.chain[1].to_vec();
    let cases = [
        (&good, tlsa(3, 1, 1, b"another key"), ResultType::ValidationFailure),
        (&good, tlsa(2, 0, 1, b"another anchor"), ResultType::ValidationFailure),
        // The end entity is no trust anchor.
        (&good, tlsa(2, 0, 1, &good.chain[0]), ResultType::ValidationFailure),
        (&named, tlsa(2, 0, 1, &anchor), ResultType::CertificateHostMismatch),
        (&old, tlsa(2, 0, 1, &anchor), ResultType::CertificateExpired),
    ];
    for (certificate, record, result) in cases {
        let world = World::new();
        world.zone.tlsa("_25._tcp.mx.y.test", record.clone());
        let first = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(certificate.server()));
        assert_eq!(one(&world.client()).await, "deferred 451 4.7.5", "{record:?}");
        assert_eq!(world.facts(), [(PolicyType::Tlsa, host("mx.y.test"), Err(result))], "{record:?}");
        // The next host has no records, and that is proven.
        let second = world.peer(20, "b.y.test", "192.0.2.2", Peer::new());
        assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
        assert_eq!((first.messages(), second.messages()), (0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn dane_demands_tls() {
    let world = World::new();
    let certificate = Authority::new().certificate("mx.y.test");
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    world.zone.tlsa("_25._tcp.mx.y.test", tlsa(3, 1, 1, &certificate.spki));
    assert_eq!(one(&world.client()).await, "deferred 451 4.7.10");
    assert_eq!(world.facts(), [(PolicyType::Tlsa, host("mx.y.test"), Err(ResultType::StarttlsNotSupported))]);
    assert_eq!(peer.messages(), 0);

    // RFC 7672 §2.2: where none can be used, it is still to be encrypted.
    world.zone.remove("_25._tcp.mx.y.test").tlsa("_25._tcp.mx.y.test", tlsa(1, 1, 1, b"x")).tlsa("_25._tcp.mx.y.test", tlsa(3, 1, 0, b""));
    assert_eq!(one(&world.client()).await, "deferred 451 4.7.10");
    world.facts();
    world.host("mx.y.test", "192.0.2.1", At::Peer(Peer::new().tls(certificate.server())));
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    let mx = || host("mx.y.test");
    assert_eq!(world.facts(), [(PolicyType::Tlsa, mx(), Err(ResultType::TlsaInvalid)), (PolicyType::Tlsa, mx(), Ok(()))]);
}

#[tokio::test(start_paused = true)]
async fn dane_needs_dnssec_all_the_way_and_falls_for_no_silence() {
    for unsigned in ["y.test", "mx.y.test", "_25._tcp.mx.y.test"] {
        let world = World::new();
        world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
        world.zone.tlsa("_25._tcp.mx.y.test", tlsa(3, 1, 1, b"a key")).unsigned(unsigned);
        assert_eq!(one(&world.client()).await, "accepted 250 2.0.0", "{unsigned}");
        assert_eq!(world.facts()[0].0, PolicyType::NoPolicyFound);
    }
    let world = World::new();
    let first = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    world.zone.silent("_25._tcp.mx.y.test");
    assert_eq!(one(&world.client()).await, "deferred 451 4.7.5");
    assert_eq!(world.facts(), [(PolicyType::Tlsa, host("mx.y.test"), Err(ResultType::DnssecInvalid))]);
    world.peer(20, "b.y.test", "192.0.2.2", Peer::new());
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(first.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn requiretls() {
    let require = |world: &World| {
        let client = world.client();
        async move { briefs(&client.attempt(&Outgoing { require_tls: true, ..mail(&["b@y.test"]) }).await).remove(0) }
    };
    let world = World::new();
    let good = world.authority.certificate("mx.y.test").server();
    let stranger = Authority::new().certificate("mx.y.test").server();
    let cases = [
        (Peer::new().offers("REQUIRETLS"), "refused 550 5.7.30"),
        (Peer::new().tls(good.clone()), "refused 550 5.7.30"),
        (Peer::new().tls(stranger).offers("REQUIRETLS"), "refused 550 5.7.30"),
        (Peer::new().tls(good).offers("REQUIRETLS"), "accepted 250 2.0.0"),
    ];
    for (peer, expected) in cases {
        let world = World { authority: Authority(world_authority(&world)), ..World::new() };
        let peer = world.peer(10, "mx.y.test", "192.0.2.1", peer);
        assert_eq!(require(&world).await, expected);
        assert_eq!(peer.messages() == 1, expected.starts_with("accepted"));
        if peer.messages() == 1 {
            assert!(peer.heard.lock().messages[0].0[0].ends_with(" REQUIRETLS"));
            // RFC 8689 §4.2.1: without DNSSEC or MTA-STS nobody knows whose host it is.
            world.zone.unsigned("y.test");
            assert_eq!(require(&world).await, "refused 550 5.7.30");
        }
    }
}

/// The same authority once more.
fn world_authority(world: &World) -> rcgen::CertifiedIssuer<'static, rcgen::KeyPair> {
    let key = rcgen::KeyPair::try_from(world.authority.0.key().serialize_der()).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    rcgen::CertifiedIssuer::self_signed(params, key).unwrap()
}
