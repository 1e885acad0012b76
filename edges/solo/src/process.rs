//! What the process says of itself over HTTP.

use async_trait::async_trait;
use penfold_imap as imap;
use penfold_metering::{Gauge, exposition};
use penfold_ports::{QueueName, World};
use penfold_smtp::Smtp;
use penfold_transport::{Refusal, Transport};
use std::sync::Arc;

pub struct SoloProcess {
    world: World,
    transport: Transport,
    smtp: Smtp,
    imap: Arc<imap::Server>,
}

impl SoloProcess {
    pub fn new(world: World, transport: Transport, smtp: Smtp, imap: Arc<imap::Server>) -> Self {
        Self { world, transport, smtp, imap }
    }
}

#[async_trait]
impl penfold_http::Process for SoloProcess {
    /// Says no for as long as new mail would be put off.
    async fn health(&self) -> Result<(), String> {
        self.transport.ready().await.map_err(|refusal| match refusal {
            Refusal::Later(error) => error.to_string(),
            _ => "too much work waits, or the disk is nearly full".to_owned(),
        })
    }

    async fn metrics(&self) -> String {
        // Where even this cannot be asked, the other numbers still can.
        let oldest = self.world.queue.oldest(QueueName::Deliver).await.unwrap_or_default();
        let gauges = [
            Gauge {
                name: "penfold_deliver_oldest_seconds",
                help: "How long the oldest job that can be worked on has waited.",
                kind: "gauge",
                value: oldest.as_secs_f64(),
            },
            Gauge {
                name: "penfold_imap_connections",
                help: "IMAP connections that are open.",
                kind: "gauge",
                value: self.imap.connections() as f64,
            },
            Gauge {
                name: "penfold_smtp_connections",
                help: "SMTP connections that are open.",
                kind: "gauge",
                value: self.smtp.open_connections() as f64,
            },
        ];
        exposition(&self.world.meter, &gauges)
    }
}
