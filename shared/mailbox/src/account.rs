//! Accounts as this process knows them: a cached view of each, moved on by the log, and the caches of lists and contents.
//! Nothing here is needed for being right: every answer is checked against the head row, every write conditioned on it.

use crate::acl::Acl;
use crate::change::Change;
use crate::content::{Blob, Content};
use crate::draft::Draft;
use crate::folder::{Folder, Folders, Role};
use crate::index::Index;
use crate::sealed::DataCipher;
use crate::unchanged::Unchanged;
use crate::view::{Head, Status, View};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use penfold_directory::Directory;
use penfold_ports::{Account, Query, Rights, Scope, Sk, Watch, World};
use penfold_types::{AcceptanceId, Error, FolderId, ItemId, Modseq, Result, TenantId};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Memory for caches, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    pub indexes: u64,
    pub contents: u64,
    pub accounts: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { indexes: 64 << 20, contents: 64 << 20, accounts: 200_000 }
    }
}

/// All accounts, as far as a [`Scope`] opens them. Cheap to clone.
#[derive(Clone)]
pub struct Mailboxes(Arc<Inner>);

pub(crate) struct Inner {
    pub world: World,
    pub directory: Directory,
    accounts: moka::sync::Cache<Account, Arc<Shared>>,
    pub indexes: moka::sync::Cache<(Account, FolderId), Arc<Index>>,
    pub contents: moka::sync::Cache<(Account, ItemId), Arc<Content>>,
}

/// What all sessions of this process share of one account.
#[derive(Default)]
pub(crate) struct Shared {
    /// Writers of one account take turns here, so that they do not fail one another's conditions.
    pub writing: tokio::sync::Mutex<()>,
    view: RwLock<Option<Arc<View>>>,
    tail: Mutex<VecDeque<Arc<Change>>>,
    /// Folders whose lists are due to be stored.
    pub due: Mutex<std::collections::BTreeSet<FolderId>>,
}

/// Recent changes kept in memory for each account.
const TAIL: usize = 8;
/// How long a commit is waited for that is being carried out.
pub(crate) const UNDER_WAY: Duration = Duration::from_millis(20);
/// Changes read one by one before an account is read anew instead.
const LOG_LIMIT: u64 = 2_000;

impl Shared {
    pub fn cached(&self) -> Option<Arc<View>> {
        self.view.read().clone()
    }

    /// Keeps the newer of two views.
    pub fn keep(&self, view: &Arc<View>) {
        let mut own = self.view.write();
        let newer = own.as_ref().is_none_or(|o| (o.head.epoch, o.head.modseq) < (view.head.epoch, view.head.modseq));
        if newer {
            *own = Some(view.clone());
        }
    }

    pub fn forget(&self) {
        *self.view.write() = None;
        self.tail.lock().clear();
    }

    pub fn remember(&self, change: Arc<Change>) {
        let mut tail = self.tail.lock();
        let follows = tail.back().is_none_or(|last| last.modseq.next() == change.modseq);
        if !follows {
            if tail.back().is_some_and(|last| last.modseq >= change.modseq) {
                return;
            }
            tail.clear();
        }
        tail.push_back(change);
        if tail.len() > TAIL {
            tail.pop_front();
        }
    }

    /// The changes after one modseq up to another, where all of them are at hand.
    fn recent(&self, after: Modseq, to: Modseq) -> Option<Vec<Arc<Change>>> {
        let tail = self.tail.lock();
        let first = tail.front()?.modseq;
        if first > after.next() || tail.back()?.modseq < to {
            return None;
        }
        Some(tail.iter().filter(|c| c.modseq > after && c.modseq <= to).cloned().collect())
    }
}

/// One account, opened under one scope. Cheap to clone.
#[derive(Clone)]
pub struct Mailbox {
    pub(crate) inner: Arc<Inner>,
    pub(crate) shared: Arc<Shared>,
    scope: Scope,
    /// What the next commit rests on.
    pub(crate) unchanged: Option<Arc<Unchanged>>,
}

impl Mailboxes {
    pub fn new(world: World, directory: Directory) -> Self {
        Self::with_budgets(world, directory, Budgets::default())
    }

    pub fn with_budgets(world: World, directory: Directory, budgets: Budgets) -> Self {
        let indexes = moka::sync::Cache::builder().max_capacity(budgets.indexes).weigher(|_, index: &Arc<Index>| index.weight()).build();
        let contents = moka::sync::Cache::builder()
            .max_capacity(budgets.contents)
            // An estimate: the strings of a summary weigh about as much again as what is counted here.
            .weigher(|_, content: &Arc<Content>| 1500 + content.prefix.len() as u32)
            .build();
        let accounts = moka::sync::Cache::new(budgets.accounts);
        Self(Arc::new(Inner { world, directory, accounts, indexes, contents }))
    }

    /// The same accounts and caches, whose requests are counted under `operation`.
    #[must_use]
    pub fn named(&self, operation: &'static str) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            world: inner.world.named(operation),
            directory: inner.directory.clone(),
            accounts: inner.accounts.clone(),
            indexes: inner.indexes.clone(),
            contents: inner.contents.clone(),
        }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    /// Nothing that this process knows of an account is believed any more.
    pub(crate) fn forget(&self, scope: &Scope) {
        if let Some(shared) = self.0.accounts.remove(&scope.account()) {
            shared.forget();
        }
    }

    /// Opens an account. At its first opening it gets its folders: INBOX, Drafts, Sent, Archive, Junk and Trash.
    pub async fn open(&self, scope: &Scope) -> Result<Mailbox> {
        let shared = self.0.accounts.get_with(scope.account(), Arc::default);
        let mailbox = Mailbox { inner: self.0.clone(), shared, scope: scope.clone(), unchanged: None };
        if mailbox.shared.cached().is_none() {
            mailbox.view().await?;
        }
        Ok(mailbox)
    }

    /// Compresses, seals and stores bytes under an acceptance. They are durable with the send or commit that follows.
    pub async fn put_blob(&self, tenant: TenantId, acceptance: AcceptanceId, parts: Vec<Bytes>) -> Result<Blob> {
        let cipher = self.0.cipher(tenant).await?;
        let key = self.0.directory.tenant_scope(tenant).blob(acceptance);
        let length = parts.iter().map(|p| p.len() as u64).sum();
        let sealed = cipher.seal_blob(&self.0.world.env, key.as_str().as_bytes(), &parts)?;
        self.0.world.blobs.put(&key, vec![sealed]).await?;
        Ok(Blob { acceptance, length })
    }
}

impl Inner {
    /// The cipher that new bytes of a tenant are sealed with. Not kept: only the directory knows for how long a key may be used.
    pub async fn cipher(&self, tenant: TenantId) -> Result<DataCipher> {
        let key = self.directory.data_key(tenant).await?;
        DataCipher::new(key.version, &key.key)
    }

    /// The cipher of an older key.
    pub async fn cipher_of(&self, tenant: TenantId, version: u32) -> Result<DataCipher> {
        let key = self.directory.data_key_version(tenant, version).await?;
        DataCipher::new(key.version, &key.key)
    }
}

impl Mailbox {
    pub(crate) fn mailboxes(&self) -> Mailboxes {
        Mailboxes(self.inner.clone())
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn account(&self) -> Account {
        self.scope.account()
    }

    /// By whose clock this account's commits are dated.
    pub fn env(&self) -> &penfold_types::Env {
        &self.inner.world.env
    }

    pub fn watch(&self) -> Watch {
        self.inner.world.wake.watch(self.account())
    }

    /// The head as it is now: one read unit.
    pub async fn head(&self) -> Result<Head> {
        self.need(Rights::LOOKUP)?;
        Ok(self.view().await?.head.clone())
    }

    /// The folders that may be looked up, as they are now: one read unit where nothing changed.
    pub async fn folders(&self) -> Result<Arc<Folders>> {
        if self.scope.grounds().is_empty() {
            self.need(Rights::LOOKUP)?;
            return Ok(Arc::new(self.view().await?.folders.clone()));
        }
        Ok(Arc::new(self.view().await?.folders.seen_by(&self.scope)))
    }

    pub async fn folder(&self, id: FolderId) -> Result<Folder> {
        self.folders().await?.get(id).cloned().ok_or_else(|| Error::not_found("no such folder"))
    }

    /// Bytes used and bytes allowed.
    pub async fn usage(&self) -> Result<(u64, u64)> {
        self.need(Rights::LOOKUP)?;
        self.used_and_allowed().await
    }

    pub(crate) async fn used_and_allowed(&self) -> Result<(u64, u64)> {
        let used = self.view().await?.head.used;
        Ok((used, self.inner.directory.quota(self.account()).await?))
    }

    /// The account as it is now.
    pub(crate) async fn view(&self) -> Result<Arc<View>> {
        let Some(row) = self.inner.world.table.get(&self.scope.key(Sk::head())).await? else {
            return self.found().await;
        };
        let head = Head::from_row(&row).ok_or_else(|| Error::broken("the account's head cannot be read"))?;
        if matches!(head.status, Status::Destroyed | Status::Moved) {
            return Err(Error::not_found("the account is not served here"));
        }
        let view = match self.shared.cached() {
            Some(cached) if (cached.head.epoch, cached.head.modseq) == (head.epoch, head.modseq) => return Ok(cached),
            Some(cached) if cached.head.epoch == head.epoch && cached.head.modseq > head.modseq => return Ok(cached),
            Some(cached) if cached.head.epoch == head.epoch && head.modseq.get() - cached.head.modseq.get() <= LOG_LIMIT => {
                match self.advance(&cached, head.modseq).await? {
                    Some(view) => view,
                    None => self.load().await?,
                }
            }
            _ => self.load().await?,
        };
        let view = Arc::new(view);
        self.shared.keep(&view);
        Ok(view)
    }

    /// The view that a writer starts from who may refuse or find nothing to do: as the head is now.
    pub(crate) async fn view_to_decide(&self) -> Result<Arc<View>> {
        writable(self.view().await?)
    }

    /// The view that a writer starts from whose commit is conditioned on it in any case: the cached one.
    pub(crate) async fn view_to_write(&self) -> Result<Arc<View>> {
        writable(match self.shared.cached() {
            Some(view) => view,
            None => self.view().await?,
        })
    }

    /// A view moved on by the log; `None` where the log does not reach.
    async fn advance(&self, from: &View, to: Modseq) -> Result<Option<View>> {
        let Some(changes) = self.log(from.head.modseq, to).await? else { return Ok(None) };
        let mut view = from.clone();
        for change in changes {
            view.apply(&change)?;
        }
        Ok((view.head.modseq == to).then_some(view))
    }

    /// Changes after one modseq, up to another; `None` where some of them are no longer kept.
    pub(crate) async fn log(&self, after: Modseq, to: Modseq) -> Result<Option<Vec<Arc<Change>>>> {
        if after >= to {
            return Ok(Some(Vec::new()));
        }
        if let Some(recent) = self.shared.recent(after, to) {
            return Ok(Some(recent));
        }
        let query = Query {
            pk: self.scope.pk().clone(),
            from: Sk::change(after.next()),
            to: Some(Sk::change(to.next())),
            limit: usize::MAX,
            reverse: false,
        };
        let mut expected = after.next();
        let mut changes = Vec::new();
        for (sk, row) in self.inner.world.table.query_all(query).await? {
            let modseq = modseq_of(&sk).ok_or_else(|| Error::broken("a change has no number"))?;
            if modseq != expected {
                return Ok(None);
            }
            expected = expected.next();
            changes.push(Arc::new(Change::from_row(modseq, &row).ok_or_else(|| Error::broken("a change cannot be read"))?));
        }
        Ok((expected > to).then_some(changes))
    }

    /// Whether the folders are not older than the head: DynamoDB may show a part of the last commit while it is being carried
    /// out. The log's last change says which folders it touched.
    async fn is_whole(&self, view: &View) -> Result<bool> {
        let last = view.head.modseq;
        if last <= view.head.floor {
            return Ok(true);
        }
        let Some(row) = self.inner.world.table.get(&self.scope.key(Sk::change(last))).await? else { return Ok(false) };
        let change = Change::from_row(last, &row).ok_or_else(|| Error::broken("a change cannot be read"))?;
        Ok(view.shows(&change))
    }

    /// Reads head and folders, which sort next to each other, and reads the head once more to know that they belong
    /// together.
    async fn load(&self) -> Result<View> {
        let table = &self.inner.world.table;
        for _ in 0..8 {
            let query = Query {
                pk: self.scope.pk().clone(),
                from: Sk::folders(),
                to: Some(Sk::head().successor()),
                limit: usize::MAX,
                reverse: false,
            };
            let mut head = None;
            let mut folders: Vec<Arc<Folder>> = Vec::new();
            for (sk, row) in table.query_all(query).await? {
                if sk == Sk::head() {
                    head = Head::from_row(&row);
                } else if let Some(id) = sk.as_bytes().strip_prefix(b"f#").and_then(FolderId::from_slice) {
                    let folder = Folder::from_row(id, &row).ok_or_else(|| Error::broken("a folder's row cannot be read"))?;
                    folders.push(Arc::new(folder));
                } else if let Some(id) = acl_of(&sk) {
                    let acl = Acl::from_row(&row).ok_or_else(|| Error::broken("the rights to a folder cannot be read"))?;
                    // It stands right behind its folder; an older version may have left one behind where there is none.
                    if let Some(own) = folders.last_mut().filter(|own| own.id == id) {
                        Arc::make_mut(own).acl = acl;
                    }
                }
            }
            let head = head.ok_or_else(|| Error::broken("the account's head cannot be read"))?;
            let again = table.get(&self.scope.key(Sk::head())).await?.and_then(|row| Head::from_row(&row));
            if again.is_some_and(|again| (again.epoch, again.modseq) == (head.epoch, head.modseq)) {
                let view = View { head, folders: Folders::new(folders) };
                if self.is_whole(&view).await? {
                    return Ok(view);
                }
                self.inner.world.env.sleep_jittered(UNDER_WAY).await;
            }
        }
        Err(Error::retry("the account is being changed too fast to be read"))
    }

    /// Makes the head and the first folders. Whoever is second finds them.
    async fn found(&self) -> Result<Arc<View>> {
        let mut draft = Draft::first(&self.scope);
        let env = &self.inner.world.env;
        for role in Role::MAIL {
            let uidvalidity = draft.next_uidvalidity(env.now());
            let folder = Folder::new(FolderId::new(env), None, role.name(), Some(role), uidvalidity);
            draft.entry(crate::change::Entry::FolderSet(folder));
        }
        match self.commit(draft).await? {
            crate::commit::Outcome::Done => self.shared.cached().ok_or_else(|| Error::retry("try again")),
            crate::commit::Outcome::Stale | crate::commit::Outcome::Exists(_) => {
                let view = Arc::new(self.load().await?);
                self.shared.keep(&view);
                Ok(view)
            }
        }
    }
}

fn writable(view: Arc<View>) -> Result<Arc<View>> {
    match view.head.status {
        Status::Active => Ok(view),
        Status::Frozen | Status::Parked => Err(Error::retry("the account cannot be written to now")),
        Status::Moved | Status::Destroyed => Err(Error::not_found("the account is not served here")),
    }
}

/// The folder whose rights are in a row.
pub(crate) fn acl_of(sk: &Sk) -> Option<FolderId> {
    FolderId::from_slice(sk.as_bytes().strip_prefix(b"f#")?.strip_suffix(b"/acl")?)
}

pub(crate) fn modseq_of(sk: &Sk) -> Option<Modseq> {
    let bytes: [u8; 8] = sk.as_bytes().strip_prefix(b"c#")?.try_into().ok()?;
    Some(Modseq(u64::from_be_bytes(bytes)))
}
