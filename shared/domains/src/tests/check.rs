use super::*;

async fn checked(house: &House) -> Report {
    house.domains.check(house.tenant, &d("one.test")).await.unwrap()
}

fn of(report: &Report, aim: Aim) -> &Finding {
    report.findings.iter().find(|one| one.wanted.aim == aim).unwrap()
}

async fn published() -> House {
    let house = house().await;
    house.zone.address("mx.host.test", [192, 0, 2, 1].into());
    house.publish(&house.records().await);
    house
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_has_all_of_it_is_ok() {
    let house = published().await;
    let report = checked(&house).await;
    assert!(report.findings.iter().all(|one| one.verdict == Verdict::Ok && one.advice.is_none() && !one.found.is_empty()), "{report:#?}");
    assert_eq!((report.lacking(), report.conflicts.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_empty_zone_lacks_all_of_it_and_a_silent_one_cannot_be_asked() {
    let house = house().await;
    let report = checked(&house).await;
    assert!(report.findings.iter().all(|one| one.verdict == Verdict::Missing && one.advice.is_some()), "{report:#?}");
    assert_eq!(report.lacking(), 3);
    assert!(report.conflicts[0].contains("mx.host.test") && report.conflicts[0].contains("no address"));
    for record in house.records().await {
        house.zone.silent(&record.name);
    }
    let report = checked(&house).await;
    assert!(report.findings.iter().all(|one| one.verdict == Verdict::CannotBeAsked), "{report:#?}");
    assert_eq!(report.lacking(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_instead_is_named() {
    let house = published().await;
    house.zone.remove("one.test").txt("one.test", "v=spf1 include:elsewhere.test -all").mx("one.test", 0, "");
    house
        .zone
        .remove("_imaps._tcp.one.test")
        .srv("_imaps._tcp.one.test", penfold_ports::Service { priority: 0, weight: 0, port: 993, target: "imap.elsewhere.test".into() });
    house.zone.remove("_mta-sts.one.test").txt("_mta-sts.one.test", "v=STSv1; id=old");
    let report = checked(&house).await;
    let spf = of(&report, Aim::Spf);
    assert_eq!((spf.verdict, spf.found.as_slice()), (Verdict::Differs, &["v=spf1 include:elsewhere.test -all".to_owned()][..]));
    assert!(spf.advice.as_ref().unwrap().contains("mx"));
    let mx = of(&report, Aim::Mx);
    assert_eq!((mx.verdict, mx.found.as_slice()), (Verdict::Differs, &["0 .".to_owned()][..]));
    assert!(mx.advice.as_ref().unwrap().contains("null MX"));
    assert_eq!(of(&report, Aim::Imaps).found, ["0 0 993 imap.elsewhere.test"]);
    assert_eq!(of(&report, Aim::Imaps).verdict, Verdict::Differs);
    assert_eq!(of(&report, Aim::MtaSts).verdict, Verdict::Differs);
    assert_eq!(report.lacking(), 2);
    house.zone.txt("one.test", "v=spf1 mx -all");
    assert!(of(&checked(&house).await, Aim::Spf).advice.as_ref().unwrap().contains("more than one"));
}

#[tokio::test(start_paused = true)]
async fn a_name_may_have_the_host_s_addresses_instead_of_an_alias() {
    let house = published().await;
    let with = |address: [u8; 4]| house.zone.remove("autoconfig.one.test").address("autoconfig.one.test", address.into()).clone();
    with([192, 0, 2, 1]);
    let found = checked(&house).await;
    assert_eq!((of(&found, Aim::Autoconfig).verdict, of(&found, Aim::Autoconfig).found[0].as_str()), (Verdict::Ok, "192.0.2.1"));
    with([192, 0, 2, 9]);
    assert_eq!(of(&checked(&house).await, Aim::Autoconfig).verdict, Verdict::Differs);
    house.zone.remove("autoconfig.one.test").alias("autoconfig.one.test", "other.test").address("other.test", [192, 0, 2, 1].into());
    let found = checked(&house).await;
    assert_eq!((of(&found, Aim::Autoconfig).verdict, of(&found, Aim::Autoconfig).found[0].as_str()), (Verdict::Ok, "other.test"));
    house.zone.silent("other.test");
    assert_eq!(of(&checked(&house).await, Aim::Autoconfig).verdict, Verdict::CannotBeAsked);
}

#[tokio::test(start_paused = true)]
async fn aliases_where_none_may_be_are_conflicts() {
    let house = published().await;
    house.zone.alias("one.test", "web.elsewhere.test");
    house.zone.alias("mx.host.test", "real.host.test");
    let conflicts = checked(&house).await.conflicts;
    assert!(conflicts[0].contains("one.test is an alias (CNAME) of web.elsewhere.test"), "{conflicts:?}");
    assert!(conflicts[1].contains("mx.host.test is an alias (CNAME) of real.host.test"), "{conflicts:?}");
}
