//! What has to be done now and then: history that is older than the retention window is dropped, and blobs that nothing
//! names are swept.

use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_types::{Env, Result};
use std::time::Duration;
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(6 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Runs until the shutdown.
pub async fn run(env: Env, directory: Directory, mailboxes: Mailboxes, retention_days: u32, mut stop: watch::Receiver<bool>) {
    let mailboxes = mailboxes.named("upkeep");
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = env.sleep_jittered(EVERY) => {}
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            done = round(&directory, &mailboxes, DAY * retention_days) => {
                if let Err(error) = done {
                    tracing::warn!(%error, "upkeep was interrupted; it goes on next time");
                }
            }
        }
    }
}

/// Once over all tenants.
async fn round(directory: &Directory, mailboxes: &Mailboxes, window: Duration) -> Result<()> {
    for tenant in directory.every_tenant().await? {
        let accounts = directory.every_account(tenant).await?;
        for scope in &accounts {
            let floor = mailboxes.open(scope).await?.trim(window).await?;
            tracing::debug!(%tenant, %floor, "history trimmed");
        }
        let swept = mailboxes.sweep(tenant, &accounts).await?;
        tracing::info!(%tenant, blobs = swept.blobs, "blobs swept");
    }
    Ok(())
}
