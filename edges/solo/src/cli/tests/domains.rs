use super::*;
use penfold_directory::Service as Public;

/// Publishes what the command prints, as an administrator would who copies it.
fn publish(office: &Office, records: &Value) {
    for record in records.as_array().unwrap() {
        let text = |key: &str| record[key].as_str().unwrap();
        let words: Vec<&str> = text("value").split(' ').collect();
        match text("type") {
            "TXT" => office.zone.txt(text("name"), text("value")),
            "MX" => office.zone.mx(text("name"), words[0].parse().unwrap(), words[1]),
            "CNAME" => office.zone.alias(text("name"), text("value")),
            "SRV" => {
                let number = |at: usize| words[at].parse().unwrap();
                let (priority, weight, port, target) = (number(0), number(1), number(2), words[3].to_owned());
                office.zone.srv(text("name"), penfold_ports::Service { priority, weight, port, target })
            }
            other => panic!("{other}"),
        };
    }
}

#[tokio::test]
async fn records_are_one_list_and_check_finds_them() {
    let office = office().await;
    let service = Public { host: "mx.host.test".into(), imap: None, ..Public::default() };
    office.context.service.directory.set_service(&service).await.unwrap();
    let printed = office.run("domain records one.test --json").await.good();
    assert_eq!(printed.values.len(), 1, "one list, and not a line for each");
    let records = printed.last().clone();
    let mut of_type = std::collections::BTreeMap::new();
    for record in records.as_array().unwrap() {
        *of_type.entry(record["type"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let wanted = [("CNAME", 3), ("MX", 1), ("SRV", 6), ("TXT", 8)].map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(of_type.into_iter().collect::<Vec<_>>(), wanted);
    let value = |name: &str| records.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["value"].clone();
    assert_eq!((value("one.test"), value("_imaps._tcp.one.test")), ("10 mx.host.test".into(), "0 1 993 mx.host.test".into()));
    assert_eq!(office.run("domain records one.test --json").await.good().last(), &records, "the keys stay");
    let zone = office.run("domain records one.test --zone").await.good().shown;
    assert!(zone.iter().any(|line| line[0] == "one.test. 3600 IN MX 10 mx.host.test."), "{zone:?}");

    let lacking = office.run("domain check one.test").await;
    assert_eq!(lacking.kind(), "not-found");
    assert!(lacking.values.iter().any(|one| one["verdict"] == "missing" && one["advice"] == "add this record"));
    office.zone.address("mx.host.test", [192, 0, 2, 1].into());
    publish(&office, &records);
    let found = office.run("domain check one.test").await.good();
    assert!(found.values.iter().all(|one| one["verdict"] == "ok"), "{:?}", found.values);
    assert_eq!(office.run("domain records none.test").await.kind(), "not-found");
}

#[tokio::test]
async fn without_a_server_it_is_said_where_the_names_come_from() {
    let office = office().await;
    let shown = office.run("domain records one.test").await.good().shown;
    assert!(shown.last().unwrap()[0].contains("penfold serve --host-name"), "{shown:?}");
}

#[tokio::test]
async fn a_claim_is_used_once_it_is_proved() {
    let office = office().await;
    let added = office.run("domain add One two.test --unproved").await.good();
    assert_eq!(added.last()["proved"], false);
    assert!(added.shown[0][0].contains("penfold domain records two.test"));
    assert_eq!(office.run("person add eva@two.test").await.kind(), "not-found");
    let refused = office.run("domain prove two.test").await;
    let (kind, text) = refused.failed.unwrap();
    assert_eq!(kind, "not-found");
    assert!(text.contains("_penfold.two.test") && text.contains("penfold-domain-verification="), "{text}");
    publish(&office, office.run("domain records two.test").await.good().last());
    assert_eq!(office.run("domain prove two.test").await.good().last()["proved"], true);
    office.run("person add eva@two.test").await.good();
    assert!(office.run("domain list One").await.good().values.iter().all(|one| one["proved"] == true));
    office.run("domain add One three.test --unproved").await.good();
    office.run("domain prove three.test --force").await.good();
    // Several may claim one name; then it is said who is meant.
    office.run("tenant add Two").await.good();
    for tenant in ["One", "Two"] {
        office.run(&format!("domain add {tenant} four.test --unproved")).await.good();
    }
    assert_eq!(office.run("domain prove four.test --force").await.kind(), "conflict");
    office.run("domain prove four.test --force --tenant Two").await.good();
    assert_eq!(office.run("domain prove four.test --force --tenant One").await.kind(), "conflict");
    office.run("domain remove four.test --tenant One").await.good();
    office.run("domain remove four.test").await.good();
}

#[tokio::test]
async fn keys_rotate_when_they_are_seen_or_by_force() {
    let office = office().await;
    let first = office.run("domain rotate one.test").await.good();
    assert_eq!((first.last()["state"].as_str(), first.last()["selectors"].as_array().unwrap().len()), (Some("made"), 2));
    assert_eq!(office.run("domain rotate one.test").await.good().last()["state"], "waiting");
    publish(&office, office.run("domain records one.test").await.good().last());
    let active = office.run("domain rotate one.test").await.good();
    assert_eq!((&active.last()["state"], &active.last()["selectors"]), (&"active".into(), &first.last()["selectors"]));
    assert_eq!(office.run("domain rotate one.test --force").await.good().last()["state"], "active");
    let acts = office.run("audit One").await.good();
    assert!(acts.values.iter().any(|one| one["act"] == "domain.keys" && one["actor"] == "command line"));
}
