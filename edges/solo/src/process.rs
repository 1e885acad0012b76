//! What the process says of itself over HTTP.

use crate::places::Places;
use crate::store::Store;
use async_trait::async_trait;
use penfold_imap as imap;
use penfold_metering::{Gauge, exposition};
use penfold_ports::{QueueName, World};
use penfold_smtp::Smtp;
use penfold_transport::{Refusal, Transport};
use std::sync::Arc;

pub struct SoloProcess {
    pub world: World,
    pub store: Store,
    pub transport: Transport,
    pub smtp: Option<Smtp>,
    pub imap: Option<Arc<imap::Server>>,
    pub places: Places,
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
        let oldest = self.world.queue.oldest(QueueName::Deliver).await.unwrap_or_default().as_secs_f64();
        let gauge = |name, help, value| Gauge { name, help, kind: "gauge", value };
        let mut gauges = vec![gauge("penfold_deliver_oldest_seconds", "How long the oldest job that can be worked on has waited.", oldest)];
        gauges.push(Gauge {
            name: "penfold_port_repeats_total",
            help: "Requests to the store that were sent again, after a throttle, a failure or a lost answer.",
            kind: "counter",
            value: self.store.repeats() as f64,
        });
        if let Some(imap) = &self.imap {
            gauges.push(gauge("penfold_imap_connections", "IMAP connections that are open.", imap.connections() as f64));
        }
        if let Some(smtp) = &self.smtp {
            gauges.push(gauge("penfold_smtp_connections", "SMTP connections that are open.", smtp.open_connections() as f64));
        }
        gauges.extend(self.places.gauges());
        exposition(&self.world.meter, &gauges)
    }
}
