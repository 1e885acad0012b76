use crate::support::*;
use bytes::Bytes;
use penfold_mailbox::{Keywords, Place};
use penfold_types::Uid;

#[tokio::test(start_paused = true)]
async fn a_message_arrives_with_prefix_bytes_and_counts() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let delivery = house.accepted(house.ann, &mail(1)).await;
    let done = ann.deliver(std::slice::from_ref(&delivery)).await.unwrap();
    assert_eq!((done[0].folder, done[0].uid, done[0].again), (inbox, Uid(1), false));
    let index = ann.index(inbox).await.unwrap();
    let message = index.get(Uid(1)).unwrap();
    assert_eq!(message.received, delivery.received.seconds());
    assert_eq!(message.modseq, done[0].modseq);
    let content = ann.contents(&[message.item]).await.unwrap().remove(0).unwrap();
    let whole = ann.bytes(&content, 0..u64::MAX).await.unwrap();
    assert_eq!(whole, [&delivery.prefix[..], mail(1).as_bytes()].concat());
    assert_eq!(u64::from(message.size), content.size());
    assert_eq!(content.size() as usize, whole.len());
    // Ranges that begin in the prefix, end in it, or touch neither end.
    for (from, to) in [(0, 5), (30, 50), (37, 37), (40, 44), (whole.len() as u64 - 2, u64::MAX), (9_999, u64::MAX)] {
        let cut = |at: u64| (at as usize).min(whole.len());
        assert_eq!(ann.bytes(&content, from..to).await.unwrap(), whole.slice(cut(from)..cut(to)), "{from}..{to}");
    }
    assert_eq!(counts(&ann, inbox).await, (1, 1, 0, 2));
    assert_eq!(ann.usage().await.unwrap().0, content.size());
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn delivering_an_acceptance_again_changes_nothing() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let one = house.accepted(house.ann, &mail(1)).await;
    let first = ann.deliver(std::slice::from_ref(&one)).await.unwrap().remove(0);
    let before = ann.head().await.unwrap();
    for mailboxes in [house.mailboxes.clone(), house.elsewhere()] {
        let mailbox = mailboxes.open(&house.scope(house.ann)).await.unwrap();
        let again = mailbox.deliver(std::slice::from_ref(&one)).await.unwrap().remove(0);
        assert!(again.again);
        assert_eq!(again.item, first.item);
    }
    assert_eq!(ann.head().await.unwrap(), before);
    assert_eq!(listed(&ann, inbox).await, [1]);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn one_batch_with_old_new_and_doubled_acceptances_keeps_each_once() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let mut waiting = Vec::new();
    for number in 0..6 {
        waiting.push(house.accepted(house.ann, &mail(number)).await);
    }
    ann.deliver(&waiting[1..3]).await.unwrap();
    let batch: Vec<_> = [0, 1, 2, 0, 3, 4, 4, 5].map(|at| waiting[at].clone()).to_vec();
    let done = ann.deliver(&batch).await.unwrap();
    assert_eq!(done.iter().map(|d| d.again).collect::<Vec<_>>(), [false, true, true, true, false, false, true, false]);
    assert_eq!(listed(&ann, inbox).await, [1, 2, 3, 4, 5, 6]);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn two_identical_messages_are_two_and_more_than_a_commit_holds_all_arrive() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let mut waiting = Vec::new();
    for _ in 0..70 {
        waiting.push(house.accepted(house.ann, &mail(7)).await);
    }
    let done = ann.deliver(&waiting).await.unwrap();
    assert!(done.iter().all(|d| !d.again));
    assert_eq!(listed(&ann, inbox).await, (1..=70).collect::<Vec<_>>());
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn one_acceptance_reaches_two_mailboxes_and_an_expunged_one_does_not_come_back() {
    let house = house().await;
    let (ann, bob) = (house.open(house.ann).await, house.open(house.bob).await);
    let one = house.accepted(house.ann, &mail(1)).await;
    ann.deliver(std::slice::from_ref(&one)).await.unwrap();
    bob.deliver(std::slice::from_ref(&one)).await.unwrap();
    let inbox = folder(&ann, "INBOX").await;
    ann.expunge(inbox, None, false).await.unwrap();
    assert!(ann.deliver(std::slice::from_ref(&one)).await.unwrap()[0].again, "a redelivery after the expunge");
    assert!(listed(&ann, inbox).await.is_empty());
    assert_eq!(listed(&bob, folder(&bob, "INBOX").await).await, [1]);
    assert_clean(&ann).await;
    assert_clean(&bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_gone_means_the_inbox() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let lists = ann.create_folder("Lists", None).await.unwrap();
    let mut one = house.accepted(house.ann, &mail(1)).await;
    one.place = Place::Folder(lists);
    one.keywords = Keywords::FLAGGED;
    assert_eq!(ann.deliver(std::slice::from_ref(&one)).await.unwrap()[0].folder, lists);
    ann.delete_folder(lists).await.unwrap();
    let mut two = house.accepted(house.ann, &mail(2)).await;
    two.place = Place::Folder(lists);
    assert_eq!(ann.deliver(&[two]).await.unwrap()[0].folder, folder(&ann, "INBOX").await);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn many_deliverers_at_once_keep_every_message_once() {
    let house = house().await;
    let scope = house.scope(house.ann);
    let mut waiting = Vec::new();
    for number in 0..40 {
        waiting.push(house.accepted(house.ann, &mail(number)).await);
    }
    // Every job is worked on by two of four processes.
    let mut tasks = tokio::task::JoinSet::new();
    for process in 0..4 {
        let (mailboxes, scope) = (house.elsewhere(), scope.clone());
        let jobs: Vec<_> = waiting.iter().enumerate().filter(|(at, _)| at % 2 == process % 2).map(|(_, d)| d.clone()).collect();
        tasks.spawn(async move {
            let mailbox = mailboxes.open(&scope).await.unwrap();
            for part in jobs.chunks(3) {
                mailbox.deliver(part).await.unwrap();
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    assert_eq!(listed(&ann, inbox).await, (1..=40).collect::<Vec<_>>());
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_redelivered_batch_is_recognised_in_few_commits() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let mut waiting = Vec::new();
    for number in 0..10 {
        waiting.push(house.accepted(house.ann, &mail(number)).await);
    }
    ann.deliver(&waiting).await.unwrap();
    let before = house.commits();
    ann.deliver(&waiting).await.unwrap();
    assert!(house.commits() - before <= 2, "{} commits to find out that all ten are there", house.commits() - before);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_summary_fails_by_itself() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let mut one = house.accepted(house.ann, &mail(1)).await;
    one.summary = Bytes::from_static(b"\xff\xff\xff");
    assert_eq!(kind(ann.deliver(&[one]).await), penfold_types::Kind::Broken);
    assert_clean(&ann).await;
}
