use crate::files::sync_dir;
use crate::health::broken;
use crate::tenant_secrets::{Life, Secret, TenantSecrets};
use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use penfold_ports::{PortError, Secrets};
use penfold_types::{Env, TenantId};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

const FORMAT: u8 = 1;
pub(crate) const KEY: usize = 32;

/// What is wrapped begins with it: by the key file's key alone, as it was before tenants had secrets; by the tenant's secret.
const BY_MASTER: u8 = 1;
const BY_TENANT: u8 = 2;

/// Tenants' data keys, wrapped by AES-256-GCM (NIST SP 800-38D) under the tenant's own secret, the tenant's id as associated
/// data. Wrapped: format, nonce, ciphertext, tag.
pub(crate) struct LocalSecrets(Arc<Inner>);

struct Inner {
    env: Env,
    master: LessSafeKey,
    tenants: TenantSecrets,
}

fn read_key(path: &Path) -> io::Result<Option<[u8; KEY]>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match bytes.split_first() {
        Some((&FORMAT, key)) if key.len() == KEY => Ok(key.try_into().ok()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a key file")),
    }
}

/// Written aside and renamed, so that there is a whole key or none.
fn make_key(env: &Env, dir: &Path, path: &Path) -> io::Result<[u8; KEY]> {
    let mut key = [0; KEY];
    env.fill(&mut key);
    let temporary = dir.join("master.key.new");
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(&[FORMAT])?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_dir(dir)?;
    Ok(key)
}

/// Nonce, ciphertext, tag.
pub(crate) fn seal(env: &Env, key: &LessSafeKey, aad: &[u8], plain: &[u8; KEY]) -> io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    env.fill(&mut nonce);
    let mut sealed = plain.to_vec();
    let done = key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed);
    done.map_err(|_| io::Error::other("sealing failed"))?;
    Ok([&nonce[..], &sealed].concat())
}

pub(crate) fn unseal(key: &LessSafeKey, aad: &[u8], sealed: &[u8]) -> Option<[u8; KEY]> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = sealed.to_vec();
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut sealed).ok()?;
    (&*plain).try_into().ok()
}

pub(crate) fn key_of(bytes: &[u8; KEY]) -> io::Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(LessSafeKey::new(key))
}

impl LocalSecrets {
    /// `fresh`: there is no store yet, so a missing key is made and not a disaster.
    pub(crate) fn open(env: &Env, dir: &Path, fresh: bool, tenants: TenantSecrets) -> io::Result<Self> {
        let path = dir.join("master.key");
        let key = match read_key(&path)? {
            Some(key) => key,
            None if fresh => make_key(env, dir, &path)?,
            None => return Err(io::Error::new(io::ErrorKind::NotFound, "it is missing; without it no mail can be read, so put it back")),
        };
        Ok(Self(Arc::new(Inner { env: env.clone(), master: key_of(&key)?, tenants })))
    }

    /// Work on files blocks, so it is done on a thread for that.
    async fn on_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(broken)?
    }
}

fn failed(error: io::Error) -> PortError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortError::Full,
        _ => PortError::Broken(format!("secrets/: {error}")),
    }
}

impl Inner {
    fn wrap(&self, tenant: TenantId, key: &[u8; KEY]) -> Result<Vec<u8>, PortError> {
        match self.tenants.read_or_make(&self.env, &self.master, tenant).map_err(failed)? {
            Secret::Living(_, secret) => {
                let sealed = seal(&self.env, &secret, tenant.as_bytes(), key).map_err(failed)?;
                Ok([&[BY_TENANT][..], &sealed].concat())
            }
            Secret::Destroyed => Err(PortError::Destroyed),
            Secret::None => Err(broken("a secret was made and is not there")),
        }
    }

    fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; KEY], PortError> {
        let secret = self.tenants.read(&self.master, tenant).map_err(failed)?;
        let (format, sealed) = wrapped.split_first().unwrap_or((&0, &[]));
        let key = match (secret, *format) {
            (Secret::Destroyed, _) | (Secret::Living(Life::Later, _), BY_MASTER) => return Err(PortError::Destroyed),
            (_, BY_MASTER) => unseal(&self.master, tenant.as_bytes(), sealed),
            (Secret::Living(_, secret), BY_TENANT) => unseal(&secret, tenant.as_bytes(), sealed),
            (Secret::None, BY_TENANT) => {
                return Err(broken(format!(
                    "secrets/{tenant} is missing; without it none of the tenant's mail can be read, so put it back"
                )));
            }
            _ => None,
        };
        key.ok_or_else(|| broken("the key was not wrapped here for this tenant"))
    }
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        let key = *key;
        self.on_files(move |inner| inner.wrap(tenant, &key)).await
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        let wrapped = wrapped.to_vec();
        self.on_files(move |inner| inner.unwrap(tenant, &wrapped)).await
    }

    async fn destroy(&self, tenant: TenantId) -> Result<(), PortError> {
        self.on_files(move |inner| inner.tenants.destroy(tenant).map_err(failed)).await
    }

    async fn renew(&self, tenant: TenantId) -> Result<(), PortError> {
        self.on_files(move |inner| inner.tenants.renew(&inner.env, &inner.master, tenant).map_err(failed)).await
    }
}
