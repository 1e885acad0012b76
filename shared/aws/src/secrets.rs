use crate::cells::Cells;
use crate::wire::{Repeat, Wire};
use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use penfold_ports::{PortError, Secrets, Units};
use penfold_types::TenantId;
use std::sync::Arc;

/// What the tenant is called in the encryption context; the same words must be there to decrypt, and the audit log of KMS
/// shows them.
const TENANT: &str = "tenant";

/// Codes of KMS that mean: not these bytes, not for this tenant.
const WRONG: [&str; 3] = ["InvalidCiphertextException", "IncorrectKeyException", "ValidationException"];

pub(crate) struct KmsSecrets {
    pub(crate) wire: Arc<Wire>,
    pub(crate) client: Client,
    pub(crate) cells: Arc<Cells>,
}

fn not_ours() -> PortError {
    PortError::Broken("the key was not wrapped here for this tenant".to_owned())
}

#[async_trait]
impl Secrets for KmsSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        // A tenant that is being made is not placed yet: its first key is wrapped at home, which `unwrap` expects.
        let place = self.cells.look(tenant, &mut Units::default()).await?;
        let request =
            self.client.encrypt().key_id(&place.key).plaintext(Blob::new(key.as_slice())).encryption_context(TENANT, tenant.to_string());
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        answer.ciphertext_blob.map(Blob::into_inner).ok_or_else(|| PortError::Broken("KMS gave nothing back".to_owned()))
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
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
