//! `deliver` on Lambda: SQS hands it up to ten messages, and it answers which of them must come again.

#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penfold_aws::{Event, Failures, Ports, Settings};
use penfold_deliver::Deliver;
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::QueueName;
use penfold_runtime::{LogFormat, start_logging};
use penfold_transport::{Transport, work};
use penfold_types::Env;
use std::sync::Arc;
use std::time::Duration;

/// For how long the platform hides a batch from others (`queues.deliver.visibility` of infra/cell.json).
const HIDDEN: Duration = Duration::from_secs(360);

struct Host {
    ports: Ports,
    transport: Transport,
    deliver: Deliver,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let ports = Ports::open(env.clone(), Settings::from_env()?).await;
    let world = ports.world(env);
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let transport = Transport::new(
        &world,
        directory,
        mailboxes.clone(),
        penfold_transport::Settings { sends: true, ..penfold_transport::Settings::default() },
    );
    let deliver = Deliver::new(&world, &mailboxes, &transport);
    let host = Arc::new(Host { ports, transport, deliver });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| batch(host.clone(), event.payload))).await
}

async fn batch(host: Arc<Host>, event: Event) -> Result<Failures, Error> {
    let batch = host.ports.admit(QueueName::Deliver, event.messages, HIDDEN).await?;
    batch
        .each(|group| {
            let deliver = host.deliver.clone();
            async move { work::once(&deliver, &group).await }
        })
        .await;
    host.transport.tracer().flush(&|tenant| host.transport.directory().tenant_scope(tenant)).await;
    host.ports.drain().await;
    Ok(Failures::of(host.ports.unfinished(&batch)))
}
