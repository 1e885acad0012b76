//! Signatures that others made.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ED25519, RSA, crlf, judge};
use penfold_authentication::{ArcResult, DkimResult};
use penfold_simulated::Zone;

fn football() -> Zone {
    let zone = Zone::default();
    zone.txt("brisbane._domainkey.football.example.com", ED25519).txt("test._domainkey.football.example.com", RSA);
    zone
}

async fn results(zone: &Zone, message: &[u8]) -> Vec<(DkimResult, Option<&'static str>)> {
    judge(zone, message).await.dkim.into_iter().map(|dkim| (dkim.result, dkim.reason)).collect()
}

const PASS: (DkimResult, Option<&str>) = (DkimResult::Pass, None);

#[tokio::test]
async fn rfc_8463_a3() {
    let message = crlf(include_str!("vectors/dkim/rfc8463-a3.eml"));
    let verdicts = judge(&football(), &message).await;
    let found: Vec<_> = verdicts.dkim.iter().map(|d| (d.domain.as_str(), d.selector.as_str(), d.bits, d.result)).collect();
    assert_eq!(
        found,
        [("football.example.com", "brisbane", 256, DkimResult::Pass), ("football.example.com", "test", 1024, DkimResult::Pass)]
    );
    // Both alignments would do; there is no policy.
    assert_eq!(verdicts.dmarc.author.domain(), Some("football.example.com"));
}

#[tokio::test]
async fn simple_canonicalization() {
    let message = crlf(include_str!("vectors/dkim/rfc6376-simple.eml"));
    assert_eq!(results(&football(), &message).await, [PASS, PASS]);
}

#[tokio::test]
async fn exim() {
    let zone = Zone::default();
    zone.txt("sed._domainkey.test.ex", "v=DKIM1; k=ed25519; p=sPs07Vu29FpHT/80UXUcYHFOHifD4o2ZlP2+XUh9g6E=");
    assert_eq!(results(&zone, &crlf(include_str!("vectors/dkim/exim-ed25519.eml"))).await, [PASS]);
}

#[tokio::test]
async fn a_domain_that_is_none() {
    let message = crlf(include_str!("vectors/dkim/bad-domain.eml"));
    assert_eq!(results(&football(), &message).await, [(DkimResult::Neutral, Some("d is no domain"))]);
}

/// What happens on the way, and what it makes of the two signatures of RFC 8463.
#[tokio::test]
async fn what_changes_a_message_breaks_it() {
    let message = include_str!("vectors/dkim/rfc8463-a3.eml");
    let header = (DkimResult::Fail, Some("the header is not what was signed"));
    let body = (DkimResult::Fail, Some("the body is not what was signed"));
    for (change, expected) in [
        (message.replace("hungry", "angry"), body),
        (message.to_owned() + "more\n", body),
        (message.to_owned() + "\n \n\n", PASS),
        (message.replace("Are you", "Are \t you"), PASS),
        (message.replace("Subject: Is", "SUBJECT:  Is"), PASS),
        (message.replace("From: Joe", "From: Moe"), header),
        // `h=` names these twice so that nobody can add one.
        (message.replace("Subject: Is", "Subject: Other\nSubject: Is"), header),
        ("From: a@b.test\n".to_owned() + message, header),
        ("Subject: Other\n".to_owned() + message, header),
        ("X-New: field\n".to_owned() + message, PASS),
    ] {
        assert_eq!(results(&football(), &crlf(&change)).await, [expected, expected], "{change}");
    }
    // Stored with bare line feeds, it is the same message.
    assert_eq!(results(&football(), message.as_bytes()).await, [PASS, PASS]);
}

#[tokio::test]
async fn keys_that_are_not_there() {
    let message = crlf(include_str!("vectors/dkim/rfc8463-a3.eml"));
    let zone = football();
    zone.silent("brisbane._domainkey.football.example.com").remove("test._domainkey.football.example.com");
    assert_eq!(
        results(&zone, &message).await,
        [(DkimResult::TempError, Some("the key could not be looked up")), (DkimResult::PermError, Some("there is no key"))]
    );
    zone.txt("test._domainkey.football.example.com", "v=DKIM1; k=rsa; p=");
    assert_eq!(results(&zone, &message).await[1], (DkimResult::PermError, Some("the key is revoked")));
    // One record of several fits.
    zone.txt("test._domainkey.football.example.com", "v=spf1 -all").txt("test._domainkey.football.example.com", RSA);
    assert_eq!(results(&zone, &message).await[1], PASS);
}

fn hops() -> Zone {
    let zone = Zone::default();
    for hop in 1..=3 {
        zone.txt(&format!("test._domainkey.hop{hop}.example"), RSA);
    }
    zone
}

#[tokio::test]
async fn a_chain_of_dkimpy() {
    let arc = judge(&hops(), &crlf(include_str!("vectors/dkim/arc-3.eml"))).await.arc;
    assert_eq!((arc.result, arc.reason), (ArcResult::Pass, None));
    assert_eq!(arc.sealers.iter().map(|(domain, _)| domain.as_str()).collect::<Vec<_>>(), ["hop1.example", "hop2.example", "hop3.example"]);
}

#[tokio::test]
async fn broken_chains() {
    let chain = include_str!("vectors/dkim/arc-3.eml");
    let without = |begin: &str| {
        let at = chain.find(begin).unwrap();
        let field = chain[at..].match_indices('\n').find(|(end, _)| !chain[at + end + 1..].starts_with([' ', '\t'])).unwrap().0;
        chain[..at].to_owned() + &chain[at + field + 1..]
    };
    for (change, reason) in [
        (chain.replace("This is", "That is"), "the body is not what was signed"),
        (chain.replace("Subject: T", "Subject: t"), "the header is not what was sealed"),
        (chain.replace("dkim=pass header.i=@d1.example;", "dkim=fail;"), "the header is not what was sealed"),
        (chain.replace("i=2; cv=pass", "i=2; cv=fail"), "the chain failed before"),
        (chain.replace("i=1; cv=none", "i=1; cv=pass"), "cv is not what it must be"),
        (chain.replace("i=3; cv=pass", "i=3; cv=none"), "cv is not what it must be"),
        (chain.replace("i=3; cv=pass", "i=3; cv=pass; h=from"), "a seal lists fields"),
        (chain.replace("i=3; cv=pass", "i=4; cv=pass"), "instances are not in order"),
        (chain.replace("ARC-Seal: i=3;", "ARC-Seal: i=x;"), "a field has no instance"),
        (without("ARC-Seal: i=2"), "instances are not in order"),
        (without("ARC-Seal: i=3"), "a set is not complete"),
        (without("ARC-Authentication-Results: i=1"), "instances are not in order"),
    ] {
        let arc = judge(&hops(), &crlf(&change)).await.arc;
        assert_eq!((arc.result, arc.reason), (ArcResult::Fail, Some(reason)), "{change}");
    }
    let zone = hops();
    zone.silent("test._domainkey.hop1.example");
    assert_eq!(judge(&zone, &crlf(chain)).await.arc.result, ArcResult::TempError);
    zone.remove("test._domainkey.hop3.example");
    assert_eq!(judge(&zone, &crlf(chain)).await.arc.result, ArcResult::Fail);
    assert_eq!(judge(&zone, b"From: a@b.test\r\n\r\n").await.arc.result, ArcResult::None);
}
