//! Hosts that mean no good, or are broken: each ends in an outcome, in time.

use super::net::*;
use bytes::Bytes;
use penfold_ports::{Outcome, Outgoing, Relay as _};
use penfold_types::Env;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const MINUTE: Duration = Duration::from_secs(60);

/// What came of it, within so many minutes.
async fn against(at: At, minutes: u32, mail: &Outgoing) -> Vec<String> {
    let world = World::new();
    world.mx(10, "mx.y.test", "192.0.2.1", at);
    let begun = world.env.monotonic();
    let attempt = world.client().attempt(mail).await;
    let took = world.env.monotonic() - begun;
    assert!(took <= MINUTE * minutes, "{took:?}");
    briefs(&attempt)
}

async fn alone(at: At, minutes: u32) -> String {
    against(at, minutes, &mail(&["b@y.test"])).await.remove(0)
}

/// Writes the same again and again, as long as it is read.
fn endless(first: &'static str, again: &'static [u8], pause: Duration) -> At {
    At::raw(move |mut stream, env: Env| async move {
        let _ = stream.write_all(first.as_bytes()).await;
        while stream.write_all(again).await.is_ok() {
            env.sleep(pause).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn greetings() {
    let silent = At::raw(|mut stream, _| async move { drop(stream.read_to_end(&mut Vec::new()).await) });
    assert_eq!(alone(silent, 5).await, "deferred 451 4.4.2");
    assert_eq!(alone(At::raw(|stream, _| async move { drop(stream) }), 1).await, "deferred 451 4.4.2");
    assert_eq!(alone(endless("", b"220-we are many\r\n", Duration::ZERO), 1).await, "deferred 451 4.5.0");
    assert_eq!(alone(endless("", b"220-slow\r\n", MINUTE), 5).await, "deferred 451 4.4.2");
    assert_eq!(alone(endless("", b"2", MINUTE), 5).await, "deferred 451 4.4.2");
    assert_eq!(alone(endless("220 ", &[b'x'; 10_000], Duration::ZERO), 1).await, "deferred 451 4.5.0");
    assert_eq!(alone(endless("", &[0; 1000], Duration::ZERO), 1).await, "deferred 451 4.5.0");
    assert_eq!(alone(endless("SSH-2.0-x\r\n", b"", MINUTE), 1).await, "deferred 451 4.5.0");
}

#[tokio::test(start_paused = true)]
async fn a_tarpit_is_left_after_a_while() {
    // Each answer comes in four minutes: every one in time, and all of them too late.
    let tarpit = At::raw(|mut stream, env: Env| async move {
        let _ = stream.write_all(b"220 mx\r\n").await;
        let mut buffer = [0; 4096];
        while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {
            env.sleep(4 * MINUTE).await;
            let _ = stream.write_all(b"250 ok\r\n").await;
        }
    });
    let names: Vec<String> = (0..50).map(|n| format!("r{n}@y.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = against(tarpit, 31, &mail(&names)).await;
    assert!(told.iter().all(|one| one == "deferred 451 4.4.2"), "{told:?}");
}

fn large() -> Outgoing {
    Outgoing { message: vec![Bytes::from(vec![b'x'; 1 << 20]), Bytes::from_static(b"\r\n")].into(), ..mail(&["b@y.test"]) }
}

/// Behaves up to 354, reads `read` octets of the message, and ends as `then` does.
fn up_to_data<F: Future<Output = ()> + Send + 'static>(
    read: usize,
    then: impl Fn(penfold_relay::Stream) -> F + Send + Sync + Copy + 'static,
) -> At {
    At::raw(move |mut stream, _| async move {
        let mut buffer = [0; 2000];
        for answer in ["220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n"] {
            if answer != "220 mx\r\n" {
                let _ = stream.read(&mut buffer).await;
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        let mut content = vec![0; read];
        let _ = stream.read_exact(&mut content).await;
        then(stream).await;
    })
}

#[tokio::test(start_paused = true)]
async fn in_the_middle_of_a_message() {
    let refuses = up_to_data(100_000, |mut stream| async move {
        let _ = stream.write_all(b"552 5.3.4 that is enough\r\n").await;
    });
    assert_eq!(against(refuses, 1, &large()).await, ["refused 552 5.3.4"]);
    let busy = up_to_data(100_000, |mut stream| async move {
        let _ = stream.write_all(b"421 4.3.2 shutting down\r\n").await;
    });
    assert_eq!(against(busy, 1, &large()).await, ["deferred 421 4.3.2"]);
    let gone = up_to_data(100_000, |stream| async move { drop(stream) });
    assert_eq!(against(gone, 1, &large()).await, ["deferred 451 4.4.2"]);
    let stuck = up_to_data(100_000, |_stream| std::future::pending());
    assert_eq!(against(stuck, 4, &large()).await, ["deferred 451 4.4.2"]);
    // A kilobyte a second is too slow for a megabyte, in the end.
    let trickle = At::raw(|mut stream, env: Env| async move {
        let mut buffer = [0; 1024];
        for answer in ["220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n"] {
            if answer != "220 mx\r\n" {
                let _ = stream.read(&mut buffer).await;
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {
            env.sleep(Duration::from_secs(2)).await;
        }
    });
    assert_eq!(against(trickle, 31, &large()).await, ["deferred 451 4.4.2"]);
}

#[tokio::test(start_paused = true)]
async fn after_the_last_dot_nobody_knows() {
    assert_eq!(alone(At::Peer(Peer::new().answers("", "hang up")), 1).await, "deferred? 451 4.4.2");
    assert_eq!(alone(At::Peer(Peer::new().answers("", "silence")), 11).await, "deferred? 451 4.4.2");
    assert_eq!(alone(At::Peer(Peer::new().answers("", "250-half an answer")), 11).await, "deferred? 451 4.4.2");
    // It is not tried elsewhere: the first host may have taken it.
    let world = World::new();
    world.peer(10, "a.y.test", "192.0.2.1", Peer::new().answers("", "hang up"));
    let second = world.peer(20, "b.y.test", "192.0.2.2", Peer::new());
    assert_eq!(one(&world.client()).await, "deferred? 451 4.4.2");
    assert_eq!(second.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn hang_ups_at_every_command() {
    for command in ["EHLO", "MAIL", "RCPT", "DATA"] {
        assert_eq!(alone(At::Peer(Peer::new().answers(command, "hang up")), 1).await, "deferred 451 4.4.2", "{command}");
        assert_eq!(alone(At::Peer(Peer::new().answers(command, "421 4.3.2 bye")), 1).await, "deferred 421 4.3.2", "{command}");
        assert_eq!(alone(At::Peer(Peer::new().answers(command, "x")), 1).await, "deferred 451 4.5.0", "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_never_resolve() {
    // A resolver that hangs, as no resolver should.
    struct Stuck;
    #[async_trait::async_trait]
    impl penfold_ports::Dns for Stuck {
        async fn txt(&self, _: &str) -> Result<penfold_ports::Answer<Bytes>, penfold_ports::DnsError> {
            std::future::pending().await
        }
        async fn mx(&self, _: &str) -> Result<penfold_ports::Answer<penfold_ports::MailExchange>, penfold_ports::DnsError> {
            std::future::pending().await
        }
        async fn v4(&self, _: &str) -> Result<penfold_ports::Answer<std::net::Ipv4Addr>, penfold_ports::DnsError> {
            std::future::pending().await
        }
        async fn v6(&self, _: &str) -> Result<penfold_ports::Answer<std::net::Ipv6Addr>, penfold_ports::DnsError> {
            std::future::pending().await
        }
        async fn names(&self, _: std::net::IpAddr) -> Result<penfold_ports::Answer<String>, penfold_ports::DnsError> {
            std::future::pending().await
        }
        async fn srv(&self, _: &str) -> Result<penfold_ports::Answer<penfold_ports::Service>, penfold_ports::DnsError> {
            std::future::pending().await
        }
        async fn tlsa(&self, _: &str) -> Result<penfold_ports::Answer<penfold_ports::Tlsa>, penfold_ports::DnsError> {
            std::future::pending().await
        }
    }
    let world = World::new();
    let outside = penfold_relay::Outside {
        dns: std::sync::Arc::new(Stuck),
        dial: world.dialer(),
        policies: world.texts.clone(),
        facts: world.reports.clone(),
        roots: world.authority.roots(),
    };
    let client = penfold_relay::Client::new(config(), world.env.clone(), outside);
    let begun = world.env.monotonic();
    assert_eq!(one(&client).await, "deferred 451 4.4.1");
    assert!(world.env.monotonic() - begun <= 31 * MINUTE);
}

/// A process that is to stop does not sit out the patience that a silent host asks for, and says that nothing was sent.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_silent_host_while_we_stop() {
    let world = World::new();
    let silent = At::raw(|mut stream, _| async move { drop(stream.read_to_end(&mut Vec::new()).await) });
    world.mx(10, "mx.y.test", "192.0.2.1", silent);
    let client = world.client();
    let trying = client.clone();
    let attempt = tokio::spawn(async move { trying.attempt(&mail(&["b@y.test"])).await });
    world.env.sleep(MINUTE / 12).await;
    let before = world.env.monotonic();
    client.hurry();
    let outcomes = attempt.await.unwrap().outcomes;
    assert!(world.env.monotonic() - before < MINUTE / 60);
    assert!(matches!(outcomes.as_slice(), [Outcome::Deferred { unsure: false, .. }]), "{outcomes:?}");
}
