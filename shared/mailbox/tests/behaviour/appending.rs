use crate::support::*;
use bytes::Bytes;
use penfold_mailbox::{APPEND_LIMIT, Keywords, NewMessage};
use penfold_types::{ItemId, Kind, Uid};

#[tokio::test(start_paused = true)]
async fn messages_come_with_keywords_and_their_own_date() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let drafts = folder(&ann, "Drafts").await;
    let dates = [None, Some((-5_000_000_000, -330)), Some((253_402_300_799, 14 * 60)), Some((1_000_000_000, 0))];
    let new: Vec<_> = dates
        .iter()
        .enumerate()
        .map(|(at, date)| NewMessage { bytes: mail(at).into(), keywords: keywords(&["\\Seen", "$Label1"]), received: *date })
        .collect();
    let appended = ann.append(drafts, new).await.unwrap();
    assert_eq!(numbers(&appended.uids), [1, 2, 3, 4]);
    let index = ann.index(drafts).await.unwrap();
    for (uid, date) in appended.uids.iter().zip(dates) {
        let message = index.get(*uid).unwrap();
        assert_eq!((message.received, message.zone), date.unwrap_or((message.received, 0)));
        assert_eq!(message.keywords, &keywords(&["\\Seen", "$Label1"]));
        assert_eq!(message.modseq, appended.modseq);
        let content = ann.contents(&[message.item]).await.unwrap().remove(0).unwrap();
        assert_eq!(ann.bytes(&content, 0..u64::MAX).await.unwrap().len() as u64, content.size());
    }
    assert_eq!(ann.folder(drafts).await.unwrap().uidvalidity, appended.uidvalidity);
    assert_eq!(counts(&ann, drafts).await, (4, 0, 0, 5));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn as_many_as_a_commit_holds_and_no_more() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    assert_eq!(ann.append(inbox, new_messages(APPEND_LIMIT)).await.unwrap().uids.len(), APPEND_LIMIT);
    assert_eq!(kind(ann.append(inbox, new_messages(APPEND_LIMIT + 1)).await), Kind::Limit);
    assert_eq!(kind(ann.append(penfold_types::FolderId::from_bytes([7; 16]), new_messages(1)).await), Kind::NotFound);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn appending_nothing_is_no_change() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let before = ann.head().await.unwrap();
    assert!(ann.append(inbox, Vec::new()).await.unwrap().uids.is_empty());
    assert_eq!(ann.head().await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn an_empty_message_and_a_large_one_come_back_byte_for_byte() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    // Larger than what is read in one request, and not to be compressed.
    let noise: Vec<u8> = (0u32..400_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let large = Bytes::from([b"Subject: large\r\n\r\n".as_slice(), &noise].concat());
    for bytes in [Bytes::new(), Bytes::from_static(b"\0\r\n\n\r"), large] {
        let new = NewMessage { bytes: bytes.clone(), keywords: Keywords::NONE, received: None };
        let uid = ann.append(inbox, vec![new]).await.unwrap().uids[0];
        let item = ann.index(inbox).await.unwrap().get(uid).unwrap().item;
        let content = ann.contents(&[item]).await.unwrap().remove(0).unwrap();
        let len = bytes.len() as u64;
        assert_eq!(ann.bytes(&content, 0..u64::MAX).await.unwrap(), bytes);
        for (from, to) in [(0, 1), (65_535, 65_537), (131_072, 131_073), (300_000, 300_100), (len.saturating_sub(1), len), (5, 2)] {
            let wanted = bytes.slice((from.min(len) as usize)..(to.min(len).max(from.min(len)) as usize));
            assert_eq!(ann.bytes(&content, from..to).await.unwrap(), wanted, "{from}..{to} of {len}");
        }
    }
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn the_quota_holds_for_appends_and_copies_and_never_for_deliveries() {
    let size = mail(0).len() as u64;
    let house = house_with_quota(Some(size * 2 + size / 2)).await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    ann.append(inbox, new_messages(2)).await.unwrap();
    let one = house.accepted(house.ann, &mail(9)).await;
    assert_eq!(kind(ann.append(inbox, new_messages(1)).await), Kind::Limit);
    assert_eq!(kind(ann.copy(inbox, &uids([1]), &ann, folder(&ann, "Archive").await).await), Kind::Limit);
    // A move inside the account takes no more room.
    ann.move_items(inbox, &uids([1]), &ann, folder(&ann, "Archive").await).await.unwrap();
    ann.deliver(&[one]).await.unwrap();
    let (used, quota) = ann.usage().await.unwrap();
    assert!(used > quota);
    ann.expunge(inbox, None, false).await.unwrap();
    ann.append(inbox, new_messages(1)).await.unwrap();
    assert_clean(&ann).await;
}

/// "In the commit of APPEND": two at once do not both fit where only one does.
#[tokio::test(start_paused = true)]
async fn racing_appends_do_not_pass_the_quota_together() {
    let size = mail(0).len() as u64;
    let house = house_with_quota(Some(size * 2)).await;
    let elsewhere = house.elsewhere();
    let scope = house.scope(house.ann);
    let (one, two, other) = (house.open(house.ann).await, house.open(house.ann).await, elsewhere.open(&scope).await.unwrap());
    let inbox = folder(&one, "INBOX").await;
    let _ = tokio::join!(one.append(inbox, new_messages(1)), two.append(inbox, new_messages(1)), other.append(inbox, new_messages(1)));
    let (used, quota) = one.usage().await.unwrap();
    assert!(used <= quota, "{used} bytes of {quota}");
    assert_clean(&one).await;
}

#[tokio::test(start_paused = true)]
async fn threads_follow_references_and_are_never_merged() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let thread = async |text: String| -> ItemId {
        let new = NewMessage { bytes: text.into(), keywords: Keywords::NONE, received: None };
        let uid = ann.append(inbox, vec![new]).await.unwrap().uids[0];
        let item = ann.index(inbox).await.unwrap().get(uid).unwrap().item;
        ann.contents(&[item]).await.unwrap()[0].as_ref().unwrap().thread
    };
    let root = thread(letter("<a@x>", "", "Plan")).await;
    let other = thread(letter("<z@x>", "", "Other")).await;
    assert_ne!(root, other);
    assert_eq!(thread(letter("<b@x>", "<a@x>", "Re: Plan")).await, root);
    assert_eq!(thread(letter("<c@x>", "<a@x> <b@x>", "Re: Plan")).await, root);
    // Nearest first; what it does not know is passed over.
    assert_eq!(thread(letter("<d@x>", "<z@x> <c@x> <unknown@x>", "Re: Plan")).await, root);
    // An answer to what never came names its own thread, and later ones find it.
    let orphan = thread(letter("<e@x>", "<gone@x>", "Re: Gone")).await;
    assert_eq!(thread(letter("<f@x>", "<e@x>", "Re: Re: Gone")).await, orphan);
    // The root that comes late does not pull them over.
    assert_ne!(thread(letter("<gone@x>", "", "Gone")).await, orphan);
    // The same message a second time is of the same thread.
    assert_eq!(thread(letter("<a@x>", "", "Plan")).await, root);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_thread_inside_one_append_is_one() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let new = |text: String| NewMessage { bytes: text.into(), keywords: Keywords::NONE, received: None };
    let messages = vec![new(letter("<a@x>", "", "Plan")), new(letter("<b@x>", "<a@x>", "Re: Plan")), new(letter("<a@x>", "", "Plan"))];
    ann.append(inbox, messages).await.unwrap();
    let items: Vec<_> = ann.index(inbox).await.unwrap().iter().map(|m| m.item).collect();
    let threads: std::collections::BTreeSet<_> = ann.contents(&items).await.unwrap().iter().map(|c| c.as_ref().unwrap().thread).collect();
    assert_eq!(threads.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn racing_copies_of_one_message_id_end_in_one_thread() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let scope = house.scope(house.ann);
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&scope).await.unwrap());
    let inbox = folder(&one, "INBOX").await;
    let new = || vec![NewMessage { bytes: letter("<a@x>", "", "Plan").into(), keywords: Keywords::NONE, received: None }];
    let (a, b) = tokio::join!(one.append(inbox, new()), two.append(inbox, new()));
    let uids = [a.unwrap().uids[0], b.unwrap().uids[0]];
    let index = one.index(inbox).await.unwrap();
    let items = uids.map(|uid: Uid| index.get(uid).unwrap().item);
    let contents = one.contents(&items).await.unwrap();
    assert_eq!(contents[0].as_ref().unwrap().thread, contents[1].as_ref().unwrap().thread);
}

#[tokio::test(start_paused = true)]
async fn the_newest_come_in_one_query_with_what_a_list_shows() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    for number in 0..5 {
        house.world.env.sleep(std::time::Duration::from_secs(1)).await;
        ann.append(inbox, vec![new_message(number)]).await.unwrap();
    }
    let newest = ann.newest(inbox, 3).await.unwrap();
    assert_eq!(subjects(&newest), ["Number 4", "Number 3", "Number 2"]);
    assert_eq!((newest[0].1.from.as_str(), newest[0].1.preview.as_str()), ("Sender", "Hello."));
}
