//! `upkeep` on Lambda: a schedule calls it. `{"sweep": true}` also sweeps blobs, which reads a row of each item.

#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penfold_aws::{Ports, Settings};
use penfold_directory::Directory;
use penfold_domains::Domains;
use penfold_mailbox::Mailboxes;
use penfold_runtime::{LogFormat, SystemDns, start_logging};
use penfold_types::Env;
use penfold_upkeep::Upkeep;
use std::sync::Arc;

const RETENTION_DAYS: u32 = 30;

#[derive(serde::Deserialize)]
struct Schedule {
    #[serde(default)]
    sweep: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let ports = Ports::open(env.clone(), Settings::from_env()?).await;
    let mut world = ports.world(env.clone());
    match SystemDns::of_environment(env) {
        Ok(dns) => world = world.with_dns(Arc::new(dns)),
        Err(error) => tracing::warn!(%error, "new keys of domains are not seen in DNS, and wait"),
    }
    let directory = Directory::new(world.clone());
    let domains = Domains::new(&world, directory.clone()).acting_as("upkeep");
    let mailboxes = Mailboxes::new(world.clone(), directory.clone()).named("upkeep");
    let host = Arc::new((Upkeep { world: world.named("upkeep"), directory, domains, mailboxes, retention_days: RETENTION_DAYS }, ports));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Schedule>| {
        let host = host.clone();
        async move {
            let (upkeep, ports) = &*host;
            upkeep.round(event.payload.sweep).await?;
            ports.delete_orphaned_queues().await?;
            ports.drain().await;
            Ok::<_, Error>(())
        }
    }))
    .await
}
