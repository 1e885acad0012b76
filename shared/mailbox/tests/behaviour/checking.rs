//! `check` names what was damaged, `check --repair` leaves an account that is clean, and what was not damaged stays.

use crate::support::*;
use penfold_mailbox::Mailbox;
use penfold_ports::{Query, Row, Sk, When, Write};
use penfold_types::{FolderId, ItemId, Uid};

async fn prepared() -> (House, Mailbox, FolderId, Vec<ItemId>) {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 5).await;
    ann.expunge(inbox, Some(&uids([5])), false).await.unwrap();
    let items = ann.index(inbox).await.unwrap().iter().map(|m| m.item).collect();
    assert_clean(&ann).await;
    (house, ann, inbox, items)
}

/// Repairs with a process that starts now, and looks again with another.
async fn mended(house: &House, wrong: usize) -> Mailbox {
    let found = house.elsewhere().open(&house.scope(house.ann)).await.unwrap().check(false).await.unwrap();
    assert!(found.problems.len() >= wrong, "not noticed: {:?}", found.problems);
    let report = house.elsewhere().open(&house.scope(house.ann)).await.unwrap().check(true).await.unwrap();
    assert!(report.repaired > 0);
    let mailbox = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_clean(&mailbox).await;
    mailbox
}

async fn works(mailbox: &Mailbox, inbox: FolderId, left: &[u32]) {
    assert_eq!(listed(mailbox, inbox).await, left);
    assert_eq!(mailbox.folder(inbox).await.unwrap().total as usize, left.len());
    let appended = mailbox.append(inbox, new_messages(1)).await.unwrap();
    assert_eq!(appended.uids, [Uid(6)], "uids are never given again");
    for message in mailbox.index(inbox).await.unwrap().iter() {
        let content = mailbox.contents(&[message.item]).await.unwrap().remove(0).unwrap();
        mailbox.bytes(&content, 0..u64::MAX).await.unwrap();
    }
    assert_clean(mailbox).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_row() {
    let (house, ann, inbox, items) = prepared().await;
    house.plant(Write::delete(ann.scope().key(Sk::state(inbox, items[1])))).await;
    works(&mended(&house, 1).await, inbox, &[1, 3, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_content_row() {
    let (house, ann, inbox, items) = prepared().await;
    house.plant(Write::delete(ann.scope().key(Sk::content(items[0])))).await;
    works(&mended(&house, 1).await, inbox, &[2, 3, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_blob() {
    let (house, ann, inbox, items) = prepared().await;
    let blob = ann.contents(&items[2..3]).await.unwrap()[0].as_ref().unwrap().blob;
    house.world.blobs.delete(&ann.scope().blob(blob.acceptance)).await.unwrap();
    works(&mended(&house, 1).await, inbox, &[1, 2, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn wrong_counts_of_a_folder() {
    let (house, ann, inbox, _) = prepared().await;
    let set = vec![("t".into(), 77u64.into()), ("us".into(), 1u64.into()), ("by".into(), 3u64.into())];
    let key = ann.scope().key(Sk::folder(inbox));
    house.plant(Write::Update { key, set, remove: vec![], when: When::Present }).await;
    works(&mended(&house, 1).await, inbox, &[1, 2, 3, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn wrong_sums_in_the_head() {
    let (house, ann, inbox, _) = prepared().await;
    let set = vec![("by".into(), 1u64.into()), ("n".into(), 99u64.into())];
    house.plant(Write::Update { key: ann.scope().key(Sk::head()), set, remove: vec![], when: When::Present }).await;
    works(&mended(&house, 1).await, inbox, &[1, 2, 3, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_uidnext_that_was_given_before() {
    let (house, ann, inbox, _) = prepared().await;
    let set = vec![("u".into(), 3u64.into())];
    house.plant(Write::Update { key: ann.scope().key(Sk::folder(inbox)), set, remove: vec![], when: When::Present }).await;
    let mailbox = mended(&house, 1).await;
    assert!(mailbox.folder(inbox).await.unwrap().uidnext >= Uid(5), "at least past what is there");
}

#[tokio::test(start_paused = true)]
async fn a_state_row_that_cannot_be_read() {
    let (house, ann, inbox, items) = prepared().await;
    house.plant(Write::put(ann.scope().key(Sk::state(inbox, items[0])), Row::new().with("u", "nonsense"))).await;
    works(&mended(&house, 1).await, inbox, &[2, 3, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn several_at_once_with_a_hundred_and_fifty_folders() {
    let (house, ann, inbox, items) = prepared().await;
    for number in 0..150 {
        ann.create_folder(&format!("F{number}"), None).await.unwrap();
    }
    house.plant(Write::delete(ann.scope().key(Sk::state(inbox, items[1])))).await;
    house.plant(Write::delete(ann.scope().key(Sk::content(items[0])))).await;
    let set = vec![("n".into(), 99u64.into())];
    house.plant(Write::Update { key: ann.scope().key(Sk::head()), set, remove: vec![], when: When::Present }).await;
    works(&mended(&house, 3).await, inbox, &[3, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_whose_emptying_was_interrupted() {
    let (house, ann, inbox, _) = prepared().await;
    let doomed = ann.create_folder("Doomed", None).await.unwrap();
    fill(&ann, doomed, 100).await;
    house.hooks.next([hooks::Fault::Fine, hooks::Fault::Fine, hooks::Fault::Broken]);
    ann.delete_folder(doomed).await.unwrap_err();
    let mailbox = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    let report = mailbox.check(false).await.unwrap();
    assert!(report.problems.is_empty() && !report.unfinished.is_empty(), "{report:?}");
    mailbox.check(true).await.unwrap();
    works(&mailbox, inbox, &[1, 2, 3, 4]).await;
    assert_eq!(mailbox.head().await.unwrap().items, 5);
}

/// One item that is damaged must not hold up the others of a command.
#[tokio::test(start_paused = true)]
async fn a_damaged_item_does_not_stop_an_expunge_or_a_move() {
    let (house, ann, inbox, items) = prepared().await;
    house.plant(Write::delete(ann.scope().key(Sk::content(items[0])))).await;
    let trash = folder(&ann, "Trash").await;
    let moved = ann.move_items(inbox, &uids([1, 2]), &ann, trash).await.map(|m| m.pairs.len()).map_err(|e| e.to_string());
    assert!(moved.is_ok(), "{moved:?}");
    let gone = ann.expunge(inbox, None, false).await.map(|u| u.len()).map_err(|e| e.to_string());
    assert!(gone.is_ok(), "{gone:?}");
}

/// Whatever a row is turned into, there is an answer and no panic.
#[tokio::test(start_paused = true)]
async fn torn_rows_never_panic() {
    let (house, ann, inbox, _) = prepared().await;
    let all = house
        .world
        .table
        .query_all(Query { pk: ann.scope().pk().clone(), from: Sk::text(""), to: None, limit: usize::MAX, reverse: false })
        .await
        .unwrap();
    for (sk, row) in all {
        let key = ann.scope().key(sk);
        let mut torn = Vec::new();
        for (name, value) in row.iter() {
            let mut less = row.clone();
            less.remove(*name);
            torn.push(less);
            if let penfold_ports::Value::B(bytes) = value {
                for cut in [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
                    let mut cut_row = row.clone();
                    cut_row.set(*name, bytes.slice(..cut.min(bytes.len())));
                    torn.push(cut_row);
                }
                let mut other = row.clone();
                other.set(*name, bytes.iter().map(|b| b ^ 0xff).collect::<Vec<u8>>());
                torn.push(other);
            } else {
                let mut other = row.clone();
                other.set(*name, u64::MAX);
                torn.push(other);
            }
        }
        for bad in torn {
            house.plant(Write::put(key.clone(), bad)).await;
            let mailboxes = house.elsewhere();
            if let Ok(mailbox) = mailboxes.open(&house.scope(house.ann)).await {
                if let Ok(index) = mailbox.index(inbox).await {
                    let items: Vec<_> = index.iter().map(|m| m.item).collect();
                    if let Ok(contents) = mailbox.contents(&items).await {
                        for content in contents.iter().flatten() {
                            let _ = mailbox.bytes(content, 0..u64::MAX).await;
                        }
                    }
                }
                let _ = mailbox.newest(inbox, 10).await;
                let _ = mailbox.changes(inbox, penfold_types::Modseq(1)).await;
                let _ = mailbox.check(false).await;
            }
        }
        house.plant(Write::put(key, row)).await;
    }
    assert_clean(&ann).await;
}
