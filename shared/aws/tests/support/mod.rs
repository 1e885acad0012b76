//! A cell on the local cloud: `localstack/with-aws cargo nextest run -p penfold-aws`.
#![allow(dead_code)]

use aws_sdk_sqs::types::QueueAttributeName;
use penfold_aws::{Options, Ports, Runner, Settings};
use penfold_types::{CommitId, Env};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Runtime;

const NOTICE: &str = "
################################################################
##  SKIPPED: THE PORTS ON AWS. PENFOLD_TABLE IS NOT SET.      ##
##  RUN  localstack/with-aws cargo nextest run -p penfold-aws ##
################################################################";

/// The settings of the local cell; where there is none, the test ends well at once, and says so.
pub fn settings() -> Settings {
    if std::env::var_os("PENFOLD_TABLE").is_none() {
        eprintln!("{NOTICE}");
        std::process::exit(0);
    }
    let settings = Settings::from_env().expect("the variables of localstack/with-aws");
    Settings { options: Options { verify_units: true, wait: Duration::ZERO }, edge: None, ..settings }
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

pub fn sqs(settings: &Settings) -> aws_sdk_sqs::Client {
    let settings = settings.clone();
    for_real(async move {
        let region = aws_config::Region::new(settings.region.clone());
        let base = aws_config::defaults(aws_config::BehaviorVersion::latest()).region(region).load().await;
        let mut config = aws_sdk_sqs::config::Builder::from(&base);
        config.set_endpoint_url(settings.endpoints.sqs.clone());
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
