use crate::files::sync_dir;
use crate::health::broken;
use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use penfold_ports::{PortError, Secrets};
use penfold_types::{Env, TenantId};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FORMAT: u8 = 1;
const KEY: usize = 32;

/// Tenants' data keys, wrapped by AES-256-GCM (NIST SP 800-38D) under the key file's key, the tenant's id as associated
/// data. Wrapped: format, nonce, ciphertext, tag.
pub(crate) struct LocalSecrets {
    env: Env,
    key: LessSafeKey,
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

impl LocalSecrets {
    /// `fresh`: there is no store yet, so a missing key is made and not a disaster.
    pub(crate) fn open(env: &Env, dir: &Path, fresh: bool) -> io::Result<Self> {
        let path = dir.join("master.key");
        let key = match read_key(&path)? {
            Some(key) => key,
            None if fresh => make_key(env, dir, &path)?,
            None => return Err(io::Error::new(io::ErrorKind::NotFound, "it is missing; without it no mail can be read, so put it back")),
        };
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Self { env: env.clone(), key: LessSafeKey::new(key) })
    }
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        let mut nonce = [0; NONCE_LEN];
        self.env.fill(&mut nonce);
        let mut sealed = key.to_vec();
        let aad = Aad::from(tenant.as_bytes());
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).map_err(|_| broken("sealing failed"))?;
        Ok([&[FORMAT][..], &nonce, &sealed].concat())
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        let unreadable = || broken("the key was not wrapped here for this tenant");
        let (format, rest) = wrapped.split_first().ok_or_else(unreadable)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
        if *format != FORMAT {
            return Err(unreadable());
        }
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(tenant.as_bytes());
        let key = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut sealed).map_err(|_| unreadable())?;
        (&*key).try_into().map_err(|_| unreadable())
    }
}
