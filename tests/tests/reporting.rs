//! Reports about mail, from the message that gives rise to them to the command that shows them: on virtual time, over the
//! simulated ports, with a zone in place of name servers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_authentication::Algorithm;
use penfold_deliver::Deliver;
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::{Attempt, Name, Outcome, Outgoing, Relay, Row, Said, Sk, World, Write, shared};
use penfold_relay::{Fact, Facts, PolicyFacts, PolicyType, ResultType};
use penfold_report::Reporter;
use penfold_reports::dmarc::{Evaluated, Feedback};
use penfold_reports::{Found, Kept, Kind, Post, PostError, Received, Sent, State, Tally, find, time, unpack};
use penfold_send::Send;
use penfold_simulated::{Faults, Simulated, Zone};
use penfold_tests::town::{self, address};
use penfold_timer::Timer;
use penfold_transport::outbound::{Carrier, Envelope};
use penfold_transport::trace::{Hop, find as way_of};
use penfold_transport::work::run;
use penfold_transport::{Incoming, Origin, Refusal, Settings, To, Transport};
use penfold_types::{AcceptanceId, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Who may send for `x.test` and `y.test`, and who may not.
const GOOD: [u8; 4] = [198, 51, 100, 1];
const BAD: [u8; 4] = [203, 0, 113, 9];

/// Other hosts take everything, and so do web servers but for one.
#[derive(Clone, Default)]
struct Others {
    mail: Arc<Mutex<Vec<(Outgoing, String)>>>,
    posts: Arc<Mutex<Vec<(String, String, Bytes)>>>,
}

#[async_trait]
impl Relay for Others {
    async fn attempt(&self, mail: &Outgoing) -> Attempt {
        let text = String::from_utf8(mail.message.fetch().await.unwrap().concat()).unwrap();
        self.mail.lock().push((mail.clone(), text));
        let said = Said { code: 250, status: (2, 0, 0), text: "ok".to_owned(), host: Some("mx.y.test".to_owned()) };
        let outcomes = mail.recipients.iter().map(|_| Outcome::Accepted { said: said.clone(), reports: false }).collect();
        Attempt { outcomes, host: Some("mx.y.test".to_owned()), tls: None }
    }
}

#[async_trait]
impl Post for Others {
    async fn post(&self, url: &str, media_type: &str, body: Bytes) -> Result<(), PostError> {
        if url.contains("broken") {
            return Err(PostError("it answers 500".to_owned()));
        }
        self.posts.lock().push((url.to_owned(), media_type.to_owned(), body));
        Ok(())
    }
}

/// The operator's own organisation, whose domain our host is in, and a tenant with `x.test`.
struct House {
    world: World,
    zone: Zone,
    directory: Directory,
    mailboxes: Mailboxes,
    transport: Transport,
    sessions: Tally,
    others: Others,
    stop: watch::Sender<bool>,
    _work: JoinSet<()>,
}

async fn house(seed: u64) -> House {
    let zone = Zone::default();
    let world = Simulated::new(seed, Faults::NONE).world().with_dns(Arc::new(zone.clone()));
    let directory = town::directory(&world);
    for (tenant, mail) in [("Host", "pat@host.test"), ("X", "ann@x.test")] {
        town::person(&world, &directory, tenant, mail, None).await;
    }
    for domain in ["x.test", "y.test"] {
        zone.txt(domain, "v=spf1 ip4:198.51.100.1 -all");
    }
    zone.txt("_dmarc.x.test", "v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@x.test");
    zone.txt("_dmarc.y.test", "v=DMARC1; p=reject; t=y; rua=mailto:r@y.test,mailto:small@y.test!100,mailto:x@elsewhere.test");
    zone.txt("_smtp._tls.x.test", "v=TLSRPTv1; rua=mailto:tls-reports@x.test");
    zone.txt("_smtp._tls.y.test", "v=TLSRPTv1; rua=https://broken.y.test/,https://y.test/reports,mailto:t@y.test");
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let settings = Settings {
        hostname: "mx.host.test".to_owned(),
        sends: true,
        reports: true,
        signatures: &[Algorithm::Ed25519Sha256],
        ..Settings::default()
    };
    let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
    let (others, sessions, stop) = (Others::default(), Tally::new(&world), watch::channel(false).0);
    let mut work = JoinSet::new();
    work.spawn(run(Deliver::new(&world, &mailboxes, &transport), 2, stop.subscribe()));
    work.spawn(run(Send::new(&world, &transport), 2, stop.subscribe()));
    work.spawn(run(Carrier::new(transport.clone(), Arc::new(others.clone())), 2, stop.subscribe()));
    work.spawn(Timer::new(&world).run(stop.subscribe()));
    work.spawn(transport.tally().clone().run(stop.subscribe()));
    work.spawn(sessions.clone().run(stop.subscribe()));
    House { world, zone, directory, mailboxes, transport, sessions, others, stop, _work: work }
}

impl House {
    async fn arrive(&self, peer: [u8; 4], from: &str, to: &str, message: &str) -> Result<AcceptanceId, Refusal> {
        let target = self.transport.recipient(None, from.parse().ok().as_ref(), &address(to)).await?;
        let incoming = Incoming {
            origin: Origin { helo: "mail.y.test".to_owned(), peer: IpAddr::from(peer), trusted: false, ..town::origin(None) },
            from_text: from.to_owned(),
            from: from.parse().ok(),
            envelope: Envelope::default(),
            recipients: vec![To::new(target, to)],
            message: Bytes::copy_from_slice(message.as_bytes()),
            received: self.world.env.now(),
        };
        self.transport.accept(incoming).await
    }

    async fn letter(&self, peer: [u8; 4], author: &str) {
        let message = format!("From: {author}\r\nTo: pat@host.test\r\nSubject: x\r\n\r\nx\r\n");
        let _ = self.arrive(peer, author, "pat@host.test", &message).await.unwrap();
    }

    fn session(&self, domain: &str, result: Result<(), ResultType>) {
        let policy = PolicyFacts { kind: PolicyType::Sts, text: vec!["version: STSv1".to_owned()], mx: vec!["*.y.test".to_owned()] };
        let (host, address) = (Some(format!("mx.{domain}")), Some(BAD.into()));
        Facts::session(&self.sessions, Fact { policy, domain: domain.to_owned(), host, address, result });
    }

    fn reporter(&self) -> Reporter {
        let (world, transport) = (self.world.named("reports"), self.transport.clone());
        Reporter { world, transport, post: Arc::new(self.others.clone()), host: "mx.host.test".to_owned(), from: None }
    }

    fn today(&self) -> i64 {
        time::day(self.world.env.now())
    }

    /// Until two hours into the next day.
    async fn next_day(&self) {
        let into = self.world.env.now().seconds().rem_euclid(time::DAY).unsigned_abs();
        self.world.env.sleep(DAY + 2 * HOUR - Duration::from_secs(into)).await;
    }

    async fn quiet(&self) {
        self.world.env.sleep(Duration::from_secs(60)).await;
    }

    async fn received(&self, kind: Kind) -> Vec<Received> {
        let tenant = self.directory.domain_tenant(address("a@x.test").domain()).await.unwrap().unwrap();
        let (scope, mut all) = (self.directory.tenant_scope(tenant), Vec::new());
        Received::each(&self.world, &self.directory, &scope, kind, address("a@x.test").domain(), 0, |one| all.push(one)).await.unwrap();
        all
    }

    async fn inbox(&self, name: &str) -> usize {
        let penfold_directory::Recipient::Mailbox(account) = self.directory.resolve_now(&address(name)).await.unwrap() else { panic!() };
        let mailbox = self.mailboxes.open(&self.directory.job_scope(account)).await.unwrap();
        let inbox = mailbox.folders().await.unwrap().find("INBOX").unwrap().id;
        mailbox.index(inbox).await.unwrap().iter().count()
    }

    async fn filed(&self, id: AcceptanceId) -> String {
        self.transport.tracer().flush(&|tenant| self.directory.tenant_scope(tenant)).await;
        let tenant = self.directory.domain_tenant(address("a@x.test").domain()).await.unwrap().unwrap();
        let hops = way_of(&self.world, &self.directory.tenant_scope(tenant), &id.to_string()).await.unwrap();
        hops.into_iter().find_map(|entry| if let Hop::Filed { text } = entry.hop { Some(text) } else { None }).expect("it was looked at")
    }

    fn sent_to(&self, path: &str) -> Vec<String> {
        let mail = self.others.mail.lock();
        mail.iter().filter(|(mail, _)| mail.recipients.iter().any(|one| one.path == path)).map(|(_, text)| text.clone()).collect()
    }
}

fn dmarc(found: &Kept) -> &Feedback {
    let Kept::Dmarc(feedback) = found else { panic!("{found:?}") };
    feedback
}

#[tokio::test(start_paused = true)]
async fn a_day_s_mail_is_reported_once_and_shown_to_its_tenant() {
    let house = house(1).await;
    let day = house.today();
    house.letter(GOOD, "a@x.test").await;
    house.letter(GOOD, "b@x.test").await;
    house.letter(BAD, "c@x.test").await;
    house.letter(BAD, "d@y.test").await;
    house.letter(GOOD, "e@none.test").await;
    assert_eq!(house.reporter().round().await.unwrap(), 0, "the day is not over");
    house.next_day().await;
    // Two processes at the same time, and again later.
    let (one, other) = (house.reporter(), house.reporter());
    let (one, other) = tokio::join!(one.round(), other.round());
    assert_eq!(one.unwrap() + other.unwrap(), 2);
    assert_eq!(house.reporter().round().await.unwrap(), 0);
    house.quiet().await;

    let [received] = house.received(Kind::Dmarc).await.try_into().unwrap();
    assert_eq!((received.domain.as_str(), received.verdict.as_str(), received.day()), ("x.test", "own", day));
    let feedback = dmarc(&received.kept);
    assert_eq!((feedback.metadata.org_name.as_str(), feedback.metadata.email.as_str()), ("mx.host.test", "postmaster@host.test"));
    assert_eq!((feedback.policy.p.as_str(), feedback.policy.testing.as_deref()), ("quarantine", Some("n")));
    let told: Vec<_> = feedback
        .records
        .iter()
        .map(|record| (record.source_ip, record.count, record.evaluated.disposition.as_str(), record.evaluated.spf))
        .collect();
    assert_eq!(told, [(GOOD.into(), 2, "pass", true), (BAD.into(), 1, "quarantine", false)]);
    assert_eq!(feedback.records[0].spf[0].result, "pass");
    assert_eq!((house.inbox("ann@x.test").await, house.inbox("pat@host.test").await), (0, 3), "no person gets it as mail");

    // What went to another host is signed, has no reverse-path, and went only to who may have it.
    let [text] = house.sent_to("r@y.test").try_into().unwrap();
    assert!(house.sent_to("small@y.test").is_empty() && house.sent_to("x@elsewhere.test").is_empty());
    assert_eq!(house.others.mail.lock()[0].0.from, "");
    assert!(text.contains("\r\nDKIM-Signature: v=1; ") && text.contains("d=host.test;"), "{text}");
    let Ok(Found::Dmarc(feedback)) = find(text.as_bytes()) else { panic!("{text}") };
    let [record] = feedback.records.as_slice() else { panic!("{feedback:?}") };
    let Evaluated { disposition, reasons, .. } = &record.evaluated;
    assert_eq!((disposition.as_str(), reasons[0].kind.as_str()), ("quarantine", "policy_test_mode"), "t=y takes one step off");
    let sent = Sent::list(&house.world, 7, 100).await.unwrap();
    let sent: Vec<_> = sent.iter().map(|sent| (sent.domain.as_str(), sent.state, sent.count, sent.to.as_str())).collect();
    assert_eq!(sent, [("y.test", State::Sent, 1, "r@y.test"), ("x.test", State::Sent, 3, "dmarc-reports@x.test")]);
}

#[tokio::test(start_paused = true)]
async fn sessions_are_reported_by_mail_and_to_a_web_server() {
    let house = house(2).await;
    for _ in 0..3 {
        house.session("y.test", Ok(()));
    }
    house.session("y.test", Err(ResultType::CertificateExpired));
    house.session("x.test", Ok(()));
    house.session("none.test", Ok(()));
    house.next_day().await;
    assert_eq!(house.reporter().round().await.unwrap(), 2);
    house.quiet().await;
    let [(url, media_type, body)] = house.others.posts.lock().clone().try_into().unwrap();
    assert_eq!((url.as_str(), media_type.as_str()), ("https://y.test/reports", "application/tlsrpt+gzip"));
    let [text] = house.sent_to("t@y.test").try_into().unwrap();
    let Ok(Found::Tls(report)) = find(text.as_bytes()) else { panic!("{text}") };
    assert_eq!(penfold_reports::tls::read(&unpack(&body, 1 << 20).unwrap()).unwrap(), report);
    let [policy] = report.policies.as_slice() else { panic!("{report:?}") };
    assert_eq!((policy.summary.total_successful_session_count, policy.summary.total_failure_session_count), (3, 1));
    let failure = &policy.failure_details[0];
    assert_eq!((failure.result_type.as_str(), failure.receiving_mx_hostname.as_deref()), ("certificate-expired", Some("mx.y.test")));
    assert_eq!((policy.policy.policy_type.as_str(), policy.policy.policy_domain.as_str()), ("sts", "y.test"));
    assert_eq!(house.received(Kind::Tls).await.len(), 1);
    let sent = Sent::list(&house.world, 7, 100).await.unwrap();
    assert_eq!(sent.iter().map(|sent| sent.domain.as_str()).collect::<Vec<_>>(), ["y.test", "x.test"], "and of none.test there is no word");
}

/// RFC 8460 asks nobody whether they want to be told.
#[tokio::test(start_paused = true)]
async fn nobody_is_flooded_by_domains_that_name_them() {
    let house = house(8).await;
    let name = |from: u32, until: u32| {
        for n in from..until {
            house.zone.txt(&format!("_smtp._tls.n{n}.evil.test"), "v=TLSRPTv1; rua=mailto:victim@victim.test,https://victim.test/x");
            house.session(&format!("n{n}.evil.test"), Ok(()));
        }
    };
    name(0, 120);
    house.session("y.test", Ok(()));
    house.next_day().await;
    assert_eq!(house.reporter().round().await.unwrap(), 101);
    house.quiet().await;
    assert_eq!((house.sent_to("victim@victim.test").len(), house.sent_to("t@y.test").len()), (100, 1));
    assert_eq!(house.others.posts.lock().iter().filter(|(url, ..)| url.contains("victim")).count(), 100);
    // What another process had counted of that day comes later, and changes nothing about it.
    let day = house.today() - 1;
    let line = penfold_reports::gzip(br#"[{"Tls":{"policy":{"policy-type":"sts"},"failure":null}},1]"#);
    for n in 120..140 {
        house.zone.txt(&format!("_smtp._tls.n{n}.evil.test"), "v=TLSRPTv1; rua=mailto:victim@victim.test");
        house
            .world
            .table
            .put(Write::put(shared::fact('t', day, &format!("n{n}.evil.test"), 1), Row::new().with("f", line.clone())))
            .await
            .unwrap();
    }
    assert_eq!(house.reporter().round().await.unwrap(), 0);
    house.quiet().await;
    assert_eq!(house.sent_to("victim@victim.test").len(), 100);
}

#[tokio::test(start_paused = true)]
async fn facts_that_cannot_be_read_keep_no_report_back() {
    let house = house(9).await;
    house.session("y.test", Ok(()));
    let line = penfold_reports::gzip(b"{\"of\":\"another version\"}\n");
    for (domain, packed) in [("a.test", line.clone()), ("y.test", line), ("y.test", Bytes::from_static(b"\x1f\x8bno"))] {
        let key = shared::fact('t', house.today(), domain, packed.len() as u64);
        house.world.table.put(Write::put(key, Row::new().with("f", packed))).await.unwrap();
    }
    house.next_day().await;
    assert_eq!(house.reporter().round().await.unwrap(), 1);
}

/// As many as somebody made by names whose servers never answer.
#[tokio::test(start_paused = true)]
async fn facts_that_were_never_told_go_however_many_they_are() {
    let house = house(11).await;
    house.next_day().await;
    let day = house.today();
    for n in 0..1_500 {
        house.world.table.put(Write::put(shared::fact('d', day, &format!("n{n}.test"), 1), Row::new().with("f", "x"))).await.unwrap();
    }
    house.world.env.sleep(DAY * 5).await;
    Sent::expire(&house.world).await.unwrap();
    let left = penfold_ports::Query::prefix(shared::facts('d', day), &Sk::text(""));
    assert!(house.world.table.query_all(left).await.unwrap().is_empty());
}

/// A policy is as long as its owner likes, and counted for each of their names.
#[tokio::test(start_paused = true)]
async fn of_a_long_policy_the_beginning_is_told() {
    let house = house(10).await;
    let text: Vec<String> = (0..500).map(|n| format!("mx: host-with-a-long-name-{n}.y.test")).collect();
    let policy = PolicyFacts { kind: PolicyType::Sts, mx: text.clone(), text };
    let fact = Fact { policy, domain: "y.test".to_owned(), host: None, address: None, result: Ok(()) };
    Facts::session(&house.sessions, fact);
    house.next_day().await;
    assert_eq!(house.reporter().round().await.unwrap(), 1);
    house.quiet().await;
    let [text] = house.sent_to("t@y.test").try_into().unwrap();
    let Ok(Found::Tls(report)) = find(text.as_bytes()) else { panic!("{text}") };
    let policy = &report.policies[0].policy;
    assert!((10..40).contains(&policy.policy_string.len()) && (10..40).contains(&policy.mx_host.len()), "{policy:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_server_that_fails_puts_a_report_off() {
    let house = house(3).await;
    house.letter(BAD, "d@y.test").await;
    house.next_day().await;
    house.zone.silent("_dmarc.y.test");
    assert_eq!(house.reporter().round().await.unwrap(), 0);
    house.zone.speak("_dmarc.y.test");
    assert_eq!(house.reporter().round().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_domain_to_write_from_nothing_is_kept() {
    let house = house(4).await;
    house.letter(BAD, "d@y.test").await;
    house.next_day().await;
    let nowhere = Reporter { host: "mx.nowhere.test".to_owned(), ..house.reporter() };
    assert_eq!(nowhere.round().await.unwrap(), 0);
    assert_eq!(house.reporter().round().await.unwrap(), 0, "and what was counted is gone");
    let named = Reporter { from: Some(address("reports@x.test")), ..nowhere };
    house.letter(BAD, "d@y.test").await;
    house.next_day().await;
    assert_eq!(named.round().await.unwrap(), 1);
}

/// A report of another reporter about a day, as a message.
fn report(domain: &str, id: &str, begin: i64) -> String {
    let xml = format!(
        "<feedback><report_metadata><org_name>o</org_name><email>e</email><report_id>{id}</report_id><date_range><begin>{begin}</begin>\
         <end>{}</end></date_range></report_metadata><policy_published><domain>{domain}</domain><p>none</p></policy_published><record><row>\
         <source_ip>2001:db8::7</source_ip><count>5</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>\
         </policy_evaluated></row><identifiers><header_from>{domain}</header_from></identifiers><auth_results/></record></feedback>",
        begin + time::DAY - 1
    );
    let packed = base64::engine::general_purpose::STANDARD.encode(penfold_reports::gzip(xml.as_bytes()));
    format!(
        "From: r@y.test\r\nSubject: Report Domain: {domain}\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}\r\n"
    )
}

#[tokio::test(start_paused = true)]
async fn what_others_report_is_kept_once_and_what_is_no_report_goes_to_the_postmaster() {
    let house = house(5).await;
    let begin = (house.today() - 1) * time::DAY;
    let arrive = async |message: &str| {
        let id = house.arrive(GOOD, "r@y.test", "DMARC-reports@x.test", message).await.unwrap();
        house.quiet().await;
        house.filed(id).await
    };
    assert_eq!(arrive(&report("news.x.test", "1", begin)).await, "kept as a report of o about news.x.test");
    assert_eq!(arrive(&report("news.x.test", "1", begin)).await, "was here before: a report of o about news.x.test");
    let [received] = house.received(Kind::Dmarc).await.try_into().unwrap();
    assert_eq!((received.verdict.as_str(), received.from.as_str()), ("pass", "r@y.test"));
    assert_eq!(house.inbox("ann@x.test").await, 0);
    for (message, why) in [
        ("From: r@y.test\r\nSubject: hello\r\n\r\nnothing\r\n".to_owned(), "there is no report in it"),
        (report("y.test", "2", begin), "it is about \"y.test\", which is no domain of the tenant's"),
        (report("host.test", "2", begin), "it is about \"host.test\", which is no domain of the tenant's"),
        (report("x.test", "3", begin - 100 * time::DAY), "it is about another time"),
    ] {
        let text = arrive(&message).await;
        assert_eq!(text, format!("no report that can be kept, so it goes to the postmaster: {why}"));
    }
    assert_eq!((house.inbox("ann@x.test").await, house.received(Kind::Dmarc).await.len()), (4, 1));
    // Whose mail does not pass is kept, and said to be so.
    house.zone.txt("_dmarc.z.test", "v=DMARC1; p=none");
    let forged = report("x.test", "4", begin).replace("r@y.test", "r@z.test");
    house.arrive(BAD, "r@z.test", "tls-reports@x.test", &forged).await.unwrap();
    house.quiet().await;
    assert!(house.received(Kind::Dmarc).await.iter().any(|one| one.verdict == "fail"));
    // And after their time they go; until then nobody has anything to do.
    house.stop.send_replace(true);
    house.world.env.sleep(DAY * 101).await;
    let tenant = house.directory.domain_tenant(address("a@x.test").domain()).await.unwrap().unwrap();
    assert_eq!(penfold_reports::expire(&house.world, &house.directory.tenant_scope(tenant)).await.unwrap(), 2);
    assert!(house.received(Kind::Dmarc).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_reports_is_put_off() {
    let house = house(6).await;
    let tenant = house.directory.domain_tenant(address("a@x.test").domain()).await.unwrap().unwrap();
    let key = house.directory.tenant_scope(tenant).report(Sk::report_count());
    let number = |name, value: u64| (Name::new(name), value);
    let (day, count) = (number("d", house.today().unsigned_abs()), number("n", penfold_reports::DAILY));
    house.world.table.put(Write::put(key, Row::new().with(day.0, day.1).with(count.0, count.1))).await.unwrap();
    let refused = house.transport.recipient(None, None, &address("dmarc-reports@x.test")).await;
    assert!(matches!(refused, Err(Refusal::OverQuota)), "{refused:?}");
    assert!(house.transport.recipient(None, None, &address("ann@x.test")).await.is_ok());
    house.next_day().await;
    assert!(house.transport.recipient(None, None, &address("dmarc-reports@x.test")).await.is_ok());
}

/// A process that dies after it claimed a report: another one sends it under the same name, an hour later.
#[tokio::test(start_paused = true)]
async fn a_report_that_was_begun_is_finished() {
    let house = house(7).await;
    let day = house.today();
    house.letter(BAD, "d@y.test").await;
    house.next_day().await;
    let claim = Sent::claim(&house.world, Kind::Dmarc, day, "y.test").await.unwrap();
    assert!(matches!(claim, penfold_reports::Claim::Ours(_)), "and then it dies");
    assert_eq!(house.reporter().round().await.unwrap(), 0);
    house.world.env.sleep(HOUR).await;
    assert_eq!(house.reporter().round().await.unwrap(), 1);
    house.quiet().await;
    let [text] = house.sent_to("r@y.test").try_into().unwrap();
    let begun = Timestamp::from_seconds((day + 1) * time::DAY + 2 * 3600);
    assert!(text.contains(&format!("\r\nDate: {}\r\n", time::write_mail(begun.seconds()))), "{text}");
}
