use super::{Given, N, numbered};
use crate::{PortError, Query, Sk, When, World, Write};
use std::sync::Arc;

const TASKS: u64 = 8;
const COMMITS: u64 = 25;

pub async fn one_winner(world: World) {
    let given = Arc::new(Given::new(world));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let given = given.clone();
            tokio::spawn(async move { given.commit(vec![Write::put_new(given.key("x"), numbered(task))]).await })
        })
        .collect();
    let mut winner = None;
    for (task, handle) in (0..).zip(tasks) {
        match handle.await.expect("a task") {
            Ok(()) => assert_eq!(winner.replace(task), None, "two winners"),
            Err(error) => assert_eq!(error, PortError::Condition { write: 0 }),
        }
    }
    assert_eq!(given.number("x").await, winner);
    assert!(winner.is_some());
}

/// Reads the head and commits the next number with a row of its own, until it has won so often.
async fn count_up(given: &Given, task: u64) {
    let mut won = 0;
    while won < COMMITS {
        let head = given.number("head").await.unwrap_or(0);
        let when = if head == 0 { When::Absent } else { When::Equal(vec![(N, head.into())]) };
        let next = numbered(head + 1);
        let log = Write::put_new(given.key(&format!("log{:04}", head + 1)), numbered(task));
        match given.commit(vec![Write::Put { key: given.key("head"), row: next, when }, log]).await {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error, PortError::Condition { write: 0 }),
        }
    }
}

pub async fn counters_lose_nothing(world: World) {
    let given = Arc::new(Given::new(world));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let given = given.clone();
            tokio::spawn(async move { count_up(&given, task).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    assert_eq!(given.number("head").await, Some(TASKS * COMMITS));
    let logs = given.world.table.query_all(Query::prefix(given.scope.pk().clone(), &Sk::text("log"))).await.expect("the log");
    assert_eq!(logs.len() as u64, TASKS * COMMITS, "no gap and no double");
}

pub async fn readers_see_whole_commits(world: World) {
    let given = Arc::new(Given::new(world));
    let writer = {
        let given = given.clone();
        tokio::spawn(async move {
            for n in 1..=100 {
                let writes = ["a", "b", "c"].map(|sk| Write::put(given.key(sk), numbered(n)));
                given.commit(writes.to_vec()).await.expect("a commit");
            }
        })
    };
    let all = Query::prefix(given.scope.pk().clone(), &Sk::text(""));
    let mut last = 0;
    while last < 100 {
        let page = given.world.table.query(&all).await.expect("a query");
        let numbers: Vec<_> = page.rows.iter().filter_map(|(_, row)| row.u64(N)).collect();
        assert!(numbers.is_empty() || numbers.len() == 3, "a part of a commit: {numbers:?}");
        assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "two commits mixed: {numbers:?}");
        let now = numbers.first().copied().unwrap_or(0);
        assert!(now >= last, "time went backwards");
        last = now;
        tokio::task::yield_now().await;
    }
    writer.await.expect("the writer");
}

pub async fn chains_race(world: World) {
    let given = Arc::new(Given::new(world));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let given = given.clone();
            tokio::spawn(async move {
                let mut won = 0;
                while won < 30 {
                    let head = given.number("head").await.unwrap_or(0);
                    let step = |from: u64| {
                        let when = if from == 0 { When::Absent } else { When::Equal(vec![(N, from.into())]) };
                        given.commit_of(vec![Write::Put { key: given.key("head"), row: numbered(from + 1), when }])
                    };
                    let chain: Vec<_> = (head..head + 3).map(step).collect();
                    won += given.world.table.commit_chain(&chain).await.done;
                }
                won as u64
            })
        })
        .collect();
    let mut all = 0;
    for task in tasks {
        all += task.await.expect("a task");
    }
    assert_eq!(given.number("head").await, Some(all));
}
