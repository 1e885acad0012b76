//! One tenant's mailing beside another's single job, through the port and on a disk.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use penfold_ports::{Job, JobId, QueueName};
use penfold_types::{Env, TenantId};
use std::time::Duration;

#[tokio::test]
async fn a_single_job_is_next_though_ten_thousand_of_another_tenant_wait() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::system();
    let ports = penfold_embedded::open(env.clone(), dir.path(), penfold_embedded::Options::default()).unwrap();
    let queue = ports.world(env.clone()).queue;
    let (noisy, quiet) = (TenantId::new(&env), TenantId::new(&env));
    let job = |tenant, group: String| Job { id: JobId::new(&env), tenant, group, body: Bytes::from_static(b"x") };
    let mailing = (0..10_000).map(|n| job(noisy, format!("mailbox {n}"))).collect();
    queue.send(QueueName::Deliver, mailing).await.unwrap();
    queue.send(QueueName::Deliver, vec![job(quiet, "the only one".to_owned())]).await.unwrap();
    let mut served = Vec::new();
    for _ in 0..2 {
        served.extend(queue.receive(QueueName::Deliver, 10, Duration::from_secs(60)).await.unwrap());
    }
    assert!(served.iter().any(|received| received.job.tenant == quiet));
    assert_eq!(queue.backlog(QueueName::Deliver, noisy).await.unwrap(), 9999);
    ports.close();
}
