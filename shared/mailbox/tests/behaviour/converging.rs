//! Two processes change one account and each keeps a view from the events alone: at the end both views are the truth.

use crate::support::*;
use penfold_mailbox::{Delta, Keywords, Mailbox, Store, UidSet};
use penfold_types::{FolderId, Modseq};
use proptest::prelude::*;
use std::time::Duration;

/// One step of one of the two. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Append { folder: usize, count: usize },
    Deliver { count: usize },
    Store { folder: usize, uids: (u32, u32), how: usize, keyword: usize },
    Copy { from: usize, to: usize, uids: (u32, u32) },
    Move { from: usize, to: usize, uids: (u32, u32) },
    Expunge { folder: usize, uids: (u32, u32), only_deleted: bool },
    Poll { folder: usize },
    Trim,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let run = || (1u32..60, 0u32..12).prop_map(|(from, len)| (from, from + len));
    let step = prop_oneof![
        4 => (0usize..3, 1usize..6).prop_map(|(folder, count)| Step::Append { folder, count }),
        2 => (1usize..4).prop_map(|count| Step::Deliver { count }),
        5 => (0usize..3, run(), 0usize..3, 0usize..5).prop_map(|(folder, uids, how, keyword)| Step::Store { folder, uids, how, keyword }),
        2 => (0usize..3, 0usize..3, run()).prop_map(|(from, to, uids)| Step::Copy { from, to, uids }),
        3 => (0usize..3, 0usize..2, run()).prop_map(|(from, to, uids)| Step::Move { from, to: (from + 1 + to) % 3, uids }),
        3 => (0usize..3, run(), any::<bool>()).prop_map(|(folder, uids, only_deleted)| Step::Expunge { folder, uids, only_deleted }),
        4 => (0usize..3).prop_map(|folder| Step::Poll { folder }),
        1 => Just(Step::Trim),
    ];
    (0usize..2, step)
}

struct Observer {
    mailbox: Mailbox,
    views: Vec<(FolderId, Seen, Modseq)>,
}

fn range((from, to): (u32, u32)) -> UidSet {
    UidSet::from_ranges([from..=to])
}

impl Observer {
    async fn new(mailbox: Mailbox) -> Self {
        let mut views = Vec::new();
        for path in ["INBOX", "Archive", "Trash"] {
            views.push((folder(&mailbox, path).await, Seen::new(), mailbox.head().await.unwrap().modseq));
        }
        Self { mailbox, views }
    }

    async fn poll(&mut self, at: usize) {
        let (folder, view, known) = &mut self.views[at];
        match self.mailbox.changes(*folder, *known).await.unwrap() {
            Delta::Events { to, events } => {
                assert!(events.iter().all(|(modseq, _)| *modseq > *known && *modseq <= to));
                follow(view, events);
                *known = to;
            }
            Delta::TooOld => {
                let index = self.mailbox.index(*folder).await.unwrap();
                (*view, *known) = (seen(&index), index.modseq());
            }
            Delta::Gone => panic!("gone"),
        }
    }

    async fn act(&mut self, house: &House, step: &Step) {
        let id = |at: usize| self.views[at].0;
        let mailbox = self.mailbox.clone();
        match step {
            Step::Append { folder, count } => drop(mailbox.append(id(*folder), new_messages(*count)).await.unwrap()),
            Step::Deliver { count } => {
                let mut batch = Vec::new();
                for number in 0..*count {
                    batch.push(house.accepted(house.ann, &mail(number)).await);
                }
                mailbox.deliver(&batch).await.unwrap();
            }
            Step::Store { folder, uids, how, keyword } => {
                let how = [Store::Set, Store::Add, Store::Remove][*how];
                let keyword = [Keywords::SEEN, Keywords::DELETED, Keywords::FLAGGED, keywords(&["Work"]), Keywords::NONE][*keyword].clone();
                mailbox.store(id(*folder), &range(*uids), how, &keyword, None).await.unwrap();
            }
            Step::Copy { from, to, uids } => drop(mailbox.copy(id(*from), &range(*uids), &mailbox, id(*to)).await.unwrap()),
            Step::Move { from, to, uids } => drop(mailbox.move_items(id(*from), &range(*uids), &mailbox, id(*to)).await.unwrap()),
            Step::Expunge { folder, uids, only_deleted } => {
                mailbox.expunge(id(*folder), Some(&range(*uids)), *only_deleted).await.unwrap();
            }
            Step::Poll { folder } => self.poll(*folder).await,
            Step::Trim => {
                house.world.env.sleep(Duration::from_secs(3600)).await;
                mailbox.trim(Duration::from_secs(1800)).await.unwrap();
            }
        }
    }

    async fn agrees(&mut self) {
        for at in 0..self.views.len() {
            self.poll(at).await;
            let (folder, view, _) = &self.views[at];
            let index = self.mailbox.index(*folder).await.unwrap();
            assert_eq!(view, &seen(&index));
            let own = self.mailbox.folder(*folder).await.unwrap();
            assert_eq!(own.total, index.len());
            assert_eq!(own.unseen as usize, index.iter().filter(|m| !m.keywords.seen()).count());
            assert_eq!(own.deleted as usize, index.iter().filter(|m| m.keywords.deleted()).count());
            assert_eq!(own.bytes, index.iter().map(|m| u64::from(m.size)).sum::<u64>());
            assert!(index.iter().all(|m| m.uid < own.uidnext && m.modseq <= own.modseq));
        }
    }
}

/// Runs the steps, those of the two at once where `together`.
async fn run(steps: &[(usize, Step)], together: bool) {
    let house = house().await;
    let (one, two) = (house.elsewhere(), house.elsewhere());
    let mut both = [
        Observer::new(one.open(&house.scope(house.ann)).await.unwrap()).await,
        Observer::new(two.open(&house.scope(house.ann)).await.unwrap()).await,
    ];
    if together {
        let [a, b] = &mut both;
        let own = |who: usize| steps.iter().filter(move |(by, _)| *by == who).map(|(_, step)| step);
        let first = async {
            for step in own(0) {
                a.act(&house, step).await;
            }
        };
        let second = async {
            for step in own(1) {
                b.act(&house, step).await;
            }
        };
        tokio::join!(first, second);
    } else {
        for (who, step) in steps {
            both[*who].act(&house, step).await;
        }
    }
    both[0].agrees().await;
    both[1].agrees().await;
    assert_eq!(both[0].views, both[1].views);
    let mut fresh = Observer::new(house.elsewhere().open(&house.scope(house.ann)).await.unwrap()).await;
    for at in 0..3 {
        fresh.views[at].2 = Modseq(0);
        // From the very beginning, or from the list where that is too old.
        fresh.poll(at).await;
        assert_eq!(fresh.views[at].1, both[0].views[at].1);
    }
    assert_clean(&both[0].mailbox).await;
}

fn block(steps: &[(usize, Step)], together: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(run(steps, together));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_built_from_events_are_the_truth(steps in prop::collection::vec(step(), 1..60)) {
        block(&steps, false);
    }

    #[test]
    fn and_also_while_both_write_at_once(steps in prop::collection::vec(step(), 1..60)) {
        block(&steps, true);
    }
}

/// A list that was read while others wrote is the list of its modseq, so the events after it fit onto it.
#[tokio::test(start_paused = true)]
async fn events_fit_onto_a_list_that_was_read_from_rows_meanwhile() {
    let house = house().await;
    let writer = house.open(house.ann).await;
    let inbox = folder(&writer, "INBOX").await;
    fill(&writer, inbox, 60).await;
    let reading = async {
        for round in 0..40u32 {
            let reader = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
            let index = reader.index(inbox).await.unwrap();
            let uidnext = reader.folder(inbox).await.unwrap().uidnext;
            assert!(index.iter().all(|m| m.modseq <= index.modseq()), "round {round}: a list of {} holds later changes", index.modseq());
            assert!(index.iter().all(|m| m.uid < uidnext));
            let mut view = seen(&index);
            if let Delta::Events { events, .. } = reader.changes(inbox, index.modseq()).await.unwrap() {
                follow(&mut view, events);
            }
        }
    };
    let writing = async {
        for round in 0u32.. {
            writer.append(inbox, new_messages(1)).await.unwrap();
            writer.store(inbox, &uids([round % 60 + 1]), Store::Add, &Keywords::SEEN, None).await.unwrap();
            writer.expunge(inbox, Some(&uids([round * 2 + 1])), false).await.unwrap();
        }
    };
    tokio::select! {
        biased;
        () = reading => {}
        () = writing => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_hears_of_the_other_process_and_reads_the_truth() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let inbox = folder(&one, "INBOX").await;
    let mut watch = one.watch();
    let (modseq, appended) = tokio::join!(watch.changed(), two.append(inbox, new_messages(1)));
    assert_eq!(modseq, appended.unwrap().modseq);
    assert!(matches!(one.changes(inbox, Modseq(1)).await.unwrap(), Delta::Events { events, .. } if events.len() == 1));
}
