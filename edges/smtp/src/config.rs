use crate::Budget;
use penfold_runtime::Network;
use std::time::Duration;

/// Which service a port offers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Mail from other hosts for our people (RFC 5321). Nobody signs in here.
    Mx,
    /// Mail from our people (RFC 6409).
    Submission,
}

/// How a port begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Port {
    pub role: Role,
    /// TLS from the first byte (RFC 8314 §3.3), not by STARTTLS.
    pub implicit_tls: bool,
}

/// What a session holds its peer to. The defaults are meant for production.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name in the greeting and in Received; a fully qualified domain name.
    pub hostname: String,
    /// Octets of one message at most (RFC 1870).
    pub size_limit: u64,
    /// Recipients of one transaction at most; RFC 5321 §4.5.3.1.8 asks for 100 at least.
    pub recipients: usize,
    /// The same of what a person hands in.
    pub recipients_submitted: usize,
    /// Bad commands before the connection is closed.
    pub errors: u32,
    /// Recipients that do not exist before the connection is closed: a list of names is being tried.
    pub unknown: u32,
    /// Refused sign-ins before the connection is closed.
    pub refused: u32,
    /// NOOP, RSET, VRFY and the like between two messages before the connection is closed.
    pub chatter: u32,
    /// True where there is a certificate, so that STARTTLS can be offered.
    pub tls: bool,
    /// Whose mail is not asked for SPF, DKIM and DMARC: hosts that have done it, or that nobody else can speak for.
    pub trusted: Vec<Network>,
    /// RFC 5321 §4.5.3.2.7: a server waits 5 minutes for the next command.
    pub idle: Duration,
    /// From MAIL to the end of the data.
    pub transaction: Duration,
    pub handshake: Duration,
    /// How long a transaction may go on after the shutdown began.
    pub grace: Duration,
    pub connections: usize,
    /// Connections from one network (an address, or a /64 of IPv6); loopback is not counted.
    pub connections_per_peer: u32,
    /// Connections on which one person has signed in; 0: no limit.
    pub connections_per_person: u32,
    /// Transactions of other hosts that are open at a time with recipients of one tenant; 0: no limit.
    pub transactions_per_tenant: u32,
    /// Messages a minute for one tenant from other hosts, of which all may come at once; 0: no limit.
    pub messages_per_minute: u32,
    /// Message bytes in memory at one time, over all sessions.
    pub budget: Budget,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            size_limit: 50 * 1024 * 1024,
            recipients: 1000,
            recipients_submitted: 500,
            errors: 20,
            unknown: 50,
            refused: 3,
            chatter: 100,
            tls: false,
            trusted: Vec::new(),
            idle: Duration::from_secs(300),
            transaction: Duration::from_secs(1800),
            handshake: Duration::from_secs(60),
            grace: Duration::from_secs(20),
            connections: 10_000,
            connections_per_peer: 50,
            connections_per_person: 20,
            transactions_per_tenant: 2500,
            messages_per_minute: 30_000,
            budget: Budget::new(512 * 1024 * 1024),
        }
    }
}
