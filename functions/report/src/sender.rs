//! In whose name reports go out. They must pass DMARC themselves (RFC 9990 §3.5.2) and carry a signature (RFC 8460 §3), so it
//! is an address in a domain of a tenant's, which has keys.

use crate::Reporter;
use penfold_types::{Address, Domain, Result, TenantId};

pub(crate) struct Sender {
    pub tenant: TenantId,
    pub address: Address,
}

impl Reporter {
    /// `None` where no domain is ours to write from: then there are no reports.
    pub(crate) async fn sender(&self) -> Result<Option<Sender>> {
        let directory = self.transport.directory();
        if let Some(address) = &self.from {
            let tenant = directory.domain_tenant(address.domain()).await?;
            if tenant.is_none() {
                tracing::warn!(%address, "report-from is in no domain of a tenant's, so no reports are sent");
            }
            return Ok(tenant.map(|tenant| Sender { tenant, address: address.clone() }));
        }
        let mut rest = Some(self.host.as_str());
        while let Some(domain) = rest.and_then(|name| name.parse::<Domain>().ok()) {
            if let Some(tenant) = directory.domain_tenant(&domain).await?
                && let Ok(address) = format!("postmaster@{domain}").parse()
            {
                return Ok(Some(Sender { tenant, address }));
            }
            rest = rest.and_then(|name| name.split_once('.')).map(|(_, above)| above);
        }
        tracing::debug!(host = %self.host, "the host is in no domain of a tenant's, so no reports are sent; report-from may name an address");
        Ok(None)
    }
}
