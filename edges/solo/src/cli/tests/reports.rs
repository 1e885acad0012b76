use super::*;
use penfold_reports::dmarc::{Evaluated, Feedback, Identifiers, Metadata, PolicyPublished, Record};
use penfold_reports::{Claim, Found, Kind, Received, Sent, State, time, tls};
use penfold_types::Timestamp;
use std::net::IpAddr;

impl Office {
    fn now(&self) -> Timestamp {
        self.context.service.world.env.now()
    }

    async fn file(&self, found: Found, verdict: &str) {
        let service = &self.context.service;
        let domain = "one.test".parse().unwrap();
        let tenant = service.directory.domain_tenant(&domain).await.unwrap().unwrap();
        let received = Received::of(found, &domain, "r@out.test", verdict, self.now()).unwrap();
        received.file(&service.world, &service.directory, &service.directory.tenant_scope(tenant)).await.unwrap();
    }

    fn feedback(&self, reporter: &str, source: [u8; 4], count: u64, aligned: bool) -> Found {
        let begin = self.now().seconds() - 3600;
        let record = Record {
            source_ip: IpAddr::from(source),
            count,
            evaluated: Evaluated { disposition: "none".to_owned(), dkim: aligned, spf: false, reasons: Vec::new() },
            identifiers: Identifiers { header_from: "one.test".to_owned(), ..Identifiers::default() },
            dkim: Vec::new(),
            spf: Vec::new(),
        };
        Found::Dmarc(Box::new(Feedback {
            metadata: Metadata { org_name: reporter.to_owned(), report_id: "1".to_owned(), begin, end: begin + 1, ..Metadata::default() },
            policy: PolicyPublished { domain: "one.test".to_owned(), p: "none".to_owned(), ..PolicyPublished::default() },
            records: vec![record],
        }))
    }
}

#[tokio::test]
async fn dmarc_reports_are_added_up_by_source() {
    let office = office().await;
    office.file(office.feedback("Alpha", [192, 0, 2, 1], 5, true), "pass").await;
    office.file(office.feedback("Beta", [192, 0, 2, 1], 7, true), "pass").await;
    office.file(office.feedback("Gamma", [192, 0, 2, 2], 100, false), "fail").await;
    let shown = office.run("report dmarc one.test --json").await.good();
    let lines: Vec<_> = shown.values.iter().map(|one| (one["source_ip"].as_str().unwrap(), one["count"].as_u64().unwrap())).collect();
    assert_eq!(lines, [("192.0.2.2", 100), ("192.0.2.1", 12)], "the most messages first");
    assert_eq!((&shown.last()["reporters"], &shown.last()["dkim_aligned"]), (&serde_json::json!(["Alpha", "Beta"]), &Value::Bool(true)));
    assert!(shown.notes[0].starts_with("3 reports") && shown.notes[1].contains("Gamma") && !shown.notes[1].contains("Alpha"), "{shown:?}");
    assert_eq!(office.run("report dmarc none.test").await.kind(), "not-found");
    assert!(office.run("report tls one.test").await.good().values.is_empty());
}

#[tokio::test]
async fn tls_reports_show_failures_first() {
    let office = office().await;
    let begin = office.now().seconds() - 3600;
    let failure = tls::Failure {
        result_type: "certificate-expired".to_owned(),
        receiving_mx_hostname: Some("mx.one.test".to_owned()),
        failed_session_count: 2,
        ..tls::Failure::default()
    };
    let report = tls::Report {
        organization_name: "Alpha".to_owned(),
        date_range: tls::DateRange { start_datetime: time::write(begin), end_datetime: time::write(begin + 1) },
        report_id: "1".to_owned(),
        policies: vec![tls::Policy {
            policy: tls::PolicyFacts { policy_type: "sts".to_owned(), policy_domain: "one.test".to_owned(), ..tls::PolicyFacts::default() },
            summary: tls::Summary { total_successful_session_count: 40, total_failure_session_count: 3 },
            failure_details: vec![failure],
        }],
        ..tls::Report::default()
    };
    office.file(Found::Tls(report), "pass").await;
    let shown = office.run("report tls one.test").await.good();
    let lines: Vec<_> = shown.values.iter().map(|one| (one["result"].as_str().unwrap(), one["count"].as_u64().unwrap())).collect();
    assert_eq!(lines, [("certificate-expired", 2), ("failure", 1), ("success", 40)]);
    assert_eq!(shown.values[0]["mx_host"], "mx.one.test");
}

#[tokio::test]
async fn what_was_sent_is_listed() {
    let office = office().await;
    let world = &office.context.service.world;
    let Claim::Ours(mut sent) = Sent::claim(world, Kind::Tls, time::day(office.now()) - 1, "out.test").await.unwrap() else { panic!() };
    (sent.state, sent.to, sent.count) = (State::Sent, "r@out.test".to_owned(), 9);
    sent.done(world).await.unwrap();
    let shown = office.run("report sent --days 2 --json").await.good();
    let one = shown.last();
    assert_eq!((one["domain"].as_str(), one["state"].as_str(), one["count"].as_u64()), (Some("out.test"), Some("sent"), Some(9)));
    assert_eq!(one["to"], serde_json::json!(["r@out.test"]));
}
