//! Certificates by ACME in this process: who shows them, and who gets them.

use crate::failure::Failure;
use async_trait::async_trait;
use penfold_acme::{Account, Https, Roots};
use penfold_certificates::{Certificates, Certifier, Changed, Method, Options};
use penfold_domains::{Domains, Primary};
use penfold_ports::{World, Zones};
use penfold_runtime::{Acme, DnsUpdate, Names, NamesEdit, SystemDns, Updater};
use penfold_types::{Address, Env, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What other processes changed is looked for so often.
const GLANCE: Duration = Duration::from_secs(10);
/// How long a change takes to be shown by all edges of a cell, each of which looks so often; one process knows it by itself.
const EDGES: Duration = Duration::from_secs(15);
/// How long the primary's own servers take to have a change.
const NAME_SERVERS: Duration = Duration::from_secs(5);
/// What is missing in DNS is looked for so often.
const PUBLISH: Duration = Duration::from_secs(3600);

/// HTTP-01, from the store.
pub struct Proofs(pub Certificates);

#[async_trait]
impl penfold_http::Proofs for Proofs {
    async fn proof(&self, token: &str) -> Result<Option<String>, String> {
        self.0.http_proof(token).await.map_err(|error| error.to_string())
    }
}

/// Shows what changed after change number `seen`, and says which was the last.
pub async fn load(certificates: &Certificates, names: &Names, seen: u64) -> Result<u64> {
    let (changed, until) = certificates.changes(seen).await?;
    let mut edit = names.edit();
    changed.iter().for_each(|changed| put(&mut edit, changed));
    edit.show();
    certificates.shown_until(until);
    Ok(until)
}

/// Until the shutdown: what is in the store is shown.
pub async fn show(certificates: Certificates, names: Names, mut seen: u64, env: Env, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = certificates.changed(seen, GLANCE) => {}
        }
        match load(&certificates, &names, seen).await {
            Ok(until) => seen = until,
            Err(error) => {
                tracing::warn!(%error, "the certificates stay as they are");
                env.sleep(GLANCE).await;
            }
        }
    }
}

fn put(edit: &mut NamesEdit<'_>, changed: &Changed) {
    let certificate = changed.certificate.as_ref().map(|one| (one.chain.as_str(), one.key.0.as_slice()));
    let shown = if changed.unreadable { Ok(()) } else { edit.set(&changed.name, certificate) };
    // A certificate that cannot be used does not keep the proof for the next one from being seen.
    let proved = edit.set_proof(&changed.name, changed.digest.as_deref());
    for error in [shown, proved].into_iter().filter_map(Result::err) {
        tracing::error!(name = changed.name, %error, "a certificate is not shown");
    }
}

/// The name server that takes updates, where one is configured.
pub fn primary(setting: &DnsUpdate, env: &Env) -> Result<Primary, Failure> {
    let zones = Updater::new(setting, env.clone()).map_err(|error| Failure::Usage(format!("dns-update: {error}")))?;
    let dns = SystemDns::primary(setting.server.into(), env.clone()).map_err(|error| Failure::Usage(format!("dns-update: {error}")))?;
    Ok(Primary { zones: Arc::new(zones), dns: Arc::new(dns) })
}

/// Whoever gets certificates from the authority that is configured. `alone`: no other process shows them.
pub fn certifier(
    acme: &Acme,
    zones: Option<Arc<dyn Zones>>,
    certificates: Certificates,
    world: &World,
    names: Names,
    alone: bool,
) -> Result<Certifier, Failure> {
    let (env, dns) = (world.env.clone(), world.dns.clone());
    let roots = match &acme.root {
        Some(file) => Roots::from_file(file).map_err(|error| Failure::Usage(format!("acme-root: {error}")))?,
        None => Roots::native(),
    };
    let https = Https::new(env.clone(), dns.clone(), &roots).map_err(|error| Failure::Usage(format!("acme: {error}")))?;
    let account = Account { directory: acme.directory.clone(), contacts: contacts(&acme.contacts)? };
    let options = Options {
        methods: methods(&acme.challenges, zones.is_some())?,
        zones,
        edges_settle: if alone { Duration::ZERO } else { EDGES },
        names_settle: NAME_SERVERS,
        covered: Arc::new(move |name| names.covers(name)),
    };
    let authority = Arc::new(penfold_acme::Acme::new(env, account, https));
    Ok(Certifier { certificates, authority, dns, options })
}

fn contacts(addresses: &[String]) -> Result<Vec<String>, Failure> {
    let url = |text: &String| match text.parse::<Address>() {
        Ok(_) => Ok(format!("mailto:{text}")),
        Err(error) => Err(Failure::Usage(format!("acme-contact {text}: {error}"))),
    };
    addresses.iter().map(url).collect()
}

fn methods(written: &[String], updates: bool) -> Result<Vec<Method>, Failure> {
    if written.is_empty() {
        let usual = [Method::Dns, Method::TlsAlpn, Method::Http];
        return Ok(usual.into_iter().filter(|method| updates || *method != Method::Dns).collect());
    }
    let read = |text: &String| text.parse::<Method>().map_err(|error| Failure::Usage(format!("acme-challenge: {error}")));
    let methods = written.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if methods.contains(&Method::Dns) && !updates {
        return Err(Failure::Usage("acme-challenge dns needs --dns-update, by which the record is written".to_owned()));
    }
    Ok(methods)
}

/// Until the shutdown: what is missing of domains whose zones are kept there is added.
pub async fn publish(domains: Domains, primary: Primary, env: Env, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = domains.publish_missing(&primary).await {
            tracing::warn!(%error, "records wait for the next round");
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = env.sleep_jittered(PUBLISH) => {}
        }
    }
}
