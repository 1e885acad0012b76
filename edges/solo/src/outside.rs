//! The world outside: name servers, and the way to other hosts.

use crate::failure::Failure;
use penfold_ports::{Dns, NoDns, NoWeb, Web};
use penfold_relay::{Client, Facts, Https, HttpsPost, NoFacts, Outside, Roots, SmartHost, Tcp};
use penfold_reports::Tally;
use penfold_runtime::{Config, PublicWeb, Source, SystemDns};
use penfold_types::Env;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of the servers that are named; of the system where none are.
pub fn dns(config: &Config, env: &Env) -> Result<Arc<dyn Dns>, Failure> {
    match SystemDns::new(&config.name_servers, config.trust_anchor.as_deref(), env.clone()) {
        Ok(dns) => Ok(Arc::new(dns)),
        // A machine without name servers still serves those who are on it.
        Err(error) if config.name_servers.is_empty() && config.trust_anchor.is_none() => {
            tracing::warn!(%error, "no names can be asked: mail to other domains waits, unless a smart host takes it");
            Ok(Arc::new(NoDns))
        }
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}

/// The SMTP client of mail out.
/// `sessions`: where they are counted for reports.
pub fn relay(config: &Config, env: &Env, dns: &Arc<dyn Dns>, sessions: &Tally) -> Result<Client, Failure> {
    let smart_host = config.smart_host.as_deref().map(str::parse::<SmartHost>).transpose();
    let (mut sources, mut pools) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    for Source { pool, address } in &config.send_from {
        match pool {
            Some(pool) => pools.entry(pool.clone()).or_default().push(*address),
            None => sources.push(*address),
        }
    }
    let relay = penfold_relay::Config {
        hostname: config.host_name.clone(),
        smart_host: smart_host.map_err(|error| Failure::Usage(format!("smart-host: {error}")))?,
        sources,
        pools,
        ..penfold_relay::Config::default()
    };
    let (dial, roots) = (Arc::new(Tcp), Roots::native());
    let policies = Arc::new(Https::new(env.clone(), dns.clone(), dial.clone(), &roots));
    let facts: Arc<dyn Facts> = if config.send_reports { Arc::new(sessions.clone()) } else { Arc::new(NoFacts) };
    let outside = Outside { dns: dns.clone(), dial, policies, facts, roots };
    Ok(Client::new(relay, env.clone(), outside))
}

/// The way to calendars of others.
pub fn web(config: &Config, env: &Env, dns: &Arc<dyn Dns>) -> Arc<dyn Web> {
    match PublicWeb::new(env.clone(), dns.clone(), &config.subscriptions_allow) {
        Ok(web) => Arc::new(web),
        Err(error) => {
            tracing::error!(%error, "no calendars are fetched from elsewhere");
            Arc::new(NoWeb)
        }
    }
}

/// The way of reports to web servers.
pub fn post(env: &Env, dns: &Arc<dyn Dns>) -> HttpsPost {
    HttpsPost::new(env.clone(), dns.clone(), Arc::new(Tcp), &Roots::native())
}
