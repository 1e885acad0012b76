use crate::smart_host::SmartHost;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How long what may take: RFC 5321 §4.5.3.2, and one limit over all of it.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// To one address.
    pub connect: Duration,
    pub handshake: Duration,
    pub greeting: Duration,
    /// EHLO, STARTTLS, AUTH, RSET.
    pub hello: Duration,
    pub mail: Duration,
    pub rcpt: Duration,
    /// From DATA to 354.
    pub data: Duration,
    /// For each 64 KB that are written.
    pub block: Duration,
    /// From the lone dot to its answer.
    pub end: Duration,
    pub quit: Duration,
    /// A kept connection shows that it is alive.
    pub probe: Duration,
    /// One attempt from beginning to end.
    pub all: Duration,
    /// For a place among the destination's connections.
    pub place: Duration,
    /// What an attempt may wait for hosts in all before it needs to be one of the `patient`.
    pub quick: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(60),
            greeting: minutes(5),
            hello: minutes(5),
            mail: minutes(5),
            rcpt: minutes(5),
            data: minutes(2),
            block: minutes(3),
            end: minutes(10),
            quit: Duration::from_secs(5),
            probe: Duration::from_secs(10),
            all: minutes(30),
            place: Duration::from_secs(30),
            quick: Duration::from_secs(25),
        }
    }
}

/// The client of mail out. The defaults are meant for production, but for the name.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name in EHLO; a fully qualified domain name that our address leads back to.
    pub hostname: String,
    /// Other names and addresses of ours: mail is never sent there.
    pub own_names: Vec<String>,
    pub own_addresses: Vec<IpAddr>,
    /// Of other domains' hosts.
    pub port: u16,
    /// Instead of the hosts of the destination.
    pub smart_host: Option<SmartHost>,
    /// Addresses to send from; one is drawn for each connection, and only their families are used. Empty: the system's choice.
    pub sources: Vec<IpAddr>,
    /// The same for mail of a pool, by its name. A pool that is not here has no addresses of its own.
    pub pools: BTreeMap<String, Vec<IpAddr>>,
    /// Loopback and unspecified addresses may be hosts of a domain; for tests.
    pub allow_loopback: bool,
    /// Hosts, addresses and whole dialogues of one attempt at most.
    pub hosts: usize,
    pub addresses: usize,
    pub dialogues: usize,
    /// Recipients of one transaction; RFC 5321 §4.5.3.1.8 promises 100.
    pub recipients: usize,
    /// Connections to one destination at one time.
    pub concurrency: usize,
    /// Attempts that may wait for slow hosts at one time, as long as the timeouts say. Further ones end and come again later, so
    /// that hosts which never answer cannot hold everybody who makes attempts; there must be many more of those.
    pub patient: usize,
    /// KiB of large messages that are being handed over at one time; one that is larger than that goes alone.
    pub memory: u32,
    /// How long a connection is kept for the next message, how many are, and for how many messages one is used.
    pub keep: Duration,
    pub kept: usize,
    pub messages: u32,
    /// How long a destination whose hosts cannot be reached is left alone: the first time, and at most.
    pub back_off: Duration,
    pub back_off_limit: Duration,
    pub timeouts: Timeouts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            own_names: Vec::new(),
            own_addresses: Vec::new(),
            port: 25,
            smart_host: None,
            sources: Vec::new(),
            pools: BTreeMap::new(),
            allow_loopback: false,
            hosts: 5,
            addresses: 10,
            dialogues: 2,
            recipients: 100,
            concurrency: 10,
            patient: 100,
            memory: 256 * 1024,
            keep: Duration::from_secs(5),
            kept: 200,
            messages: 100,
            back_off: Duration::from_secs(60),
            back_off_limit: Duration::from_secs(3600),
            timeouts: Timeouts::default(),
        }
    }
}

impl Config {
    /// Our names in lower case.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = std::iter::once(&self.hostname).chain(&self.own_names);
        names.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
    }
}
