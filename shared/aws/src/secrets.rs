use crate::cells::Cells;
use crate::tenant_secrets::{KEY, Life, Secret, TenantSecrets};
use crate::wire::{Repeat, Wire};
use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use penfold_ports::{PortError, Secrets, Units};
use penfold_types::{Env, TenantId};
use std::sync::Arc;

/// What the tenant is called in the encryption context; the same words must be there to decrypt, and the audit log of KMS
/// shows them.
pub(crate) const TENANT: &str = "tenant";

/// Codes of KMS that mean: not these bytes, not for this tenant.
pub(crate) const WRONG: [&str; 3] = ["InvalidCiphertextException", "IncorrectKeyException", "ValidationException"];

/// What is wrapped by a tenant's secret: format, nonce, key, tag. What KMS itself wrapped, before tenants had secrets, is longer.
const BY_TENANT: u8 = 2;
const WRAPPED: usize = 1 + NONCE_LEN + KEY + 16;

/// Tenants' data keys, wrapped by AES-256-GCM (NIST SP 800-38D) under the tenant's own secret, the tenant's id as associated
/// data.
pub(crate) struct KmsSecrets {
    pub(crate) wire: Arc<Wire>,
    pub(crate) client: Client,
    pub(crate) cells: Arc<Cells>,
    pub(crate) tenants: TenantSecrets,
}

pub(crate) fn not_ours() -> PortError {
    PortError::Broken("the key was not wrapped here for this tenant".to_owned())
}

fn key_of(secret: &[u8; KEY]) -> Result<LessSafeKey, PortError> {
    UnboundKey::new(&AES_256_GCM, secret).map(LessSafeKey::new).map_err(|_| not_ours())
}

fn seal(env: &Env, secret: &[u8; KEY], tenant: TenantId, key: &[u8; KEY]) -> Result<Vec<u8>, PortError> {
    let mut nonce = [0; NONCE_LEN];
    env.fill(&mut nonce);
    let mut sealed = key.to_vec();
    key_of(secret)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(tenant.as_bytes()), &mut sealed)
        .map_err(|_| PortError::Broken("a key cannot be sealed".to_owned()))?;
    Ok([&[BY_TENANT][..], &nonce, &sealed].concat())
}

fn open(secret: &[u8; KEY], tenant: TenantId, sealed: &[u8]) -> Result<[u8; KEY], PortError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(not_ours)?;
    let mut sealed = sealed.to_vec();
    let opened = key_of(secret)?.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(tenant.as_bytes()), &mut sealed);
    opened.ok().and_then(|key| (&*key).try_into().ok()).ok_or_else(not_ours)
}

impl KmsSecrets {
    /// What KMS wrapped, before tenants had secrets.
    async fn unwrap_by_kms(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; KEY], PortError> {
        if wrapped.is_empty() {
            return Err(not_ours());
        }
        let place = self.cells.of(tenant, &mut Units::default()).await?;
        let mut keys = vec![&place.key, &self.cells.home().key];
        keys.dedup();
        // Always named: a row must not be able to bring a key of its own.
        for key in keys {
            let request = self.client.decrypt().key_id(key).ciphertext_blob(Blob::new(wrapped));
            let request = request.encryption_context(TENANT, tenant.to_string());
            match self.wire.call(Repeat::Safe, || request.clone().send()).await {
                Ok(answer) => {
                    let plain = answer.plaintext.map(Blob::into_inner).unwrap_or_default();
                    return plain.try_into().map_err(|_| not_ours());
                }
                Err(failure) if WRONG.contains(&failure.code()) => {}
                Err(failure) => return Err(failure.of_read()),
            }
        }
        Err(not_ours())
    }
}

#[async_trait]
impl Secrets for KmsSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        let secret = self.tenants.read_or_make(tenant).await?;
        seal(&self.wire.env, &secret, tenant, key)
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        let secret = self.tenants.read(tenant).await?;
        let ours = wrapped.len() <= WRAPPED && wrapped.first() == Some(&BY_TENANT);
        match secret {
            Secret::Destroyed { .. } => Err(PortError::Destroyed),
            Secret::Living(_, sealed) if ours => open(&self.tenants.decrypt(tenant, sealed).await?, tenant, &wrapped[1..]),
            Secret::None if ours => Err(self.tenants.missing(tenant)),
            Secret::Living(Life::Later, _) => Err(PortError::Destroyed),
            Secret::Living(Life::First, _) | Secret::None => self.unwrap_by_kms(tenant, wrapped).await,
        }
    }

    async fn destroy(&self, tenant: TenantId) -> Result<(), PortError> {
        self.tenants.destroy(tenant).await
    }

    async fn renew(&self, tenant: TenantId) -> Result<(), PortError> {
        self.tenants.renew(tenant).await
    }
}
