use super::*;
use penfold_ports::{Query, Sk, shared};

#[tokio::test(start_paused = true)]
async fn whoever_follows_reads_what_changed_and_no_more() {
    let house = house().await;
    house.round().await;
    let (all, seen) = house.certificates.changes(0).await.unwrap();
    assert_eq!(all.iter().filter(|one| one.certificate.is_some()).count(), 2);
    assert!(all.iter().all(|one| one.digest.is_none()), "nothing is left to be proved");
    let reads = house.world.meter.total("certificates").read;
    assert_eq!(house.certificates.changes(seen).await.unwrap(), (Vec::new(), seen));
    assert_eq!(house.world.meter.total("certificates").read - reads, 1);
    house.certificates.wish(HOST).await.unwrap();
    house.round().await;
    let (changed, later) = house.certificates.changes(seen).await.unwrap();
    assert_eq!(changed.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [HOST]);
    assert!(later > seen);
    // One row a name, however often it changed.
    let query = Query::prefix(shared::certificates(), &shared::all_certificate_changes());
    assert_eq!(house.world.table.query_all(query).await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_there_while_it_is_looked_for() {
    let house = house().await;
    house.fake.be(Mood::Silent);
    let certifier = house.certifier();
    let mut round = tokio::spawn(async move { certifier.round().await });
    let certificates = house.certificates.clone();
    let seen = async {
        loop {
            let (changes, _) = certificates.changes(0).await.unwrap();
            if let Some(one) = changes.into_iter().find(|one| one.digest.is_some()) {
                return one;
            }
            house.world.env.sleep(Duration::from_millis(100)).await;
        }
    };
    let one = tokio::select! { biased; one = seen => one, done = &mut round => panic!("{done:?}") };
    assert_eq!((one.name.as_str(), one.digest.as_deref()), (HOST, Some(&[7; 32][..])));
    round.await.unwrap().unwrap();
    let (changes, _) = certificates.changes(0).await.unwrap();
    assert!(changes.iter().all(|one| one.digest.is_none()), "and gone afterwards");
}

#[tokio::test(start_paused = true)]
async fn any_edge_answers_for_a_token() {
    let house = house().await;
    let other = Certificates::new(&house.world, house.directory.clone());
    let mut certifier = house.certifier();
    certifier.options.methods = vec![Method::Http];
    house.fake.be(Mood::Silent);
    *house.fake.token.lock() = "abc-_9".to_owned();
    let dead = tokio::time::timeout(Duration::from_secs(60), certifier.round()).await;
    assert!(dead.is_err(), "it was cut off, and the proof stays");
    assert_eq!(other.http_proof("abc-_9").await.unwrap().as_deref(), Some("abc-_9.thumb"));
    for wrong in ["", "abc", "../x", "a b", &"a".repeat(257)] {
        assert_eq!(other.http_proof(wrong).await.unwrap(), None, "{wrong}");
    }
    // Where whoever ordered died, it goes by itself.
    house.fake.be(Mood::Good);
    house.sleep(2 * HOUR).await;
    house.round().await;
    assert_eq!(other.http_proof("abc-_9").await.unwrap(), None);
    // What cannot be a name of a file is none.
    *house.fake.token.lock() = "../abc".to_owned();
    house.certificates.wish(HOST).await.unwrap();
    let mut certifier = house.certifier();
    certifier.options.methods = vec![Method::Http];
    assert_eq!(certifier.round().await.unwrap().failed, 1);
    assert!(house.entry(HOST).await.error.unwrap().contains("token"));
}

/// A copied row opens for no other name, and no key stands in a row as it is.
#[tokio::test(start_paused = true)]
async fn keys_are_sealed_for_their_names() {
    let house = house().await;
    house.round().await;
    let key = house.shown(HOST).await.unwrap().key.0;
    let rows = house.world.table.query_all(Query::prefix(shared::certificates(), &Sk::text(""))).await.unwrap();
    assert!(rows.iter().all(|(_, row)| !row.encode().windows(key.len()).any(|part| part == key)));
    let row = house.world.table.get(&shared::certificate(HOST)).await.unwrap().unwrap();
    let sealed = row.bytes("k").unwrap();
    assert_eq!(house.directory.open_for_cell(b"certificate#mx.host.test", sealed).await.unwrap(), key);
    assert!(house.directory.open_for_cell(b"certificate#autoconfig.one.test", sealed).await.is_err());
    assert!(house.directory.open_for_cell(b"certificate#mx.host.test", b"").await.is_err());
}

/// As after a key service was restored from an old copy: what is stored is lost, and a new certificate is all that is wanted.
#[tokio::test(start_paused = true)]
async fn a_certificate_that_cannot_be_read_is_replaced() {
    let house = house().await;
    house.round().await;
    house.fake.be(Mood::Silent);
    house.certificates.wish(HOST).await.unwrap();
    let dead = tokio::time::timeout(Duration::from_secs(60), house.certifier().round()).await;
    assert!(dead.is_err(), "it was cut off, so an order is open and its proof is there");
    house.certificates.break_lease().await.unwrap();
    house.damage(HOST, &["k", "ok"]).await;
    let (changes, _) = house.certificates.changes(0).await.unwrap();
    let own = changes.iter().find(|one| one.name == HOST).unwrap();
    assert!(own.certificate.is_none() && own.unreadable && own.digest.is_some(), "an authority sees the proof: {own:?}");
    house.fake.be(Mood::Good);
    assert_eq!(house.round().await.ordered, 1);
    assert!(house.shown(HOST).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_served_goes() {
    let house = house().await;
    house.round().await;
    let operator = house.directory.operator();
    let tenant = operator.tenant("One").await.unwrap().id;
    operator.remove_domain(tenant, &"one.test".parse().unwrap()).await.unwrap();
    let (_, seen) = house.certificates.changes(0).await.unwrap();
    house.round().await;
    assert!(house.certificates.entry("autoconfig.one.test").await.unwrap().is_none());
    let (changed, _) = house.certificates.changes(seen).await.unwrap();
    let gone = Changed { name: "autoconfig.one.test".into(), certificate: None, unreadable: false, digest: None };
    assert_eq!(changed, [gone], "and edges hear of it");
}
