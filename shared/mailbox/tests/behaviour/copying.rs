use crate::support::*;
use penfold_mailbox::Keywords;
use penfold_types::{Kind, Uid};

#[tokio::test(start_paused = true)]
async fn a_copy_keeps_date_keywords_and_bytes_and_is_an_item_of_its_own() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, archive) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await);
    let mut new = new_messages(3);
    new[1].keywords = keywords(&["\\Seen", "Work"]);
    new[1].received = Some((1_000_000_000, 120));
    ann.append(inbox, new).await.unwrap();
    let copied = ann.copy(inbox, &uids([2, 3, 9]), &ann, archive).await.unwrap();
    assert_eq!(copied.pairs, [(Uid(2), Uid(1)), (Uid(3), Uid(2))]);
    assert_eq!(copied.uidvalidity, ann.folder(archive).await.unwrap().uidvalidity);
    let (from, to) = (ann.index(inbox).await.unwrap(), ann.index(archive).await.unwrap());
    let (old, copy) = (from.get(Uid(2)).unwrap(), to.get(Uid(1)).unwrap());
    assert_ne!(old.item, copy.item);
    assert_eq!((old.keywords, old.received, old.zone, old.size), (copy.keywords, copy.received, copy.zone, copy.size));
    let contents = ann.contents(&[old.item, copy.item]).await.unwrap();
    let [old, copy] = [contents[0].as_ref().unwrap(), contents[1].as_ref().unwrap()];
    assert_eq!((old.blob, old.thread, &old.summary), (copy.blob, copy.thread, &copy.summary));
    assert_eq!(ann.bytes(copy, 0..u64::MAX).await.unwrap(), mail(1));
    assert_eq!(subjects(&ann.newest(archive, 9).await.unwrap()).len(), 2);
    assert_eq!((counts(&ann, inbox).await, counts(&ann, archive).await), ((3, 2, 0, 4), (2, 1, 0, 3)));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_move_keeps_the_item_and_frees_no_uid() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, archive) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await);
    fill(&ann, inbox, 4).await;
    let before = ann.index(inbox).await.unwrap();
    let moved = ann.move_items(inbox, &uids([2, 4]), &ann, archive).await.unwrap();
    assert_eq!(moved.pairs, [(Uid(2), Uid(1)), (Uid(4), Uid(2))]);
    let after = ann.index(archive).await.unwrap();
    assert_eq!(before.get(Uid(4)).unwrap().item, after.get(Uid(2)).unwrap().item);
    assert_eq!(after.get(Uid(2)).unwrap().created, before.get(Uid(4)).unwrap().created);
    assert_eq!(listed(&ann, inbox).await, [1, 3]);
    // What comes next gets the next uid, not the one that became free.
    fill(&ann, inbox, 1).await;
    assert_eq!(listed(&ann, inbox).await, [1, 3, 5]);
    assert_clean(&ann).await;
}

/// RFC 6851 §3.3: a move to the same folder gives new uids.
#[tokio::test(start_paused = true)]
async fn a_move_inside_its_own_folder_gives_new_uids() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 3).await;
    let moved = ann.move_items(inbox, &uids([1, 2]), &ann, inbox).await.unwrap();
    assert_eq!(moved.pairs, [(Uid(1), Uid(4)), (Uid(2), Uid(5))]);
    assert_eq!(listed(&ann, inbox).await, [3, 4, 5]);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_inside_its_own_folder_doubles() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 40).await;
    let copied = ann.copy(inbox, &uids(1..=40), &ann, inbox).await.unwrap();
    assert_eq!(copied.pairs.len(), 40);
    assert_eq!(listed(&ann, inbox).await, (1..=80).collect::<Vec<_>>());
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn large_operations_go_in_chunks_and_miss_nothing() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, archive, trash) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await, folder(&ann, "Trash").await);
    fill(&ann, inbox, 700).await;
    let copied = ann.copy(inbox, &uids(1..=700), &ann, archive).await.unwrap();
    assert_eq!(copied.pairs, (1..=700).map(|n| (Uid(n), Uid(n))).collect::<Vec<_>>());
    let moved = ann.move_items(archive, &uids(1..=699), &ann, trash).await.unwrap();
    assert_eq!(moved.pairs, (1..=699).map(|n| (Uid(n), Uid(n))).collect::<Vec<_>>());
    assert_eq!(ann.expunge(inbox, Some(&uids(2..=700)), false).await.unwrap().len(), 699);
    assert_eq!((listed(&ann, inbox).await, listed(&ann, archive).await), (vec![1], vec![700]));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn between_accounts_of_one_tenant() {
    let house = house().await;
    let (ann, bob) = (house.open(house.ann).await, house.open(house.bob).await);
    let (inbox, theirs) = (folder(&ann, "INBOX").await, folder(&bob, "INBOX").await);
    fill(&ann, inbox, 70).await;
    fill(&bob, theirs, 1).await;
    let copied = ann.copy(inbox, &uids(1..=60), &bob, theirs).await.unwrap();
    assert_eq!(copied.pairs, (1..=60).map(|n| (Uid(n), Uid(n + 1))).collect::<Vec<_>>());
    let moved = ann.move_items(inbox, &uids([61, 62]), &bob, theirs).await.unwrap();
    assert_eq!(moved.pairs, [(Uid(61), Uid(62)), (Uid(62), Uid(63))]);
    assert_eq!(ann.index(inbox).await.unwrap().len(), 68);
    // The blob is shared; the source may go.
    ann.expunge(inbox, None, false).await.unwrap();
    let item = bob.index(theirs).await.unwrap().get(Uid(2)).unwrap().item;
    let content = bob.contents(&[item]).await.unwrap().remove(0).unwrap();
    assert_eq!(bob.bytes(&content, 0..u64::MAX).await.unwrap(), mail(0));
    assert_clean(&ann).await;
    assert_clean(&bob).await;
}

#[tokio::test(start_paused = true)]
async fn never_between_tenants() {
    let house = house().await;
    let (ann, zoe) = (house.open(house.ann).await, house.open(house.zoe).await);
    let (inbox, theirs) = (folder(&ann, "INBOX").await, folder(&zoe, "INBOX").await);
    fill(&ann, inbox, 1).await;
    assert_eq!(kind(ann.copy(inbox, &uids([1]), &zoe, theirs).await), Kind::Denied);
    assert_eq!(kind(ann.move_items(inbox, &uids([1]), &zoe, theirs).await), Kind::Denied);
    assert_eq!(listed(&ann, inbox).await, [1]);
    assert!(listed(&zoe, theirs).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn to_a_folder_that_is_not_there_nothing_happens() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 2).await;
    let nowhere = penfold_types::FolderId::from_bytes([9; 16]);
    assert_eq!(kind(ann.copy(inbox, &uids([1]), &ann, nowhere).await), Kind::NotFound);
    assert_eq!(kind(ann.move_items(inbox, &uids([1]), &ann, nowhere).await), Kind::NotFound);
    assert_eq!(kind(ann.copy(nowhere, &uids([1]), &ann, inbox).await), Kind::NotFound);
    assert!(ann.copy(inbox, &uids([]), &ann, inbox).await.unwrap().pairs.is_empty());
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn two_who_move_the_same_messages_move_each_once() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let (inbox, archive, trash) = (folder(&one, "INBOX").await, folder(&one, "Archive").await, folder(&one, "Trash").await);
    fill(&one, inbox, 200).await;
    let all = uids(1..=200);
    let (a, b) = tokio::join!(one.move_items(inbox, &all, &one, archive), two.move_items(inbox, &all, &two, trash));
    let (a, b) = (a.unwrap(), b.unwrap());
    let mut moved: Vec<u32> = a.pairs.iter().chain(&b.pairs).map(|(uid, _)| uid.get()).collect();
    moved.sort_unstable();
    assert_eq!(moved, (1..=200).collect::<Vec<_>>(), "each uid is told to exactly one of them");
    assert!(listed(&two, inbox).await.is_empty());
    assert_eq!(one.index(archive).await.unwrap().len() as usize, a.pairs.len());
    assert_eq!(one.index(trash).await.unwrap().len() as usize, b.pairs.len());
    assert_clean(&one).await;
}

#[tokio::test(start_paused = true)]
async fn an_expunge_takes_what_is_marked_or_what_is_named() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 6).await;
    ann.store(inbox, &uids([2, 3, 5]), penfold_mailbox::Store::Add, &Keywords::DELETED, None).await.unwrap();
    assert_eq!(counts(&ann, inbox).await, (6, 6, 3, 7));
    assert_eq!(numbers(&ann.expunge(inbox, Some(&uids([1, 2])), true).await.unwrap()), [2]);
    assert_eq!(numbers(&ann.expunge(inbox, None, true).await.unwrap()), [3, 5]);
    assert_eq!(numbers(&ann.expunge(inbox, Some(&uids([4, 77])), false).await.unwrap()), [4]);
    assert_eq!(listed(&ann, inbox).await, [1, 6]);
    assert_eq!(counts(&ann, inbox).await, (2, 2, 0, 7));
    assert_eq!(ann.usage().await.unwrap().0, (mail(0).len() * 2) as u64);
    assert_clean(&ann).await;
}
