//! `subscribe` on Lambda: SQS hands it turns of calendars that come from elsewhere, and it answers which of them must come again.

#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penfold_aws::{Event, Failures, Ports, Settings};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::QueueName;
use penfold_runtime::{LogFormat, PublicWeb, resolving, start_logging};
use penfold_subscribe::Subscribe;
use penfold_transport::work;
use penfold_types::Env;
use std::sync::Arc;
use std::time::Duration;

/// For how long the platform hides a batch from others (`queues.subscribe.visibility` of infra/cell.json).
const HIDDEN: Duration = Duration::from_secs(720);

struct Host {
    ports: Ports,
    subscribe: Subscribe,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let ports = Ports::open(env.clone(), Settings::from_env()?).await;
    let world = resolving(ports.world(env.clone()));
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let allowed = penfold_runtime::allowed_of_environment()?;
    let web = Arc::new(PublicWeb::new(env, world.dns.clone(), &allowed)?);
    let subscribe = Subscribe::new(&world, &directory, &mailboxes, web);
    let host = Arc::new(Host { ports, subscribe });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| batch(host.clone(), event.payload))).await
}

async fn batch(host: Arc<Host>, event: Event) -> Result<Failures, Error> {
    let batch = host.ports.admit(QueueName::Subscribe, event.messages, HIDDEN).await?;
    batch
        .each(|group| {
            let subscribe = host.subscribe.clone();
            async move { work::once(&subscribe, &group).await }
        })
        .await;
    host.ports.drain().await;
    Ok(Failures::of(host.ports.unfinished(&batch)))
}
