//! `transfer` on Lambda: SQS hands it turns of imports and exports, and it answers which of them must come again.

#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penfold_aws::{Event, Failures, Ports, Settings};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::QueueName;
use penfold_runtime::{LogFormat, start_logging};
use penfold_transfer::Transfer;
use penfold_transport::work;
use penfold_types::Env;
use std::sync::Arc;
use std::time::Duration;

/// For how long the platform hides a batch from others (`queues.transfer.visibility` of infra/cell.json).
const HIDDEN: Duration = Duration::from_secs(360);

struct Host {
    ports: Ports,
    transfer: Transfer,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let ports = Ports::open(env.clone(), Settings::from_env()?).await;
    let world = ports.world(env);
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let transfer = Transfer::new(&world, &directory, &mailboxes);
    let host = Arc::new(Host { ports, transfer });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| batch(host.clone(), event.payload))).await
}

async fn batch(host: Arc<Host>, event: Event) -> Result<Failures, Error> {
    let batch = host.ports.admit(QueueName::Transfer, event.messages, HIDDEN).await?;
    batch
        .each(|group| {
            let transfer = host.transfer.clone();
            async move { work::once(&transfer, &group).await }
        })
        .await;
    host.ports.drain().await;
    Ok(Failures::of(host.ports.unfinished(&batch)))
}
