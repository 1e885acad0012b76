use crate::wire::{Repeat, Wire};
use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use penfold_ports::{PortError, Secrets};
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
    pub(crate) key: String,
}

fn not_ours() -> PortError {
    PortError::Broken("the key was not wrapped here for this tenant".to_owned())
}

#[async_trait]
impl Secrets for KmsSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        let request =
            self.client.encrypt().key_id(&self.key).plaintext(Blob::new(key.as_slice())).encryption_context(TENANT, tenant.to_string());
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        answer.ciphertext_blob.map(Blob::into_inner).ok_or_else(|| PortError::Broken("KMS gave nothing back".to_owned()))
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        if wrapped.is_empty() {
            return Err(not_ours());
        }
        let request =
            self.client.decrypt().key_id(&self.key).ciphertext_blob(Blob::new(wrapped)).encryption_context(TENANT, tenant.to_string());
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await;
        let answer = answer.map_err(|failure| if WRONG.contains(&failure.code()) { not_ours() } else { failure.of_read() })?;
        let plain = answer.plaintext.map(Blob::into_inner).unwrap_or_default();
        plain.try_into().map_err(|_| not_ours())
    }
}
