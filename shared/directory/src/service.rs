//! How the service is reached from outside. The operator configures it, the edges write it down, and whoever tells others
//! (records of a domain, the set-up of clients) reads it here, whether a server runs in the same process or not.

use crate::Directory;
use crate::directory::FRESH;
use penfold_ports::{Row, Write, shared};
use penfold_types::{Error, Result};

/// Public names and ports. A port that is `None` is not served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// The name of the hosts that clients and other hosts come to: MX, IMAP, submission, HTTP.
    pub host: String,
    /// Submission with STARTTLS, and over TLS.
    pub submission: Option<u16>,
    pub submissions: Option<u16>,
    /// IMAP with STARTTLS, and over TLS.
    pub imap: Option<u16>,
    pub imaps: Option<u16>,
    pub https: Option<u16>,
    /// The mechanisms of SPF that match the hosts that send for us: `mx`, or `include:_spf.example.com`.
    pub spf: String,
    /// Other hosts are to come over a TLS that verifies, or not at all: the mode `enforce` of MTA-STS. Else `testing`.
    pub enforce_tls: bool,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            submission: Some(587),
            submissions: Some(465),
            imap: Some(143),
            imaps: Some(993),
            https: Some(443),
            spf: "mx".to_owned(),
            enforce_tls: false,
        }
    }
}

impl Service {
    /// Where a path is over HTTPS; `None` where that is not served.
    pub fn url(&self, path: &str) -> Option<String> {
        Some(match self.https? {
            443 => format!("https://{}{path}", self.host),
            port => format!("https://{}:{port}{path}", self.host),
        })
    }

    fn row(&self) -> Row {
        let ports = [("sn", self.submission), ("ss", self.submissions), ("im", self.imap), ("is", self.imaps), ("hs", self.https)];
        let row = Row::new().with("n", self.host.as_str()).with("spf", self.spf.as_str()).with("et", self.enforce_tls);
        ports.into_iter().fold(row, |row, (name, port)| row.with(name, u64::from(port.unwrap_or(0))))
    }

    fn read(row: &Row) -> Option<Self> {
        let port = |name| row.u64(name).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        Some(Self {
            host: row.str("n")?.to_owned(),
            submission: port("sn"),
            submissions: port("ss"),
            imap: port("im"),
            imaps: port("is"),
            https: port("hs"),
            spf: row.str("spf")?.to_owned(),
            enforce_tls: row.u64("et") == Some(1),
        })
    }
}

impl Directory {
    /// `None` until a server has said it; at most a minute old.
    pub async fn service(&self) -> Result<Option<Service>> {
        let now = self.env().monotonic();
        if let Some(known) = self.inner.services.get(&(), now) {
            return Ok(Some(known));
        }
        let mark = self.inner.services.mark();
        let found = self.service_now().await?;
        if let Some(service) = &found {
            self.inner.services.put_read(mark, (), service.clone(), now + FRESH);
        }
        Ok(found)
    }

    async fn service_now(&self) -> Result<Option<Service>> {
        let Some(row) = self.store().get(&shared::service()).await? else { return Ok(None) };
        Service::read(&row).map(Some).ok_or_else(|| Error::broken("the row of the service is damaged"))
    }

    /// Written where it is another than before.
    pub async fn set_service(&self, service: &Service) -> Result<()> {
        if self.service_now().await?.as_ref() != Some(service) {
            self.store().put(Write::put(shared::service(), service.row())).await?;
        }
        self.inner.services.clear();
        Ok(())
    }
}
