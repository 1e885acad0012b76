//! What has to be done now and then: history that is older than the retention window is dropped, what was interrupted is
//! finished, what is overdue on its way out is sent again, mailboxes whose owners are gone are destroyed, DKIM keys rotate, and
//! blobs that nothing names are swept.

use penfold_directory::Directory;
use penfold_domains::Domains;
use penfold_mailbox::Mailboxes;
use penfold_ports::World;
use penfold_reports::Sent;
use penfold_subscriptions::Subscriptions;
use penfold_transfers::Transfers;
use penfold_transport::outbound::{forget, named, tidy};
use penfold_transport::trace::forget_old;
use penfold_types::{AcceptanceId, Kind, Result, TenantId};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

const DAY: Duration = Duration::from_secs(24 * 3600);
const EVERY: Duration = Duration::from_secs(6 * 3600);
/// A sweep reads a row of each item, so it comes seldom.
const ROUNDS_BETWEEN_SWEEPS: u32 = 28;
/// For how long a deleted person's mailbox is kept.
const KEPT: Duration = Duration::from_secs(30 * DAY.as_secs());

pub struct Upkeep {
    pub world: World,
    pub directory: Directory,
    pub domains: Domains,
    pub mailboxes: Mailboxes,
    pub retention_days: u32,
}

impl Upkeep {
    /// Runs until the shutdown.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        for round in 0u32.. {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.world.env.sleep_jittered(EVERY) => {}
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                done = self.round(round % ROUNDS_BETWEEN_SWEEPS == 0) => {
                    if let Err(error) = done {
                        tracing::warn!(%error, "upkeep was interrupted; it goes on next time");
                    }
                }
            }
        }
    }

    /// Once over all tenants.
    pub async fn round(&self, sweep: bool) -> Result<()> {
        let needed = if sweep { self.needed().await? } else { BTreeSet::new() };
        let operator = self.directory.operator().acting_as("upkeep");
        for info in self.directory.every_tenant_with_info().await? {
            operator.age_one(&info).await;
            let tenant = info.id;
            self.trim(tenant).await?;
            tidy(&self.world, &self.directory.tenant_scope(tenant)).await?;
            self.transfers().tidy(tenant, sweep).await?;
            self.subscriptions().tidy(tenant).await?;
            self.rotate_keys(tenant).await?;
            if sweep {
                self.destroy_gone(tenant, KEPT).await?;
                operator.lapse_claims(tenant).await?;
                self.directory.complete_words(tenant).await?;
                penfold_reports::expire(&self.world, &self.directory.tenant_scope(tenant)).await?;
                self.directory.expire_once(Some(tenant)).await?;
                forget_old(&self.world, &self.directory.tenant_scope(tenant)).await?;
                self.drop_attachments(tenant).await?;
                self.sweep(tenant, &needed).await?;
            }
        }
        if sweep {
            self.directory.expire_once(None).await?;
            self.directory.expire_sign_ups().await?;
        }
        Sent::expire(&self.world).await?;
        for tenant in self.directory.gone_tenants().await? {
            // Its keys are destroyed: nothing can be brought back.
            self.destroy_gone(tenant, Duration::ZERO).await?;
            forget(&self.world, &self.directory.tenant_scope(tenant)).await?;
            penfold_reports::forget(&self.world, &self.directory.tenant_scope(tenant)).await?;
            self.transfers().forget(tenant).await?;
            self.subscriptions().forget_all(tenant).await?;
            self.directory.forget_all_once(tenant).await?;
            if self.sweep(tenant, &BTreeSet::new()).await? {
                self.directory.forget_tenant(tenant).await?;
            }
        }
        Ok(())
    }

    fn transfers(&self) -> Transfers {
        Transfers::new(&self.world, &self.directory, &self.mailboxes)
    }

    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::new(&self.world, &self.directory)
    }

    async fn trim(&self, tenant: TenantId) -> Result<()> {
        for scope in self.directory.every_account(tenant).await? {
            let mailbox = self.mailboxes.open(&scope).await?;
            match mailbox.finish_deletions().await {
                // Frozen, or too busy: the next round comes by again, and the others do not wait for it.
                Err(error) if error.kind() == Kind::Retry => {
                    tracing::debug!(%tenant, %error, "a mailbox is left alone");
                    continue;
                }
                done => done?,
            }
            let floor = mailbox.trim(DAY * self.retention_days).await?;
            tracing::debug!(%tenant, %floor, "history trimmed");
        }
        Ok(())
    }

    /// What was attached to events and is named by none any more.
    async fn drop_attachments(&self, tenant: TenantId) -> Result<()> {
        for scope in self.directory.every_account(tenant).await? {
            let mailbox = self.mailboxes.open(&scope).await?;
            match penfold_calendar::sweep_attachments(&mailbox).await {
                // Busy, or gone by now.
                Err(error) if matches!(error.kind(), Kind::Retry | Kind::NotFound) => {
                    tracing::debug!(%tenant, %error, "attachments are left alone");
                }
                // Whatever is wrong with one, the others do not wait for it.
                Err(error) => tracing::warn!(%tenant, principal = %scope.account().principal, %error, "attachments were not swept"),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// What is due by the schedule of each domain; one that cannot be done now does not stop the others.
    async fn rotate_keys(&self, tenant: TenantId) -> Result<()> {
        for name in self.directory.operator().proved_domains(tenant).await? {
            if let Err(error) = self.domains.round(tenant, &name).await {
                tracing::warn!(%tenant, domain = %name, %error, "the keys of a domain stay as they are");
            }
        }
        Ok(())
    }

    async fn destroy_gone(&self, tenant: TenantId, kept: Duration) -> Result<()> {
        for (scope, since) in self.directory.gone_accounts(tenant).await? {
            if self.world.env.now().since(since) >= kept {
                match self.directory.begin_destruction(scope.account()).await {
                    // Somebody was faster and restored it.
                    Err(error) if error.kind() == Kind::Conflict => continue,
                    begun => begun?,
                }
                self.mailboxes.destroy(&scope).await?;
                self.subscriptions().forget(scope.account()).await?;
                self.directory.forget_gone(scope.account()).await?;
                tracing::info!(%tenant, principal = %scope.account().principal, "a deleted mailbox was destroyed");
            }
        }
        Ok(())
    }

    /// What is still to leave, of all tenants, for a message to another one's people has a blob there too; and the content of imports
    /// and exports, and files of calendars that are being worked off.
    async fn needed(&self) -> Result<BTreeSet<AcceptanceId>> {
        let mut needed = BTreeSet::new();
        for tenant in self.directory.every_tenant().await? {
            needed.extend(named(&self.world, &self.directory.tenant_scope(tenant)).await?);
            needed.extend(self.transfers().named(tenant).await?);
            needed.extend(self.subscriptions().named(tenant).await?);
        }
        Ok(needed)
    }

    /// True where no blob of the tenant is left.
    async fn sweep(&self, tenant: TenantId, needed: &BTreeSet<AcceptanceId>) -> Result<bool> {
        let mut accounts = self.directory.every_account(tenant).await?;
        accounts.extend(self.directory.gone_accounts(tenant).await?.into_iter().map(|(scope, _)| scope));
        let swept = self.mailboxes.sweep(tenant, &accounts, needed).await?;
        tracing::info!(%tenant, blobs = swept.blobs, "blobs swept");
        Ok(swept.looked && swept.kept == 0)
    }
}

#[cfg(test)]
mod tests;
