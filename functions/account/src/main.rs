//! `account` on Lambda, behind the HTTP load balancer.

#![recursion_limit = "256"]

use penfold_account::Accounts;
use penfold_aws::{Ports, Settings};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_rest::{Api, Limits, behind_balancer};
use penfold_runtime::{LogFormat, resolving, start_logging};
use penfold_transport::Transport;
use penfold_types::Env;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let world = resolving(Ports::open(env.clone(), Settings::from_env()?).await.world(env.clone()));
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    // The service's own letters go out as everybody's mail does.
    let hostname = std::env::var("PENFOLD_HOST_NAME").unwrap_or_else(|_| "localhost".to_owned());
    let settings = penfold_transport::Settings { hostname, sends: true, ..penfold_transport::Settings::default() };
    let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), settings);
    let api = Api { directory, limits: Limits::new(env) };
    let (router, _) = penfold_account::router(Accounts::new(api, &world, &mailboxes, &transport));
    lambda_http::run(behind_balancer(router)).await
}
