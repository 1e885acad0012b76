use crate::blobs::LocalBlobs;
use crate::closing::Closing;
use crate::committer::Committer;
use crate::core::Core;
use crate::disk::Disk;
use crate::engine::Engine;
use crate::files::{Files, sync_dir};
use crate::jobs;
use crate::journal;
use crate::layout::{JobPart, Space, job_number, job_prefix};
use crate::queue::LocalQueue;
use crate::secrets::LocalSecrets;
use crate::table::LocalTable;
use crate::tenant_secrets::TenantSecrets;
use bytes::Bytes;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use penfold_ports::{Blobs, Queue, QueueName, Secrets, Table, Wake, Watchers, World};
use penfold_types::Env;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of new values that a space keeps in memory before they are written to a table.
const MEMTABLE: u64 = 32 << 20;
/// Bytes of journals that may pile up before spaces that hold them back are written; a crash reads them again.
const JOURNALS: u64 = 64 << 20;

#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of the cache of blocks read from disk.
    pub cache: u64,
    /// Bytes of requests that may wait for the committer.
    pub budget: usize,
    /// Percent of the file system that must be free for new blobs and jobs; commits go on down to two fifths of it.
    pub reserve: u64,
    /// Bytes: no more than so much is asked to be free, for a percentage of a large disk is more than anybody needs.
    pub reserve_at_most: u64,
    /// Off, an answer does not wait for the disk: only for showing that a power-cut test notices.
    pub sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache: 64 << 20, budget: 64 << 20, reserve: 5, reserve_at_most: 4 << 30, sync: true }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another process uses {}", .0.display())]
    Locked(PathBuf),
    #[error("{}: {cause}", .path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    /// The engine cannot read what is there.
    #[error("the store in {} cannot be opened: {cause}", .path.display())]
    Store { path: PathBuf, cause: String },
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    move |cause| OpenError::Io { path: path.to_owned(), cause }
}

/// The ports over one data directory. When the last port is dropped, what waits is written and the directory let go.
#[derive(Clone)]
pub struct Ports {
    pub table: Arc<dyn Table>,
    pub blobs: Arc<dyn Blobs>,
    pub queue: Arc<dyn Queue>,
    pub wake: Arc<dyn Wake>,
    pub secrets: Arc<dyn Secrets>,
    engine: Arc<Engine>,
}

impl Ports {
    pub fn world(&self, env: Env) -> World {
        World::new(env, self.table.clone(), self.blobs.clone(), self.queue.clone(), self.wake.clone(), self.secrets.clone())
    }

    /// Writes what waits, then refuses everything; returns when the disk has it. Those who wait for jobs get an error.
    pub fn close(&self) {
        self.engine.stop();
    }
}

/// Opens `dir`, and makes it where it is not there.
pub fn open(env: Env, dir: &Path, options: Options) -> Result<Ports, OpenError> {
    // What is in it is for the service's own user only.
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    let lock = take_lock(dir)?;
    let store = dir.join("store");
    let fresh = !store.try_exists().map_err(at(&store))?;
    let key = dir.join("master.key");
    let tenants = dir.join("secrets");
    let tenants = TenantSecrets::open(tenants.clone()).map_err(at(&tenants))?;
    let secrets = LocalSecrets::open(&env, dir, fresh, tenants).map_err(at(&key))?;
    let files = dir.join("files");
    let files = Files::open(files.clone()).map_err(at(&files))?;
    if fresh {
        make_store(dir, &store, &options)?;
    }
    let replayed = journal::prepare(&store).map_err(at(&store))?;
    let (db, spaces) = open_store(&store, &options)?;
    sync_tree(dir, 5).map_err(at(dir))?;

    let core = Arc::new(Core::new(env, db, spaces, options.budget));
    let disk = Disk { dir: dir.to_owned(), reserve: options.reserve, at_most: options.reserve_at_most };
    let mut committer = Committer::new(core.clone(), disk, options.sync, Closing { store: store.clone(), journalled: replayed });
    committer.check_space();
    load_jobs(&core, &mut committer).map_err(unreadable(&store))?;
    let engine = Arc::new(Engine::start(core, committer, lock).map_err(at(dir))?);
    Ok(Ports {
        table: Arc::new(LocalTable(engine.clone())),
        blobs: Arc::new(LocalBlobs { core: engine.clone(), files: Arc::new(files) }),
        queue: Arc::new(LocalQueue(engine.clone())),
        wake: Arc::new(Watchers::default()),
        secrets: Arc::new(secrets),
        engine,
    })
}

/// The lock lasts as long as the file is open, so a process that dies lets go.
fn take_lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(dir.to_owned())),
        Err(TryLockError::Error(cause)) => Err(OpenError::Io { path, cause }),
    }
}

fn unreadable<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> OpenError {
    move |cause| OpenError::Store { path: path.to_owned(), cause: cause.to_string() }
}

fn open_store(path: &Path, options: &Options) -> Result<(Database, [Keyspace; 3]), OpenError> {
    let open = || -> fjall::Result<(Database, [Keyspace; 3])> {
        let db = Database::builder(path)
            .cache_size(options.cache)
            .manual_journal_persist(true)
            // Blobs are sealed: nothing is left to compress.
            .journal_compression(CompressionType::None)
            .max_journaling_size(JOURNALS)
            // With two, the first spins while the second compacts.
            .worker_threads(1)
            .open()?;
        let space = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE).manual_journal_persist(true);
        let rows = db.keyspace("rows", space)?;
        let blobs =
            db.keyspace("blobs", || space().data_block_compression_policy(CompressionPolicy::disabled()).expect_point_read_hits(true))?;
        let jobs = db.keyspace("jobs", space)?;
        Ok((db, [rows, blobs, jobs]))
    };
    open().map_err(unreadable(path))
}

/// The engine makes a store in many steps and does not open half of one, so it is made aside, synced, and then named.
fn make_store(dir: &Path, store: &Path, options: &Options) -> Result<(), OpenError> {
    let aside = dir.join("store.new");
    match fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&aside)(error)),
        _ => {}
    }
    let (db, spaces) = open_store(&aside, options)?;
    db.persist(PersistMode::SyncAll).map_err(unreadable(&aside))?;
    drop((spaces, db));
    sync_tree(&aside, 4).and_then(|()| fs::rename(&aside, store)).and_then(|()| sync_dir(dir)).map_err(at(store))
}

/// The engine does not sync every directory in which it makes others.
fn sync_tree(dir: &Path, depth: usize) -> std::io::Result<()> {
    sync_dir(dir)?;
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path(), depth - 1)?;
        }
    }
    Ok(())
}

fn load_jobs(core: &Core, committer: &mut Committer) -> fjall::Result<()> {
    let jobs_space = core.space(Space::Jobs);
    for queue in QueueName::ALL {
        let mut failures = BTreeMap::new();
        for entry in jobs_space.prefix(job_prefix(queue, JobPart::Failures)) {
            let (key, value) = entry.into_inner()?;
            if let (Some(number), Some(count)) = (job_number(&key), value.first_chunk()) {
                failures.insert(number, u32::from_be_bytes(*count));
            }
        }
        let mut line = core.queued(queue).line.lock();
        for entry in jobs_space.prefix(job_prefix(queue, JobPart::Job)) {
            let (key, value) = entry.into_inner()?;
            let (Some(number), Some((job, since))) = (job_number(&key), jobs::decode(Bytes::from(value))) else {
                tracing::error!(queue = queue.as_str(), "a stored job cannot be read and is left alone");
                continue;
            };
            line.add(number, job.tenant, &job.group, since, failures.get(&number).copied().unwrap_or(0));
            committer.know_job(queue, number, *job.id.as_bytes());
        }
    }
    Ok(())
}
