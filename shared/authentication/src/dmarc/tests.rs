use super::evaluate::{Identified, evaluate};
use super::walk::walk;
use super::{Author, Dmarc, DmarcResult, Handling, Policy, Published, handling};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::{Answer, Dns, DnsError, MailExchange, Service, Tlsa};
use penfold_simulated::Zone;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `record` at `_dmarc.name`, for each line `name record`; a line `name` alone is a name that exists.
fn zone(lines: &str) -> Zone {
    let zone = Zone::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(' ') {
            Some((name, "silent")) => zone.silent(&format!("_dmarc.{name}")),
            Some((name, record)) => zone.txt(&format!("_dmarc.{name}"), &format!("v=DMARC1;{record}")),
            None => zone.name(line),
        };
    }
    zone
}

fn passed(domain: &str) -> Vec<Identified> {
    vec![Identified { domain: domain.to_owned(), passed: true }]
}

async fn judged(zone: &Zone, author: &str, dkim: &str, spf: &str) -> Dmarc {
    let of = |domain: &str| if domain.is_empty() { Vec::new() } else { passed(domain) };
    evaluate(zone, Author::Domain(author.to_owned()), &of(dkim), &of(spf)).await
}

#[test]
fn records() {
    let read = |text: &str| Published::read(text.as_bytes());
    let full = read("v = DMARC1 ; p=Reject;SP=none; np=quarantine; adkim=s; aspf=r; psd=n; t=y; fo=1:d:s; pct=1; rua=mailto:a@b.c!10m , x, https://y/z; ruf=mailto:f@b.c; unknown=1; p=none").unwrap();
    assert_eq!((full.p, full.sp, full.np, full.testing), (Some(Policy::Reject), Some(Policy::None), Some(Policy::Quarantine), true));
    assert_eq!((full.rua.len(), full.ruf.len(), full.fo.as_str()), (2, 1, "1:d:s"));
    for none in ["", "v=DMARC2; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", "DMARC1", "v=spf1 -all", "v=DMARC10; p=none"] {
        assert!(read(none).is_none(), "{none}");
    }
    for (text, counts, policy) in [
        ("v=DMARC1", false, Policy::None),
        ("v=DMARC1; p=x", false, Policy::None),
        ("v=DMARC1; rua=mailto:a@b.c", true, Policy::None),
        ("v=DMARC1; p=reject; sp=x", false, Policy::None),
        ("v=DMARC1; p=reject; np=x; rua=mailto:a@b.c", true, Policy::None),
        ("v=DMARC1;;; p=quarantine;", true, Policy::Quarantine),
        ("v=DMARC1; junk; p=reject", true, Policy::Reject),
    ] {
        let record = read(text).unwrap();
        assert_eq!((record.counts(), record.for_itself()), (counts, policy), "{text}");
    }
}

/// RFC 9989 §4.10.2, with its examples.
#[tokio::test]
async fn organizations() {
    for (lines, start, organization, applying) in [
        ("mail.example.com p=none\nexample.com p=none", "a.mail.example.com", "example.com", Some("example.com")),
        ("com p=none; psd=y", "a.mail.example.com", "example.com", Some("com")),
        ("com p=none; psd=y\nexample.com p=none", "a.mail.example.com", "example.com", Some("example.com")),
        ("com p=none; psd=y\nmail.example.com p=none", "a.mail.example.com", "example.com", Some("com")),
        ("mail.example.com p=none; psd=n\nexample.com p=none", "a.mail.example.com", "mail.example.com", Some("mail.example.com")),
        ("a.mail.example.com p=none\nexample.com p=none", "a.mail.example.com", "example.com", Some("a.mail.example.com")),
        ("com p=none; psd=y", "com", "com", Some("com")),
        ("", "a.example.com", "a.example.com", None),
        ("example.com p=none\nexample.com p=none", "example.com", "example.com", None),
    ] {
        let zone = zone(lines);
        let found = walk(&zone, start).await.unwrap();
        assert_eq!(found.organization(), organization, "{lines}");
        assert_eq!(found.applying().map(|(name, _)| name), applying, "{lines}");
    }
}

/// Counts questions.
struct Counted(Mutex<Vec<String>>);

#[async_trait]
impl Dns for Counted {
    async fn txt(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        self.0.lock().push(name.to_owned());
        Err(DnsError::NoName)
    }

    async fn mx(&self, _: &str) -> Result<Answer<MailExchange>, DnsError> {
        Err(DnsError::NoName)
    }

    async fn v4(&self, _: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        Err(DnsError::NoName)
    }

    async fn v6(&self, _: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        Err(DnsError::NoName)
    }

    async fn names(&self, _: IpAddr) -> Result<Answer<String>, DnsError> {
        Err(DnsError::NoName)
    }

    async fn srv(&self, _: &str) -> Result<Answer<Service>, DnsError> {
        Err(DnsError::NoName)
    }

    async fn tlsa(&self, _: &str) -> Result<Answer<Tlsa>, DnsError> {
        Err(DnsError::NoName)
    }
}

/// RFC 9989 §4.10: eight questions at most, however long the name.
#[tokio::test]
async fn long_names_are_walked_in_eight_steps() {
    for (name, questions) in
        [("a.b.c.d.e.f.g.h.i.j.k.example.com", 8), ("a.b.c.d.e.f.example.com", 8), ("b.c.d.e.f.example.com", 7), ("com", 1)]
    {
        let dns = Counted(Mutex::default());
        walk(&dns, name).await.unwrap();
        assert_eq!(dns.0.lock().len(), questions, "{:?}", dns.0);
    }
    let dns = Counted(Mutex::default());
    walk(&dns, "a.b.c.d.e.f.g.h.i.j.k.example.com").await.unwrap();
    assert_eq!(
        dns.0.lock()[..3],
        ["_dmarc.a.b.c.d.e.f.g.h.i.j.k.example.com", "_dmarc.g.h.i.j.k.example.com", "_dmarc.h.i.j.k.example.com"]
    );
}

#[tokio::test]
async fn alignment() {
    let relaxed = "example.com p=reject\nother.com p=reject\nnews.example.com p=none; psd=n";
    let strict = "example.com p=reject; adkim=s; aspf=s";
    for (lines, author, vouched, aligned) in [
        (relaxed, "example.com", "example.com", true),
        (relaxed, "example.com", "mail.example.com", true),
        (relaxed, "a.example.com", "b.example.com", true),
        (relaxed, "a.example.com", "example.com", true),
        (relaxed, "example.com", "other.com", false),
        (relaxed, "example.com", "notexample.com", false),
        (relaxed, "example.com", "com", false),
        // It is an organization of its own.
        (relaxed, "example.com", "news.example.com", false),
        (relaxed, "a.news.example.com", "news.example.com", true),
        (strict, "example.com", "example.com", true),
        (strict, "example.com", "mail.example.com", false),
        ("com p=none; psd=y", "a.example.com", "b.example.com", true),
        ("com p=none; psd=y", "example.com", "other.com", false),
    ] {
        let zone = zone(lines);
        let by_dkim = judged(&zone, author, vouched, "").await;
        assert_eq!((by_dkim.dkim_aligned, by_dkim.spf_aligned), (aligned, false), "{author} {vouched}");
        let by_spf = judged(&zone, author, "", vouched).await;
        assert_eq!((by_spf.dkim_aligned, by_spf.spf_aligned), (false, aligned), "{author} {vouched}");
        let result = if aligned { DmarcResult::Pass } else { DmarcResult::Fail };
        assert_eq!((by_dkim.result, by_spf.result), (result, result), "{author} {vouched}");
    }
    // Each has its own mode, and one is enough.
    let mixed = zone("example.com p=reject; adkim=s");
    let found = judged(&mixed, "example.com", "mail.example.com", "mail.example.com").await;
    assert_eq!((found.dkim_aligned, found.spf_aligned, found.result), (false, true, DmarcResult::Pass));
}

#[tokio::test]
async fn policies() {
    let all = "example.com p=reject; sp=quarantine; np=none\nthere.example.com";
    for (lines, author, policy_domain, policy) in [
        (all, "example.com", Some("example.com"), Policy::Reject),
        (all, "there.example.com", Some("example.com"), Policy::Quarantine),
        (all, "gone.example.com", Some("example.com"), Policy::None),
        ("example.com p=reject; np=none\nthere.example.com", "there.example.com", Some("example.com"), Policy::Reject),
        ("example.com p=reject; sp=none", "gone.example.com", Some("example.com"), Policy::None),
        ("example.com p=quarantine", "gone.example.com", Some("example.com"), Policy::Quarantine),
        ("com p=none; np=reject; psd=y", "gone.com", Some("com"), Policy::Reject),
        ("com p=none; np=reject; psd=y\nthere.com", "there.com", Some("com"), Policy::None),
        ("com p=none; psd=y\nexample.com p=reject", "example.com", Some("example.com"), Policy::Reject),
        ("example.com rua=mailto:a@example.com", "example.com", Some("example.com"), Policy::None),
        ("example.com p=bad", "example.com", None, Policy::None),
        ("other.com p=reject", "example.com", None, Policy::None),
    ] {
        let found = judged(&zone(lines), author, "", "").await;
        assert_eq!((found.policy_domain.as_deref(), found.policy), (policy_domain, policy), "{lines}: {author}");
        let result = if policy_domain.is_some() { DmarcResult::Fail } else { DmarcResult::None };
        assert_eq!(found.result, result, "{lines}: {author}");
    }
}

#[tokio::test]
async fn what_cannot_be_known_now() {
    let author = || Author::Domain("a.example.com".to_owned());
    let waiting = || vec![Identified { domain: "b.example.com".to_owned(), passed: false }];
    let known = zone("example.com p=reject");
    // An aligned check that may pass later, or already has by another way.
    let found = evaluate(&known, author(), &waiting(), &[]).await;
    assert_eq!((found.result, found.handling()), (DmarcResult::TempError, Handling::Later));
    let found = evaluate(&known, author(), &waiting(), &passed("example.com")).await;
    assert_eq!((found.result, found.handling()), (DmarcResult::Pass, Handling::Accept));
    // One that could not help.
    let stranger = vec![Identified { domain: "evil.test".to_owned(), passed: false }];
    assert_eq!(evaluate(&known, author(), &stranger, &[]).await.handling(), Handling::Reject);
    // With p=none there is nothing to wait for.
    let found = evaluate(&zone("example.com p=none"), author(), &waiting(), &[]).await;
    assert_eq!((found.result, found.handling()), (DmarcResult::TempError, Handling::Accept));
    // The policy itself.
    let found = evaluate(&zone("example.com silent"), author(), &[], &passed("a.example.com")).await;
    assert_eq!((found.result, found.handling()), (DmarcResult::TempError, Handling::Later));
    // Whether the author exists.
    let unsure = zone("example.com p=none; np=reject");
    unsure.silent("a.example.com");
    let found = evaluate(&unsure, author(), &[], &[]).await;
    assert_eq!((found.result, found.policy, found.handling()), (DmarcResult::TempError, Policy::Reject, Handling::Later));
}

#[tokio::test]
async fn authors_that_cannot_be_judged() {
    let zone = zone("example.com p=reject");
    assert_eq!(evaluate(&zone, Author::Nobody, &[], &[]).await.result, DmarcResult::PermError);
    assert_eq!(evaluate(&zone, Author::Several, &[], &[]).await.result, DmarcResult::None);
}

#[test]
fn handlings() {
    use DmarcResult::{Fail, None as Nothing, Pass, PermError, TempError};
    let (enforced, testing) = (Published::default(), Published { testing: true, ..Published::default() });
    for (result, policy, published, expected) in [
        (Pass, Policy::Reject, Some(&enforced), Handling::Accept),
        (Nothing, Policy::None, None, Handling::Accept),
        (PermError, Policy::None, None, Handling::Accept),
        (Fail, Policy::None, Some(&enforced), Handling::Accept),
        (Fail, Policy::Quarantine, Some(&enforced), Handling::Quarantine),
        (Fail, Policy::Reject, Some(&enforced), Handling::Reject),
        (Fail, Policy::Quarantine, Some(&testing), Handling::Accept),
        (Fail, Policy::Reject, Some(&testing), Handling::Quarantine),
        (TempError, Policy::None, Some(&enforced), Handling::Accept),
        (TempError, Policy::Quarantine, Some(&testing), Handling::Accept),
        (TempError, Policy::Reject, Some(&testing), Handling::Later),
        (TempError, Policy::None, None, Handling::Later),
    ] {
        assert_eq!(handling(result, policy, published), expected, "{result:?} {policy:?}");
    }
}
