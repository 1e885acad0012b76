/// What a process runs of the service: `penfold serve` all of it, an edge in the cloud one part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    pub smtp: bool,
    pub imap: bool,
    /// The routes of the service, also over TLS; health and metrics are always there, in the clear.
    pub http: bool,
    /// Mail to other hosts.
    pub relay: bool,
    /// What functions do in the cloud: deliveries, submissions, what is due, metering and upkeep.
    pub jobs: bool,
}

impl Parts {
    pub const ALL: Self = Self { smtp: true, imap: true, http: true, relay: true, jobs: true };
    #[cfg(feature = "cloud")]
    const NONE: Self = Self { smtp: false, imap: false, http: false, relay: false, jobs: false };
}

/// An edge of the cloud.
#[cfg(feature = "cloud")]
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Edge {
    /// MX and submission
    Smtp,
    Imap,
    /// HTTP that a function cannot carry
    Http,
    /// Mail to other hosts
    Relay,
}

#[cfg(feature = "cloud")]
impl From<Edge> for Parts {
    fn from(edge: Edge) -> Self {
        match edge {
            Edge::Smtp => Self { smtp: true, ..Self::NONE },
            Edge::Imap => Self { imap: true, ..Self::NONE },
            Edge::Http => Self { http: true, ..Self::NONE },
            Edge::Relay => Self { relay: true, ..Self::NONE },
        }
    }
}
