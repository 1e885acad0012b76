use crate::attempt::Round;
use crate::config::Config;
use crate::destinations::Destinations;
use crate::dial::Dial;
use crate::facts::Facts;
use crate::pool::Pool;
use crate::sts::{Policies, PolicyFetcher};
use crate::tls::{Connector, Roots};
use async_trait::async_trait;
use penfold_ports::{Attempt, Dns, Outgoing, Relay};
use penfold_types::Env;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What the client needs of the world outside.
#[derive(Clone)]
pub struct Outside {
    pub dns: Arc<dyn Dns>,
    pub dial: Arc<dyn Dial>,
    pub policies: Arc<dyn PolicyFetcher>,
    pub facts: Arc<dyn Facts>,
    /// Who may vouch for hosts.
    pub roots: Roots,
}

pub(crate) struct Inner {
    pub env: Env,
    pub config: Config,
    pub dns: Arc<dyn Dns>,
    pub dial: Arc<dyn Dial>,
    pub facts: Arc<dyn Facts>,
    pub tls: Connector,
    pub policies: Policies,
    pub destinations: Destinations,
    pub pool: Arc<Pool>,
    /// Places of those who wait for slow hosts.
    pub patient: Arc<Semaphore>,
    /// KiB of messages.
    pub memory: Arc<Semaphore>,
    /// Nobody waits for a host any more that has nothing of a message yet.
    pub stop: watch::Sender<bool>,
}

/// The SMTP client of mail out. Cheap to clone; clones share connections and what is known of destinations.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl Client {
    pub fn new(config: Config, env: Env, outside: Outside) -> Self {
        let Outside { dns, dial, policies, facts, roots } = outside;
        Self(Arc::new(Inner {
            tls: Connector::new(&env, &roots),
            policies: Policies::new(env.clone(), dns.clone(), policies),
            destinations: Destinations::new(env.clone(), &config),
            pool: Arc::new(Pool::new(env.clone(), &config)),
            patient: Arc::new(Semaphore::new(config.patient)),
            memory: Arc::new(Semaphore::new(config.memory as usize)),
            stop: watch::channel(false).0,
            env,
            config,
            dns,
            dial,
            facts,
        }))
    }

    /// Attempts that handed nothing over yet end now, to be made again; the others come to their end.
    pub fn hurry(&self) {
        self.0.stop.send_replace(true);
    }

    /// Says goodbye on all connections that wait for more.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }
}

#[async_trait]
impl Relay for Client {
    async fn attempt(&self, mail: &Outgoing) -> Attempt {
        let mut round = Round::new(&self.0, mail);
        round.run().await;
        round.finish()
    }
}
