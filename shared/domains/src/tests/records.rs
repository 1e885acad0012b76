use super::*;
use hickory_resolver::proto::rr::{DNSClass, RData, RecordType};
use hickory_resolver::proto::serialize::txt::Parser;

fn shown(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| format!("{} {} {}", record.name, record.data.kind(), record.data)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_served_is_listed() {
    let house = house().await;
    let records = house.records().await;
    let key = house.domains.public_keys(house.tenant, &d("one.test")).await.unwrap().remove(0);
    let id = records.iter().find(|record| record.aim == Aim::MtaSts).unwrap().data.to_string();
    let dkim = format!("{}._domainkey.one.test TXT {}", key.selector, key.record);
    let sts = format!("_mta-sts.one.test TXT {id}");
    let wanted = [
        "one.test MX 10 mx.host.test",
        "one.test TXT v=spf1 mx -all",
        &dkim,
        "_dmarc.one.test TXT v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@one.test",
        &sts,
        "mta-sts.one.test CNAME mx.host.test",
        "_smtp._tls.one.test TXT v=TLSRPTv1; rua=mailto:tls-reports@one.test",
        "_submissions._tcp.one.test SRV 0 1 465 mx.host.test",
        "_submission._tcp.one.test SRV 0 1 587 mx.host.test",
        "_imaps._tcp.one.test SRV 0 1 993 mx.host.test",
        "_imap._tcp.one.test SRV 0 1 143 mx.host.test",
        "autoconfig.one.test CNAME mx.host.test",
        "autodiscover.one.test CNAME mx.host.test",
        "_autodiscover._tcp.one.test SRV 0 0 443 mx.host.test",
        "_caldavs._tcp.one.test SRV 0 1 443 mx.host.test",
        "_caldavs._tcp.one.test TXT path=/dav/",
        "_carddavs._tcp.one.test SRV 0 1 443 mx.host.test",
        "_carddavs._tcp.one.test TXT path=/dav/",
    ];
    assert_eq!(shown(&records), wanted);
    assert!(id.starts_with("v=STSv1; id="));
    assert!(
        records.iter().filter(|record| record.need == Need::Required).all(|record| matches!(record.aim, Aim::Mx | Aim::Spf | Aim::Dkim))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_is_not_listed() {
    let house = house().await;
    let (spf, imaps) = ("include:_spf.host.test".into(), Some(10_993));
    let less = Service { spf, imaps, submission: None, imap: None, https: None, ..service() };
    house.directory.set_service(&less).await.unwrap();
    let records = house.records().await;
    let not = [Aim::Submission, Aim::Imap, Aim::MtaSts, Aim::MtaStsHost, Aim::Autoconfig, Aim::Autodiscover, Aim::Caldavs, Aim::Carddavs];
    assert!(records.iter().all(|record| !not.contains(&record.aim)), "{records:#?}");
    let listed = shown(&records);
    assert!(listed.contains(&"_imaps._tcp.one.test SRV 0 1 10993 mx.host.test".to_owned()));
    assert!(listed.contains(&"one.test TXT v=spf1 include:_spf.host.test -all".to_owned()));
}

/// RFC 8461 §3.3 and clients fetch from port 443; only a service record can name another.
#[tokio::test(start_paused = true)]
async fn an_alias_leads_to_the_port_of_the_standard_only() {
    let house = house().await;
    house.directory.set_service(&Service { https: Some(8443), ..service() }).await.unwrap();
    let listed = shown(&house.records().await);
    assert!(listed.iter().all(|line| !line.contains("CNAME") && !line.starts_with("_mta-sts")), "{listed:#?}");
    for name in ["_autodiscover._tcp.one.test SRV 0 0", "_caldavs._tcp.one.test SRV 0 1", "_carddavs._tcp.one.test SRV 0 1"] {
        assert!(listed.contains(&format!("{name} 8443 mx.host.test")), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_server_the_defaults_are_said_to_be_such() {
    let world = Simulated::new(1, Faults::NONE).world();
    let directory = Directory::new(world.clone());
    let tenant = directory.operator().create_tenant("One").await.unwrap().id;
    directory.operator().create_domain("One", &d("one.test")).await.unwrap();
    let domains = Domains::with_algorithms(&world, directory, &[Algorithm::Ed25519Sha256]);
    assert_eq!(domains.service().await.unwrap(), (Service::default(), false));
    assert!(shown(&domains.records(tenant, &d("one.test")).await.unwrap()).contains(&"one.test MX 10 localhost".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn records_as_json_are_one_list() {
    let house = house().await;
    let value = serde_json::to_value(house.records().await).unwrap();
    let mx = serde_json::json!({
        "type": "MX", "name": "one.test", "value": "10 mx.host.test",
        "for": "mx", "need": "required", "purpose": "brings mail for the domain here",
    });
    assert_eq!(value[0], mx);
    assert!(value.as_array().unwrap().iter().all(|one| ["type", "name", "value"].iter().all(|key| one[key].is_string())));
}

/// Another program's reader of zone files understands ours.
#[tokio::test(start_paused = true)]
async fn a_zone_file_says_the_same() {
    let house = with(&[Algorithm::RsaSha256, Algorithm::Ed25519Sha256]).await;
    let records = house.records().await;
    let text = zone_file(&records);
    let origin = hickory_resolver::proto::rr::Name::from_ascii("one.test.").unwrap();
    let (_, sets) = Parser::new(text.as_str(), None, Some(origin)).parse().unwrap();
    let mut found = Vec::new();
    for set in sets.values() {
        assert_eq!(set.dns_class(), DNSClass::IN);
        for record in set.records_without_rrsigs() {
            let data = match &record.data {
                RData::TXT(txt) => {
                    assert!(txt.txt_data.iter().all(|string| string.len() <= 255));
                    String::from_utf8(txt.txt_data.concat()).unwrap()
                }
                other => other.to_string().trim_end_matches('.').to_owned(),
            };
            assert_ne!(record.record_type(), RecordType::A);
            let name = record.name.to_string();
            found.push(format!("{} {} {data}", name.trim_end_matches('.'), record.record_type()));
        }
    }
    let mut wanted = shown(&records);
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
    assert!(wanted.iter().any(|line| line.contains("k=rsa") && line.len() > 400), "a key that is cut into strings");
}
