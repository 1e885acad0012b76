//! RFC 5321 §5.1.

use super::net::*;
use penfold_ports::Relay as _;
use penfold_relay::Config;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn hosts_are_tried_in_their_order() {
    let world = World::new();
    world.mx(10, "first.y.test", "192.0.2.1", At::Nowhere);
    world.zone.mx("y.test", 5, "missing.y.test");
    let second = world.peer(20, "second.y.test", "192.0.2.2", Peer::new());
    let third = world.peer(30, "third.y.test", "192.0.2.3", Peer::new());
    let attempt = world.client().attempt(&mail(&["b@y.test", "c@y.test"])).await;
    assert_eq!(briefs(&attempt), ["accepted 250 2.0.0", "accepted 250 2.0.0"]);
    assert_eq!((attempt.host.as_deref(), attempt.tls), (Some("second.y.test"), None));
    assert_eq!(world.dials(), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!((second.messages(), third.messages()), (1, 0));
    let (names, content) = second.heard.lock().messages[0].clone();
    assert_eq!(names, ["MAIL FROM:<a@x.test>", "RCPT TO:<b@y.test>", "RCPT TO:<c@y.test>"]);
    assert_eq!(content, "Subject: hello\r\n\r\nhello\r\n");
}

#[tokio::test(start_paused = true)]
async fn equal_hosts_share_the_load() {
    let world = World::new();
    let one_host = world.peer(10, "a.y.test", "192.0.2.1", Peer::new());
    let other = world.peer(10, "b.y.test", "192.0.2.2", Peer::new());
    let client = world.client();
    for _ in 0..40 {
        assert_eq!(one(&client).await, "accepted 250 2.0.0");
    }
    assert!(one_host.messages() > 8 && other.messages() > 8);
}

#[tokio::test(start_paused = true)]
async fn domains_without_hosts() {
    let world = World::new();
    let client = world.client();
    assert_eq!(one(&client).await, "refused 550 5.1.2");
    world.zone.name("y.test");
    assert_eq!(one(&client).await, "refused 550 5.4.4");
    world.zone.mx("y.test", 0, "");
    assert_eq!(one(&client).await, "refused 556 5.1.10");
    world.zone.remove("y.test").mx("y.test", 10, "gone.z.test");
    assert_eq!(one(&client).await, "refused 550 5.4.4");
    world.zone.silent("gone.z.test");
    assert_eq!(one(&client).await, "deferred 451 4.4.3");
    world.zone.silent("y.test");
    assert_eq!(one(&client).await, "deferred 451 4.4.3");
    assert!(world.dials().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_domain_without_mx_is_its_own_host_and_a_literal_is_an_address() {
    let world = World::new();
    let peer = Peer::new();
    world.host("y.test", "192.0.2.1", At::Peer(peer.clone()));
    world.host("six.test", "2001:db8::1", At::Peer(peer.clone()));
    let client = world.client();
    let to = |destination: &str| penfold_ports::Outgoing { destination: destination.into(), ..mail(&["b"]) };
    for destination in ["y.test", "Y.Test", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
        assert_eq!(briefs(&client.attempt(&to(destination)).await), ["accepted 250 2.0.0"], "{destination}");
    }
    for destination in ["[192.0.2]", "[IPv6:192.0.2.1]", "[tag:x]"] {
        assert_eq!(briefs(&client.attempt(&to(destination)).await), ["refused 550 5.1.2"], "{destination}");
    }
    assert_eq!(peer.messages(), 4);
}

#[tokio::test(start_paused = true)]
async fn both_families_are_tried_and_aliases_followed() {
    let world = World::new();
    world.zone.mx("y.test", 10, "alias.y.test").alias("alias.y.test", "real.y.test").address("real.y.test", "192.0.2.1".parse().unwrap());
    let peer = Peer::new();
    world.host("real.y.test", "192.0.2.2", At::Peer(peer.clone())).host("real.y.test", "2001:db8::1", At::Nowhere);
    let begun = world.env.monotonic();
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(world.dials(), ["2001:db8::1", "192.0.2.1", "192.0.2.2"]);
    assert!(world.env.monotonic() - begun <= Duration::from_secs(11));
    assert_eq!(peer.messages(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_bounded() {
    let world = World::new();
    for host in 0..9_u16 {
        for address in 0..4 {
            world.host(&format!("h{host}.y.test"), &format!("192.0.{host}.{address}"), At::Nowhere);
        }
        world.zone.mx("y.test", host, &format!("h{host}.y.test"));
    }
    assert_eq!(one(&world.client()).await, "deferred 451 4.4.1");
    assert_eq!(world.dials().len(), 10);
    let few = Config { hosts: 2, ..config() };
    assert_eq!(one(&world.client_with(few)).await, "deferred 451 4.4.1");
    assert_eq!(world.dials().len(), 18);
}

#[tokio::test(start_paused = true)]
async fn never_to_ourselves() {
    let world = World::new();
    let peer = world.peer(30, "worse.y.test", "192.0.2.9", Peer::new());
    world.peer(20, "US.test", "192.0.2.1", Peer::new());
    let client = world.client();
    assert_eq!(one(&client).await, "refused 554 5.4.6");
    let better = world.peer(10, "better.y.test", "192.0.2.2", Peer::new());
    assert_eq!(one(&client).await, "accepted 250 2.0.0");
    assert_eq!((better.messages(), peer.messages()), (1, 0));
    let ours = Config { own_addresses: vec!["::ffff:192.0.2.2".parse().unwrap()], ..config() };
    assert_eq!(one(&world.client_with(ours)).await, "refused 554 5.4.6");

    // One that calls itself as we do.
    let world = World::new();
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().answers("EHLO", "250 us.test"));
    assert_eq!(one(&world.client()).await, "refused 554 5.4.6");
}

#[tokio::test(start_paused = true)]
async fn addresses_that_are_nobody_elses_are_refused() {
    let world = World::new();
    world.zone.mx("y.test", 10, "mx.y.test");
    let peer = Peer::new();
    for address in ["127.0.0.1", "127.1.2.3", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "ff02::1", "::ffff:127.0.0.1"] {
        world.host("mx.y.test", address, At::Peer(peer.clone()));
    }
    assert_eq!(one(&world.client()).await, "refused 550 5.4.4");
    assert!(world.dials().is_empty());
    assert_eq!(one(&world.client_with(Config { allow_loopback: true, ..config() })).await, "accepted 250 2.0.0");
}

#[tokio::test(start_paused = true)]
async fn who_was_deferred_is_tried_at_the_next_host_and_who_was_refused_is_not() {
    let world = World::new();
    let first = Peer::new().answers("RCPT TO:<grey", "451 4.7.1 greylisted").answers("RCPT TO:<no", "550 5.1.1 no such user");
    let first = world.peer(10, "a.y.test", "192.0.2.1", first);
    let second = world.peer(20, "b.y.test", "192.0.2.2", Peer::new());
    let attempt = world.client().attempt(&mail(&["no@y.test", "b@y.test", "grey@y.test"])).await;
    assert_eq!(briefs(&attempt), ["refused 550 5.1.1", "accepted 250 2.0.0", "accepted 250 2.0.0"]);
    assert_eq!(first.heard.lock().messages[0].0.len(), 2);
    assert_eq!(second.heard.lock().messages[0].0, ["MAIL FROM:<a@x.test>", "RCPT TO:<grey@y.test>"]);

    // What a host said is worth more than that the other one is not there.
    world.net.hosts.lock().remove(&"192.0.2.2".parse().unwrap());
    let attempt = world.client().attempt(&mail(&["grey@y.test"])).await;
    assert_eq!(briefs(&attempt), ["deferred 451 4.7.1"]);
}

#[tokio::test(start_paused = true)]
async fn hosts_that_refuse_us() {
    let world = World::new();
    world.peer(10, "a.y.test", "192.0.2.1", Peer::new().greets("554 5.7.1 we do not know you"));
    assert_eq!(one(&world.client()).await, "refused 554 5.7.1");
    world.peer(20, "b.y.test", "192.0.2.2", Peer::new().greets("421 4.3.2 busy"));
    assert_eq!(one(&world.client()).await, "deferred 421 4.3.2");
    world.peer(30, "c.y.test", "192.0.2.3", Peer::new());
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_lacks_an_extension_gives_way_to_one_that_has_it() {
    let world = World::new();
    let plain = world.peer(10, "a.y.test", "192.0.2.1", Peer::new().offers("SIZE 10"));
    let utf8 = penfold_ports::Outgoing { utf8: true, ..mail(&["ü@y.test"]) };
    let client = world.client();
    assert_eq!(briefs(&client.attempt(&utf8).await), ["refused 553 5.6.7"]);
    assert_eq!(one(&client).await, "refused 552 5.3.4");
    let able = world.peer(20, "b.y.test", "192.0.2.2", Peer::new().offers("SMTPUTF8").offers("8BITMIME"));
    assert_eq!(briefs(&client.attempt(&utf8).await), ["accepted 250 2.0.0"]);
    assert_eq!((plain.messages(), able.messages()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn sources_are_drawn_from_the_pool_of_the_family() {
    let world = World::new();
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    world.host("mx.y.test", "2001:db8::1", At::Nowhere);
    let sources = ["198.51.100.1", "198.51.100.2"].map(|source| source.parse().unwrap()).to_vec();
    let client = world.client_with(Config { sources: sources.clone(), keep: Duration::ZERO, ..config() });
    for _ in 0..20 {
        assert_eq!(one(&client).await, "accepted 250 2.0.0");
    }
    let dials = world.net.dials.lock();
    assert!(dials.iter().all(|(to, _)| to.is_ipv4()));
    for source in sources {
        assert!(dials.iter().filter(|(_, from)| *from == Some(source)).count() > 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_with_a_pool_has_addresses_and_connections_of_its_own() {
    let world = World::new();
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    let [common, own] = ["198.51.100.1", "198.51.100.2"].map(|source| source.parse().unwrap());
    let pools = [("bulk".to_owned(), vec![own])].into();
    let client = world.client_with(Config { sources: vec![common], pools, ..config() });
    let of = |pool: &str| penfold_ports::Outgoing { pool: Some(pool.to_owned()), ..mail(&["b@y.test"]) };
    for mail in [mail(&["b@y.test"]), of("bulk"), of("bulk"), of("unknown here"), mail(&["b@y.test"])] {
        assert_eq!(briefs(&client.attempt(&mail).await), ["accepted 250 2.0.0"]);
    }
    let from: Vec<_> = world.net.dials.lock().iter().map(|(_, from)| from.unwrap()).collect();
    assert_eq!((from, peer.connections()), (vec![common, own], 2), "each kept for its own");
}
