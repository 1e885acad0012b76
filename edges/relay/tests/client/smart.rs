//! One host for everything.

use super::net::*;
use penfold_ports::Relay as _;
use penfold_relay::Config;

fn through(url: &str) -> Config {
    Config { smart_host: Some(url.parse().unwrap()), ..config() }
}

#[tokio::test(start_paused = true)]
async fn mail_goes_through_a_smart_host_over_tls_that_is_checked() {
    let world = World::new();
    let good = world.authority.certificate("out.test").server();
    let implicit = Peer { implicit: true, ..Peer::new().tls(good.clone()) }.offers("AUTH PLAIN LOGIN");
    world.host("out.test", "192.0.2.1", At::Peer(implicit.clone()));
    let attempt = world.client_with(through("smtps://ann:secret@out.test")).attempt(&mail(&["b@y.test"])).await;
    assert_eq!(briefs(&attempt), ["accepted 250 2.0.0"]);
    assert_eq!(attempt.tls, Some(("TLSv1.3".to_owned(), Some("pki"))));
    assert_eq!(implicit.heard.lock().commands[1], "AUTH PLAIN AGFubgBzZWNyZXQ=");
    assert_eq!(world.net.dials.lock()[0].0.port(), 465);

    let starttls = Peer::new().tls(good).offers("AUTH LOGIN").answers("AUTH", "334 user").answers("YW5u", "334 password");
    world.host("out.test", "192.0.2.1", At::Peer(starttls.clone()));
    assert_eq!(one(&world.client_with(through("smtp://ann:secret@out.test:587"))).await, "accepted 250 2.0.0");
    assert_eq!(starttls.heard.lock().commands[..6], ["EHLO us.test", "STARTTLS", "EHLO us.test", "AUTH LOGIN", "YW5u", "c2VjcmV0"]);
    assert!(world.facts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn passwords_stay_here_where_the_host_is_not_proven() {
    let world = World::new();
    let stranger = Authority::new().certificate("out.test").server();
    for (peer, expected) in [(Peer::new().tls(stranger), "deferred 451 4.7.5"), (Peer::new().offers("AUTH PLAIN"), "deferred 451 4.7.10")] {
        world.host("out.test", "192.0.2.1", At::Peer(peer.clone()));
        assert_eq!(one(&world.client_with(through("smtp://ann:secret@out.test"))).await, expected);
        assert_eq!(one(&world.client_with(through("smtp://out.test"))).await, expected);
        assert!(!peer.heard.lock().commands.iter().any(|command| command.starts_with("AUTH")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_smart_host_on_this_machine_needs_nothing() {
    let world = World::new();
    let peer = Peer::new();
    world.host("y.test", "127.0.0.1", At::Peer(peer.clone()));
    assert_eq!(one(&world.client_with(through("smtp://127.0.0.1:2525"))).await, "accepted 250 2.0.0");
    assert_eq!(world.net.dials.lock()[0].0.port(), 2525);
    // A wrong password loses no mail.
    let world = World::new();
    let good = world.authority.certificate("out.test").server();
    world.host("out.test", "192.0.2.1", At::Peer(Peer::new().tls(good).offers("AUTH PLAIN").answers("AUTH", "535 5.7.8 no")));
    assert_eq!(one(&world.client_with(through("smtp://ann:wrong@out.test"))).await, "deferred 451 4.7.8");
}
