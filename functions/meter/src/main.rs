//! `meter` on Lambda: a schedule calls it.

#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penfold_aws::{Ports, Settings};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_meter::Meter;
use penfold_metering::usage::Usage;
use penfold_runtime::{LogFormat, start_logging};
use penfold_types::Env;
use std::sync::Arc;

/// Whatever the clock sends along.
#[derive(serde::Deserialize)]
struct Schedule {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let ports = Ports::open(env.clone(), Settings::from_env()?).await;
    let world = ports.world(env.clone());
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let meter = Arc::new(Meter { env, usage: Usage::new(&world, directory, &mailboxes) });
    lambda_runtime::run(service_fn(move |_: LambdaEvent<Schedule>| {
        let meter = meter.clone();
        async move {
            meter.round().await?;
            Ok::<_, Error>(())
        }
    }))
    .await
}
