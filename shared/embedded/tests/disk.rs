//! What the contract cannot say: directories, crashes, full disks.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use penfold_embedded::{OpenError, Options, Ports, open};
use penfold_ports::{Account, BlobKey, Commit, Job, JobId, PortError, QueueName, Rights, Row, Scope, Sk, World, Write};
use penfold_types::{AcceptanceId, CommitId, Env, PrincipalId, TenantId};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const QUEUE: QueueName = QueueName::Deliver;

struct Given {
    dir: TempDir,
    scope: Scope,
    env: Env,
}

impl Given {
    fn new() -> Self {
        let env = Env::system();
        let account = Account { tenant: TenantId::new(&env), principal: PrincipalId::new(&env) };
        Self { dir: tempfile::tempdir().unwrap(), scope: Scope::grant(account, account.principal, Rights::ALL), env }
    }

    fn open(&self) -> (Ports, World) {
        self.open_with(Options::default()).unwrap()
    }

    fn open_with(&self, options: Options) -> Result<(Ports, World), OpenError> {
        let ports = open(self.env.clone(), self.dir.path(), options)?;
        let world = ports.world(self.env.clone());
        Ok((ports, world))
    }

    fn write(&self, n: u64) -> Write {
        Write::put(self.scope.key(Sk::text(&format!("x{n:05}"))), Row::new().with("n", n))
    }

    async fn commit(&self, world: &World, n: u64) -> Result<(), PortError> {
        world.table.commit(&Commit { id: CommitId::new(&self.env), writes: vec![self.write(n)] }).await
    }

    async fn number(&self, world: &World, n: u64) -> Option<u64> {
        world.table.get(self.write(n).key()).await.unwrap().and_then(|row| row.u64("n"))
    }

    fn job(&self, body: &str) -> Job {
        Job { id: JobId::new(&self.env), tenant: self.scope.tenant(), group: "g".to_owned(), body: body.to_owned().into() }
    }

    fn blob(&self) -> BlobKey {
        self.scope.blob(AcceptanceId::new(&self.env))
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn journal(&self) -> PathBuf {
        let journals = fs::read_dir(self.store()).unwrap().map(|entry| entry.unwrap().path());
        journals.filter(|path| path.extension().is_some_and(|e| e == "jnl")).max().unwrap()
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let given = Given::new();
    let (small, large) = (given.blob(), given.blob());
    let wrapped = {
        let (_ports, world) = given.open();
        world.blobs.put(&small, vec!["small".into()]).await.unwrap();
        world.blobs.put(&large, vec![vec![5; 400_000].into()]).await.unwrap();
        world.queue.send(QUEUE, vec![given.job("1"), given.job("2")]).await.unwrap();
        given.commit(&world, 1).await.unwrap();
        world.secrets.wrap(given.scope.tenant(), &[9; 32]).await.unwrap()
    };
    let (_ports, world) = given.open();
    assert_eq!(given.number(&world, 1).await, Some(1));
    assert_eq!(world.blobs.get(&small).await, Ok(Bytes::from("small")));
    assert_eq!(world.blobs.get(&large).await.map(|blob| blob.len()), Ok(400_000));
    assert_eq!(world.secrets.unwrap(given.scope.tenant(), &wrapped).await, Ok([9; 32]));
    let jobs = world.queue.receive(QUEUE, 10, Duration::from_secs(60)).await.unwrap();
    assert_eq!(jobs.iter().map(|job| &job.job.body[..]).collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(jobs[0].job.tenant, given.scope.tenant());
}

#[tokio::test]
async fn a_large_store_is_closed_without_a_journal_to_read_again() {
    let given = Given::new();
    let keys: Vec<_> = (0..200).map(|_| given.blob()).collect();
    {
        let (ports, world) = given.open();
        for (n, key) in (0..).zip(&keys) {
            world.blobs.put(key, vec![vec![n as u8; 60_000].into()]).await.unwrap();
            given.commit(&world, n).await.unwrap();
        }
        ports.close();
        assert!(matches!(given.commit(&world, 1).await, Err(PortError::Broken(_))), "closed");
    }
    assert!(given.store().join("flushed").exists());
    for _ in 0..2 {
        let (_ports, world) = given.open();
        assert!(!given.store().join("flushed").exists());
        assert!(given.journal().metadata().unwrap().len() < 1000);
        assert_eq!(given.number(&world, 199).await, Some(199));
        assert_eq!(world.blobs.get(&keys[7]).await.map(|blob| blob == vec![7; 60_000]), Ok(true));
        given.commit(&world, 199).await.unwrap();
    }
}

#[tokio::test]
async fn job_state_survives_a_restart() {
    let given = Given::new();
    {
        let (_ports, world) = given.open();
        world.queue.send(QUEUE, vec![given.job("1"), given.job("2"), given.job("3")]).await.unwrap();
        let jobs = world.queue.receive(QUEUE, 1, Duration::from_secs(60)).await.unwrap();
        world.queue.done(QUEUE, &[jobs[0].receipt]).await.unwrap();
        for _ in 0..3 {
            let jobs = world.queue.receive(QUEUE, 1, Duration::from_secs(60)).await.unwrap();
            assert_eq!(&jobs[0].job.body[..], b"2");
            world.queue.give_back(QUEUE, &[jobs[0].receipt]).await.unwrap();
        }
    }
    {
        let (_ports, world) = given.open();
        let dead = world.queue.dead(QUEUE).await.unwrap();
        assert_eq!(dead.iter().map(|dead| (&dead.job.body[..], dead.attempts)).collect::<Vec<_>>(), [(&b"2"[..], 3), (b"3", 0)]);
        assert_eq!(world.queue.release(QUEUE, "g").await, Ok(2));
    }
    let (_ports, world) = given.open();
    assert_eq!(world.queue.dead(QUEUE).await, Ok(vec![]));
    let jobs = world.queue.receive(QUEUE, 10, Duration::from_secs(60)).await.unwrap();
    assert_eq!(jobs.iter().map(|job| (&job.job.body[..], job.attempt)).collect::<Vec<_>>(), [(&b"2"[..], 1), (b"3", 1)]);
}

#[tokio::test]
async fn jobs_that_were_out_come_back_after_a_restart() {
    let given = Given::new();
    {
        let (_ports, world) = given.open();
        world.queue.send(QUEUE, vec![given.job("1")]).await.unwrap();
        world.queue.receive(QUEUE, 10, Duration::from_secs(3600)).await.unwrap();
    }
    let (_ports, world) = given.open();
    let jobs = world.queue.receive(QUEUE, 10, Duration::from_secs(60)).await.unwrap();
    assert_eq!((&jobs[0].job.body[..], jobs[0].attempt), (&b"1"[..], 1), "a crash is not the job's fault");
}

#[tokio::test]
async fn one_process_at_a_time() {
    let given = Given::new();
    let (ports, world) = given.open();
    assert!(matches!(given.open_with(Options::default()), Err(OpenError::Locked(_))));
    drop((ports, world));
    given.open();
}

#[tokio::test]
async fn the_key_file_is_private_and_not_made_twice() {
    let given = Given::new();
    drop(given.open());
    let path = given.dir.path().join("master.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_file(&path).unwrap();
    let error = given.open_with(Options::default()).err().unwrap().to_string();
    assert!(error.contains("master.key") && error.contains("put it back"), "{error}");
    assert!(!path.exists());
}

/// Opens, checks that the first `whole` commits are there, and that the store takes more.
async fn assert_holds(given: &Given, whole: u64, what: &str) {
    let (_ports, world) = given.open_with(Options::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for n in 0..whole {
        assert_eq!(given.number(&world, n).await, Some(n), "{what}");
    }
    given.commit(&world, 99_999).await.unwrap();
}

/// Copies a store, so that one can be spoiled again and again.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, &target).is_ok()) }
    }
}

/// The bytes of the journal up to the zeros behind it.
fn used(journal: &Path) -> usize {
    let bytes = fs::read(journal).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[tokio::test]
async fn a_torn_tail_loses_the_torn_batch_alone() {
    let given = Given::new();
    let (before, after) = {
        let (_ports, world) = given.open();
        for n in 0..20 {
            given.commit(&world, n).await.unwrap();
        }
        let before = used(&given.journal());
        given.commit(&world, 20).await.unwrap();
        (before, used(&given.journal()))
    };
    let original = given.dir.path().to_owned();
    // Every cut is tried in journal.rs; here some, with the engine behind it.
    for (n, cut) in (before..after).step_by(19).enumerate() {
        for spoil in [[0u8, 0xff, 0x5a, 1][n % 4]] {
            let mut torn = Given::new();
            copy(&original, torn.dir.path());
            torn.scope = given.scope.clone();
            let journal = torn.journal();
            let mut bytes = fs::read(&journal).unwrap();
            bytes.truncate(after);
            // From the cut on: zeros, garbage, or one byte that changed.
            match spoil {
                0x5a => bytes[cut] ^= 0x10,
                1 => bytes.truncate(cut),
                other => bytes[cut..].fill(other),
            }
            fs::write(&journal, &bytes).unwrap();
            assert_holds(&torn, 20, &format!("cut at {cut} of {before}..{after}, {spoil:x}")).await;
        }
    }
}

#[tokio::test]
async fn garbage_behind_the_tail_is_cut() {
    let given = Given::new();
    {
        let (_ports, world) = given.open();
        given.commit(&world, 0).await.unwrap();
    }
    for garbage in [&b"\x01"[..], b"\x01\x01\x00\x00\x00", b"FJL\x03FJL\x03", &[2; 500], &[3; 500], &[1; 70_000]] {
        let journal = given.journal();
        let len = used(&journal);
        let file = fs::OpenOptions::new().write(true).open(&journal).unwrap();
        file.set_len(len as u64).unwrap();
        fs::OpenOptions::new().append(true).open(&journal).unwrap().write_all(garbage).unwrap();
        assert_holds(&given, 1, "garbage").await;
    }
}

#[tokio::test]
async fn damage_before_whole_batches_is_not_cut_away() {
    let given = Given::new();
    let middle = {
        let (_ports, world) = given.open();
        for n in 0..5 {
            given.commit(&world, n).await.unwrap();
        }
        let middle = used(&given.journal());
        for n in 5..10 {
            given.commit(&world, n).await.unwrap();
        }
        middle
    };
    let journal = given.journal();
    let mut bytes = fs::read(&journal).unwrap();
    bytes[middle + 40] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let error = given.open_with(Options::default()).err().unwrap().to_string();
    assert!(error.contains("damaged at byte"), "{error}");
}

#[tokio::test]
async fn a_full_disk_refuses_new_mail_and_goes_on_reading() {
    let given = Given::new();
    {
        let (_ports, world) = given.open();
        given.commit(&world, 1).await.unwrap();
        world.queue.send(QUEUE, vec![given.job("1")]).await.unwrap();
    }
    // No disk has more than all of its space free.
    let (_ports, world) = given.open_with(Options { reserve: 300, reserve_at_most: u64::MAX, ..Options::default() }).unwrap();
    assert_eq!(world.blobs.put(&given.blob(), vec!["x".into()]).await, Err(PortError::Full));
    assert_eq!(world.queue.send(QUEUE, vec![given.job("2")]).await, Err(PortError::Full));
    assert_eq!(given.commit(&world, 2).await, Err(PortError::Full));
    assert_eq!(given.number(&world, 1).await, Some(1));
    let jobs = world.queue.receive(QUEUE, 10, Duration::from_secs(60)).await.unwrap();
    world.queue.done(QUEUE, &[jobs[0].receipt]).await.unwrap();
    world.blobs.delete(&given.blob()).await.unwrap();
}

#[tokio::test]
async fn little_space_still_lets_what_is_on_its_way_arrive() {
    let given = Given::new();
    let stat = rustix::fs::statvfs(given.dir.path()).unwrap();
    let free = stat.f_bavail * 100 / stat.f_blocks;
    let (_ports, world) = given.open_with(Options { reserve: free + 1, reserve_at_most: u64::MAX, ..Options::default() }).unwrap();
    assert_eq!(world.queue.send(QUEUE, vec![given.job("2")]).await, Err(PortError::Full));
    given.commit(&world, 2).await.unwrap();
}

#[tokio::test]
async fn temporary_files_are_swept_at_open() {
    let given = Given::new();
    drop(given.open());
    let stray = given.dir.path().join("files/tmp/0123");
    fs::write(&stray, b"half").unwrap();
    drop(given.open());
    assert!(!stray.exists());
}

#[tokio::test]
async fn closing_ends_those_who_wait_for_jobs() {
    let given = Given::new();
    let (ports, world) = given.open();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.queue.receive(QUEUE, 10, Duration::from_secs(60)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    ports.close();
    for worker in workers {
        assert!(matches!(worker.await.unwrap(), Err(PortError::Broken(_))));
    }
}

#[tokio::test]
async fn a_blob_is_durable_with_what_was_asked_for_after_it() {
    let given = Given::new();
    let keys: Vec<_> = (0..50).map(|_| given.blob()).collect();
    {
        let (_ports, world) = given.open();
        for key in &keys {
            world.blobs.put(key, vec!["mail".into()]).await.unwrap();
        }
        world.queue.send(QUEUE, vec![given.job("1")]).await.unwrap();
        for key in &keys {
            assert_eq!(world.blobs.get(key).await, Ok(Bytes::from("mail")));
        }
        std::mem::forget(world);
    }
}

/// The power went while the first start made the store: nothing was in it, and nothing may be in the way of the next.
#[tokio::test]
async fn a_store_that_was_never_finished_is_made_anew() {
    let given = Given::new();
    let half = given.dir.path().join("store.new");
    fs::create_dir_all(half.join("keyspaces")).unwrap();
    fs::write(half.join("0.jnl"), b"").unwrap();
    let (ports, world) = given.open();
    assert!(!half.exists() && given.dir.path().join("store").is_dir());
    world.table.put(given.write(1)).await.unwrap();
    ports.close();
    drop((ports, world));
    let (ports, world) = given.open();
    assert!(world.table.get(given.write(1).key()).await.unwrap().is_some());
    ports.close();
}

/// As it was wrapped before tenants had secrets: by the key file's key alone.
fn wrapped_by_master(given: &Given, tenant: TenantId, key: [u8; 32]) -> Vec<u8> {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let master = fs::read(given.dir.path().join("master.key")).unwrap();
    let (nonce, mut sealed) = ([3; 12], key.to_vec());
    let master = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &master[1..]).unwrap());
    master.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(tenant.as_bytes()), &mut sealed).unwrap();
    [&[1][..], &nonce, &sealed].concat()
}

#[tokio::test]
async fn keys_of_an_earlier_version_open_until_they_are_destroyed() {
    let given = Given::new();
    let (_ports, world) = given.open();
    let (tenant, other) = (given.scope.tenant(), TenantId::new(&given.env));
    let early = wrapped_by_master(&given, tenant, [5; 32]);
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Ok([5; 32]));
    assert!(matches!(world.secrets.unwrap(other, &early).await, Err(PortError::Broken(_))));
    world.secrets.wrap(tenant, &[6; 32]).await.unwrap();
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Ok([5; 32]), "beside a secret");
    world.secrets.destroy(tenant).await.unwrap();
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Err(PortError::Destroyed));
    world.secrets.renew(tenant).await.unwrap();
    world.secrets.wrap(tenant, &[7; 32]).await.unwrap();
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Err(PortError::Destroyed), "in no later life either");
}

#[tokio::test]
async fn a_tenants_secret_is_private_and_gone_from_the_disk_when_it_is_destroyed() {
    let given = Given::new();
    let tenant = given.scope.tenant();
    let (dir, path) = (given.dir.path().join("secrets"), given.dir.path().join("secrets").join(tenant.to_string()));
    let wrapped = {
        let (_ports, world) = given.open();
        world.secrets.wrap(tenant, &[9; 32]).await.unwrap()
    };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&path)), (0o700, 0o600));
    let (secret, half_made) = (fs::read(&path).unwrap(), path.with_extension("new"));
    // A crash leaves a second name for the same bytes, or half of them.
    fs::hard_link(&path, &half_made).unwrap();
    {
        let (_ports, world) = given.open();
        assert!(!half_made.exists());
        assert_eq!(world.secrets.unwrap(tenant, &wrapped).await, Ok([9; 32]));
        fs::rename(&path, &half_made).unwrap();
        let error = world.secrets.unwrap(tenant, &wrapped).await.unwrap_err().to_string();
        assert!(error.contains(&format!("secrets/{tenant} is missing")) && error.contains("put it back"), "{error}");
        fs::rename(&half_made, &path).unwrap();
        world.secrets.destroy(tenant).await.unwrap();
    }
    assert_eq!(fs::read(&path).unwrap(), b"");
    // Cut off in the middle of it.
    for left in [vec![0; secret.len()], Vec::new()] {
        fs::write(&path, left).unwrap();
        let (_ports, world) = given.open();
        assert_eq!(world.secrets.unwrap(tenant, &wrapped).await, Err(PortError::Destroyed));
        assert_eq!(world.secrets.wrap(tenant, &[9; 32]).await, Err(PortError::Destroyed));
    }
}
