//! What was handed in, on its way: each submission becomes deliveries for those who are here and parcels for the others. A job
//! may come twice: whatever it makes is named by what it does, so twice changes nothing.

use penfold_ports::{QueueName, Received, World};
use penfold_transport::Transport;
use penfold_transport::work::{Outcome, Worker, in_order};
use penfold_types::Result;

/// Cheap to clone.
#[derive(Clone)]
pub struct Send {
    world: World,
    transport: Transport,
}

impl Send {
    pub fn new(world: &World, transport: &Transport) -> Self {
        Self { world: world.named("send"), transport: transport.clone() }
    }

    async fn submission(&self, received: Received) -> Result<()> {
        self.transport.dispatch_job(&received.job).await
    }
}

impl Worker for Send {
    const QUEUE: QueueName = QueueName::Send;

    fn world(&self) -> &World {
        &self.world
    }

    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        in_order(batch, |received| self.submission(received)).await
    }
}
