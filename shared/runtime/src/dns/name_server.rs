use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`; the port is 53 where none is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct NameServer(SocketAddr);

impl NameServer {
    pub fn address(self) -> SocketAddr {
        self.0
    }

    pub(super) fn to_config(self) -> NameServerConfig {
        let on_port = |mut connection: ConnectionConfig| {
            connection.port = self.0.port();
            connection
        };
        NameServerConfig::new(self.0.ip(), true, vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())])
    }
}

impl From<SocketAddr> for NameServer {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl FromStr for NameServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let alone = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        alone
            .or_else(|_| text.parse())
            .map(Self)
            .map_err(|_| format!("{text} is not a name server; write for example 192.0.2.53 or 192.0.2.53:5353"))
    }
}

impl TryFrom<String> for NameServer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
