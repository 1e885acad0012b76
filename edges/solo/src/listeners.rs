//! All sockets, bound before anything else is started, so that a port that is taken is one clear sentence.

use crate::failure::Failure;
use crate::parts::Parts;
use penfold_runtime::Config;
use penfold_smtp::{Port, Role};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

pub struct Listeners {
    pub smtp: Vec<(TcpListener, Port)>,
    /// True for TLS from the first byte.
    pub imap: Vec<(TcpListener, bool)>,
    /// The same.
    pub http: Vec<(TcpListener, bool)>,
}

impl Listeners {
    pub fn bind(config: &Config, parts: Parts) -> Result<Self, Failure> {
        let port = |role, implicit_tls| Port { role, implicit_tls };
        let (mut smtp, mut imap) = (Vec::new(), Vec::new());
        if parts.smtp {
            smtp.push((bind("smtp", config.smtp)?, port(Role::Mx, false)));
            smtp.push((bind("submission", config.submission)?, port(Role::Submission, false)));
            smtp.push((bind("submissions", config.submissions)?, port(Role::Submission, true)));
        }
        if parts.imap {
            imap.push((bind("imap", config.imap)?, false));
            imap.push((bind("imaps", config.imaps)?, true));
        }
        let mut http = vec![(bind("http", config.http)?, false)];
        if parts.http {
            http.push((bind("https", config.https)?, true));
        }
        Ok(Self { smtp, imap, http })
    }
}

fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = |e: std::io::Error| Failure::Usage(format!("cannot listen on {address}: {e}; choose another with --{name}"));
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    socket.listen(4096).map_err(failed)
}
