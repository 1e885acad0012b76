//! Connections that are kept, places and back-off.

use super::net::*;
use penfold_ports::Relay as _;
use penfold_relay::Config;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_for_the_next_message_and_then_let_go() {
    let world = World::new();
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    let client = world.client();
    for _ in 0..5 {
        assert_eq!(one(&client).await, "accepted 250 2.0.0");
        world.env.sleep(4 * SECOND).await;
    }
    assert_eq!((peer.connections(), peer.messages(), peer.heard.lock().quits), (1, 5, 0));
    world.env.sleep(2 * SECOND).await;
    assert_eq!(peer.heard.lock().quits, 1);
    assert_eq!(one(&client).await, "accepted 250 2.0.0");
    assert_eq!(peer.connections(), 2);
    client.close().await;
    assert_eq!(peer.heard.lock().quits, 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_for_so_many_messages() {
    let world = World::new();
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    let client = world.client_with(Config { messages: 3, ..config() });
    for _ in 0..7 {
        assert_eq!(one(&client).await, "accepted 250 2.0.0");
    }
    world.env.sleep(SECOND).await;
    assert_eq!((peer.connections(), peer.heard.lock().quits), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_died_costs_nothing() {
    for end in ["hang up", "421 4.4.2 idle for too long"] {
        let world = World::new();
        let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().answers("RSET", end));
        let client = world.client();
        for _ in 0..3 {
            assert_eq!(one(&client).await, "accepted 250 2.0.0");
        }
        assert_eq!((peer.connections(), peer.messages()), (3, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_domain_demands_does_not_ride_on_what_another_got() {
    let world = World::new();
    let certificate = world.authority.certificate("mx.y.test");
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(certificate.server()));
    world.zone.mx("z.test", 10, "mx.y.test").unsigned("z.test").unsigned("y.test").txt("_mta-sts.z.test", "v=STSv1; id=1;");
    world.texts.0.lock().insert("z.test".into(), "version: STSv1\nmode: enforce\nmx: mx.y.test\nmax_age: 86400\n".into());
    let client = world.client();
    assert_eq!(one(&client).await, "accepted 250 2.0.0");
    let other = penfold_ports::Outgoing { destination: "z.test".into(), ..mail(&["b@z.test"]) };
    let attempt = client.attempt(&other).await;
    assert_eq!(attempt.tls.unwrap().1, Some("sts"));
    assert_eq!(peer.connections(), 2);
    // But two domains with the same wish share.
    assert_eq!(one(&client).await, "accepted 250 2.0.0");
    client.attempt(&other).await;
    assert_eq!(peer.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn few_connections_to_one_destination() {
    let world = World::new();
    // It takes a message, and never says so.
    let slow = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().answers("", "silence"));
    let client = world.client_with(Config { concurrency: 2, ..config() });
    let attempts: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { one(&client).await })
        })
        .collect();
    world.env.sleep(31 * SECOND).await;
    assert_eq!(slow.connections(), 2);
    let mut told = Vec::new();
    for attempt in attempts {
        told.push(attempt.await.unwrap());
    }
    told.sort();
    assert_eq!(told, ["deferred 451 4.4.5", "deferred? 451 4.4.2", "deferred? 451 4.4.2"]);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_cannot_be_reached_is_left_alone_for_a_while() {
    let world = World::new();
    world.zone.mx("y.test", 10, "mx.y.test").address("mx.y.test", "192.0.2.1".parse().unwrap());
    let client = world.client();
    for dials in 1..4_u32 {
        let attempt = client.attempt(&mail(&["b@y.test"])).await;
        assert_eq!(briefs(&attempt), ["deferred 451 4.4.1"]);
        // The same words, without a connection.
        assert_eq!(client.attempt(&mail(&["b@y.test"])).await.outcomes, attempt.outcomes);
        assert_eq!(world.dials().len(), dials as usize);
        world.env.sleep(60 * SECOND * (1 << (dials - 1))).await;
    }
    let peer = Peer::new();
    world.host("mx.y.test", "192.0.2.1", At::Peer(peer.clone()));
    assert_eq!(one(&client).await, "accepted 250 2.0.0");
    // What a host says to a recipient is no reason to stay away.
    world.host("mx.y.test", "192.0.2.1", At::Peer(Peer::new().answers("RCPT", "451 4.7.1 greylisted")));
    world.env.sleep(10 * SECOND).await;
    for _ in 0..2 {
        assert_eq!(one(&client).await, "deferred 451 4.7.1");
    }
}

/// Large messages to hosts that hold them up wait for one another, and nobody else waits for them.
#[tokio::test(start_paused = true)]
async fn what_is_large_takes_turns() {
    let world = World::new();
    // It takes a message, and never says so.
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().answers("", "silence"));
    world.zone.mx("z.test", 10, "mx.z.test");
    world.host("mx.z.test", "192.0.2.2", At::Peer(Peer::new()));
    let client = world.client_with(Config { memory: 1024, ..config() });
    let sized = |to: &str, octets: usize| penfold_ports::Outgoing {
        destination: to.into(),
        message: vec![bytes::Bytes::from([vec![b'x'; octets], b"\r\n".to_vec()].concat())].into(),
        ..mail(&["b"])
    };
    let (slow, large) = (client.clone(), sized("y.test", 900 * 1024));
    let held_up = tokio::spawn(async move { slow.attempt(&large).await });
    world.env.sleep(SECOND).await;
    assert_eq!(briefs(&client.attempt(&sized("z.test", 900 * 1024)).await), ["deferred 451 4.3.1"]);
    assert_eq!(briefs(&client.attempt(&sized("z.test", 1024)).await), ["accepted 250 2.0.0"]);
    held_up.await.unwrap();
    assert_eq!(briefs(&client.attempt(&sized("z.test", 900 * 1024)).await), ["accepted 250 2.0.0"], "it was given back");
}
