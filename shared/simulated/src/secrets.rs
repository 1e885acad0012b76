use async_trait::async_trait;
use penfold_ports::{PortError, Secrets};
use penfold_types::TenantId;

/// Keeps nothing secret: a mask and the tenant's name in front, so that a mix-up of tenants is noticed.
pub(crate) struct SimSecrets(pub(crate) u64);

impl SimSecrets {
    fn mask(&self, key: [u8; 32]) -> [u8; 32] {
        let mask = self.0.to_be_bytes();
        std::array::from_fn(|i| key[i] ^ mask[i % 8] ^ 0xa5)
    }
}

#[async_trait]
impl Secrets for SimSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        Ok([&tenant.as_bytes()[..], &self.mask(*key)].concat())
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        let key = wrapped.strip_prefix(&tenant.as_bytes()[..]).and_then(|key| key.try_into().ok());
        key.map(|key| self.mask(key)).ok_or_else(|| PortError::Broken("the key was not wrapped here for this tenant".to_owned()))
    }
}
