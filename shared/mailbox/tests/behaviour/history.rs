use crate::support::*;
use penfold_mailbox::{Delta, Keywords, Store};
use penfold_ports::{Sk, Write};
use penfold_types::{AcceptanceId, FolderId, Modseq};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

async fn events(mailbox: &penfold_mailbox::Mailbox, folder: FolderId, after: Modseq) -> Option<usize> {
    match mailbox.changes(folder, after).await.unwrap() {
        Delta::Events { events, .. } => Some(events.len()),
        Delta::TooOld => None,
        Delta::Gone => panic!("gone"),
    }
}

#[tokio::test(start_paused = true)]
async fn behind_the_floor_it_is_too_old_and_never_a_gap() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 3).await;
    let old = ann.head().await.unwrap().modseq;
    ann.store(inbox, &uids([1]), Store::Add, &Keywords::SEEN, None).await.unwrap();
    ann.expunge(inbox, Some(&uids([2])), false).await.unwrap();
    let floor_at = ann.head().await.unwrap().modseq;
    house.world.env.sleep(DAY * 40).await;
    ann.store(inbox, &uids([3]), Store::Add, &Keywords::SEEN, None).await.unwrap();
    assert_eq!(ann.trim(DAY * 30).await.unwrap(), floor_at);
    let fresh = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    for mailbox in [&ann, &fresh] {
        assert_eq!(events(mailbox, inbox, floor_at).await, Some(1));
        assert_eq!(events(mailbox, inbox, Modseq(floor_at.get() - 1)).await, None);
        assert_eq!(events(mailbox, inbox, old).await, None);
        assert_eq!(events(mailbox, inbox, Modseq(0)).await, None);
        assert_eq!(listed(mailbox, inbox).await, [1, 3]);
        assert_clean(mailbox).await;
    }
    // The expunged item's content went with the history that named it, and so did the row under its Message-ID.
    for prefix in [Sk::contents(), Sk::text("m#")] {
        let rows = house.world.table.query_all(penfold_ports::Query::prefix(ann.scope().pk().clone(), &prefix)).await.unwrap();
        assert_eq!(rows.len(), 2, "{prefix:?}");
    }
    // Another trim finds nothing.
    assert_eq!(ann.trim(DAY * 30).await.unwrap(), floor_at);
    fill(&ann, inbox, 2).await;
    assert_clean(&ann).await;
}

/// A job may be handed out for 14 days, and the content row is what says that its mail was delivered.
#[tokio::test(start_paused = true)]
async fn a_trim_stops_at_a_removal_that_a_late_job_could_undo() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let one = house.accepted(house.ann, &mail(1)).await;
    ann.deliver(std::slice::from_ref(&one)).await.unwrap();
    let before = ann.head().await.unwrap().modseq;
    ann.expunge(inbox, None, false).await.unwrap();
    ann.store(inbox, &uids([1]), Store::Add, &Keywords::SEEN, None).await.unwrap();
    house.world.env.sleep(DAY * 2).await;
    assert_eq!(ann.trim(DAY).await.unwrap(), before);
    assert!(ann.deliver(std::slice::from_ref(&one)).await.unwrap()[0].again);
    house.world.env.sleep(DAY * 14).await;
    assert!(ann.trim(DAY).await.unwrap() > before);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_trim_leaves_what_is_young() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 3).await;
    house.world.env.sleep(DAY).await;
    let before = house.world.meter.total("trim").read;
    let trimming = house.mailboxes.named("trim").open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(trimming.trim(DAY * 30).await.unwrap(), Modseq(0));
    assert!(house.world.meter.total("trim").read - before <= 3, "the head and the first change, whatever the length of the log");
    assert_eq!(events(&ann, inbox, Modseq(0)).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn lists_are_stored_after_a_thousand_changes_and_read_back_the_same() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 900).await;
    assert!(manifest(&house, &ann, inbox).await.is_none());
    fill(&ann, inbox, 150).await;
    assert!(manifest(&house, &ann, inbox).await.is_some());
    ann.store(inbox, &uids((1..=1050).step_by(3)), Store::Add, &keywords(&["\\Seen", "Work"]), None).await.unwrap();
    ann.expunge(inbox, Some(&uids((1..=1050).step_by(7))), false).await.unwrap();
    let wanted = seen(&ann.index(inbox).await.unwrap());
    // From the stored list and the log after it.
    let stored = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(seen(&stored.index(inbox).await.unwrap()), wanted);
    // From the rows alone.
    let key = ann.scope().key(Sk::checkpoint(inbox));
    let row = house.row(&key).await.unwrap();
    house.plant(Write::delete(key.clone())).await;
    let rows = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(seen(&rows.index(inbox).await.unwrap()), wanted);
    // A stored list that is damaged, or whose segments are gone, costs time and nothing else.
    for damage in [b"\x01".to_vec(), vec![0xff; 40]] {
        let mut bad = row.clone();
        bad.set("s", damage);
        house.plant(Write::put(key.clone(), bad)).await;
        let mailbox = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
        assert_eq!(seen(&mailbox.index(inbox).await.unwrap()), wanted);
    }
    house.plant(Write::put(key, row)).await;
    for blob in house.world.blobs.list(house.ann.tenant, None).await.unwrap() {
        if blob.as_str().contains("/k-") {
            house.world.blobs.delete(&blob).await.unwrap();
        }
    }
    let mailbox = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(seen(&mailbox.index(inbox).await.unwrap()), wanted);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn only_segments_that_changed_are_written_again_and_old_ones_go() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 5_000).await;
    let segments = async || -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut after = None;
        loop {
            let page = house.world.blobs.list(house.ann.tenant, after.as_ref()).await.unwrap();
            let Some(last) = page.last().cloned() else { return all };
            all.extend(page.iter().map(|k| k.as_str().to_owned()).filter(|k| k.contains("/k-")));
            after = Some(last);
        }
    };
    let before = segments().await;
    assert_eq!(before.len(), 2);
    // A thousand changes in the second segment alone.
    let second = uids(4_200..=4_700);
    ann.store(inbox, &second, Store::Add, &Keywords::SEEN, None).await.unwrap();
    ann.store(inbox, &second, Store::Remove, &Keywords::SEEN, None).await.unwrap();
    ann.store(inbox, &second, Store::Add, &Keywords::SEEN, None).await.unwrap();
    let after = segments().await;
    assert_eq!(after.len(), 2);
    assert_eq!(before.intersection(&after).count(), 1);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_trim_stores_lists_anew_where_they_build_on_what_goes() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 1_050).await;
    ann.store(inbox, &uids(1..=50), Store::Add, &Keywords::SEEN, None).await.unwrap();
    let wanted = seen(&ann.index(inbox).await.unwrap());
    house.world.env.sleep(DAY * 40).await;
    let floor = ann.trim(DAY * 30).await.unwrap();
    assert_eq!(floor, ann.head().await.unwrap().modseq);
    assert_eq!(manifest(&house, &ann, inbox).await.unwrap().u64("m"), Some(floor.get()));
    let mailbox = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(seen(&mailbox.index(inbox).await.unwrap()), wanted);
    assert_clean(&mailbox).await;
}

/// A crash between deleting a folder and dropping its list leaves a list of no folder.
#[tokio::test(start_paused = true)]
async fn a_list_left_by_a_deleted_folder_does_not_stop_trims() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 1_050).await;
    let row = manifest(&house, &ann, inbox).await.unwrap();
    house.plant(Write::put(ann.scope().key(Sk::checkpoint(FolderId::from_bytes([5; 16]))), row)).await;
    house.world.env.sleep(DAY * 40).await;
    let answer = ann.trim(DAY * 30).await.map_err(|e| e.to_string());
    assert_eq!(answer, Ok(ann.head().await.unwrap().modseq));
}

#[tokio::test(start_paused = true)]
async fn a_sweep_takes_orphans_after_the_grace_and_nothing_else() {
    let house = house().await;
    let (ann, bob) = (house.open(house.ann).await, house.open(house.bob).await);
    let (inbox, theirs) = (folder(&ann, "INBOX").await, folder(&bob, "INBOX").await);
    fill(&ann, inbox, 1_100).await;
    ann.copy(inbox, &uids([1]), &bob, theirs).await.unwrap();
    ann.expunge(inbox, Some(&uids([1, 2])), false).await.unwrap();
    // An upload that was never committed, one of them long ago, one just now.
    let orphan = house.accepted(house.ann, "old").await;
    fill(&ann, inbox, 1).await;
    let scopes = [house.scope(house.ann), house.scope(house.bob)];
    assert_eq!(house.mailboxes.sweep(house.ann.tenant, &scopes, &BTreeSet::new()).await.unwrap().blobs, 0, "nothing is old enough");
    house.world.env.sleep(DAY * 16).await;
    let young = house.accepted(house.ann, "young").await;
    fill(&ann, inbox, 1).await;
    let swept = house.mailboxes.sweep(house.ann.tenant, &scopes, &BTreeSet::new()).await.unwrap();
    assert_eq!(swept.blobs, 1, "the orphan; history still names the expunged ones");
    let there = async |blob: penfold_mailbox::Blob| house.world.blobs.get(&ann.scope().blob(blob.acceptance)).await.is_ok();
    assert!(!there(orphan.blob).await && there(young.blob).await);
    house.world.env.sleep(DAY * 40).await;
    ann.trim(DAY * 30).await.unwrap();
    bob.trim(DAY * 30).await.unwrap();
    let swept = house.mailboxes.sweep(house.ann.tenant, &scopes, &BTreeSet::new()).await.unwrap();
    assert_eq!(swept.blobs, 2, "the second message and the young one; the first is Bob's too");
    assert_clean(&ann).await;
    assert_clean(&bob).await;
    let zoe = house.open(house.zoe).await;
    fill(&zoe, folder(&zoe, "INBOX").await, 1).await;
    house.world.env.sleep(DAY * 16).await;
    assert_eq!(house.mailboxes.sweep(house.ann.tenant, &scopes, &BTreeSet::new()).await.unwrap().blobs, 0);
    assert_clean(&zoe).await;
}

/// Mail that was accepted and whose job is parked for days is named by that job alone.
#[tokio::test(start_paused = true)]
async fn a_sweep_leaves_what_a_waiting_job_still_needs() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let parked = house.accepted(house.ann, &mail(1)).await;
    fill(&ann, folder(&ann, "INBOX").await, 1).await;
    let body = bytes::Bytes::copy_from_slice(parked.blob.acceptance.as_bytes());
    let group = format!("{}/{}", house.ann.tenant, house.ann.principal);
    let job = penfold_ports::Job { id: penfold_types::CommitId::new(&house.world.env), tenant: house.ann.tenant, group, body };
    house.world.queue.send(penfold_ports::QueueName::Deliver, vec![job]).await.unwrap();
    house.world.env.sleep(DAY * 20).await;
    house.mailboxes.sweep(house.ann.tenant, &[house.scope(house.ann), house.scope(house.bob)], &BTreeSet::new()).await.unwrap();
    assert!(house.world.blobs.get(&ann.scope().blob(parked.blob.acceptance)).await.is_ok(), "the message of a job that waits is gone");
}

#[tokio::test(start_paused = true)]
async fn retention_does_not_forget_who_was_delivered_while_the_content_is_there() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let one = house.accepted(house.ann, &mail(1)).await;
    ann.deliver(std::slice::from_ref(&one)).await.unwrap();
    house.world.env.sleep(DAY * 40).await;
    ann.trim(DAY * 30).await.unwrap();
    assert!(ann.deliver(&[one]).await.unwrap()[0].again);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_rotated_leaves_the_old_readable() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, archive) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await);
    fill(&ann, inbox, 1_050).await;
    house.directory.operator().rotate_data_key("acme").await.unwrap();
    ann.copy(inbox, &uids([1]), &ann, archive).await.unwrap();
    fill(&ann, inbox, 1).await;
    let mailbox = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(mailbox.index(inbox).await.unwrap().len(), 1_051);
    for (folder, uid) in [(inbox, 1), (inbox, 1_051), (archive, 1)] {
        let item = mailbox.index(folder).await.unwrap().get(penfold_types::Uid(uid)).unwrap().item;
        let content = mailbox.contents(&[item]).await.unwrap().remove(0).unwrap();
        assert_eq!(mailbox.bytes(&content, 0..u64::MAX).await.unwrap(), mail(0));
    }
    assert_eq!(mailbox.newest(inbox, 2).await.unwrap().len(), 2);
    let _ = AcceptanceId::new(&house.world.env);
}
