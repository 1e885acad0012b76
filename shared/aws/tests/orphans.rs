//! Queues of edges that crashed are deleted after a day; those of living edges and of other cells are not.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use penfold_aws::testing;
use penfold_aws::{Ports, Settings};
use penfold_ports::{Account, Name, shared};
use penfold_types::{CommitId, Env, Modseq, PrincipalId, Source, System, TenantId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The machine's clock, ahead.
struct Ahead(Duration);

impl Source for Ahead {
    fn now(&self) -> Timestamp {
        System.now().plus(self.0)
    }

    fn fill(&self, bytes: &mut [u8]) {
        System.fill(bytes);
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("in time")
}

async fn open(settings: &Settings, hours: u32) -> Ports {
    Ports::open(Env::from_source(Arc::new(Ahead(HOUR * hours))), settings.clone()).await
}

/// A cell of the test's own, on the table that is there.
fn cell() -> Settings {
    let id = CommitId::new(&Env::system()).to_string();
    Settings { cell: format!("t{}", &id[18..]), ..testing::settings() }
}

fn edge(settings: &Settings, name: &str) -> Settings {
    let id = CommitId::new(&Env::system()).to_string();
    Settings { edge: Some(format!("{name}-{}", &id[18..])), ..settings.clone() }
}

/// The names of the queues of a cell's edges.
async fn queues(settings: &Settings) -> Vec<String> {
    let list = testing::sqs(settings).list_queues().queue_name_prefix(format!("penfold-{}-", settings.cell)).max_results(1000);
    let mut names: Vec<String> = list.send().await.unwrap().queue_urls.unwrap_or_default();
    names.iter_mut().for_each(|url| *url = url.rsplit("-edge-").next().unwrap().to_owned());
    names.sort();
    names
}

/// An edge that begins and crashes: its tasks die with their runtime.
fn crashed(settings: Settings) -> String {
    let name = settings.edge.clone().unwrap();
    let begin = async move {
        let ports = open(&settings, 0).await;
        soon(ports.ready()).await;
        let key = shared::edge(settings.edge.as_ref().unwrap());
        let world = ports.world(Env::system());
        while world.table.get(&key).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    std::thread::spawn(move || tokio::runtime::Runtime::new().unwrap().block_on(begin)).join().unwrap();
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_edge_leaves_its_queue_for_a_day() {
    let (settings, other) = (cell(), cell());
    let dead = crashed(edge(&settings, "dead"));
    let foreign = crashed(edge(&other, "foreign"));
    let sqs = testing::sqs(&settings);
    // One of a version that notes no life.
    sqs.create_queue().queue_name(format!("penfold-{}-edge-silent", settings.cell)).send().await.unwrap();
    let living = edge(&settings, "living");
    let alive = open(&living, 25).await;
    soon(alive.ready()).await;
    let living = living.edge.unwrap();
    let all = vec![dead.clone(), living.clone(), "silent".to_owned()];
    assert_eq!(queues(&settings).await, all);

    let early = open(&settings, 23).await;
    assert_eq!(early.delete_orphaned_queues().await, Ok(0));
    assert_eq!(queues(&settings).await, all, "a day has not gone by");

    let late = open(&settings, 25).await;
    let world = alive.world(Env::system());
    while world.table.get(&shared::edge(&living)).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(late.delete_orphaned_queues().await, Ok(2));
    assert_eq!(queues(&settings).await, std::slice::from_ref(&living));
    assert_eq!(queues(&other).await, [foreign], "another cell's is not ours");
    assert_eq!(late.delete_orphaned_queues().await, Ok(0));
    assert!(late.spent_aside().queue >= 5, "{:?}", late.spent_aside());

    // A clean end leaves neither queue nor row.
    soon(alive.close()).await;
    assert!(queues(&settings).await.is_empty());
    assert_eq!(world.table.get(&shared::edge(&living)).await, Ok(None));
    let row = world.table.get(&shared::edge(&dead)).await.unwrap().unwrap();
    assert!(
        row.u64(Name::new("exp")).unwrap() > row.u64(Name::new("at")).unwrap() + 24 * 3600,
        "the row goes by itself, and later than it is needed"
    );
    assert_eq!(open(&other, 25).await.delete_orphaned_queues().await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_was_taken_for_dead_makes_its_queue_again() {
    let settings = cell();
    let watching = edge(&settings, "late");
    let (one, other) = (open(&watching, 0).await, open(&settings, 0).await);
    soon(one.ready()).await;
    let env = Env::system();
    let account = Account { tenant: TenantId::new(&env), principal: PrincipalId::new(&env) };
    let mut watch = one.wake.watch(account);
    assert_eq!(soon(watch.changed()).await, Modseq(1), "the row stands: look once");
    let sqs = testing::sqs(&settings);
    let name = format!("penfold-{}-edge-{}", settings.cell, watching.edge.as_ref().unwrap());
    let url = sqs.get_queue_url().queue_name(&name).send().await.unwrap().queue_url.unwrap();
    sqs.delete_queue().queue_url(url).send().await.unwrap();
    soon(async {
        while sqs.get_queue_url().queue_name(&name).send().await.is_err() {
            env.sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    other.wake.wake(account, Modseq(7));
    assert_eq!(soon(watch.changed()).await, Modseq(7));
    soon(one.close()).await;
}
