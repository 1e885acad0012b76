//! How the service is reached from outside, written down for those who tell it to others.

use penfold_directory::{Directory, Service};
use penfold_runtime::{Config, PublicPorts};
use penfold_types::Result;

pub async fn tell(directory: &Directory, config: &Config) -> Result<()> {
    let PublicPorts { submission, submissions, imap, imaps, https } = config.public_ports;
    let (host, spf, enforce_tls) = (config.host_name.clone(), config.spf.clone(), config.enforce_tls);
    let service = Service { host, submission, submissions, imap, imaps, https, spf, enforce_tls };
    directory.set_service(&service).await
}
