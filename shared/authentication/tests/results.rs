//! Whole messages, and the field that says what was found.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ED25519, RSA, arriving, crlf, env, example, judge};
use penfold_authentication::{Arriving, DmarcResult, Handling, IprevResult, SpfResult, forged_results, verify};
use penfold_simulated::Zone;

fn golden(text: &str, expected: &str) {
    assert_eq!(text.replace("\r\n", "\n"), expected.strip_prefix('\n').unwrap());
    assert!(text.ends_with("\r\n") && text.lines().all(|line| line.len() <= 160), "{text}");
}

#[tokio::test]
async fn all_is_well() {
    let zone = example();
    zone.txt("brisbane._domainkey.football.example.com", ED25519).txt("test._domainkey.football.example.com", RSA);
    let verdicts = judge(&zone, &crlf(include_str!("vectors/dkim/rfc8463-a3.eml"))).await;
    golden(
        &verdicts.authentication_results("mx.test"),
        "
Authentication-Results: mx.test;
	iprev=pass policy.iprev=192.0.2.1 (mail.example.com);
	spf=pass smtp.mailfrom=example.com;
	spf=pass smtp.helo=mail.example.com;
	dkim=pass (256-bit key) header.d=football.example.com
	header.s=brisbane header.a=ed25519-sha256 header.b=\"/gCrinpc\";
	dkim=pass (1024-bit key) header.d=football.example.com header.s=test
	header.a=rsa-sha256 header.b=F45dVWDf;
	dmarc=pass header.from=football.example.com policy.dmarc=quarantine
",
    );
    assert_eq!(verdicts.dmarc.organization.as_deref(), Some("example.com"));
}

#[tokio::test]
async fn a_forgery() {
    let zone = example();
    let message = crlf("From: Boss <boss@example.com>\nSubject: x\n\nPay.\n");
    let stranger =
        Arriving { peer: "2001:db8::7".parse().unwrap(), helo: "[203.0.113.7]", mail_from: "boss@example.com", ..arriving(&message) };
    let verdicts = verify(&zone, &env(), &stranger).await;
    golden(
        &verdicts.authentication_results("mx.test"),
        "
Authentication-Results: mx.test;
	iprev=permerror policy.iprev=\"2001:db8::7\";
	spf=fail smtp.mailfrom=example.com;
	spf=none smtp.helo=\"[203.0.113.7]\";
	dkim=none;
	dmarc=fail header.from=example.com policy.dmarc=reject
",
    );
    assert_eq!(verdicts.dmarc.handling(), Handling::Reject);
}

#[tokio::test]
async fn a_list() {
    let zone = Zone::default();
    for hop in 1..=3 {
        zone.txt(&format!("test._domainkey.hop{hop}.example"), RSA);
    }
    let chain = include_str!("vectors/dkim/arc-3.eml");
    let found = judge(&zone, &crlf(chain)).await.authentication_results("mx.test");
    assert!(found.contains("\tarc=pass (i=3 d=hop3.example) smtp.remote-ip=192.0.2.1;\r\n"), "{found}");
    let found = judge(&zone, &crlf(&chain.replace("This is", "That is"))).await.authentication_results("mx.test");
    assert!(found.contains("arc=fail (i=3 d=hop3.example)"), "{found}");
}

/// What a peer says stays inside its value.
#[tokio::test]
async fn nobody_writes_into_our_field() {
    let message = crlf("From: a@x.test, b@y.test\nDKIM-Signature: v=1; a=x; b=\"); dkim=pass; d=example.com; s=s; h=From; bh=YQ==\n\n");
    let evil = Arriving { helo: "a; dkim=pass (\r\n\"x\\", mail_from: "a@b;dmarc=pass\r\nX: y", ..arriving(&message) };
    let verdicts = verify(&Zone::default(), &env(), &evil).await;
    golden(
        &verdicts.authentication_results("mx.test"),
        "
Authentication-Results: mx.test;
	iprev=permerror policy.iprev=192.0.2.1;
	spf=none smtp.mailfrom=\"b;dmarc=pass??x: y\";
	spf=none smtp.helo=\"a; dkim=pass ????x?\";
	dkim=neutral reason=\"b is no base64\";
	dmarc=none reason=\"there are authors of several domains\"
",
    );
}

#[tokio::test]
async fn the_null_path_is_the_helo_name() {
    let verdicts = verify(&example(), &env(), &Arriving { mail_from: "", ..arriving(b"From: a@mail.example.com\r\n\r\n") }).await;
    assert_eq!((verdicts.mail_from.result, verdicts.mail_from.domain.as_str()), (SpfResult::Pass, "mail.example.com"));
    assert_eq!((verdicts.dmarc.result, verdicts.dmarc.spf_aligned), (DmarcResult::Pass, true));
}

#[tokio::test]
async fn reverse_names() {
    let peer = "192.0.2.1".parse().unwrap();
    let of = async |zone: &Zone| judge(zone, b"").await.iprev;
    let zone = Zone::default();
    assert_eq!(of(&zone).await.result, IprevResult::PermError);
    zone.ptr(peer, "a.test");
    assert_eq!(of(&zone).await.result, IprevResult::Fail);
    zone.ptr(peer, "slow.test").silent("slow.test");
    assert_eq!(of(&zone).await.result, IprevResult::TempError);
    zone.ptr(peer, "b.test").address("b.test", "192.0.2.9".parse().unwrap()).address("b.test", peer);
    let found = of(&zone).await;
    assert_eq!((found.result, found.name.as_deref()), (IprevResult::Pass, Some("b.test")));
    zone.silent("1.2.0.192.in-addr.arpa");
    assert_eq!(of(&zone).await.result, IprevResult::TempError);
}

/// Our own field is found again, and nothing else is.
#[tokio::test]
async fn what_we_write_we_would_take_out() {
    let field = judge(&example(), b"From: a@example.com\r\n\r\n").await.authentication_results("mx.test");
    let message = format!("Received: x\r\n{field}From: a@example.com\r\n\r\n{field}");
    let found = forged_results(message.as_bytes(), "MX.test");
    assert_eq!(found.iter().map(|range| &message[range.clone()]).collect::<Vec<_>>(), [field]);
    assert!(forged_results(message.as_bytes(), "mx.other").is_empty());
}

/// A server spawns it.
#[test]
fn it_may_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    is_send(verify(&Zone::default(), &env(), &arriving(b"")));
}
