//! `admin` on Lambda, behind the HTTP load balancer.

#![recursion_limit = "256"]

use penfold_admin::Admin;
use penfold_aws::{Ports, Settings};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_rest::{Api, Limits, behind_balancer};
use penfold_runtime::{LogFormat, resolving, start_logging};
use penfold_types::Env;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let world = resolving(Ports::open(env.clone(), Settings::from_env()?).await.world(env.clone()));
    let mailboxes = Mailboxes::new(world.clone(), Directory::new(world.clone()));
    let api = Api { directory: Directory::new(world.clone()), limits: Limits::new(env) };
    let (router, _) = penfold_admin::router(Admin::new(api, &world, &mailboxes));
    lambda_http::run(behind_balancer(router)).await
}
