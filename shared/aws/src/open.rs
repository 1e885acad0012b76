use crate::blobs::S3Blobs;
use crate::cells::{Cells, Place};
use crate::ledger::{Compared, Ledger};
use crate::queue::{Incoming, Queues, Shared, SqsQueue};
use crate::secrets::KmsSecrets;
use crate::settings::Settings;
use crate::table::DynamoTable;
use crate::tenant_secrets::TenantSecrets;
use crate::wake::SqsWake;
use crate::wire::{Runner, Tasks, Wire};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use penfold_ports::{Blobs, PortError, Queue, QueueName, Received, Secrets, Table, Units, Wake, World};
use penfold_types::Env;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const CONNECT: Duration = Duration::from_secs(2);
/// Until the answer to one sending is given up.
const ANSWER: Duration = Duration::from_secs(5);
const ANSWER_OF_QUEUE: Duration = Duration::from_secs(30);
const ANSWER_OF_BLOBS: Duration = Duration::from_secs(60);

/// The ports of one cell.
#[derive(Clone)]
pub struct Ports {
    pub table: Arc<dyn Table>,
    pub blobs: Arc<dyn Blobs>,
    pub queue: Arc<dyn Queue>,
    pub wake: Arc<dyn Wake>,
    pub secrets: Arc<dyn Secrets>,
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) wire: Arc<Wire>,
    pub(crate) clients: Clients,
    ledger: Arc<Ledger>,
    queues: Queues,
    wakes: Arc<SqsWake>,
}

pub(crate) struct Clients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) kms: aws_sdk_kms::Client,
}

fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(answer).build()
}

impl Clients {
    fn new(base: &SdkConfig, settings: &Settings) -> Self {
        let ends = &settings.endpoints;
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(base);
        dynamodb.set_endpoint_url(ends.dynamodb.clone());
        // A host that is not Amazon's has no names for buckets.
        let s3 = aws_sdk_s3::config::Builder::from(base).force_path_style(ends.s3.is_some());
        let mut s3 = s3.timeout_config(timeouts(ANSWER_OF_BLOBS));
        s3.set_endpoint_url(ends.s3.clone());
        let mut sqs = aws_sdk_sqs::config::Builder::from(base).timeout_config(timeouts(ANSWER_OF_QUEUE));
        sqs.set_endpoint_url(ends.sqs.clone());
        let mut kms = aws_sdk_kms::config::Builder::from(base);
        kms.set_endpoint_url(ends.kms.clone());
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            kms: aws_sdk_kms::Client::from_conf(kms.build()),
        }
    }
}

/// How the names of the edges' own queues begin.
fn edge_queues(cell: &str) -> String {
    format!("penfold-{cell}-edge-")
}

/// A batch of messages as the platform gives them to a function.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Jobs by group, each in order. Groups may be worked on side by side.
    pub groups: Vec<Vec<Received>>,
    queue: QueueName,
    messages: Vec<Incoming>,
}

impl Batch {
    /// Works on all groups side by side, to their end.
    pub async fn each<F: Future<Output = ()> + Send + 'static>(&self, work: impl Fn(Vec<Received>) -> F) {
        let mut groups: JoinSet<()> = self.groups.iter().cloned().map(work).collect();
        while groups.join_next().await.is_some() {}
    }
}

impl Ports {
    /// No request is sent; a process with an edge's name begins to make its queue in the background.
    pub async fn open(env: Env, settings: Settings) -> Self {
        Self::open_on(env, settings, Arc::new(Tasks)).await
    }

    /// The same, with requests run by `runner`.
    pub async fn open_on(env: Env, settings: Settings, runner: Arc<dyn Runner>) -> Self {
        let base = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(ANSWER))
            .load()
            .await;
        let clients = Clients::new(&base, &settings);
        let wire = Arc::new(Wire::new(env, runner));
        let ledger = Arc::new(Ledger::default());
        let cells = Arc::new(Cells::new(wire.clone(), clients.dynamodb.clone(), settings.places(), &settings.home, &settings.new_tenants));
        let table = DynamoTable {
            wire: wire.clone(),
            client: clients.dynamodb.clone(),
            cells: cells.clone(),
            ledger: ledger.clone(),
            verify: settings.options.verify_units,
        };
        let blobs = S3Blobs { wire: wire.clone(), client: clients.s3.clone(), cells: cells.clone() };
        let queues_of = |place: &Place| {
            Queues::new(|name| {
                let (client, url) = (clients.sqs.clone(), place.queue(name).to_owned());
                Shared::new(wire.clone(), client, url, name, table.clone(), blobs.clone(), settings.options.wait)
            })
        };
        let of_cells: Vec<_> = cells.all().iter().map(queues_of).collect();
        let queues = of_cells[0].clone();
        let edge = settings.edge.clone().map(|name| (name.clone(), format!("{}{name}", edge_queues(&settings.cell))));
        let tenants = TenantSecrets { wire: wire.clone(), s3: clients.s3.clone(), kms: clients.kms.clone(), cells: cells.clone() };
        let secrets = KmsSecrets { wire: wire.clone(), client: clients.kms.clone(), cells: cells.clone(), tenants };
        let wakes = Arc::new(SqsWake::new(wire.clone(), clients.sqs.clone(), table.clone(), edge));
        Self {
            table: Arc::new(table),
            blobs: Arc::new(blobs),
            queue: Arc::new(SqsQueue { cells, of_cells }),
            wake: wakes.clone(),
            secrets: Arc::new(secrets),
            inner: Arc::new(Inner { settings, wire, clients, ledger, queues, wakes }),
        }
    }

    pub fn world(&self, env: Env) -> World {
        World::new(env, self.table.clone(), self.blobs.clone(), self.queue.clone(), self.wake.clone(), self.secrets.clone())
    }

    /// Waits until others can wake this edge.
    pub async fn ready(&self) {
        self.inner.wakes.ready().await;
    }

    /// Waits until what was begun in the background is done: a function calls this before it answers, because it may be
    /// frozen after that.
    pub async fn drain(&self) {
        self.inner.wakes.drain().await;
        for queue in self.inner.queues.all() {
            queue.settled().await;
        }
    }

    /// A graceful end: sends the wakes that wait, gives back the jobs that nobody has taken, deletes the edge's queue.
    pub async fn close(&self) {
        for queue in self.inner.queues.all() {
            queue.close().await;
        }
        self.inner.wakes.close().await;
    }

    /// Takes in messages that the platform received for a function and hides for `hidden`. The jobs are then ended by
    /// `done` or `give_back` of the port, as those of a `receive`.
    pub async fn admit(&self, queue: QueueName, messages: Vec<Incoming>, hidden: Duration) -> Result<Batch, PortError> {
        let groups = self.inner.queues.of(queue).admit(messages.clone(), hidden).await?;
        Ok(Batch { queue, groups, messages })
    }

    /// The ids of those messages of a batch that are not to be forgotten by the platform.
    pub fn unfinished(&self, batch: &Batch) -> Vec<String> {
        self.inner.queues.of(batch.queue).unfinished(&batch.messages)
    }

    /// Deletes the queues of edges that crashed and did not come back within a day; a bounded number at a time. Gives back
    /// how many. No cell's name may be another's with `-edge-` and more behind it.
    pub async fn delete_orphaned_queues(&self) -> Result<usize, PortError> {
        self.inner.wakes.delete_orphans(&edge_queues(&self.inner.settings.cell)).await
    }

    /// How what was counted agrees with what DynamoDB reported.
    pub fn compared(&self) -> Compared {
        self.inner.ledger.compared()
    }

    /// Requests that were sent again.
    pub fn repeats(&self) -> u64 {
        self.inner.wire.repeats()
    }

    /// What was spent in the background, for no caller: wakes, watches, marks.
    pub fn spent_aside(&self) -> Units {
        let mut units = self.inner.wakes.spent();
        for queue in self.inner.queues.all() {
            units += queue.spent_aside();
        }
        units
    }
}
