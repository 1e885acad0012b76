//! What the process says of itself over HTTP.

use penfold_imap as imap;
use penfold_metering::{Gauge, exposition};
use penfold_ports::World;
use penfold_smtp::Smtp;
use std::sync::Arc;

pub struct SoloProcess {
    world: World,
    smtp: Smtp,
    imap: Arc<imap::Server>,
}

impl SoloProcess {
    pub fn new(world: World, smtp: Smtp, imap: Arc<imap::Server>) -> Self {
        Self { world, smtp, imap }
    }
}

impl penfold_http::Process for SoloProcess {
    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    fn metrics(&self) -> String {
        let gauges = [
            Gauge {
                name: "penfold_imap_connections",
                help: "IMAP connections that are open.",
                kind: "gauge",
                value: self.imap.connections() as u64,
            },
            Gauge {
                name: "penfold_smtp_connections",
                help: "SMTP connections that are open.",
                kind: "gauge",
                value: self.smtp.open_connections() as u64,
            },
        ];
        exposition(&self.world.meter, &gauges)
    }
}
