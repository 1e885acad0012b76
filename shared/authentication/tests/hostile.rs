//! Messages and name servers that want to hurt: bounded in time, questions and memory, and never a panic.
#![allow(clippy::unwrap_used)]

mod common;

use async_trait::async_trait;
use bytes::Bytes;
use common::{RSA, arriving, env, example, judge};
use penfold_authentication::{
    ArcResult, Arriving, DkimResult, DmarcResult, Handling, IprevResult, SpfResult, forged_results, sign, verify,
};
use penfold_ports::{Answer, Dns, DnsError, MailExchange, Service, Tlsa};
use penfold_simulated::Zone;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Answers every question in the same way, after a while.
struct Same {
    txt: &'static str,
    copies: usize,
    after: Duration,
    asked: AtomicUsize,
}

impl Same {
    fn new(txt: &'static str, copies: usize, after: Duration) -> Self {
        Self { txt, copies, after, asked: AtomicUsize::new(0) }
    }

    async fn answer<T: Clone>(&self, record: T) -> Result<Answer<T>, DnsError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        env().sleep(self.after).await;
        Ok(Answer { records: vec![record; self.copies], secure: true })
    }
}

#[async_trait]
impl Dns for Same {
    async fn txt(&self, _: &str) -> Result<Answer<Bytes>, DnsError> {
        self.answer(Bytes::from_static(self.txt.as_bytes())).await
    }

    async fn mx(&self, _: &str) -> Result<Answer<MailExchange>, DnsError> {
        self.answer(MailExchange { preference: 1, exchange: "mx.evil.test".to_owned() }).await
    }

    async fn v4(&self, _: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        self.answer(Ipv4Addr::LOCALHOST).await
    }

    async fn v6(&self, _: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        self.answer(Ipv6Addr::LOCALHOST).await
    }

    async fn names(&self, _: IpAddr) -> Result<Answer<String>, DnsError> {
        self.answer("evil.test".to_owned()).await
    }

    async fn srv(&self, _: &str) -> Result<Answer<Service>, DnsError> {
        Err(DnsError::NoName)
    }

    async fn tlsa(&self, _: &str) -> Result<Answer<Tlsa>, DnsError> {
        Err(DnsError::NoName)
    }
}

fn signatures(count: usize, more: &str) -> Vec<u8> {
    let one = |at| format!("DKIM-Signature: v=1; a=rsa-sha256; d=d{at}.test; s=s; h=From; bh=YQ==; b=YQ==;{more}\r\n");
    ((0..count).map(one).collect::<String>() + "From: a@example.com\r\n\r\nbody\r\n").into_bytes()
}

#[tokio::test]
async fn a_thousand_signatures() {
    let dns = Same::new(RSA, 1, Duration::ZERO);
    let verdicts = judge(&dns, &signatures(1000, "")).await;
    assert_eq!(verdicts.dkim.len(), 10);
    assert!(verdicts.dkim.iter().all(|d| d.result == DkimResult::Fail));
    assert!(dns.asked.load(Ordering::Relaxed) < 40);
}

/// A signature costs a hash of the body only where its header verifies, and different lengths only some of them.
#[tokio::test]
async fn absurd_lengths() {
    let dns = Same::new(RSA, 1, Duration::ZERO);
    for length in ["l=0", "l=999999999999999999", "l=9999999999999999999", "l=-1", "l="] {
        let found = judge(&dns, &signatures(2, length)).await.dkim;
        assert!(found.iter().all(|d| matches!(d.result, DkimResult::Fail | DkimResult::Neutral)), "{length}");
    }
}

/// RFC 6376 §8.2: what follows the signed part is anybody's.
#[tokio::test]
async fn a_body_signed_in_part_does_not_pass() {
    let part = include_str!("vectors/dkim/partial.eml");
    let zone = Zone::default();
    zone.txt("test._domainkey.example.com", RSA);
    assert_eq!(judge(&zone, &common::crlf(part)).await.dkim[0].result, DkimResult::Pass);
    assert_eq!(judge(&zone, &common::crlf(&(part.to_owned() + "and more\n"))).await.dkim[0].result, DkimResult::Policy);
}

#[tokio::test(start_paused = true)]
async fn silence_takes_half_a_minute() {
    let (dns, begin) = (Same::new(RSA, 1, Duration::from_secs(3600)), env().monotonic());
    let verdicts = judge(&dns, &signatures(1000, "")).await;
    assert_eq!(begin.elapsed(), Duration::from_secs(30));
    assert_eq!((verdicts.mail_from.result, verdicts.iprev.result), (SpfResult::TempError, IprevResult::TempError));
    assert_eq!((verdicts.dmarc.result, verdicts.dmarc.handling()), (DmarcResult::TempError, Handling::Later));
    assert!(verdicts.dkim.iter().all(|d| d.result == DkimResult::TempError));
}

#[tokio::test(start_paused = true)]
async fn slow_answers_add_up_to_the_same() {
    let (dns, begin) = (Same::new("v=spf1 include:a.test mx ptr -all", 1, Duration::from_secs(4)), env().monotonic());
    judge(&dns, &signatures(10, "")).await;
    assert!(begin.elapsed() <= Duration::from_secs(30));
}

#[tokio::test]
async fn records_that_go_round() {
    let zone = Zone::default();
    for (name, record) in [
        ("include.test", "v=spf1 include:include.test -all"),
        ("redirect.test", "v=spf1 redirect=redirect.test"),
        ("a.test", "v=spf1 include:b.test include:b.test include:b.test"),
        ("b.test", "v=spf1 include:a.test include:a.test include:a.test"),
        ("grow.test", "v=spf1 include:%{d}.%{d}.%{d}.test -all"),
    ] {
        zone.txt(name, record);
        let path = format!("x@{name}");
        let verdicts = verify(&zone, &env(), &Arriving { mail_from: &path, ..arriving(b"") }).await;
        assert_eq!(verdicts.mail_from.result, SpfResult::PermError, "{name}");
    }
    zone.alias("loop.test", "pool.test").alias("pool.test", "loop.test");
    let verdicts = verify(&zone, &env(), &Arriving { mail_from: "x@loop.test", ..arriving(b"") }).await;
    assert_eq!(verdicts.mail_from.result, SpfResult::TempError);
}

#[tokio::test]
async fn five_hundred_records() {
    for txt in ["v=spf1 mx a ptr exists:%{p}.test -all", "v=DMARC1; p=reject", "v=DKIM1; p=", "\u{ff}\u{fe}", ""] {
        let dns = Same::new(txt, 500, Duration::ZERO);
        let verdicts = judge(&dns, &signatures(10, "")).await;
        assert!(dns.asked.load(Ordering::Relaxed) < 100);
        assert_ne!(verdicts.mail_from.result, SpfResult::Pass);
        assert_eq!(verdicts.dmarc.result, DmarcResult::None);
    }
}

#[tokio::test]
async fn giant_records() {
    let zone = example();
    let giant = "v=spf1 ".to_owned() + &"ip4:1.2.3.4 ".repeat(5400) + "-all";
    zone.remove("example.com").txt("example.com", &giant);
    zone.txt("s._domainkey.d0.test", &("v=DKIM1; p=".to_owned() + &"A".repeat(65_000)));
    zone.remove("_dmarc.example.com").txt("_dmarc.example.com", &("v=DMARC1; p=reject; ".to_owned() + &"rua=mailto:a@b.c,".repeat(3800)));
    let verdicts = judge(&zone, &signatures(1, "")).await;
    assert_eq!((verdicts.mail_from.result, verdicts.dmarc.result), (SpfResult::Fail, DmarcResult::Fail));
    assert!(verdicts.dmarc.published.unwrap().rua.len() <= 10);
}

#[tokio::test]
async fn header_bombs() {
    let zone = example();
    let names = "a:".repeat(400) + "From";
    for bomb in [
        "X: y\r\n".repeat(150_000),
        "From: ".to_owned() + &"(".repeat(900_000) + "\r\n",
        "From: ".to_owned() + &"a@b.test,".repeat(100_000) + "\r\n",
        "Authentication-Results: ".to_owned() + &"(\\".repeat(400_000) + "\r\n",
        "DKIM-Signature: ".to_owned() + &"a=b;".repeat(200_000) + "\r\n",
        "DKIM-Signature: v=1; h=".to_owned() + &"From:".repeat(200_000) + "\r\n",
        format!("DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h={names}; bh=YQ==; b=YQ==\r\n").repeat(700),
        (1..=60)
            .map(|i| format!("ARC-Seal: i={i}; cv=pass\r\nARC-Message-Signature: i={i}\r\nARC-Authentication-Results: i={i}; x\r\n"))
            .collect(),
        "\r\n\r\n".repeat(100_000),
        "From: a@b.test\r\n\r\n".to_owned() + &"\r\n".repeat(1_000_000) + "x",
        "From: a@b.test\r\n\r\n".to_owned() + &" \t".repeat(1_000_000),
    ] {
        let begin = env().monotonic();
        let verdicts = judge(&zone, bomb.as_bytes()).await;
        let field = verdicts.authentication_results("mx.test");
        assert!(field.len() < 8192 && verdicts.dkim.len() <= 10);
        assert!(matches!(verdicts.arc.result, ArcResult::None | ArcResult::Fail));
        forged_results(bomb.as_bytes(), "mx.test");
        let _ = sign(bomb.as_bytes(), &[], &env());
        // Milliseconds; the rest is for a busy machine.
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Pieces of headers and records in any order.
    #[test]
    fn junk(
        message in proptest::collection::vec(prop_oneof![
            Just("DKIM-Signature:"), Just("ARC-Seal: i=1;"), Just("ARC-Message-Signature: i=1;"), Just("ARC-Authentication-Results: i=1;"),
            Just("From:"), Just(" a@b.test"), Just("\r\n"), Just("\n"), Just("\r\n "), Just(" v=1;"), Just(" a=rsa-sha256;"),
            Just(" d=b.test;"), Just(" s=s;"), Just(" h=From;"), Just(" bh=YQ==;"), Just(" b=YQ==;"), Just(" cv=none;"), Just(" l=1;"),
            Just(";"), Just("="), Just(":"), Just("\""), Just("("), Just("\\"), Just("\0"), Just("\u{e4}"), Just("Authentication-Results: mx.test"),
        ], 0..60),
        record in prop_oneof!["v=spf1( [-+~?]?(a|mx|ptr|all|ip4|ip6|include|exists|redirect|exp)[:=/]?[%{}a-z0-9./-]{0,12}){0,8}", "v=DMARC1;( ?(p|sp|np|t|psd|rua|adkim)=[a-z:@,]{0,9};){0,8}", "v=DKIM1;( ?(k|p|h|s|t)=[a-zA-Z0-9+/=:*]{0,9};){0,6}", ".{0,80}"],
        path in ".{0,40}", helo in ".{0,40}",
    ) {
        let (message, zone) = (message.concat(), Zone::default());
        for name in ["b.test", "_dmarc.b.test", "s._domainkey.b.test"] {
            zone.txt(name, &record);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let path = if path.len() % 2 == 0 { path + "@b.test" } else { path };
        let arriving = Arriving { helo: &helo, mail_from: &path, ..arriving(message.as_bytes()) };
        let verdicts = runtime.block_on(verify(&zone, &env(), &arriving));
        let field = verdicts.authentication_results("mx.test");
        prop_assert!(field.is_ascii() && field.ends_with("\r\n") && !field.contains("\r\n\r\n"), "{field}");
        prop_assert!(forged_results(field.as_bytes(), "mx.test").first().is_some_and(|range| range.len() == field.len()));
        for range in forged_results(message.as_bytes(), "mx.test") {
            prop_assert!(range.end <= message.len());
        }
    }
}
