//! The local cloud for suites of any crate, with the feature `testing`: `localstack/with-aws cargo nextest run ..`. Requests run
//! on real time, the suite on virtual time.
#![allow(clippy::expect_used)]

use crate::{Options, Place, Ports, Runner, Settings};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use penfold_ports::World;
use penfold_types::{CommitId, Env, TenantId};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Runtime;

const NOTICE: &str = "
#################################################################
##  SKIPPED: WHAT NEEDS THE LOCAL CLOUD. RUN  make test-cloud  ##
#################################################################";

/// The settings of the local cell; where there is none, the test is to end well at once, and this says so.
pub fn given() -> Option<Settings> {
    if std::env::var_os("PENFOLD_TABLE").is_none() {
        eprintln!("{NOTICE}");
        return None;
    }
    let settings = Settings::from_env().expect("the variables of localstack/with-aws");
    Some(Settings { options: Options { verify_units: true, wait: Duration::ZERO }, edge: None, ..settings })
}

/// The same for a test that is a process of its own.
pub fn settings() -> Settings {
    given().unwrap_or_else(|| std::process::exit(0))
}

/// Where requests run on real time, whatever the test's own clock does.
pub fn real() -> &'static Runtime {
    static REAL: OnceLock<Runtime> = OnceLock::new();
    REAL.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"))
}

/// The suite's clock is paused, and jumps ahead whenever nothing is left to do. A request runs as a blocking task of the
/// test's own runtime, because while there is one, the clock stands still.
struct WhileTheClockStands;

impl Runner for WhileTheClockStands {
    fn run(&self, request: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::task::spawn_blocking(move || real().block_on(request));
    }
}

/// Does something on real time, from wherever it is called.
pub fn for_real<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(move || real().block_on(work)).join().expect("it does not panic")
}

async fn sdk(settings: &Settings) -> aws_config::SdkConfig {
    let region = aws_config::Region::new(settings.region.clone());
    aws_config::defaults(aws_config::BehaviorVersion::latest()).region(region).load().await
}

pub fn sqs(settings: &Settings) -> aws_sdk_sqs::Client {
    let settings = settings.clone();
    for_real(async move {
        let mut config = aws_sdk_sqs::config::Builder::from(&sdk(&settings).await);
        config.set_endpoint_url(settings.endpoints.sqs);
        aws_sdk_sqs::Client::from_conf(config.build())
    })
}

/// A queue of a test's own, deleted with it.
pub struct OwnQueue {
    client: aws_sdk_sqs::Client,
    pub url: String,
}

impl OwnQueue {
    pub fn new(settings: &Settings) -> Self {
        let client = sqs(settings);
        let name = format!("penfold-{}-test-{}.fifo", settings.cell, CommitId::new(&Env::system()));
        let create = client.create_queue().queue_name(name).attributes(QueueAttributeName::FifoQueue, "true");
        let url = for_real(create.send()).expect("a queue").queue_url.expect("its URL");
        Self { client, url }
    }
}

impl Drop for OwnQueue {
    fn drop(&mut self) {
        let _ = for_real(self.client.delete_queue().queue_url(&self.url).send());
    }
}

/// Ports over a fresh queue, on the suite's clock.
pub async fn on_virtual_time() -> (Ports, OwnQueue) {
    let settings = settings();
    let queue = OwnQueue::new(&settings);
    let settings = Settings { deliver: queue.url.clone(), ..settings };
    (Ports::open_on(Env::system(), settings, Arc::new(WhileTheClockStands)).await, queue)
}

/// A table of a test's own, deleted with it: names of tenants and domains are the table's.
struct OwnTable {
    client: aws_sdk_dynamodb::Client,
    name: String,
}

impl OwnTable {
    fn new(settings: &Settings) -> Self {
        let name = format!("{}-test-{}", settings.table, CommitId::new(&Env::system()));
        let (settings, named) = (settings.clone(), name.clone());
        let client = for_real(async move {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&sdk(&settings).await);
            config.set_endpoint_url(settings.endpoints.dynamodb);
            let client = aws_sdk_dynamodb::Client::from_conf(config.build());
            let mut create = client.create_table().table_name(named).billing_mode(BillingMode::PayPerRequest);
            for (name, kind, key) in [("pk", ScalarAttributeType::S, KeyType::Hash), ("sk", ScalarAttributeType::B, KeyType::Range)] {
                let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute");
                let element = KeySchemaElement::builder().attribute_name(name).key_type(key).build().expect("a key");
                create = create.attribute_definitions(attribute).key_schema(element);
            }
            create.send().await.expect("a table");
            client
        });
        Self { client, name }
    }
}

impl Drop for OwnTable {
    fn drop(&mut self) {
        let _ = for_real(self.client.delete_table().table_name(&self.name).send());
    }
}

/// A cell with nothing in it, for one test.
pub struct Cell {
    pub world: World,
    _table: OwnTable,
    _queue: OwnQueue,
}

/// `env` brings the suite's clock and ids; these must differ from test to test, as all share one bucket.
pub async fn cell(env: &Env) -> Option<Cell> {
    let settings = given()?;
    let (table, queue) = (OwnTable::new(&settings), OwnQueue::new(&settings));
    let settings = Settings {
        table: table.name.clone(),
        deliver: queue.url.clone(),
        options: Options { verify_units: false, ..settings.options },
        ..settings
    };
    let ports = Ports::open_on(env.clone(), settings, Arc::new(WhileTheClockStands)).await;
    Some(Cell { world: ports.world(env.clone()), _table: table, _queue: queue })
}

/// Two cells with nothing in them: `a` is home.
pub struct TwoCells {
    /// A process of cell a, whose new tenants stay there; one whose new tenants go to b; and a process of cell b.
    pub at_home: World,
    pub sending_away: World,
    pub away: World,
    tables: [OwnTable; 2],
    _queues: [OwnQueue; 2],
}

pub async fn two_cells(env: &Env) -> Option<TwoCells> {
    let settings = given()?;
    let tables = [OwnTable::new(&settings), OwnTable::new(&settings)];
    let queues = [OwnQueue::new(&settings), OwnQueue::new(&settings)];
    let buckets = [settings.bucket.clone(), own_bucket(&settings)];
    let place = |at: usize, cell: &str| Place {
        cell: cell.to_owned(),
        table: tables[at].name.clone(),
        bucket: buckets[at].clone(),
        deliver: queues[at].url.clone(),
        send: settings.send.clone(),
        relay: settings.relay.clone(),
        transfer: settings.transfer.clone(),
        subscribe: settings.subscribe.clone(),
        secrets: settings.secrets.clone(),
        key: settings.key.clone(),
    };
    let cells = vec![place(0, "a"), place(1, "b")];
    let of = |own: usize, new_tenants: &str| {
        let Place { cell, table, bucket, deliver, key, .. } = cells[own].clone();
        let options = Options { verify_units: false, ..settings.options.clone() };
        let (home, new_tenants) = ("a".to_owned(), new_tenants.to_owned());
        Settings { cell, table, bucket, deliver, key, home, new_tenants, cells: cells.clone(), options, ..settings.clone() }
    };
    let mut worlds = Vec::new();
    for settings in [of(0, "a"), of(0, "b"), of(1, "a")] {
        worlds.push(Ports::open_on(env.clone(), settings, Arc::new(WhileTheClockStands)).await.world(env.clone()));
    }
    let [at_home, sending_away, away] = worlds.try_into().ok()?;
    Some(TwoCells { at_home, sending_away, away, tables, _queues: queues })
}

impl TwoCells {
    /// The partitions that lie in the table of a (0) or b (1).
    pub fn partitions(&self, cell: usize) -> Vec<String> {
        let table = &self.tables[cell];
        let scan = table.client.scan().table_name(&table.name).projection_expression("pk").into_paginator().items().send();
        let items = for_real(async move { scan.collect::<Result<Vec<_>, _>>().await }).expect("a scan");
        let mut found: Vec<String> = items.into_iter().filter_map(|item| item["pk"].as_s().ok().cloned()).collect();
        found.dedup();
        found
    }
}

fn own_bucket(settings: &Settings) -> String {
    let name = format!("{}-test-{}", settings.bucket, CommitId::new(&Env::system()));
    let create = s3(settings).create_bucket().bucket(&name);
    for_real(async move { create.send().await.expect("a bucket") });
    name
}

/// A bucket that keeps old versions.
pub fn versioned_bucket(settings: &Settings) -> String {
    let name = own_bucket(settings);
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = s3(settings).put_bucket_versioning().bucket(&name).versioning_configuration(enabled);
    for_real(async move { put.send().await.expect("versions") });
    name
}

fn s3(settings: &Settings) -> aws_sdk_s3::Client {
    let settings = settings.clone();
    for_real(async move {
        let mut config = aws_sdk_s3::config::Builder::from(&sdk(&settings).await).force_path_style(true);
        config.set_endpoint_url(settings.endpoints.s3);
        aws_sdk_s3::Client::from_conf(config.build())
    })
}

/// A data key as KMS itself wrapped it, before tenants had secrets.
pub fn wrapped_by_kms(settings: &Settings, tenant: TenantId, key: [u8; 32]) -> Vec<u8> {
    let settings = settings.clone();
    for_real(async move {
        let mut config = aws_sdk_kms::config::Builder::from(&sdk(&settings).await);
        config.set_endpoint_url(settings.endpoints.kms);
        let encrypt = aws_sdk_kms::Client::from_conf(config.build()).encrypt().key_id(settings.key).plaintext(Blob::new(key));
        let answer = encrypt.encryption_context("tenant", tenant.to_string()).send().await.expect("encrypted");
        answer.ciphertext_blob.expect("its bytes").into_inner()
    })
}
