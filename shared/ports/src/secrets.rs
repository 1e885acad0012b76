use crate::PortError;
use async_trait::async_trait;
use penfold_types::TenantId;

/// Wraps and unwraps a tenant's data keys (32 bytes), under a secret of the tenant's own that lies outside of the table, the
/// blobs and their backups. What was wrapped for one tenant does not unwrap for another.
///
/// The first wrap makes the secret, and it is durable before anything is wrapped under it: of two that race, both use the
/// winner's. A lost answer is `Throttled`, but for `destroy` and `renew`, where it is `Unknown`; all four may be done again.
///
/// An adapter uses no secret and no key from memory for longer than a minute, and the directory an unwrapped key for an
/// hour: so 61 minutes after `destroy` no process opens anything by it any more.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// `Destroyed` where the tenant's secret was.
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError>;

    /// `Destroyed` where the tenant's secret was.
    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError>;

    /// After it nothing that was ever wrapped for this tenant unwraps again, and nothing more is wrapped for it; also where
    /// nothing had been wrapped. Durable when it returns.
    async fn destroy(&self, tenant: TenantId) -> Result<(), PortError>;

    /// For a tenant that moves back to where it was destroyed: it gets another secret. What had been wrapped stays gone. For
    /// any other tenant this changes nothing.
    async fn renew(&self, tenant: TenantId) -> Result<(), PortError>;
}
