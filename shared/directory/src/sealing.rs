//! Small secrets in rows, and what others reported of a tenant's mail, under the tenant's data key: key version u32, a nonce of 12 bytes, ciphertext, a tag of 16
//! (AES-256-GCM). They move with the tenant as they are, and are gone with its keys.

use crate::{DataKey, Directory};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use penfold_types::{Env, Error, Result, TenantId};

pub(crate) const VERSION: usize = 4;

fn broken(why: &str) -> Error {
    Error::broken("a stored secret cannot be read").because(why)
}

fn ready(key: &DataKey) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &key.key).map(LessSafeKey::new).map_err(|_| broken("the data key has a wrong length"))
}

pub(crate) fn seal(env: &Env, key: &DataKey, aad: &[u8], plain: &[u8]) -> Result<Bytes> {
    let mut nonce = [0; NONCE_LEN];
    env.fill(&mut nonce);
    let mut sealed = plain.to_vec();
    ready(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
        .map_err(|_| Error::broken("a secret cannot be sealed"))?;
    Ok([&key.version.to_be_bytes()[..], &nonce, &sealed].concat().into())
}

pub(crate) fn open(key: &DataKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or_else(|| broken("no nonce"))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken("no nonce"))?;
    let mut work = rest.to_vec();
    let plain = ready(key)?.open_in_place(nonce, Aad::from(aad), &mut work).map_err(|_| broken("the seal does not hold"))?;
    Ok(plain.to_vec())
}

impl Directory {
    /// `aad` is what it belongs to: it opens there only.
    pub async fn seal(&self, tenant: TenantId, aad: &[u8], plain: &[u8]) -> Result<Bytes> {
        seal(self.env(), &self.data_key(tenant).await?, aad, plain)
    }

    /// What [`Directory::seal`] made.
    pub async fn open(&self, tenant: TenantId, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let (version, rest) = sealed.split_at_checked(VERSION).ok_or_else(|| broken("no header"))?;
        let version = version.try_into().map(u32::from_be_bytes).map_err(|_| broken("no header"))?;
        open(&self.data_key_version(tenant, version).await?, aad, rest)
    }
}
