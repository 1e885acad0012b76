use crate::support::*;
use penfold_mailbox::{Keywords, Store};
use penfold_types::{Kind, Modseq};

#[tokio::test(start_paused = true)]
async fn set_add_and_remove_and_the_counts_that_follow() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 4).await;
    let stored = ann.store(inbox, &uids([1, 2, 9]), Store::Add, &keywords(&["\\Seen", "Work"]), None).await.unwrap();
    assert_eq!(stored.now.iter().map(|(uid, k, _)| (uid.get(), k.iter().count())).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
    assert_eq!(counts(&ann, inbox).await, (4, 2, 0, 5));
    ann.store(inbox, &uids([2]), Store::Remove, &keywords(&["WORK", "Other"]), None).await.unwrap();
    ann.store(inbox, &uids([1]), Store::Set, &Keywords::DELETED, None).await.unwrap();
    let index = ann.index(inbox).await.unwrap();
    let names = |uid| index.get(penfold_types::Uid(uid)).unwrap().keywords.iter().collect::<Vec<_>>();
    assert_eq!((names(1), names(2), names(3)), (vec!["\\Deleted"], vec!["\\Seen"], vec![]));
    assert_eq!(counts(&ann, inbox).await, (4, 3, 1, 5));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn modseqs_rise_with_each_change_and_not_without_one() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 3).await;
    let start = ann.folder(inbox).await.unwrap().modseq;
    let first = ann.store(inbox, &uids([1]), Store::Add, &Keywords::SEEN, None).await.unwrap().now[0].2;
    assert!(first > start);
    let again = ann.store(inbox, &uids([1]), Store::Add, &Keywords::SEEN, None).await.unwrap();
    assert_eq!(again.now, [(penfold_types::Uid(1), Keywords::SEEN, first)], "nothing changed, so no new modseq");
    assert_eq!(ann.folder(inbox).await.unwrap().modseq, first);
    // HIGHESTMODSEQ is the folder's own, and rises with expunges too (RFC 7162 §3.1.2.1).
    ann.create_folder("Elsewhere", None).await.unwrap();
    assert_eq!(ann.folder(inbox).await.unwrap().modseq, first);
    ann.expunge(inbox, Some(&uids([3])), false).await.unwrap();
    assert!(ann.folder(inbox).await.unwrap().modseq > first);
    assert_eq!(ann.folder(inbox).await.unwrap().modseq, ann.head().await.unwrap().modseq);
    assert_clean(&ann).await;
}

/// RFC 7162 §3.1.3.
#[tokio::test(start_paused = true)]
async fn unchangedsince_holds_back_what_changed_later() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 3).await;
    let before = ann.head().await.unwrap().modseq;
    ann.store(inbox, &uids([2]), Store::Add, &Keywords::FLAGGED, None).await.unwrap();
    let stored = ann.store(inbox, &uids([1, 2, 3]), Store::Add, &Keywords::SEEN, Some(before)).await.unwrap();
    assert_eq!(stored.now.iter().map(|(uid, ..)| uid.get()).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(stored.modified, uids([2]));
    let stored = ann.store(inbox, &uids([1, 2, 3]), Store::Add, &Keywords::ANSWERED, Some(Modseq(0))).await.unwrap();
    assert_eq!((stored.now.len(), stored.modified), (0, uids([1, 2, 3])));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_conditional_stores_one_wins() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let inbox = folder(&one, "INBOX").await;
    fill(&one, inbox, 150).await;
    let since = Some(one.head().await.unwrap().modseq);
    let all = uids(1..=150);
    let (keyword_a, keyword_b) = (keywords(&["A"]), keywords(&["B"]));
    let (a, b) = tokio::join!(one.store(inbox, &all, Store::Add, &keyword_a, since), two.store(inbox, &all, Store::Add, &keyword_b, since));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.now.len() + a.modified.len() as usize, 150);
    assert_eq!(b.now.len() + b.modified.len() as usize, 150);
    let index = one.index(inbox).await.unwrap();
    for message in index.iter() {
        let won = (a.now.iter().any(|(uid, ..)| *uid == message.uid), b.now.iter().any(|(uid, ..)| *uid == message.uid));
        assert_ne!(won.0, won.1, "uid {}", message.uid);
        assert_eq!((message.keywords.contains("A"), message.keywords.contains("B")), won);
    }
    assert_clean(&one).await;
}

/// A store that finds nothing to do must have looked at what is there now, not at what this process last saw.
#[tokio::test(start_paused = true)]
async fn a_store_that_changes_nothing_is_judged_by_the_head() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let inbox = folder(&one, "INBOX").await;
    fill(&one, inbox, 1).await;
    one.store(inbox, &uids([1]), Store::Add, &Keywords::SEEN, None).await.unwrap();
    two.store(inbox, &uids([1]), Store::Remove, &Keywords::SEEN, None).await.unwrap();
    let told = one.store(inbox, &uids([1]), Store::Add, &Keywords::SEEN, None).await.unwrap();
    assert_eq!(told.now[0].1, Keywords::SEEN);
    assert_eq!(counts(&two, inbox).await, (1, 0, 0, 2), "the answer was \\Seen, so it is \\Seen");
}

/// A commit's change row is bounded; many messages with many long keywords are just more commits.
#[tokio::test(start_paused = true)]
async fn messages_with_many_long_keywords_can_still_be_stored_moved_and_expunged() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, archive) = (folder(&ann, "INBOX").await, folder(&ann, "Archive").await);
    let names: Vec<String> = (0..Keywords::CUSTOM_LIMIT).map(|n| format!("k{n:099}")).collect();
    let many = Keywords::parse(names.iter().map(String::as_str)).unwrap();
    for _ in 0..12 {
        let messages = new_messages(8).into_iter().map(|m| penfold_mailbox::NewMessage { keywords: many.clone(), ..m }).collect();
        ann.append(inbox, messages).await.unwrap();
    }
    let all = uids(1..=96);
    assert_eq!(ann.store(inbox, &all, Store::Add, &Keywords::SEEN, None).await.map(|s| s.now.len()).map_err(|e| e.to_string()), Ok(96));
    assert_eq!(ann.move_items(inbox, &all, &ann, archive).await.map(|m| m.pairs.len()).map_err(|e| e.to_string()), Ok(96));
    assert_eq!(ann.expunge(archive, None, false).await.map(|u| u.len()).map_err(|e| e.to_string()), Ok(96));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_keywords_are_refused() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 1).await;
    let some = |from: usize| {
        let names: Vec<String> = (from..from + 60).map(|n| format!("k{n}")).collect();
        Keywords::parse(names.iter().map(String::as_str)).unwrap()
    };
    ann.store(inbox, &uids([1]), Store::Add, &some(0), None).await.unwrap();
    assert_eq!(kind(ann.store(inbox, &uids([1]), Store::Add, &some(60), None).await), Kind::Limit);
    assert_clean(&ann).await;
}
