//! The export key: 32 random bytes in a file of their own. Each archive derives from it and its own salt one key for its frames
//! and one for the tenant's data keys (HMAC-SHA-256 as a key derivation, NIST SP 800-108 with one block).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use penfold_types::{Env, Error, Result, TenantId};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub const SALT: usize = 32;
const KEY: usize = 32;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct ExportKey([u8; KEY]);

impl std::fmt::Debug for ExportKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExportKey")
    }
}

impl ExportKey {
    pub fn new(env: &Env) -> Self {
        let mut key = [0; KEY];
        env.fill(&mut key);
        Self(key)
    }

    pub fn read(path: &Path) -> Result<Self, String> {
        let cannot = |error: io::Error| format!("cannot read the key file {}: {error}", path.display());
        if fs::metadata(path).map_err(cannot)?.len() != KEY as u64 {
            return Err(format!("{} is no key file: it must have {KEY} bytes", path.display()));
        }
        let bytes = fs::read(path).map_err(cannot)?;
        bytes.try_into().map(Self).map_err(|_| format!("{} is no key file: it must have {KEY} bytes", path.display()))
    }

    /// Made where there is none; never a part of one, and readable by its owner alone.
    pub fn read_or_make(env: &Env, path: &Path) -> Result<Self, String> {
        if path.exists() {
            return Self::read(path);
        }
        let key = Self::new(env);
        key.write(env, path).map_err(|error| format!("cannot make the key file {}: {error}", path.display()))?;
        Ok(key)
    }

    fn write(&self, env: &Env, path: &Path) -> io::Result<()> {
        let aside = path.with_file_name(format!(".penfold-key-{:016x}", env.random_u64()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(&self.0)?;
        file.sync_all()?;
        // A link, not a rename: a key that somebody else made meanwhile is never overwritten.
        let linked = fs::hard_link(&aside, path);
        fs::remove_file(&aside)?;
        linked?;
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    }

    fn derived(&self, purpose: &[u8], salt: &[u8; SALT]) -> Result<LessSafeKey> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(purpose);
        context.update(&[0]);
        context.update(salt);
        let key = UnboundKey::new(&AES_256_GCM, context.sign().as_ref());
        key.map(LessSafeKey::new).map_err(|_| Error::broken("the export key cannot be used"))
    }

    pub fn frames(&self, salt: &[u8; SALT]) -> Result<LessSafeKey> {
        self.derived(b"penfold archive: frames", salt)
    }

    pub fn wraps(&self, salt: &[u8; SALT]) -> Result<Wraps> {
        self.derived(b"penfold archive: data keys", salt).map(Wraps)
    }
}

/// Wraps a tenant's data keys for the way: nonce, ciphertext, tag; bound to the tenant.
pub struct Wraps(LessSafeKey);

impl Wraps {
    pub fn wrap(&self, env: &Env, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        env.fill(&mut nonce);
        let mut sealed = key.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(tenant.as_bytes()), &mut sealed)
            .map_err(|_| Error::broken("a data key cannot be wrapped"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32]> {
        let wrong = || super::damaged("a data key cannot be unwrapped");
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or_else(wrong)?;
        let mut sealed = sealed.to_vec();
        let key = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(tenant.as_bytes()), &mut sealed);
        key.ok().and_then(|key| (&*key).try_into().ok()).ok_or_else(wrong)
    }
}
