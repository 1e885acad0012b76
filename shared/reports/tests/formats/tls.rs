use penfold_reports::tls::{Failure, read, write};
use serde_json::{Value, json};

/// After RFC 8460, Appendix B.
pub fn sample() -> Value {
    json!({
        "organization-name": "Company-X",
        "date-range": { "start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z" },
        "contact-info": "sts-reporting@company-x.example",
        "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
        "policies": [{
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"],
                "policy-domain": "company-y.example",
                "mx-host": ["*.mail.company-y.example"],
            },
            "summary": { "total-successful-session-count": 5326, "total-failure-session-count": 303 },
            "failure-details": [
                {
                    "result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100,
                },
                {
                    "result-type": "starttls-not-supported", "sending-mta-ip": "2001:db8:abcd:0013::1",
                    "receiving-mx-hostname": "mx2.mail.company-y.example", "receiving-ip": "203.0.113.56", "failed-session-count": 200,
                    "additional-information": "https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported",
                },
                {
                    "result-type": "validation-failure", "sending-mta-ip": "198.51.100.62", "receiving-ip": "203.0.113.58",
                    "receiving-mx-hostname": "mx-backup.mail.company-y.example", "failed-session-count": 3,
                    "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                },
            ],
        }],
    })
}

#[test]
fn the_sample_is_read_and_comes_back_as_it_was() {
    let report = read(sample().to_string().as_bytes()).unwrap();
    assert_eq!((report.policies[0].summary.total_failure_session_count, report.begin()), (303, 1_459_468_800));
    let Failure { receiving_ip, failed_session_count, .. } = &report.policies[0].failure_details[1];
    assert_eq!((receiving_ip.as_deref(), *failed_session_count), (Some("203.0.113.56"), 200));
    assert_eq!(serde_json::from_slice::<Value>(&write(&report)).unwrap(), sample());
}

/// One text where a list belongs, null for nothing, and names that the document does not know.
#[test]
fn what_reporters_make_of_it_is_read_too() {
    let mut odd = sample();
    odd["policies"][0]["policy"]["mx-host"] = json!("mx.company-y.example");
    odd["policies"][0]["policy"]["policy-string"] = Value::Null;
    odd["policies"][0]["failure-details"] = Value::Null;
    odd["more"] = json!({ "deep": [1, 2, { "deeper": null }] });
    let report = read(odd.to_string().as_bytes()).unwrap();
    assert_eq!(report.policies[0].policy.mx_host, ["mx.company-y.example"]);
    assert!(report.policies[0].policy.policy_string.is_empty() && report.policies[0].failure_details.is_empty());
}
