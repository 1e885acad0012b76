//! One attempt: the hosts of a destination in their order, each at its addresses, until no recipient is left that another
//! host could still take.

use crate::client::Inner;
use crate::connection::{Connection, Pace, Patience, Target, Unopened, Why};
use crate::demand::{self, Plan};
use crate::facts::{Fact, PolicyFacts, ResultType};
use crate::route::{self, Host};
use crate::said::{is_final, ours};
use crate::session::{Step, fit};
use crate::sts::Found;
use crate::tls::Demand;
use penfold_ports::{Attempt, Outcome, Outgoing, Said};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::OwnedSemaphorePermit;

/// Octets of a message that needs no room of its own.
const SMALL: u64 = 256 * 1024;

pub(crate) struct Round<'a> {
    inner: &'a Inner,
    mail: &'a Outgoing,
    pace: Pace,
    outcomes: Vec<Option<Outcome>>,
    /// Recipients that no other host is to be asked for: taken, perhaps taken, or refused by their host.
    settled: Vec<bool>,
    host: Option<String>,
    tls: Option<(String, Option<&'static str>)>,
    addresses_left: usize,
    dialogues_left: usize,
    /// A host was ready to take something.
    reached: bool,
    /// Why one was not.
    trouble: Option<Said>,
    /// The domain's MTA-STS policy, once it was looked for.
    found: Option<Found>,
}

impl<'a> Round<'a> {
    pub fn new(inner: &'a Inner, mail: &'a Outgoing) -> Self {
        let (now, timeouts) = (inner.env.monotonic(), inner.config.timeouts.clone());
        let patience = Patience::new(timeouts.quick, inner.patient.clone(), inner.stop.subscribe());
        Self {
            inner,
            mail,
            pace: Pace { env: inner.env.clone(), until: now + timeouts.all, timeouts, patience },
            outcomes: vec![None; mail.recipients.len()],
            settled: vec![false; mail.recipients.len()],
            host: None,
            tls: None,
            addresses_left: inner.config.addresses,
            dialogues_left: inner.config.dialogues,
            reached: false,
            trouble: None,
            found: None,
        }
    }

    pub async fn run(&mut self) {
        if self.outcomes.is_empty() {
            return;
        }
        let name = match &self.inner.config.smart_host {
            Some(smart) => format!("{}:{}", smart.host, smart.port),
            None => self.mail.destination.to_ascii_lowercase(),
        };
        let place = match self.inner.destinations.enter(&name).await {
            Ok(place) => place,
            Err(said) => return self.fail(&said),
        };
        self.deliver().await;
        if self.reached {
            self.inner.destinations.reached(&name);
        } else if let Some(trouble) = &self.trouble {
            self.inner.destinations.failed(&name, trouble);
        }
        drop(place);
    }

    pub fn finish(self) -> Attempt {
        let nothing = || Outcome::Deferred { said: ours(451, (4, 4, 1), "no host could be tried in time"), unsure: false };
        let outcomes = self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(nothing)).collect();
        Attempt { outcomes, host: self.host, tls: self.tls }
    }

    async fn deliver(&mut self) {
        let hosts = match self.pace.within(self.hosts()).await {
            Some(Ok(hosts)) => hosts,
            Some(Err(said)) => return self.fail(&said),
            None => return,
        };
        for host in hosts.iter().take(self.inner.config.hosts) {
            if self.pending().is_empty() || self.dialogues_left == 0 || self.addresses_left == 0 || self.pace.is_over() {
                return;
            }
            self.at_host(host).await;
        }
    }

    async fn hosts(&self) -> Result<Vec<Host>, Said> {
        if let Some(smart) = &self.inner.config.smart_host {
            return Ok(vec![Host { name: smart.host.to_ascii_lowercase(), secure: false, address: smart.host.parse().ok() }]);
        }
        route::hosts(&*self.inner.dns, &self.inner.env, &self.inner.config, &self.mail.destination).await
    }

    async fn at_host(&mut self, host: &Host) {
        let trusted = self.inner.config.smart_host.is_some();
        let (inner, pace) = (self.inner, self.pace.clone());
        let addresses = match pace.within(route::addresses(&*inner.dns, &inner.config, host, trusted)).await {
            Some(Ok(addresses)) => addresses,
            Some(Err(said)) => return self.fail(&said),
            None => return,
        };
        let plan = match pace.within(self.plan(host, host.secure && addresses.secure)).await {
            Some(Ok(plan)) => plan,
            Some(Err(said)) => return self.fail(&said),
            None => return,
        };
        let key = format!("{}:{} {:?} {}", host.name, self.port(), plan.demand, self.pool().unwrap_or_default());
        while let Some(mut kept) = inner.pool.take(&key) {
            if kept.is_alive(&pace).await {
                return self.hand_over(kept, key).await;
            }
        }
        for address in addresses.list {
            if self.addresses_left == 0 || pace.is_over() {
                return;
            }
            let Ok(source) = self.source(address) else { continue };
            self.addresses_left -= 1;
            match self.open(host, address, source, &plan).await {
                Ok(connection) => return self.hand_over(connection, key).await,
                Err(unopened) => self.unopened(host, unopened),
            }
        }
    }

    async fn plan(&mut self, host: &Host, secure: bool) -> Result<Plan, Said> {
        if let Some(smart) = &self.inner.config.smart_host {
            let demand = if smart.needs_tls() || self.mail.require_tls { Demand::Pki { proof: "pki" } } else { Demand::May };
            return Ok(Plan { demand, policy: PolicyFacts::none(), wrong: None });
        }
        if self.mail.tls_optional && !self.mail.require_tls {
            return Ok(Plan { demand: Demand::May, policy: PolicyFacts::none(), wrong: None });
        }
        let domain = self.mail.destination.to_ascii_lowercase();
        let planned = match demand::dane(self.inner, host, secure, &domain).await {
            Ok(Some(plan)) => Ok(plan),
            Ok(None) => demand::sts(self.policy(&domain).await, host),
            Err(barred) => Err(barred),
        };
        let plan = planned.map_err(|barred| {
            self.report(&barred.policy, Some(host), None, Err(barred.result));
            barred.said
        })?;
        if let Some(wrong) = plan.wrong {
            self.report(&plan.policy, Some(host), None, Err(wrong));
        }
        if self.mail.require_tls { demand::require_tls(plan, host, secure) } else { Ok(plan) }
    }

    async fn policy(&mut self, domain: &str) -> &Found {
        if self.found.is_none() {
            let found = if domain.starts_with('[') { Found::default() } else { self.inner.policies.of(domain).await };
            if let Some(wrong) = found.wrong {
                let policy = PolicyFacts { kind: crate::facts::PolicyType::Sts, text: Vec::new(), mx: Vec::new() };
                self.report(&policy, None, None, Err(wrong));
            }
            self.found = Some(found);
        }
        self.found.get_or_insert_default()
    }

    fn port(&self) -> u16 {
        self.inner.config.smart_host.as_ref().map_or(self.inner.config.port, |smart| smart.port)
    }

    /// Where its connections come from, if not from where everybody's do.
    fn pool(&self) -> Option<&str> {
        self.mail.pool.as_deref().filter(|pool| self.inner.config.pools.contains_key(*pool))
    }

    /// `Err` where none of ours has the family.
    fn source(&self, to: IpAddr) -> Result<Option<IpAddr>, ()> {
        let config = &self.inner.config;
        let sources = self.pool().and_then(|pool| config.pools.get(pool)).unwrap_or(&config.sources);
        if sources.is_empty() {
            return Ok(None);
        }
        let fit: Vec<IpAddr> = sources.iter().copied().filter(|source| source.is_ipv4() == to.is_ipv4()).collect();
        let drawn = self.inner.env.below(fit.len() as u64);
        fit.get(usize::try_from(drawn).unwrap_or(0)).copied().map(Some).ok_or(())
    }

    async fn open(&self, host: &Host, address: IpAddr, source: Option<IpAddr>, plan: &Plan) -> Result<Connection, Unopened> {
        let smart = self.inner.config.smart_host.as_ref();
        let mut target = Target {
            host: &host.name,
            address: SocketAddr::new(address, self.port()),
            source,
            demand: &plan.demand,
            implicit_tls: smart.is_some_and(|smart| smart.implicit_tls),
            sign_in: smart.and_then(|smart| smart.sign_in.clone()),
        };
        let opened = self.connect(&target).await;
        let result = match &opened {
            Ok(Connection { tls: None, .. }) => Err(ResultType::StarttlsNotSupported),
            Ok(connection) => connection.found.map_or(Ok(()), Err),
            Err(Unopened { why: Why::Tls(result), .. }) => Err(*result),
            Err(_) => return opened,
        };
        self.report(&plan.policy, Some(host), Some(address), result);
        // RFC 7435: where nobody asks for TLS, a broken one keeps no mail back.
        if opened.is_err() && !plan.demand.is_strict() {
            target.demand = &Demand::Clear;
            return self.connect(&target).await;
        }
        opened
    }

    async fn connect(&self, target: &Target<'_>) -> Result<Connection, Unopened> {
        Connection::open(&*self.inner.dial, &self.inner.tls, &self.inner.config, target, &self.pace).await
    }

    fn unopened(&mut self, host: &Host, unopened: Unopened) {
        self.host = Some(host.name.clone());
        let Unopened { why, said } = unopened;
        tracing::debug!(host = host.name, ?why, %said, "no session");
        match why {
            Why::Network | Why::Refused => self.trouble = Some(said.clone()),
            Why::Tls(_) if self.mail.require_tls => return self.fail(&demand::unproven(&host.name)),
            Why::Tls(_) | Why::Loop => {}
        }
        self.fail(&said);
    }

    async fn hand_over(&mut self, mut connection: Connection, key: String) {
        (self.reached, self.host, self.tls) = (true, Some(connection.host.clone()), connection.tls.clone());
        self.dialogues_left -= 1;
        let pending = self.pending();
        let recipients = pending.iter().filter_map(|index| self.mail.recipients.get(*index)).cloned().collect();
        let Some(_room) = self.pace.limited(self.inner.config.timeouts.place, self.room()).await else {
            self.fail(&ours(451, (4, 3, 1), "other large messages are being handed over; this one has to wait"));
            return self.inner.pool.put(key, connection);
        };
        let octets = match self.mail.message.fetch().await {
            Ok(octets) => octets,
            Err(error) => {
                tracing::warn!(%error, "a message that is to leave cannot be read");
                self.fail(&ours(451, (4, 3, 0), "the message could not be read"));
                return self.inner.pool.put(key, connection);
            }
        };
        match fit(self.mail, octets, recipients, connection.session.offers(), connection.session.is_tls()) {
            Ok(letter) => {
                connection.session.send(letter);
                connection.messages += 1;
                if let Step::Sent(outcomes) = connection.go(&self.pace).await {
                    for (index, outcome) in pending.into_iter().zip(outcomes) {
                        if let Some(settled) = self.settled.get_mut(index) {
                            *settled = !matches!(outcome, Outcome::Deferred { unsure: false, .. });
                        }
                        self.settle(index, outcome);
                    }
                }
            }
            Err(said) => self.fail(&said),
        }
        self.inner.pool.put(key, connection);
    }

    /// Memory for a large message; held until it is handed over. Those who wait stand in a line, in which no small one is to stand.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let size = self.mail.message.size();
        if size <= SMALL {
            return None;
        }
        let wanted = (size / 1024 + 1).min(self.inner.config.memory.into());
        self.inner.memory.clone().acquire_many_owned(u32::try_from(wanted).unwrap_or(u32::MAX)).await.ok()
    }

    /// Recipients that another host may still take.
    fn pending(&self) -> Vec<usize> {
        self.settled.iter().enumerate().filter(|(_, settled)| !**settled).map(|(index, _)| index).collect()
    }

    fn settle(&mut self, index: usize, outcome: Outcome) {
        if let Some(place) = self.outcomes.get_mut(index) {
            *place = Some(outcome);
        }
    }

    /// A host, or all of them, for every recipient that is left. What a host said weighs more than that another one was
    /// out of reach, and what may come later more than a refusal.
    fn fail(&mut self, said: &Said) {
        for index in self.pending() {
            let known = self.outcomes.get(index).and_then(Option::as_ref);
            let keep = match known {
                Some(Outcome::Deferred { said: earlier, .. }) => is_final(said) || (earlier.host.is_some() && said.host.is_none()),
                _ => false,
            };
            if !keep {
                let said = said.clone();
                self.settle(index, if is_final(&said) { Outcome::Refused { said } } else { Outcome::Deferred { said, unsure: false } });
            }
        }
    }

    fn report(&self, policy: &PolicyFacts, host: Option<&Host>, address: Option<IpAddr>, result: Result<(), ResultType>) {
        if self.inner.config.smart_host.is_some() {
            return;
        }
        let (policy, domain) = (policy.clone(), self.mail.destination.to_ascii_lowercase());
        self.inner.facts.session(Fact { policy, domain, host: host.map(|host| host.name.clone()), address, result });
    }
}
