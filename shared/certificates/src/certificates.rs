//! The rows of a cell's certificates. Whoever shows them follows the changes: every name has one row that says which change
//! was its last, so what is new costs what changed, and nothing where nothing did.

use crate::row::Entry;
use crate::store::Store;
use bytes::Bytes;
use penfold_directory::Directory;
use penfold_ports::{Query, Row, Sk, Value, When, World, Write, shared};
use penfold_types::{Env, Error, Kind, Result};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Tries of a change that others interfere with.
const TRIES: usize = 8;
/// How long whoever shows certificates here is waited for.
const SHOWN: Duration = Duration::from_secs(10);

/// Cheap to clone; clones hear of each other's wishes.
#[derive(Clone)]
pub struct Certificates {
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    signals: Arc<Signals>,
}

/// What clones in this process tell each other.
struct Signals {
    /// Number of the last change that was made here.
    made: watch::Sender<u64>,
    /// Up to which change everything is shown here; `None` where nobody shows anything.
    shown: watch::Sender<Option<u64>>,
}

/// A private key as PKCS#8: a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A certificate that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// PEM.
    pub chain: String,
    pub key: Key,
}

/// What is to be shown for a name from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub name: String,
    pub certificate: Option<Certificate>,
    /// There is a certificate that cannot be read: what was shown before stays.
    pub unreadable: bool,
    /// The SHA-256 of a key authorization, for TLS-ALPN-01, while an authority may look.
    pub digest: Option<Bytes>,
}

/// What a row's secrets belong to: they open there only.
pub(crate) fn belongs_to(name: &str) -> Vec<u8> {
    format!("certificate#{name}").into_bytes()
}

pub(crate) fn name_of(sk: &Sk) -> Option<&str> {
    std::str::from_utf8(sk.as_bytes()).ok()?.strip_prefix("name#")
}

impl Certificates {
    pub fn new(world: &World, directory: Directory) -> Self {
        let signals = Arc::new(Signals { made: watch::Sender::new(0), shown: watch::Sender::new(None) });
        Self { store: Store::new(world.named("certificates")), directory, signals }
    }

    pub(crate) fn env(&self) -> &Env {
        self.store.env()
    }

    /// Every name that has a row, by name.
    pub async fn list(&self) -> Result<Vec<Entry>> {
        let rows = self.store.query(&Query::prefix(shared::certificates(), &shared::all_certificates())).await?;
        Ok(rows.iter().filter_map(|(sk, row)| Some(Entry::read(name_of(sk)?, row))).collect())
    }

    pub async fn entry(&self, name: &str) -> Result<Option<Entry>> {
        Ok(self.store.get(&shared::certificate(name)).await?.map(|row| Entry::read(name, &row)))
    }

    /// The name's turn is now, whatever happened before; for the operator. Whoever orders hears of it within seconds.
    pub async fn wish(&self, name: &str) -> Result<()> {
        let past = Value::U(0);
        self.change(name, |_| (vec![("rn".into(), past.clone())], vec!["nx".into()])).await
    }

    /// Why nothing is ordered for a name.
    pub(crate) async fn note(&self, name: &str, reason: &str) -> Result<()> {
        let reason = Value::S(reason.to_owned());
        self.change(name, |_| (vec![("e".into(), reason.clone())], Vec::new())).await
    }

    /// Until there may be a change after number `seen`: at once where it was made here, else within `every`.
    pub async fn changed(&self, seen: u64, every: Duration) {
        let mut made = self.signals.made.subscribe();
        tokio::select! {
            biased;
            // The sender lives as long as we do.
            _ = made.wait_for(|made| *made > seen) => {}
            () = self.env().sleep(every) => {}
        }
    }

    /// Whoever shows certificates in this process says how far it came.
    pub fn shown_until(&self, change: u64) {
        self.signals.shown.send_replace(Some(change));
    }

    /// Until this process shows what was changed here.
    pub(crate) async fn settled(&self) {
        let made = *self.signals.made.borrow();
        let mut shown = self.signals.shown.subscribe();
        let until = shown.wait_for(|shown| shown.is_none_or(|shown| shown >= made));
        if tokio::time::timeout(SHOWN, until).await.is_err() {
            tracing::warn!("what was changed is not shown yet");
        }
    }

    /// How many changes there were; it costs one small read.
    pub async fn version(&self) -> Result<u64> {
        let row = self.store.get(&shared::certificates_version()).await?;
        Ok(row.and_then(|row| row.u64("v")).unwrap_or(0))
    }

    /// What changed after change number `seen`, and the number of the last one. A certificate that cannot be
    /// read is logged; the proof for the one that replaces it is there all the same.
    pub async fn changes(&self, seen: u64) -> Result<(Vec<Changed>, u64)> {
        let version = self.version().await?;
        if version == seen {
            return Ok((Vec::new(), seen));
        }
        // After a restore the numbers may begin again.
        let after = if version < seen { 0 } else { seen };
        let from = shared::certificate_change(after.saturating_add(1)).sk().clone();
        let to = Some(shared::all_certificate_changes().after_prefix());
        let query = Query { pk: shared::certificates(), from, to, limit: usize::MAX, reverse: false };
        let rows = self.store.query(&query).await?;
        let names: Vec<_> = rows.iter().filter_map(|(_, row)| row.str("n").map(str::to_owned)).collect();
        let keys: Vec<_> = names.iter().map(|name| shared::certificate(name)).collect();
        let rows = self.store.batch_get(&keys).await?;
        let mut found = Vec::with_capacity(names.len());
        for (name, row) in names.into_iter().zip(rows) {
            let digest = row.as_ref().and_then(|row| row.bytes("ad")).cloned();
            let (certificate, unreadable) = match self.read(&name, row.as_ref()).await {
                Ok(certificate) => (certificate, false),
                Err(error) if error.kind() == Kind::Retry => return Err(error),
                Err(error) => {
                    tracing::error!(name, %error, "a certificate cannot be read");
                    (None, true)
                }
            };
            found.push(Changed { name, certificate, unreadable, digest });
        }
        Ok((found, version))
    }

    async fn read(&self, name: &str, row: Option<&Row>) -> Result<Option<Certificate>> {
        let Some((chain, sealed)) = row.and_then(|row| row.bytes("c").zip(row.bytes("k"))) else { return Ok(None) };
        let chain = String::from_utf8(chain.to_vec()).map_err(|_| Error::broken("a certificate's row is damaged"))?;
        let key = self.directory.open_for_cell(&belongs_to(name), sealed).await?;
        Ok(Some(Certificate { chain, key: Key(key) }))
    }

    /// Sets and removes attributes of a name's row, as one more change that everybody hears of.
    pub(crate) async fn change(&self, name: &str, with: impl Fn(&Row) -> (Vec<Set>, Vec<penfold_ports::Name>)) -> Result<()> {
        for _ in 0..TRIES {
            let (key, row, version) = self.before(name).await?;
            let (mut set, remove) = with(&row);
            set.push(("s".into(), Value::U(version + 1)));
            let when = unmoved(&row);
            let write = Write::Update { key, set, remove, when };
            if self.commit(name, &row, version, write).await? {
                return Ok(());
            }
        }
        Err(Error::retry("others change the certificates at the same time"))
    }

    /// A name that wants no certificate any more.
    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        for _ in 0..TRIES {
            let (key, row, version) = self.before(name).await?;
            let when = unmoved(&row);
            if self.commit(name, &row, version, Write::Delete { key, when }).await? {
                return Ok(());
            }
        }
        Err(Error::retry("others change the certificates at the same time"))
    }

    async fn before(&self, name: &str) -> Result<(penfold_ports::Key, Row, u64)> {
        let key = shared::certificate(name);
        let version = self.version().await?;
        Ok((key.clone(), self.store.get(&key).await?.unwrap_or_default(), version))
    }

    async fn commit(&self, name: &str, row: &Row, version: u64, write: Write) -> Result<bool> {
        let next = version + 1;
        let counted = match version {
            0 => When::Absent,
            seen => When::Equal(vec![("v".into(), Value::U(seen))]),
        };
        let mut writes = vec![
            write,
            Write::Put { key: shared::certificates_version(), row: Row::new().with("v", next), when: counted },
            Write::put(shared::certificate_change(next), Row::new().with("n", name)),
        ];
        if let Some(last) = row.u64("s") {
            writes.push(Write::delete(shared::certificate_change(last)));
        }
        let done = self.store.commit(writes).await?;
        if done {
            self.signals.made.send_replace(next);
        }
        Ok(done)
    }
}

pub(crate) type Set = (penfold_ports::Name, Value);

/// The row is as it was read.
fn unmoved(row: &Row) -> When {
    match row.get("s") {
        Some(last) => When::Equal(vec![("s".into(), last.clone())]),
        None => When::Absent,
    }
}
