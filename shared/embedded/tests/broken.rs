//! A write that fails is final, and never acknowledged. In a file of its own: the limit is the whole process's.
#![allow(clippy::unwrap_used)]

use penfold_embedded::{Options, open};
use penfold_ports::{Account, Commit, Job, JobId, PortError, QueueName, Rights, Row, Scope, Sk, World, Write};
use penfold_types::{AcceptanceId, CommitId, Env, PrincipalId, TenantId};
use rlimit::Resource;
use tokio::signal::unix::{SignalKind, signal};

/// A write past the file size limit raises this, which would end the process.
const SIGXFSZ: i32 = 25;

async fn commit(world: &World, scope: &Scope, n: u64) -> Result<(), PortError> {
    let write = Write::put(scope.key(Sk::text(&n.to_string())), Row::new().with("n", n));
    world.table.commit(&Commit { id: CommitId::new(&world.env), writes: vec![write] }).await
}

async fn number(world: &World, scope: &Scope, n: u64) -> Option<u64> {
    world.table.get(&scope.key(Sk::text(&n.to_string()))).await.unwrap().and_then(|row| row.u64("n"))
}

#[tokio::test]
async fn a_failed_write_is_final_until_the_next_open() {
    let env = Env::system();
    let account = Account { tenant: TenantId::new(&env), principal: PrincipalId::new(&env) };
    let scope = Scope::grant(account, account.principal, Rights::ALL);
    let dir = tempfile::tempdir().unwrap();
    let _signal = signal(SignalKind::from_raw(SIGXFSZ)).unwrap();
    let (soft, hard) = Resource::FSIZE.get().unwrap();
    {
        let ports = open(env.clone(), dir.path(), Options::default()).unwrap();
        let world = ports.world(env.clone());
        commit(&world, &scope, 1).await.unwrap();
        Resource::FSIZE.set(0, hard).unwrap();
        let failed = commit(&world, &scope, 2).await;
        Resource::FSIZE.set(soft, hard).unwrap();
        assert!(matches!(failed, Err(PortError::Broken(_) | PortError::Full)), "{failed:?}");
        assert!(commit(&world, &scope, 3).await.is_err(), "the disk is well again, and still nothing is acknowledged");
        assert!(world.blobs.put(&scope.blob(AcceptanceId::new(&env)), vec!["x".into()]).await.is_err());
        let job = Job { id: JobId::new(&env), tenant: scope.tenant(), group: "g".into(), body: "x".into() };
        assert!(world.queue.send(QueueName::Deliver, vec![job]).await.is_err());
        assert_eq!((number(&world, &scope, 1).await, number(&world, &scope, 2).await), (Some(1), None), "reads go on");
    }
    let ports = open(env.clone(), dir.path(), Options::default()).unwrap();
    let world = ports.world(env);
    assert_eq!((number(&world, &scope, 1).await, number(&world, &scope, 3).await), (Some(1), None));
    commit(&world, &scope, 3).await.unwrap();
}
