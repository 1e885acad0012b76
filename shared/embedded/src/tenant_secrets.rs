//! Each tenant's own secret, a file in `secrets/` that is named by the tenant and kept out of backups: which life of the tenant
//! it is for, then the secret, sealed under the key file's key. Empty, or zeros, once it is destroyed.

use crate::files::sync_dir;
use crate::secrets::{KEY, key_of, seal, unseal};
use aws_lc_rs::aead::LessSafeKey;
use parking_lot::Mutex;
use penfold_types::{Env, TenantId};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const NEW: &str = "new";

/// In its first life a tenant may have keys that were wrapped by the key file's key alone.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Life {
    First = 1,
    /// After it was destroyed here.
    Later = 2,
}

pub(crate) enum Secret {
    None,
    Living(Life, LessSafeKey),
    Destroyed,
}

pub(crate) struct TenantSecrets {
    dir: PathBuf,
    /// Held while a file is made or destroyed.
    changing: Mutex<()>,
}

impl TenantSecrets {
    /// What a crash left half made goes.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == NEW) {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { dir, changing: Mutex::new(()) })
    }

    fn path(&self, tenant: TenantId) -> PathBuf {
        self.dir.join(tenant.to_string())
    }

    pub(crate) fn read(&self, master: &LessSafeKey, tenant: TenantId) -> io::Result<Secret> {
        let bytes = match fs::read(self.path(tenant)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Secret::None),
            Err(error) => return Err(error),
        };
        let (life, sealed) = match bytes.split_first() {
            // Zeros: a crash came between overwriting and cutting off.
            None | Some((0, _)) => return Ok(Secret::Destroyed),
            Some((1, sealed)) => (Life::First, sealed),
            Some((2, sealed)) => (Life::Later, sealed),
            Some(_) => return Err(io::Error::other(format!("{tenant} has an unknown format"))),
        };
        let secret = unseal(master, &bound_to(tenant, life), sealed);
        let secret =
            secret.ok_or_else(|| io::Error::other(format!("{tenant} is damaged, or of another master.key; put the right one back")))?;
        Ok(Secret::Living(life, key_of(&secret)?))
    }

    pub(crate) fn read_or_make(&self, env: &Env, master: &LessSafeKey, tenant: TenantId) -> io::Result<Secret> {
        match self.read(master, tenant)? {
            Secret::None => {}
            there => return Ok(there),
        }
        let _changing = self.changing.lock();
        if let Secret::None = self.read(master, tenant)? {
            let aside = self.write_aside(env, master, tenant, Life::First)?;
            // A link, not a rename: what stands there is never overwritten.
            let linked = fs::hard_link(&aside, self.path(tenant));
            fs::remove_file(&aside)?;
            linked?;
            sync_dir(&self.dir)?;
        }
        self.read(master, tenant)
    }

    fn write_aside(&self, env: &Env, master: &LessSafeKey, tenant: TenantId, life: Life) -> io::Result<PathBuf> {
        let mut secret = [0; KEY];
        env.fill(&mut secret);
        let sealed = seal(env, master, &bound_to(tenant, life), &secret)?;
        let aside = self.path(tenant).with_extension(NEW);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(&[&[life as u8][..], &sealed].concat())?;
        file.sync_all()?;
        Ok(aside)
    }

    /// Overwritten where it lies, then cut off: the empty file says that there is to be no other.
    pub(crate) fn destroy(&self, tenant: TenantId) -> io::Result<()> {
        let _changing = self.changing.lock();
        remove_if_there(&self.path(tenant).with_extension(NEW))?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path(tenant))?;
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        file.write_all(&vec![0; len])?;
        file.sync_all()?;
        file.set_len(0)?;
        file.sync_all()?;
        sync_dir(&self.dir)
    }

    pub(crate) fn renew(&self, env: &Env, master: &LessSafeKey, tenant: TenantId) -> io::Result<()> {
        let _changing = self.changing.lock();
        if let Secret::Destroyed = self.read(master, tenant)? {
            let aside = self.write_aside(env, master, tenant, Life::Later)?;
            fs::rename(&aside, self.path(tenant))?;
            sync_dir(&self.dir)?;
        }
        Ok(())
    }
}

fn bound_to(tenant: TenantId, life: Life) -> Vec<u8> {
    [&[life as u8][..], tenant.as_bytes()].concat()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
