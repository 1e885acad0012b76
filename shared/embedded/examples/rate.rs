//! How many mails' worth of requests the store takes each second: a blob of 2 KB and a job, durable, then a commit of six
//! rows, durable. `rate [DIR] [SECONDS] [CALLERS]`; DIR should be on the disk that is to be measured.

use bytes::Bytes;
use penfold_embedded::{Options, open};
use penfold_ports::{Account, Commit, Job, JobId, Query, QueueName, Rights, Row, Scope, Sk, TenantScope, When, World, Write};
use penfold_types::{AcceptanceId, CommitId, Env, FolderId, ItemId, Modseq, PrincipalId, TenantId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn row(env: &Env, size: usize) -> Row {
    let mut bytes = vec![0; size];
    env.fill(&mut bytes);
    Row::new().with("v", 1u64).with("u", 7u64).with("b", bytes)
}

async fn pair(world: &World, scope: &Scope, modseq: u64, body: &Bytes) -> anyhow::Result<()> {
    let env = &world.env;
    let acceptance = AcceptanceId::new(env);
    let tenant = TenantScope::grant(scope.tenant());
    world.blobs.put(&tenant.blob(acceptance), vec![body.clone()]).await?;
    let group = format!("{}#{}", scope.tenant(), scope.account().principal);
    let job = Job { id: JobId::new(env), tenant: scope.tenant(), group, body: body.slice(..600) };
    world.queue.send(QueueName::Deliver, vec![job]).await?;

    let (folder, item) = (FolderId::from_bytes([1; 16]), ItemId::new(env));
    let head = scope.key(Sk::head());
    let when = if modseq == 1 { When::Absent } else { When::Equal(vec![("m".into(), (modseq - 1).into())]) };
    let writes = vec![
        Write::Put { key: head, row: row(env, 60).with("m", modseq), when },
        Write::put_new(scope.key(Sk::content(item)), row(env, 500)),
        Write::put_new(scope.key(Sk::state(folder, item)), row(env, 180)),
        Write::put_new(scope.key(Sk::change(Modseq(modseq))), row(env, 120)),
        Write::put(scope.key(Sk::folder(folder)), row(env, 80)),
        Write::put(scope.key(Sk::message_id(item.as_bytes())), row(env, 40)),
    ];
    world.table.commit(&Commit { id: CommitId::new(env), writes }).await?;
    Ok(())
}

async fn caller(world: World, body: Bytes, count: Arc<AtomicU64>, until: tokio::time::Instant) -> anyhow::Result<Scope> {
    let account = Account { tenant: TenantId::new(&world.env), principal: PrincipalId::new(&world.env) };
    let scope = Scope::grant(account, account.principal, Rights::ALL);
    let mut modseq = 0;
    while world.env.monotonic() < until {
        modseq += 1;
        pair(&world, &scope, modseq, &body).await?;
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(scope)
}

async fn worker(world: World) {
    while let Ok(jobs) = world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(30)).await {
        let receipts: Vec<_> = jobs.iter().map(|job| job.receipt).collect();
        if world.queue.done(QueueName::Deliver, &receipts).await.is_err() {
            return;
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = arguments.first().map_or_else(|| std::env::temp_dir().join("penfold-rate"), std::path::PathBuf::from);
    let seconds = arguments.get(1).map_or(Ok(10), |text| text.parse())?;
    let callers = arguments.get(2).map_or(Ok(20), |text| text.parse())?;
    let env = Env::system();
    let start = env.monotonic();
    let ports = open(env.clone(), &dir, Options::default())?;
    println!("open: {:?}", start.elapsed());
    let world = ports.world(env.clone());
    let mut body = vec![0; 2048];
    env.fill(&mut body);
    let body = Bytes::from(body);

    for _ in 0..4 {
        tokio::spawn(worker(world.clone()));
    }
    let count = Arc::new(AtomicU64::new(0));
    let start = env.monotonic();
    let until = start + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..callers).map(|_| tokio::spawn(caller(world.clone(), body.clone(), count.clone(), until))).collect();
    let (mut seen, mut scope) = (0, None);
    for second in 1..=seconds {
        env.sleep(Duration::from_secs(1)).await;
        let now = count.load(Ordering::Relaxed);
        println!("second {second}: {} pairs", now - seen);
        seen = now;
    }
    for task in tasks {
        scope = Some(task.await??);
    }
    let all = count.load(Ordering::Relaxed);
    println!("{callers} callers: {:.0} pairs a second", all as f64 / start.elapsed().as_secs_f64());
    if let Some(scope) = scope {
        let start = env.monotonic();
        let page = world.table.query(&Query { limit: 50, ..Query::prefix(scope.pk().clone(), &Sk::all_states()) }).await?;
        println!("{} states in {:?}", page.rows.len(), start.elapsed());
    }
    let start = env.monotonic();
    ports.close();
    drop((ports, world));
    println!("close: {:?}", start.elapsed());
    Ok(())
}
