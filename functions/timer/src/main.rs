//! `timer` on Lambda: a schedule calls it every minute.

#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use penfold_aws::{Ports, Settings};
use penfold_runtime::{LogFormat, start_logging};
use penfold_timer::Timer;
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
    let world = ports.world(env);
    let timer = Arc::new(Timer::new(&world));
    lambda_runtime::run(service_fn(move |_: LambdaEvent<Schedule>| {
        let timer = timer.clone();
        async move {
            timer.round().await?;
            Ok::<_, Error>(())
        }
    }))
    .await
}
