use super::Given;
use crate::{Watch, World};
use penfold_types::Modseq;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

impl Given {
    fn watch(&self) -> Watch {
        self.world.wake.watch(self.scope.account())
    }

    fn wake(&self, modseq: u64) {
        self.world.wake.wake(self.scope.account(), Modseq(modseq));
    }
}

/// What `changed` gives without waiting.
fn poll(watch: &mut Watch) -> Option<u64> {
    match pin!(watch.changed()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(modseq) => Some(modseq.get()),
        Poll::Pending => None,
    }
}

pub async fn only_watchers(world: World) {
    let (watched, other) = (Given::new(world.clone()), Given::new(world));
    watched.wake(1);
    let mut watch = watched.watch();
    other.wake(5);
    assert_eq!(poll(&mut watch), None, "not for another account, not for what was before");
    watched.wake(2);
    assert_eq!(poll(&mut watch), Some(2));
    assert_eq!(poll(&mut watch), None, "once");
}

pub async fn newest_only(world: World) {
    let given = Given::new(world);
    let mut watch = given.watch();
    for modseq in [3, 7, 5] {
        given.wake(modseq);
    }
    assert_eq!((poll(&mut watch), poll(&mut watch)), (Some(7), None));
    given.wake(7);
    assert_eq!(poll(&mut watch), None, "nothing new");
}

pub async fn cancel_safe(world: World) {
    let given = Given::new(world);
    let mut watch = given.watch();
    assert_eq!(poll(&mut watch), None);
    given.wake(4);
    assert_eq!(poll(&mut watch), Some(4), "the wait before was given up, the wake is not lost");
}

pub async fn all_watchers(world: World) {
    let given = Given::new(world);
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let mut watch = given.watch();
            tokio::spawn(async move { watch.changed().await })
        })
        .collect();
    tokio::task::yield_now().await;
    given.wake(9);
    for task in tasks {
        assert_eq!(task.await.expect("a watcher"), Modseq(9));
    }
}

pub async fn dropped_watch(world: World) {
    let given = Given::new(world);
    let (first, mut second) = (given.watch(), given.watch());
    drop(first);
    given.wake(1);
    assert_eq!(poll(&mut second), Some(1));
    drop(second);
    given.wake(2);
    let mut third = given.watch();
    assert_eq!(poll(&mut third), None);
    given.wake(3);
    assert_eq!(poll(&mut third), Some(3));
}
