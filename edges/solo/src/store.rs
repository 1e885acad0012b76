//! What this process works on: the store in its data directory, or the cloud's.

use crate::failure::Failure;
use penfold_embedded::OpenError;
use penfold_ports::World;
use penfold_types::Env;
use std::path::Path;

#[derive(Clone)]
pub enum Store {
    Local(penfold_embedded::Ports),
    #[cfg(feature = "cloud")]
    Cloud(penfold_aws::Ports),
}

impl Store {
    pub fn local(env: &Env, data: &Path) -> Result<Self, Failure> {
        penfold_embedded::open(env.clone(), data, local_options()).map(Self::Local).map_err(|error| match &error {
            OpenError::Locked(_) => Failure::Usage(format!("{error}: stop it, or give another directory with --data")),
            OpenError::Io { .. } | OpenError::Store { .. } => Failure::Other(error.to_string()),
        })
    }

    /// What the environment names; each service is asked once, so that what is wrong is said at the start.
    #[cfg(feature = "cloud")]
    /// Only who serves somebody that waits `watches`, and has a queue for wakes.
    pub async fn cloud(env: &Env, watches: bool) -> Result<Self, Failure> {
        let mut settings = penfold_aws::Settings::from_env().map_err(|error| Failure::Usage(error.to_string()))?;
        settings.edge = settings.edge.filter(|_| watches);
        let ports = penfold_aws::Ports::open(env.clone(), settings).await;
        ports.check().await.map_err(|error| Failure::Usage(error.to_string()))?;
        ports.ready().await;
        Ok(Self::Cloud(ports))
    }

    pub fn world(&self, env: &Env) -> World {
        match self {
            Self::Local(ports) => ports.world(env.clone()),
            #[cfg(feature = "cloud")]
            Self::Cloud(ports) => ports.world(env.clone()),
        }
    }

    /// Requests that had to be sent again; a local disk has none.
    pub fn repeats(&self) -> u64 {
        match self {
            Self::Local(_) => 0,
            #[cfg(feature = "cloud")]
            Self::Cloud(ports) => ports.repeats(),
        }
    }

    /// What was begun is ended first.
    pub async fn close(&self) {
        match self {
            Self::Local(ports) => ports.close(),
            #[cfg(feature = "cloud")]
            Self::Cloud(ports) => ports.close().await,
        }
    }
}

/// `PENFOLD_UNSAFE_NO_SYNC` exists for one purpose: to show that the power-cut test notices when it is set.
fn local_options() -> penfold_embedded::Options {
    let mut options = penfold_embedded::Options::default();
    if std::env::var_os("PENFOLD_UNSAFE_NO_SYNC").is_some() {
        tracing::warn!("PENFOLD_UNSAFE_NO_SYNC is set: a power cut will lose mail");
        options.sync = false;
    }
    options
}
