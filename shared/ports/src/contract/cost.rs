//! What requests cost, as DynamoDB and S3 bill them.

use super::{Given, N, numbered, sized};
use crate::{Key, PortError, Query, Row, Sk, Units, When, World, Write, item_size, read_units, write_units};
use std::future::Future;

impl Given {
    /// What a piece of work cost.
    async fn cost<T, F: Future<Output = T>>(&self, work: impl FnOnce(World) -> F) -> Units {
        let before = self.world.meter.total("case");
        work(self.world.named("case")).await;
        self.world.meter.total("case") - before
    }

    async fn write_cost(&self, writes: Vec<Write>) -> Units {
        let commit = self.commit_of(writes);
        self.cost(|world| async move { world.table.commit(&commit).await }).await
    }

    fn row_of(&self, sk: &str, bytes: usize) -> (Key, Row) {
        let key = self.key(sk);
        let empty = item_size(&key, &sized(0));
        (key, sized(bytes - empty))
    }

    async fn have_row_of(&self, sk: &str, bytes: usize) {
        let (key, row) = self.row_of(sk, bytes);
        self.commit(vec![Write::put(key, row)]).await.expect("a commit");
    }
}

fn reading(read: u64) -> Units {
    Units { read, ..Units::default() }
}

fn writing(write: u64) -> Units {
    Units { write, ..Units::default() }
}

pub async fn sizes(world: World) {
    let given = Given::new(world);
    let key = given.key("x");
    let empty = item_size(&key, &Row::new());
    assert_eq!(empty, 2 + given.scope.pk().as_str().len() + 2 + 1, "names and values of the key");
    let row = Row::new().with("ab", "text").with("c", vec![0u8; 10]);
    assert_eq!(item_size(&key, &row), empty + 2 + 4 + 1 + 10);
    let number = |n: u64| item_size(&key, &Row::new().with("n", n)) - empty - 1;
    assert_eq!([0, 9, 10, 99, 100, u64::MAX].map(number), [2, 2, 2, 2, 3, 11], "two digits a byte, and one");
    assert_eq!([0, 1, 4096, 4097, 8192, 8193].map(read_units), [1, 1, 1, 2, 2, 3]);
    assert_eq!([0, 1, 1024, 1025, 2048, 409_600].map(write_units), [1, 1, 1, 2, 2, 400]);
}

pub async fn reads(world: World) {
    let given = Given::new(world);
    for (sk, bytes) in [("a", 4096), ("b", 4097), ("c", 100)] {
        given.have_row_of(sk, bytes).await;
    }
    for (sk, units) in [("a", 1), ("b", 2), ("c", 1), ("absent", 1)] {
        let key = given.key(sk);
        assert_eq!(given.cost(|world| async move { world.table.get(&key).await }).await, reading(units), "{sk}");
    }
    let keys = ["a", "b", "c", "absent"].map(|sk| given.key(sk));
    let batch = given.cost(|world| async move { world.table.batch_get(&keys).await }).await;
    assert_eq!(batch, reading(5), "each row rounded up");
}

pub async fn queries(world: World) {
    let given = Given::new(world);
    for n in 0..8 {
        given.have_row_of(&format!("x{n}"), 1000).await;
    }
    let prefix = Query::prefix(given.scope.pk().clone(), &Sk::text("x"));
    let cases = [(prefix.clone(), 2), (Query { limit: 4, ..prefix.clone() }, 1), (Query { limit: 5, reverse: true, ..prefix }, 2)];
    for (query, units) in cases {
        assert_eq!(given.cost(|world| async move { world.table.query(&query).await }).await, reading(units), "the sum rounded up");
    }
    let nothing = Query::prefix(given.scope.pk().clone(), &Sk::text("y"));
    assert_eq!(given.cost(|world| async move { world.table.query(&nothing).await }).await, reading(1));
}

pub async fn writes(world: World) {
    let given = Given::new(world);
    let (key, small) = given.row_of("x", 1024);
    let (_, large) = given.row_of("x", 3000);
    assert_eq!(given.write_cost(vec![Write::put(key.clone(), small.clone())]).await, writing(2), "twice in a commit");
    assert_eq!(given.write_cost(vec![Write::put(key.clone(), large.clone())]).await, writing(6));
    assert_eq!(given.write_cost(vec![Write::put(key.clone(), small)]).await, writing(6), "the larger of before and after");
    let put = Write::put(key.clone(), large);
    assert_eq!(given.cost(|world| async move { world.table.put(put).await }).await, writing(3), "once by itself");
    let update = Write::Update { key, set: vec![(N, 1u64.into())], remove: vec![], when: When::Always };
    assert_eq!(given.write_cost(vec![update]).await, writing(6), "the whole row");
    let several = (0..5).map(|n| Write::put(given.key(&format!("y{n}")), numbered(n))).collect();
    assert_eq!(given.write_cost(several).await, writing(10));
}

pub async fn failed_conditions(world: World) {
    let given = Given::new(world);
    let (key, row) = given.row_of("x", 2500);
    given.commit(vec![Write::put(key.clone(), row.clone())]).await.expect("a commit");
    let writes = vec![Write::put(given.key("y"), numbered(1)), Write::put_new(key.clone(), row.clone())];
    assert_eq!(given.write_cost(writes).await, writing(2 + 6), "a failed commit costs what it would have");
    let put = Write::put_new(key, row.clone());
    assert_eq!(given.cost(|world| async move { world.table.put(put).await }).await, writing(3), "the row that is there");
    let put = Write::Put { key: given.key("none"), row, when: When::Present };
    assert_eq!(given.cost(|world| async move { world.table.put(put).await }).await, writing(1));
}

pub async fn checks_and_deletes(world: World) {
    let given = Given::new(world);
    given.have_row_of("x", 1500).await;
    let check = |sk: &str, when| Write::Check { key: given.key(sk), when };
    assert_eq!(given.write_cost(vec![check("x", When::Present), check("none", When::Absent)]).await, writing(4 + 2));
    assert_eq!(given.write_cost(vec![Write::delete(given.key("x")), Write::delete(given.key("none"))]).await, writing(4 + 2));
}

pub async fn repeats(world: World) {
    let given = Given::new(world);
    let commit = given.commit_of(vec![Write::put(given.key("x"), numbered(1)), Write::put(given.key("y"), numbered(1))]);
    given.world.table.commit(&commit).await.expect("a commit");
    assert_eq!(given.cost(|world| async move { world.table.commit(&commit).await }).await, reading(4), "read, not written");
    let chain: Vec<_> = (0..3).map(|n| given.commit_of(vec![Write::put(given.key("z"), numbered(n))])).collect();
    assert_eq!(given.cost(|world| async move { world.table.commit_chain(&chain).await }).await, writing(6));
    let refused = given.commit_of(vec![]);
    let cost = given.cost(|world| async move { assert!(matches!(world.table.commit(&refused).await, Err(PortError::Limit(_)))) }).await;
    assert_eq!(cost, Units::default(), "refused without a request");
}

pub async fn blobs_and_queue(world: World) {
    let given = Given::new(world);
    let blob = given.tenant().blob(given.acceptance());
    let job = given.job("g", "body");
    let tenant = given.scope.tenant();
    let cost = given
        .cost(|world| async move {
            world.blobs.put(&blob, vec!["blob".into()]).await.expect("a put");
            world.queue.send(crate::QueueName::Deliver, vec![job]).await.expect("a send");
            world.blobs.get(&blob).await.expect("a get");
            world.blobs.get_range(&blob, 0..2).await.expect("a get");
            world.blobs.list(tenant, None).await.expect("a list");
            world.blobs.delete(&blob).await.expect("a delete");
            let jobs = world.queue.receive(crate::QueueName::Deliver, 10, super::HIDDEN).await.expect("jobs");
            world.queue.done(crate::QueueName::Deliver, &[jobs[0].receipt]).await.expect("done");
        })
        .await;
    assert_eq!(cost, Units { blob_put: 2, blob_get: 2, blob_delete: 1, queue: 3, ..Units::default() });
}
