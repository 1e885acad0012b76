use super::scene::*;
use crate::moving::ExportKey;
use penfold_ports::{Job, JobId, QueueName};
use penfold_types::{Env, Kind};
use std::time::Duration;

async fn archive(seed: u64) -> (crate::control::Context, ExportKey, Vec<u8>) {
    let (_simulated, a) = simulated(seed);
    fill(&a, 10).await;
    let key = ExportKey::new(&a.service.world.env);
    let (_, archive) = exported(&a, &key).await.unwrap();
    (a, key, archive)
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_named_and_nothing_written() {
    let (_a, key, archive) = archive(11).await;
    for (tenant, domain, said) in [("Two", Some("one.example"), "the domain one.example"), ("one", None, "a tenant named One")] {
        let (there, b) = simulated(12);
        let operator = b.service.directory.operator();
        operator.create_tenant(tenant).await.unwrap();
        if let Some(domain) = domain {
            operator.create_domain(tenant, &domain.parse().unwrap()).await.unwrap();
        }
        let before = there.rows();
        let refused = imported(&b, &archive, &key).await.unwrap_err();
        assert!(refused.kind() == Kind::Conflict && refused.text().contains(said), "{refused}");
        assert_eq!(there.rows(), before);
    }
    // An address without its domain: what a faulty store might have.
    let (there, b) = simulated(13);
    let key_of = penfold_ports::shared::route(&address("bob@one.test"));
    b.service.world.table.put(penfold_ports::Write::put(key_of, penfold_ports::Row::new().with("t", vec![7; 16]))).await.unwrap();
    let refused = imported(&b, &archive, &key).await.unwrap_err();
    assert!(refused.text().contains("the address bob@one.test"), "{refused}");
    assert_eq!(there.rows().len(), 1);
    // And once it is here, it does not come again.
    let (_there, c) = simulated(14);
    imported(&c, &archive, &key).await.unwrap();
    assert_eq!(imported(&c, &archive, &key).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn another_key_file_is_refused() {
    let (_a, _key, archive) = archive(21).await;
    let (there, b) = simulated(22);
    let other = ExportKey::new(&Env::system());
    let refused = imported(&b, &archive, &other).await.unwrap_err();
    assert!(refused.kind() == Kind::Denied && refused.text().contains("key file"), "{refused}");
    assert!(there.rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn parked_jobs_would_stay_behind() {
    let (_simulated, a) = simulated(31);
    fill(&a, 10).await;
    let (world, id) = (&a.service.world, tenant(&a).await);
    let job = Job { id: JobId::new(&world.env), tenant: id, group: "g".to_owned(), body: "x".into() };
    world.queue.send(QueueName::Deliver, vec![job]).await.unwrap();
    for _ in 0..3 {
        let got = world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(60)).await.unwrap();
        let receipts: Vec<_> = got.iter().map(|one| one.receipt).collect();
        world.queue.give_back(QueueName::Deliver, &receipts).await.unwrap();
    }
    let key = ExportKey::new(&world.env);
    let refused = exported(&a, &key).await.unwrap_err();
    assert!(refused.kind() == Kind::Conflict && refused.text().contains("1 jobs of One are parked"), "{refused}");
}

#[test]
fn key_files_are_made_once_and_for_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    assert!(ExportKey::read(&path).unwrap_err().contains("cannot read"));
    ExportKey::read_or_make(&Env::system(), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((bytes.len(), std::fs::metadata(&path).unwrap().permissions().mode() & 0o777), (32, 0o600));
    ExportKey::read_or_make(&Env::system(), &path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    std::fs::write(&path, "short").unwrap();
    assert!(ExportKey::read_or_make(&Env::system(), &path).unwrap_err().contains("32 bytes"));
}
