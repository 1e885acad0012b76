//! All checks of one message.

use crate::arc::{self, Arc};
use crate::ask::Asked;
use crate::dkim::{self, Dkim, DkimResult, Hashes};
use crate::dmarc::{self, Dmarc, Identified};
use crate::header::Message;
use crate::iprev::{self, Iprev};
use crate::name;
use crate::spf::{self, Query, Spf, SpfResult};
use penfold_ports::Dns;
use penfold_types::Env;
use std::net::IpAddr;

/// A message as it arrives from another host.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    pub peer: IpAddr,
    /// The name of HELO or EHLO.
    pub helo: &'a str,
    /// The reverse-path without angle brackets; empty for the null one.
    pub mail_from: &'a str,
    /// Our own name, for the macro `%{r}` of SPF.
    pub hostname: &'a str,
    /// Header and body as they came, without fields of ours.
    pub message: &'a [u8],
}

/// What was found, and all that a DMARC report (RFC 9990) will want to know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdicts {
    pub peer: IpAddr,
    pub iprev: Iprev,
    /// SPF of the HELO name.
    pub helo: Spf,
    /// SPF of MAIL FROM; of the HELO name where the reverse-path is null (RFC 7208 §2.4).
    pub mail_from: Spf,
    /// From the top of the header on; at most 10.
    pub dkim: Vec<Dkim>,
    pub arc: Arc,
    pub dmarc: Dmarc,
}

/// Never fails: what cannot be found out is a result too. Takes at most about 30 seconds, when name servers are silent.
pub async fn verify(dns: &dyn Dns, env: &Env, arriving: &Arriving<'_>) -> Verdicts {
    let dns = &Asked::new(dns, env.monotonic());
    let now = env.now().seconds();
    let message = Message::read(arriving.message);
    let hashes = Hashes::new(message.body);
    let ((helo, mail_from), iprev, signatures) = tokio::join!(
        senders(dns, arriving, now),
        iprev::verify(dns, arriving.peer),
        // One after the other: both hash the body.
        async {
            let dkim = dkim::verify(dns, &message, &hashes, u64::try_from(now).unwrap_or(0)).await;
            (dkim, arc::verify(dns, &message, &hashes).await)
        },
    );
    let (dkim, arc) = signatures;
    let dmarc = dmarc::evaluate(dns, dmarc::author(&message), &vouched(&dkim), &authorized(&mail_from)).await;
    Verdicts { peer: arriving.peer, iprev, helo, mail_from, dkim, arc, dmarc }
}

/// SPF of both identities.
async fn senders(dns: &dyn Dns, arriving: &Arriving<'_>, seconds: i64) -> (Spf, Spf) {
    let form = |domain: &str| name::canonical(domain).unwrap_or_else(|| domain.to_ascii_lowercase());
    let helo = form(arriving.helo);
    let of = async |domain: &str, local: &str| {
        let sender = format!("{local}@{domain}");
        let query = Query { client: arriving.peer, domain, sender: &sender, helo: &helo, receiver: arriving.hostname, seconds };
        spf::check(dns, &query).await
    };
    let of_helo = of(&helo, "postmaster").await;
    let Some((local, domain)) = arriving.mail_from.rsplit_once('@') else {
        // The null reverse-path, or one that has no domain.
        let of_path = if arriving.mail_from.is_empty() { of_helo.clone() } else { Spf::default() };
        return (of_helo, of_path);
    };
    let of_path = of(&form(domain), local).await;
    (of_helo, of_path)
}

fn vouched(dkim: &[Dkim]) -> Vec<Identified> {
    let counts = |one: &&Dkim| matches!(one.result, DkimResult::Pass | DkimResult::TempError);
    dkim.iter().filter(counts).map(|one| Identified { domain: one.domain.clone(), passed: one.result == DkimResult::Pass }).collect()
}

fn authorized(spf: &Spf) -> Vec<Identified> {
    match spf.result {
        SpfResult::Pass | SpfResult::TempError => vec![Identified { domain: spf.domain.clone(), passed: spf.result == SpfResult::Pass }],
        _ => Vec::new(),
    }
}
