//! What the suite does not ask of every adapter: processes beside each other, large things, mistakes of the operator.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use aws_sdk_sqs::types::MessageSystemAttributeName;
use bytes::Bytes;
use penfold_aws::testing::{self, OwnQueue};
use penfold_aws::{Incoming, Ports, Settings};
use penfold_ports::{Account, BlobKey, Commit, Job, JobId, Key, Pk, PortError, QueueName, Received, Row, Sk, TenantScope, World, Write};
use penfold_types::{AcceptanceId, CommitId, Env, Modseq, PrincipalId, TenantId, Timestamp};
use std::time::Duration;

const QUEUE: QueueName = QueueName::Deliver;
const HIDDEN: Duration = Duration::from_secs(60);

fn job(tenant: TenantId, group: &str, body: impl Into<Bytes>) -> Job {
    Job { id: JobId::new(&Env::system()), tenant, group: format!("{tenant}#{group}"), body: body.into() }
}

fn bodies(jobs: &[Received]) -> Vec<String> {
    jobs.iter().map(|job| String::from_utf8_lossy(&job.job.body).into_owned()).collect()
}

fn receipts(jobs: &[Received]) -> Vec<penfold_ports::Receipt> {
    jobs.iter().map(|job| job.receipt).collect()
}

async fn open(settings: &Settings) -> (Ports, World) {
    let ports = Ports::open(Env::system(), settings.clone()).await;
    let world = ports.world(Env::system());
    (ports, world)
}

fn account() -> Account {
    let env = Env::system();
    Account { tenant: TenantId::new(&env), principal: PrincipalId::new(&env) }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("in time")
}

fn edge(name: &str) -> String {
    let id = CommitId::new(&Env::system()).to_string();
    format!("{name}-{}", &id[16..])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_elsewhere_wakes_an_edge() {
    let settings = testing::settings();
    let watching = Settings { edge: Some(edge("imap")), ..settings.clone() };
    let (one, world) = open(&watching).await;
    let (other, _) = open(&settings).await;
    soon(one.ready()).await;
    let account = account();
    let mut watch = world.wake.watch(account);
    assert_eq!(soon(watch.changed()).await, Modseq(1), "the row stands: look once");
    other.wake.wake(account, Modseq(7));
    assert_eq!(soon(watch.changed()).await, Modseq(7));
    for n in 8..30 {
        other.wake.wake(account, Modseq(n));
    }
    while soon(watch.changed()).await < Modseq(29) {}
    soon(other.drain()).await;
    assert!(other.spent_aside().queue < 20, "wakes under way are joined");
    soon(one.close()).await;

    // Its queue is gone, its row is not: the next wake finds that out and takes the row away.
    let row = account.watch(watching.edge.as_ref().unwrap());
    assert!(world.table.get(&row).await.unwrap().is_some());
    other.wake.wake(account, Modseq(30));
    soon(other.drain()).await;
    assert_eq!(world.table.get(&row).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_woken_where_nobody_watches() {
    let (ports, _) = open(&testing::settings()).await;
    ports.wake.wake(account(), Modseq(3));
    soon(ports.drain()).await;
    assert_eq!((ports.spent_aside().queue, ports.spent_aside().read), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_blobs_go_in_parts() {
    let (_, world) = open(&testing::settings()).await;
    let tenant = TenantScope::grant(TenantId::new(&world.env));
    let key = tenant.blob(AcceptanceId::new(&world.env));
    let bytes: Bytes = (0..20_000_000u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let parts = vec![bytes.slice(..3), bytes.slice(3..15_000_000), bytes.slice(15_000_000..)];
    world.named("large").blobs.put(&key, parts).await.unwrap();
    assert_eq!(world.meter.total("large").blob_put, 5, "begin, three parts, end");
    assert!(world.blobs.get(&key).await.unwrap() == bytes);
    let range = 8_388_600..8_388_700;
    assert_eq!(world.blobs.get_range(&key, range).await.unwrap(), bytes.slice(8_388_600..8_388_700));
    world.blobs.delete(&key).await.unwrap();
    assert_eq!(world.blobs.get(&key).await, Err(PortError::Missing));
}

#[tokio::test(start_paused = true)]
async fn bodies_too_large_for_a_message_come_and_go_with_it() {
    let (ports, _queue) = testing::on_virtual_time().await;
    let world = ports.world(Env::system());
    let tenant = TenantId::new(&world.env);
    let body: Bytes = (0..256 * 1024u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let jobs: Vec<_> = (0..3).map(|_| job(tenant, "g", body.clone())).collect();
    let blobs: Vec<_> = jobs.iter().map(|job| BlobKey::from_stored(&format!("jobs/deliver/{}", job.id))).collect();
    world.queue.send(QUEUE, jobs).await.unwrap();
    assert!(world.blobs.get(&blobs[0]).await.is_ok());
    let jobs = world.queue.receive(QUEUE, 10, HIDDEN).await.unwrap();
    assert!(jobs.len() == 3 && jobs.iter().all(|job| job.job.body == body));
    world.queue.done(QUEUE, &receipts(&jobs)).await.unwrap();
    for blob in blobs {
        assert_eq!(world.blobs.get(&blob).await, Err(PortError::Missing));
    }
}

/// Takes a group's first job until it is given up.
async fn fail_first(world: &World) {
    for attempt in 1..=3 {
        let jobs = world.queue.receive(QUEUE, 1, HIDDEN).await.unwrap();
        assert_eq!(jobs[0].attempt, attempt);
        world.queue.give_back(QUEUE, &receipts(&jobs)).await.unwrap();
    }
}

async fn dead(world: &World) -> Vec<String> {
    let dead = world.queue.dead(QUEUE).await.unwrap();
    dead.iter().map(|dead| String::from_utf8_lossy(&dead.job.body).into_owned()).collect()
}

/// On real time, because what a dead process held comes back by SQS's clock alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_while_it_parks_loses_and_mixes_nothing() {
    let settings = testing::settings();
    let queue = OwnQueue::new(&settings);
    let settings = Settings { deliver: queue.url.clone(), ..settings };
    let (_ports, two) = open(&settings).await;
    let one = two.clone();
    let tenant = TenantId::new(&two.env);
    let jobs = ["1", "2", "3", "4"].map(|body| job(tenant, "g", body)).to_vec();
    let group = jobs[0].group.clone();
    let dying = move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (_ports, world) = open(&settings).await;
            world.queue.send(QUEUE, jobs).await.unwrap();
            fail_first(&world).await;
        });
        // It never gets to delete the message of what it has parked.
        runtime.shutdown_background();
    };
    tokio::task::spawn_blocking(dying).await.unwrap();
    let none = tokio::time::timeout(Duration::from_secs(2), two.queue.receive(QUEUE, 10, HIDDEN)).await;
    assert!(none.is_err(), "the group is parked");
    one.queue.send(QUEUE, vec![job(tenant, "g", "5"), job(tenant, "other", "x")]).await.unwrap();
    let other = two.queue.receive(QUEUE, 10, HIDDEN).await.unwrap();
    assert_eq!(bodies(&other), ["x"], "others go on");
    two.queue.done(QUEUE, &receipts(&other)).await.unwrap();
    let mut found = Vec::new();
    for _ in 0..60 {
        let _ = tokio::time::timeout(Duration::from_secs(1), two.queue.receive(QUEUE, 10, HIDDEN)).await;
        found = dead(&two).await;
        if found.len() == 5 {
            break;
        }
    }
    assert_eq!(found, ["1", "2", "3", "4", "5"]);

    assert_eq!(two.queue.release(QUEUE, &group).await, Ok(5));
    one.queue.send(QUEUE, vec![job(tenant, "g", "6")]).await.unwrap();
    let jobs = soon(two.queue.receive(QUEUE, 3, HIDDEN)).await.unwrap();
    assert_eq!(bodies(&jobs), ["1", "2", "3"]);
    two.queue.done(QUEUE, &receipts(&jobs[..1])).await.unwrap();
    two.queue.give_back(QUEUE, &receipts(&jobs[1..])).await.unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|body| body != "6") {
        let jobs = soon(two.queue.receive(QUEUE, 10, HIDDEN)).await.unwrap();
        assert_eq!(jobs[0].attempt, if seen.is_empty() { 2 } else { 1 });
        seen.extend(bodies(&jobs));
        two.queue.done(QUEUE, &receipts(&jobs)).await.unwrap();
    }
    assert_eq!(seen, ["2", "3", "4", "5", "6"], "what was sent meanwhile comes after them");
    assert_eq!(dead(&two).await, [""; 0]);
    assert_eq!(two.queue.release(QUEUE, &group).await, Ok(0));
}

fn incoming(message: aws_sdk_sqs::types::Message) -> Incoming {
    let attributes = message.attributes.unwrap();
    let attribute = |name| attributes[&name].clone();
    Incoming {
        id: message.message_id.unwrap(),
        handle: message.receipt_handle.unwrap(),
        group: attribute(MessageSystemAttributeName::MessageGroupId),
        count: attribute(MessageSystemAttributeName::ApproximateReceiveCount).parse().unwrap(),
        sequence: attribute(MessageSystemAttributeName::SequenceNumber).parse().unwrap(),
        sent: Timestamp::from_millis(attribute(MessageSystemAttributeName::SentTimestamp).parse().unwrap()),
        text: message.body.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_works_on_what_the_platform_received() {
    let settings = testing::settings();
    let queue = OwnQueue::new(&settings);
    let settings = Settings { deliver: queue.url.clone(), ..settings };
    let (ports, world) = open(&settings).await;
    let tenant = TenantId::new(&world.env);
    let jobs = [("g", "1"), ("h", "a"), ("g", "2"), ("g", "3")].map(|(group, body)| job(tenant, group, body));
    world.queue.send(QUEUE, jobs.to_vec()).await.unwrap();
    let client = testing::sqs(&settings);
    let platform = async || {
        let request = client.receive_message().queue_url(&queue.url).max_number_of_messages(10).visibility_timeout(60);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let messages = request.send().await.unwrap().messages.unwrap_or_default();
        ports.admit(QueueName::Deliver, messages.into_iter().map(incoming).collect(), HIDDEN).await.unwrap()
    };
    let batch = platform().await;
    let mut groups: Vec<_> = batch.groups.iter().map(|jobs| bodies(jobs)).collect();
    groups.sort();
    assert_eq!(groups, [vec!["1", "2", "3"], vec!["a"]]);
    for jobs in &batch.groups {
        // The second of three fails, and so the third does not get its turn.
        let (done, rest) = jobs.split_at(1);
        world.queue.done(QUEUE, &receipts(done)).await.unwrap();
        world.queue.give_back(QUEUE, &receipts(rest)).await.unwrap();
    }
    assert_eq!(ports.unfinished(&batch).len(), 2);
    let batch = platform().await;
    assert_eq!(batch.groups.iter().map(|jobs| bodies(jobs)).collect::<Vec<_>>(), [["2", "3"]]);
    assert_eq!(batch.groups[0][0].attempt, 2);
    world.queue.done(QUEUE, &receipts(&batch.groups[0])).await.unwrap();
    assert_eq!(ports.unfinished(&batch), [""; 0]);
    ports.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_mistakes_get_a_sentence() {
    let settings = testing::settings();
    let (ports, _) = open(&settings).await;
    assert_eq!(ports.check().await, Ok(()));
    let missing = |what: &str| format!("{what}-of-nobody");
    let wrong_url = |settings: &Settings| settings.deliver.rsplit_once('/').unwrap().0.to_owned() + "/of-nobody.fifo";
    let mut table = settings.clone();
    table.table = missing("table");
    let mut bucket = settings.clone();
    bucket.bucket = missing("bucket");
    let mut secrets = settings.clone();
    secrets.secrets = missing("secrets");
    let mut queue = settings.clone();
    queue.deliver = wrong_url(&settings);
    let mut key = settings.clone();
    key.key = format!("alias/{}", missing("key"));
    let mut endpoint = settings.clone();
    endpoint.endpoints.dynamodb = Some("http://127.0.0.1:1".to_owned());
    for (settings, words) in [
        (table, ["there is no table table-of-nobody", "PENFOLD_TABLE"]),
        (bucket, ["there is no bucket bucket-of-nobody", "PENFOLD_BUCKET"]),
        (secrets, ["there is no bucket secrets-of-nobody", "PENFOLD_SECRETS"]),
        (queue, ["there is no queue", "PENFOLD_QUEUE_DELIVER"]),
        (key, ["there is no key", "PENFOLD_KEY"]),
        (endpoint, ["DynamoDB does not answer in http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB"]),
    ] {
        let (ports, _) = open(&settings).await;
        let sentence = ports.check().await.unwrap_err().to_string();
        assert!(words.iter().all(|word| sentence.contains(word)) && !sentence.contains('\n'), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_asked_a_few_times_only() {
    let mut settings = testing::settings();
    settings.options.verify_units = false;
    settings.endpoints.dynamodb = Some("http://127.0.0.1:1".to_owned());
    let (ports, world) = open(&settings).await;
    let key = Key::from_stored(Pk::from_stored("test"), Sk::text("x"));
    let commit = Commit { id: CommitId::new(&world.env), writes: vec![Write::put(key, Row::new())] };
    assert_eq!(soon(world.table.commit(&commit)).await, Err(PortError::Throttled), "it was never sent");
    assert!((1..=8).contains(&ports.repeats()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_is_one_commit() {
    let (_, world) = open(&testing::settings()).await;
    let pk = Pk::from_stored(&format!("test#{}", CommitId::new(&world.env)));
    let write = |n: u64| vec![Write::put(Key::from_stored(pk.clone(), Sk::text("x")), Row::new().with("n", n))];
    let id = CommitId::new(&world.env);
    assert_eq!(world.table.commit(&Commit { id, writes: write(1) }).await, Ok(()));
    assert!(matches!(world.table.commit(&Commit { id, writes: write(2) }).await, Err(PortError::Broken(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_earlier_version_open_until_they_are_destroyed() {
    let settings = testing::settings();
    let (_, world) = open(&settings).await;
    let (tenant, other) = (TenantId::new(&world.env), TenantId::new(&world.env));
    let early = testing::wrapped_by_kms(&settings, tenant, [5; 32]);
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Ok([5; 32]));
    assert!(matches!(world.secrets.unwrap(other, &early).await, Err(PortError::Broken(_))));
    world.secrets.wrap(tenant, &[6; 32]).await.unwrap();
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Ok([5; 32]), "beside a secret");
    world.secrets.destroy(tenant).await.unwrap();
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Err(PortError::Destroyed));
    world.secrets.renew(tenant).await.unwrap();
    world.secrets.wrap(tenant, &[7; 32]).await.unwrap();
    assert_eq!(world.secrets.unwrap(tenant, &early).await, Err(PortError::Destroyed), "in no later life either");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_keeps_old_secrets_is_not_taken_for_one_that_destroys_them() {
    let settings = testing::settings();
    let secrets = testing::versioned_bucket(&settings);
    let (_, world) = open(&Settings { secrets: secrets.clone(), ..settings }).await;
    let tenant = TenantId::new(&world.env);
    world.secrets.wrap(tenant, &[1; 32]).await.unwrap();
    let said = world.secrets.destroy(tenant).await.unwrap_err().to_string();
    assert!(said.contains(&secrets) && said.contains("keeps old versions"), "{said}");
}
