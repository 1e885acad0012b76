use crate::PortError;
use async_trait::async_trait;
use penfold_types::TenantId;

/// Wraps and unwraps a tenant's data key (32 bytes). What was wrapped for one tenant does not unwrap for another.
#[async_trait]
pub trait Secrets: Send + Sync {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError>;
    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError>;
}
