//! MTA-STS: RFC 8461 §5.

use super::net::*;
use penfold_ports::{Outgoing, Relay as _};
use penfold_relay::{PolicyType, ResultType};

fn publish(world: &World, mode: &str, mx: &str) {
    world.zone.unsigned("y.test").remove("_mta-sts.y.test").txt("_mta-sts.y.test", "v=STSv1; id=1;");
    world.texts.0.lock().insert("y.test".into(), format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n"));
}

fn results(world: &World) -> Vec<(PolicyType, Result<(), ResultType>)> {
    world.facts().into_iter().map(|(kind, _, result)| (kind, result)).collect()
}

#[tokio::test(start_paused = true)]
async fn enforced() {
    let world = World::new();
    publish(&world, "enforce", "*.y.test");
    let good = world.authority.certificate("mx.y.test");
    let peer = world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(good.server()));
    let attempt = world.client().attempt(&mail(&["b@y.test"])).await;
    assert_eq!(briefs(&attempt), ["accepted 250 2.0.0"]);
    assert_eq!(attempt.tls, Some(("TLSv1.3".to_owned(), Some("sts"))));
    assert_eq!(results(&world), [(PolicyType::Sts, Ok(()))]);
    assert_eq!(peer.messages(), 1);

    let bad = [
        (Some(world.authority.certificate("other.y.test")), "deferred 451 4.7.5", ResultType::CertificateHostMismatch),
        (Some(world.authority.dated("mx.y.test", 2020)), "deferred 451 4.7.5", ResultType::CertificateExpired),
        (Some(Authority::new().certificate("mx.y.test")), "deferred 451 4.7.5", ResultType::CertificateNotTrusted),
        (None, "deferred 451 4.7.10", ResultType::StarttlsNotSupported),
    ];
    for (certificate, expected, result) in bad {
        let peer = certificate.map_or_else(Peer::new, |certificate| Peer::new().tls(certificate.server()));
        world.host("mx.y.test", "192.0.2.1", At::Peer(peer.clone()));
        assert_eq!(one(&world.client()).await, expected, "{result:?}");
        assert_eq!(results(&world), [(PolicyType::Sts, Err(result))]);
        assert_eq!(peer.messages(), 0);
        // RFC 8689 §3: a report of just this must get there. But who requires TLS is not overruled.
        let report = Outgoing { tls_optional: true, ..mail(&["b@y.test"]) };
        assert_eq!(briefs(&world.client().attempt(&report).await), ["accepted 250 2.0.0"], "{result:?}");
        let both = Outgoing { require_tls: true, ..report };
        assert_ne!(briefs(&world.client().attempt(&both).await), ["accepted 250 2.0.0"], "{result:?}");
        assert_eq!(peer.messages(), 1);
        world.facts();
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_outside_the_policy_is_passed_over() {
    let world = World::new();
    publish(&world, "enforce", "good.y.test");
    let evil = world.peer(10, "evil.test", "192.0.2.1", Peer::new().tls(world.authority.certificate("evil.test").server()));
    assert_eq!(one(&world.client()).await, "deferred 451 4.7.5");
    assert_eq!(results(&world), [(PolicyType::Sts, Err(ResultType::ValidationFailure))]);
    let good = Peer::new().tls(world.authority.certificate("good.y.test").server());
    world.peer(20, "good.y.test", "192.0.2.2", good);
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(evil.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn testing_only_reports() {
    let world = World::new();
    publish(&world, "testing", "mx.y.test");
    let stranger = Authority::new().certificate("mx.y.test");
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(stranger.server()));
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(results(&world), [(PolicyType::Sts, Err(ResultType::CertificateNotTrusted))]);
    publish(&world, "testing", "elsewhere.test");
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(results(&world), [(PolicyType::Sts, Err(ResultType::ValidationFailure)), (PolicyType::Sts, Ok(()))]);
    publish(&world, "none", "mx.y.test");
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(results(&world), [(PolicyType::NoPolicyFound, Ok(()))]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_cannot_be_had_is_reported() {
    let world = World::new();
    publish(&world, "enforce", "mx.y.test");
    world.texts.0.lock().clear();
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new());
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    let none = (PolicyType::NoPolicyFound, Err(ResultType::StarttlsNotSupported));
    assert_eq!(results(&world), [(PolicyType::Sts, Err(ResultType::StsPolicyFetchError)), none]);
    world.texts.0.lock().insert("y.test".into(), "<html>".into());
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(results(&world), [(PolicyType::Sts, Err(ResultType::StsPolicyInvalid)), none]);
}

#[tokio::test(start_paused = true)]
async fn dane_goes_first() {
    let world = World::new();
    world.zone.txt("_mta-sts.y.test", "v=STSv1; id=1;");
    world.texts.0.lock().insert("y.test".into(), "version: STSv1\nmode: enforce\nmx: mx.y.test\nmax_age: 86400\n".into());
    // Trusted by the policy, and not what the records say; then the other way round.
    let (trusted, published) = (world.authority.certificate("mx.y.test"), Authority::new().certificate("mx.y.test"));
    world.zone.tlsa("_25._tcp.mx.y.test", tlsa(3, 1, 1, &published.spki));
    world.peer(10, "mx.y.test", "192.0.2.1", Peer::new().tls(trusted.server()));
    assert_eq!(one(&world.client()).await, "deferred 451 4.7.5");
    world.host("mx.y.test", "192.0.2.1", At::Peer(Peer::new().tls(published.server())));
    assert_eq!(one(&world.client()).await, "accepted 250 2.0.0");
    assert_eq!(results(&world), [(PolicyType::Tlsa, Err(ResultType::ValidationFailure)), (PolicyType::Tlsa, Ok(()))]);
}
