//! `admin` on Lambda, behind the HTTP load balancer.

#![recursion_limit = "256"]

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use penfold_admin::Admin;
use penfold_aws::{Ports, Settings};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_rest::{Api, Limits, Peer, Problem};
use penfold_runtime::{LogFormat, SystemDns, start_logging};
use penfold_types::Env;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    start_logging(LogFormat::Json, "info")?;
    let env = Env::system();
    let mut world = Ports::open(env.clone(), Settings::from_env()?).await.world(env.clone());
    match SystemDns::of_environment(env.clone()) {
        Ok(dns) => world = world.with_dns(Arc::new(dns)),
        Err(error) => tracing::warn!(%error, "no domain can be proved or checked"),
    }
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let api = Api { directory, limits: Limits::new(env) };
    let (router, _) = penfold_admin::router(Admin::new(api, &world, &mailboxes));
    let router = router.fallback(|| async { Problem::not_found() });
    // Nobody but the load balancer calls this function, so what it says is believed.
    let router = router.layer(from_fn(|mut request: Request, next: Next| {
        if let Some(peer) = Peer::forwarded(request.headers()) {
            request.extensions_mut().insert(peer);
        }
        next.run(request)
    }));
    lambda_http::run(router).await
}
