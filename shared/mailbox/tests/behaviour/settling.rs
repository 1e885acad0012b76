//! Commits whose answer never came, with and without a third writer in between.

use crate::support::hooks::Fault;
use crate::support::*;
use penfold_mailbox::{Keywords, Store};

const CASES: [&[Fault]; 7] = [
    &[Fault::Lost { done: true }],
    &[Fault::Lost { done: false }],
    &[Fault::Throttled],
    &[Fault::Lost { done: false }, Fault::Lost { done: true }],
    &[Fault::Throttled, Fault::Lost { done: false }, Fault::Throttled],
    &[Fault::Fine, Fault::Lost { done: true }, Fault::Lost { done: false }],
    &[Fault::Fine, Fault::Fine, Fault::Lost { done: true }],
];

#[tokio::test(start_paused = true)]
async fn every_verb_happens_once_when_answers_get_lost() {
    for (case, faults) in CASES.iter().enumerate() {
        let house = house().await;
        let ann = house.open(house.ann).await;
        let (inbox, archive) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await);
        let arm = || {
            house.hooks.clear();
            house.hooks.next(faults.iter().copied());
        };
        arm();
        assert_eq!(ann.append(inbox, new_messages(20)).await.unwrap().uids.len(), 20, "{case}");
        let delivery = house.accepted(house.ann, &mail(500)).await;
        arm();
        assert!(!ann.deliver(&[delivery]).await.unwrap()[0].again, "{case}");
        fill(&ann, inbox, 119).await;
        arm();
        assert_eq!(ann.store(inbox, &uids(1..=140), Store::Add, &Keywords::SEEN, None).await.unwrap().now.len(), 140, "{case}");
        arm();
        assert_eq!(ann.copy(inbox, &uids(1..=140), &ann, archive).await.unwrap().pairs.len(), 140, "{case}");
        assert_eq!(listed(&ann, archive).await, (1..=140).collect::<Vec<_>>(), "{case}");
        arm();
        assert_eq!(ann.move_items(archive, &uids(1..=139), &ann, inbox).await.unwrap().pairs.len(), 139, "{case}");
        arm();
        assert_eq!(ann.expunge(inbox, Some(&uids(1..=278)), false).await.unwrap().len(), 278, "{case}");
        arm();
        let made = ann.create_folder("New", None).await.unwrap();
        let (to, change) =
            (penfold_ports::Grantee::Principal(house.bob.principal), penfold_mailbox::RightsChange::Set(penfold_ports::Rights::ALL));
        for expected in [1, 2] {
            arm();
            let of = if expected == 1 { made } else { inbox };
            ann.set_rights(of, to, change, "ann", None, false).await.unwrap();
            let day = house.world.env.now().seconds() / 86_400;
            let acts = house.directory.operator().audit_log(house.ann.tenant, day, 100).await.unwrap();
            assert_eq!(acts.iter().filter(|act| act.act == "folder.rights").count(), expected, "{case}");
        }
        arm();
        ann.delete_folder(made).await.unwrap();
        house.hooks.clear();
        assert_eq!((listed(&ann, inbox).await, listed(&ann, archive).await), (vec![279], vec![140]), "{case}");
        assert_clean(&ann).await;
        assert_clean(&house.elsewhere().open(&house.scope(house.ann)).await.unwrap()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_third_writer_comes_in_between() {
    for done in [true, false] {
        let house = house().await;
        let ann = house.open(house.ann).await;
        let other = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
        let inbox = folder(&ann, "INBOX").await;
        fill(&ann, inbox, 3).await;
        house.hooks.next([Fault::Held { done }]);
        let ((), mine) = tokio::join!(
            async {
                house.hooks.reached.notified().await;
                other.append(inbox, new_messages(2)).await.unwrap();
                house.hooks.go.notify_one();
            },
            ann.append(inbox, new_messages(1))
        );
        let mine = mine.unwrap();
        assert_eq!(numbers(&mine.uids), if done { [4] } else { [6] });
        assert_eq!(listed(&ann, inbox).await, [1, 2, 3, 4, 5, 6]);
        assert_eq!(ann.index(inbox).await.unwrap().get(mine.uids[0]).unwrap().modseq, mine.modseq);
        assert_clean(&ann).await;
        assert_clean(&other).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_delivery_by_a_third_writer_in_between() {
    for done in [true, false] {
        let house = house().await;
        let ann = house.open(house.ann).await;
        let other = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
        let inbox = folder(&ann, "INBOX").await;
        let batch = [house.accepted(house.ann, &mail(1)).await, house.accepted(house.ann, &mail(2)).await];
        house.hooks.next([Fault::Held { done }]);
        let ((), mine) = tokio::join!(
            async {
                house.hooks.reached.notified().await;
                other.deliver(&batch).await.unwrap();
                house.hooks.go.notify_one();
            },
            ann.deliver(&batch)
        );
        assert!(mine.unwrap().iter().all(|d| d.again != done));
        assert_eq!(listed(&ann, inbox).await, [1, 2]);
        assert_clean(&ann).await;
    }
}

/// The answer stays lost for longer than anybody waits: an error, or the truth; never twice.
#[tokio::test(start_paused = true)]
async fn a_chain_whose_middle_stays_unknown_doubles_nothing() {
    for done in [true, false] {
        let house = house().await;
        let ann = house.open(house.ann).await;
        let (inbox, archive) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await);
        fill(&ann, inbox, 93).await;
        // The second of three commits, and every try to settle it.
        house.hooks.next(
            std::iter::once(Fault::Fine).chain(std::iter::once(Fault::Lost { done })).chain(std::iter::repeat_n(Fault::Throttled, 9)),
        );
        let copied = ann.copy(inbox, &uids(1..=93), &ann, archive).await;
        house.hooks.clear();
        let there = listed(&ann, archive).await.len();
        assert!(there <= 93, "{there} copies of 93 messages");
        if let Ok(copied) = copied {
            assert_eq!((copied.pairs.len(), there), (93, 93));
        }
        assert_clean(&ann).await;
    }
}

/// Progress is made all the time, so being overtaken now and then must not end it.
#[tokio::test(start_paused = true)]
async fn a_long_move_is_overtaken_often_and_still_ends() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let other = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    let (inbox, archive, sent) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await, folder(&ann, "Sent").await);
    fill(&ann, inbox, 1_500).await;
    let everything = uids(1..=1_500);
    let moved = tokio::select! {
        biased;
        moved = ann.move_items(inbox, &everything, &ann, archive) => moved.map(|m| m.pairs.len()).map_err(|e| e.to_string()),
        _ = async { loop { other.append(sent, new_messages(1)).await.unwrap(); house.world.env.sleep(std::time::Duration::from_millis(60)).await; } } => unreachable!(),
    };
    assert_eq!(moved, Ok(1_500));
    assert_clean(&ann).await;
}
