use super::*;
use std::collections::BTreeMap;

impl House {
    fn primary(&self) -> Primary {
        Primary { zones: Arc::new(self.zone.clone()), dns: Arc::new(self.zone.clone()) }
    }

    /// What was done, by type and name.
    async fn published(&self, domain: &str, replace: bool) -> BTreeMap<(&'static str, String), Done> {
        let tenant = self.directory.holders(&d(domain)).await.unwrap()[0];
        let all = self.domains.publish(tenant, &d(domain), &self.primary(), replace).await.unwrap();
        all.into_iter().map(|one| ((one.record.data.kind(), one.record.name), one.done)).collect()
    }
}

async fn texts(house: &House, name: &str) -> Vec<String> {
    let found = penfold_ports::Dns::txt(&house.zone, name).await.map(|answer| answer.records).unwrap_or_default();
    found.into_iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_empty_zone_gets_all_of_it() {
    let house = house().await;
    house.zone.keep("one.test").address("mx.host.test", [192, 0, 2, 1].into());
    let done = house.published("one.test", false).await;
    assert!(done.len() > 10 && done.values().all(|done| *done == Done::Added), "{done:?}");
    let report = house.domains.check(house.tenant, &d("one.test")).await.unwrap();
    assert!(report.findings.iter().all(|one| one.verdict == Verdict::Ok), "{report:?}");
    assert!(house.published("one.test", true).await.values().all(|done| *done == Done::Kept));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_decided_stays_until_the_operator_says_otherwise() {
    let house = house().await;
    house.zone.keep("one.test").address("mx.host.test", [192, 0, 2, 1].into());
    house.zone.mx("one.test", 5, "mail.elsewhere.test").txt("one.test", "hello=world").txt("one.test", "v=spf1 ip4:192.0.2.9 -all");
    house.zone.address("autoconfig.one.test", [192, 0, 2, 7].into());
    // A name with records of its own can be no alias, whatever is asked for.
    house.zone.txt("mta-sts.one.test", "a note");
    let differing = [("CNAME", "autoconfig.one.test"), ("MX", "one.test"), ("TXT", "one.test")].map(|(kind, name)| (kind, name.to_owned()));
    let done = house.published("one.test", false).await;
    assert!(differing.iter().all(|key| done[key] == Done::Left), "{done:?}");
    assert_eq!(done[&("CNAME", "mta-sts.one.test".to_owned())], Done::Failed, "the name server drops it, and that is seen");
    assert_eq!(texts(&house, "one.test").await, ["hello=world", "v=spf1 ip4:192.0.2.9 -all"]);
    let done = house.published("one.test", true).await;
    assert!(differing.iter().all(|key| done[key] == Done::Replaced), "{done:?}");
    assert_eq!(texts(&house, "one.test").await, ["hello=world", "v=spf1 mx -all"]);
}

/// Else whoever claims a domain in a zone that we keep would get it.
#[tokio::test(start_paused = true)]
async fn nobody_proves_a_domain_by_our_hand() {
    let house = house().await;
    house.zone.keep("two.test").address("mx.host.test", [192, 0, 2, 1].into());
    house.directory.operator().claim_domain("Two", &d("two.test")).await.unwrap();
    let two = house.directory.operator().tenant("Two").await.unwrap().id;
    assert_eq!(house.domains.publish_missing(&house.primary()).await.unwrap(), 0, "what is only claimed is left alone");
    for replace in [false, true] {
        let done = house.published("two.test", replace).await;
        assert_eq!(done[&("TXT", "_penfold.two.test".to_owned())], Done::NotOurs);
    }
    assert!(matches!(house.domains.prove(two, &d("two.test")).await.unwrap(), Proof::NotYet { .. }));
}

#[tokio::test(start_paused = true)]
async fn the_next_keys_get_into_dns_by_themselves() {
    let house = house().await;
    house.zone.keep("one.test").address("mx.host.test", [192, 0, 2, 1].into());
    assert!(house.domains.publish_missing(&house.primary()).await.unwrap() > 10);
    house.sleep(LIFE + DAY).await;
    house.domains.round(house.tenant, &d("one.test")).await.unwrap();
    assert_eq!(house.domains.publish_missing(&house.primary()).await.unwrap(), 1, "the record of the next key");
    house.domains.round(house.tenant, &d("one.test")).await.unwrap();
    assert_eq!(house.states().await.iter().filter(|state| **state == KeyState::Retired).count(), 1);
    // Another's zone.
    let house = self::house().await;
    assert_eq!(house.domains.publish_missing(&house.primary()).await.unwrap(), 0);
}
