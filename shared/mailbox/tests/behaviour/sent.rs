//! One copy in Sent, whoever comes first.

use crate::support::*;
use penfold_mailbox::{Delivery, Delta, Event, Keywords, Mailbox, NewMessage, Place};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

async fn copy(house: &House, message: &str) -> Delivery {
    Delivery { place: Place::SentCopy, keywords: Keywords::SEEN, ..house.accepted(house.ann, message).await }
}

fn appended(message: &str) -> NewMessage {
    NewMessage { bytes: message.to_owned().into(), keywords: Keywords::SEEN, received: None }
}

/// Uid and bytes of every message in Sent.
async fn sent(ann: &Mailbox) -> Vec<(u32, String)> {
    let index = ann.index(folder(ann, "Sent").await).await.unwrap();
    let items: Vec<_> = index.iter().map(|message| message.item).collect();
    let mut out = Vec::new();
    for (message, content) in index.iter().zip(ann.contents(&items).await.unwrap()) {
        let content = content.unwrap();
        let bytes = ann.bytes(&content, content.prefix.len() as u64..content.size()).await.unwrap();
        out.push((message.uid.get(), String::from_utf8(bytes.to_vec()).unwrap()));
    }
    out
}

#[tokio::test(start_paused = true)]
async fn what_the_client_appends_takes_the_place_of_the_servers() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (ours, theirs) = (letter("<1@x.test>", "", "as it was sent"), letter("<1@x.test>", "", "as she wrote it"));
    ann.deliver(&[copy(&house, &ours).await]).await.unwrap();
    assert_eq!(sent(&ann).await, [(1, ours)]);
    let (before, into) = (ann.head().await.unwrap(), folder(&ann, "Sent").await);
    house.world.env.sleep(MINUTE * 59).await;
    let done = ann.append(folder(&ann, "Sent").await, vec![appended(&theirs)]).await.unwrap();
    assert_eq!((done.uids[0].get(), sent(&ann).await), (2, vec![(2, theirs.clone())]), "with a uid of its own");
    let after = ann.head().await.unwrap();
    assert_eq!((after.items, after.modseq), (before.items, before.modseq.next()), "in one commit");
    // Whoever synchronises sees the one go and the other come.
    let Delta::Events { events, .. } = ann.changes(into, before.modseq).await.unwrap() else { panic!("nothing is told") };
    let told: Vec<_> = events.iter().map(|(_, event)| matches!(event, Event::Added { .. })).collect();
    assert_eq!(told, [false, true], "{events:?}");
    // And then hers is hers.
    ann.append(folder(&ann, "Sent").await, vec![appended(&theirs)]).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 2);
    assert!(house.elsewhere().open(&house.scope(house.ann)).await.unwrap().check(false).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_the_client_was_first_nothing_is_saved() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let theirs = letter("<1@x.test>", "", "as she wrote it");
    ann.append(folder(&ann, "Sent").await, vec![appended(&theirs)]).await.unwrap();
    house.world.env.sleep(MINUTE * 59).await;
    let late = copy(&house, &letter("<1@x.test>", "", "as it was sent")).await;
    assert!(ann.deliver(std::slice::from_ref(&late)).await.unwrap()[0].again);
    assert_eq!(sent(&ann).await, [(1, theirs)]);
    // The job may come again much later, and then too there is nothing to save.
    house.world.env.sleep(MINUTE * 300).await;
    ann.deliver(&[late]).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_servers_copy_does_not_come_back() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let ours = copy(&house, &letter("<1@x.test>", "", "x")).await;
    ann.deliver(&[ours.clone(), ours.clone()]).await.unwrap();
    ann.deliver(std::slice::from_ref(&ours)).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 1, "a job that comes twice");
    ann.append(folder(&ann, "Sent").await, vec![appended(&letter("<1@x.test>", "", "x"))]).await.unwrap();
    ann.expunge(folder(&ann, "Sent").await, None, false).await.unwrap();
    ann.deliver(&[ours]).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 0, "what she deleted stays deleted");
}

#[tokio::test(start_paused = true)]
async fn only_the_same_message_within_the_hour_in_sent() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let of = |id: &str| letter(id, "", "x");
    ann.deliver(&[copy(&house, &of("<1@x.test>")).await, copy(&house, &of("<2@x.test>")).await]).await.unwrap();
    let into = folder(&ann, "Sent").await;
    ann.append(folder(&ann, "Drafts").await, vec![appended(&of("<1@x.test>"))]).await.unwrap();
    ann.append(into, vec![appended(&of("<3@x.test>"))]).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 3);
    // Several at once: each takes the place of its own.
    ann.append(into, vec![appended(&of("<2@x.test>")), appended(&of("<2@x.test>")), appended(&of("<4@x.test>"))]).await.unwrap();
    assert_eq!(sent(&ann).await.iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), [1, 3, 4, 5, 6]);
    house.world.env.sleep(MINUTE * 61).await;
    ann.append(into, vec![appended(&of("<1@x.test>"))]).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 6, "an hour later it is another message");
    assert!(house.elsewhere().open(&house.scope(house.ann)).await.unwrap().check(false).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn old_mail_that_is_moved_here_is_no_copy() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    ann.deliver(&[copy(&house, &letter("<1@x.test>", "", "x")).await]).await.unwrap();
    let dated = |days: i64| NewMessage {
        received: Some((house.world.env.now().seconds() - days * 86_400, 0)),
        ..appended(&letter("<1@x.test>", "", "x"))
    };
    let into = folder(&ann, "Sent").await;
    ann.append(into, vec![dated(2)]).await.unwrap();
    assert_eq!(sent(&ann).await.len(), 2);
    ann.append(into, vec![dated(0)]).await.unwrap();
    assert_eq!(sent(&ann).await.iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_thread_goes_on_with_the_copy_that_stays() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    ann.deliver(&[copy(&house, &letter("<1@x.test>", "", "x")).await]).await.unwrap();
    ann.append(folder(&ann, "Sent").await, vec![appended(&letter("<1@x.test>", "", "x"))]).await.unwrap();
    let answer = house.accepted(house.ann, &letter("<2@y.test>", "<1@x.test>", "Re: x")).await;
    let item = ann.deliver(&[answer]).await.unwrap()[0].item;
    let index = ann.index(folder(&ann, "Sent").await).await.unwrap();
    let items = [item, index.iter().next().unwrap().item];
    let threads: Vec<_> = ann.contents(&items).await.unwrap().into_iter().map(|content| content.unwrap().thread).collect();
    assert_eq!(threads[0], threads[1]);
}
