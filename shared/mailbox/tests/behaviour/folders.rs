use crate::support::*;
use penfold_mailbox::{Place, Role};
use penfold_ports::{Rights, Scope, Sk};
use penfold_types::{FolderId, Kind, UidValidity};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test(start_paused = true)]
async fn missing_levels_are_made_and_names_are_checked() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let deep = ann.create_folder("Projects/2026/Moon", None).await.unwrap();
    let folders = ann.folders().await.unwrap();
    assert_eq!(folders.path(deep), Some("Projects/2026/Moon"));
    assert!(folders.has_children(folders.find("Projects").unwrap().id));
    assert!(folders.find("projects").is_none(), "only INBOX has no case");
    assert_eq!(folders.find("inBOX").unwrap().role, Some(Role::Inbox));
    assert_eq!(kind(ann.create_folder("Projects", None).await), Kind::Conflict);
    assert_eq!(kind(ann.create_folder("inbox", None).await), Kind::Conflict);
    for bad in ["", "/", "a//b", "/a", "a/", "a\nb", &"x".repeat(256), "\u{7f}"] {
        assert_eq!(kind(ann.create_folder(bad, None).await), Kind::Invalid, "{bad:?}");
    }
    assert_eq!(kind(ann.create_folder(&vec!["x"; 33].join("/"), None).await), Kind::Limit);
    let below = ann.create_folder("inbox/Lists", None).await.unwrap();
    assert_eq!(ann.folders().await.unwrap().path(below), Some("INBOX/Lists"));
    ann.create_folder("Entwürfe 📬", None).await.unwrap();
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_role_is_given_once() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    assert_eq!(kind(ann.create_folder("Bin", Some(Role::Trash)).await), Kind::Conflict);
    let sent = folder(&ann, "Sent").await;
    ann.rename_folder(sent, "Gesendet").await.unwrap();
    assert_eq!(ann.folders().await.unwrap().with_role(Role::Sent).unwrap().name, "Gesendet");
}

#[tokio::test(start_paused = true)]
async fn a_rename_takes_the_folders_below_along() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let leaf = ann.create_folder("A/B/C", None).await.unwrap();
    let top = folder(&ann, "A").await;
    fill(&ann, leaf, 2).await;
    let before = ann.folder(leaf).await.unwrap();
    ann.rename_folder(top, "X/Y").await.unwrap();
    assert_eq!(ann.folders().await.unwrap().path(leaf), Some("X/Y/B/C"));
    assert_eq!(ann.folder(leaf).await.unwrap(), before, "uidvalidity and everything else stay");
    assert_eq!(kind(ann.rename_folder(top, "X/Y/B/Z").await), Kind::Invalid);
    assert_eq!(kind(ann.rename_folder(top, "Sent").await), Kind::Conflict);
    assert_eq!(kind(ann.rename_folder(folder(&ann, "INBOX").await, "Old").await), Kind::Denied);
    ann.rename_folder(top, "X/Y").await.unwrap();
    // Back to the top level.
    ann.rename_folder(top, "A").await.unwrap();
    assert_eq!(ann.folders().await.unwrap().path(leaf), Some("A/B/C"));
    assert_eq!(house.elsewhere().open(&house.scope(house.ann)).await.unwrap().folders().await.unwrap().path(leaf), Some("A/B/C"));
    assert_clean(&ann).await;
}

/// INBOX has no case, so below it a path can be written in two ways.
#[tokio::test(start_paused = true)]
async fn a_folder_cannot_go_below_itself_by_inbox_in_another_case() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let below = ann.create_folder("INBOX/A", None).await.unwrap();
    assert_eq!(kind(ann.rename_folder(below, "inbox/A/B").await), Kind::Invalid);
    assert_eq!(ann.folders().await.unwrap().path(below), Some("INBOX/A"));
}

#[tokio::test(start_paused = true)]
async fn neighbours_with_a_common_beginning_do_not_count_as_depth() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let a = ann.create_folder("A", None).await.unwrap();
    ann.create_folder(&["AB"].into_iter().chain(vec!["x"; 15]).collect::<Vec<_>>().join("/"), None).await.unwrap();
    let deep = vec!["y"; 16].join("/");
    ann.create_folder(&deep, None).await.unwrap();
    ann.rename_folder(a, &format!("{deep}/{}", ["z"; 10].join("/"))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn role_folders_and_folders_with_children_are_not_deleted() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    for role in Role::MAIL {
        let id = ann.folders().await.unwrap().with_role(role).unwrap().id;
        assert_eq!(kind(ann.delete_folder(id).await), Kind::Denied);
    }
    ann.create_folder("A/B", None).await.unwrap();
    assert_eq!(kind(ann.delete_folder(folder(&ann, "A").await).await), Kind::Conflict);
    assert_eq!(kind(ann.delete_folder(FolderId::from_bytes([3; 16])).await), Kind::NotFound);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_folder_takes_its_messages_along() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 1).await;
    let used = ann.usage().await.unwrap().0;
    let doomed = ann.create_folder("Doomed", None).await.unwrap();
    fill(&ann, doomed, 150).await;
    ann.delete_folder(doomed).await.unwrap();
    assert_eq!(kind(ann.index(doomed).await), Kind::NotFound);
    assert_eq!(kind(ann.append(doomed, new_messages(1)).await), Kind::NotFound);
    assert_eq!(ann.usage().await.unwrap().0, used);
    assert_eq!(ann.head().await.unwrap().items, 1);
    assert!(matches!(ann.changes(doomed, penfold_types::Modseq(0)).await.unwrap(), penfold_mailbox::Delta::Gone));
    assert_clean(&ann).await;
}

/// What deleted it was stopped half-way; two processes go on at once.
#[tokio::test(start_paused = true)]
async fn an_interrupted_deletion_is_finished_once() {
    let house = house().await;
    let (one, two) = (house.open(house.ann).await, house.elsewhere().open(&house.scope(house.ann)).await.unwrap());
    fill(&one, folder(&one, "INBOX").await, 1).await;
    let used = one.usage().await.unwrap().0;
    let doomed = one.create_folder("Doomed", None).await.unwrap();
    fill(&one, doomed, 300).await;
    let mut deleting = Box::pin(one.delete_folder(doomed));
    // It disappears with one commit; then the future is dropped, somewhere on its way.
    while two.folders().await.unwrap().get(doomed).is_some() {
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1), &mut deleting).await;
    }
    drop(deleting);
    assert!(one.head().await.unwrap().items > 1, "it was not stopped half-way");
    let (first, second) = tokio::join!(one.finish_deletions(), two.finish_deletions());
    first.and(second).unwrap();
    assert_eq!((one.head().await.unwrap().items, one.usage().await.unwrap().0), (1, used));
    let left = house.world.table.query_all(penfold_ports::Query::prefix(one.scope().pk().clone(), &Sk::all_emptying())).await.unwrap();
    assert_eq!(left, []);
    assert_clean(&one).await;
}

#[tokio::test(start_paused = true)]
async fn a_remade_name_never_has_a_uidvalidity_again() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let mut seen: BTreeSet<UidValidity> = one.folders().await.unwrap().iter().map(|(_, f)| f.uidvalidity).collect();
    // All within a second, by two processes.
    for round in 0..12 {
        let mailbox = if round % 2 == 0 { &one } else { &two };
        mailbox.folders().await.unwrap();
        let id = mailbox.create_folder("Again", None).await.unwrap();
        let validity = mailbox.folder(id).await.unwrap().uidvalidity;
        assert!(seen.insert(validity) && validity.get() > 0, "{validity} came back");
        mailbox.delete_folder(id).await.unwrap();
    }
    assert_clean(&one).await;
}

/// What is refused is refused by what is there now, not by what this process saw last.
#[tokio::test(start_paused = true)]
async fn another_process_has_deleted_or_made_the_folder() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let a = one.create_folder("A", None).await.unwrap();
    two.folders().await.unwrap();
    one.delete_folder(a).await.unwrap();
    let again = two.create_folder("A", None).await.map_err(|e| e.to_string());
    assert!(again.is_ok(), "deleted by another process: {again:?}");
    assert_eq!(one.subscribe(again.clone().unwrap(), false).await.map_err(|e| e.to_string()), Ok(()), "made by another process");
    let b = two.create_folder("B", None).await.unwrap();
    assert_eq!(one.delete_folder(b).await.map_err(|e| e.to_string()), Ok(()), "made by another process");
}

#[tokio::test(start_paused = true)]
async fn racing_makers_of_one_name_make_one() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let (a, b) = tokio::join!(one.create_folder("Team/A", None), two.create_folder("Team/A", None));
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    assert_eq!(one.folders().await.unwrap().iter().filter(|(path, _)| path.starts_with("Team")).count(), 2);
    assert_clean(&one).await;
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_kept() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let junk = folder(&ann, "Junk").await;
    let before = ann.head().await.unwrap().modseq;
    ann.subscribe(junk, true).await.unwrap();
    assert_eq!(ann.head().await.unwrap().modseq, before, "it is subscribed already");
    ann.subscribe(junk, false).await.unwrap();
    let fresh = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert!(!fresh.folder(junk).await.unwrap().subscribed);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_viewer_subscribes_for_himself() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let scope = Scope::grant(house.ann, house.bob.principal, Rights::MEMBER);
    let bob = house.mailboxes.open(&scope).await.unwrap();
    let junk = folder(&ann, "Junk").await;
    let before = ann.head().await.unwrap();
    bob.subscribe(junk, false).await.unwrap();
    assert!(ann.folder(junk).await.unwrap().subscribed, "the owner's own stays");
    assert_eq!(bob.own_subscriptions().await.unwrap(), BTreeMap::from([(junk, false)]));
    assert_eq!(ann.own_subscriptions().await.unwrap(), BTreeMap::new());
    assert!(ann.head().await.unwrap().tree > before.tree, "protocols that follow the log notice");
    let own = bob.create_folder("Own", None).await.unwrap();
    bob.subscribe(own, true).await.unwrap();
    bob.delete_folder(own).await.unwrap();
    assert_eq!(bob.own_subscriptions().await.unwrap(), BTreeMap::from([(junk, false)]), "it went with the folder");
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn mail_for_a_folder_that_is_being_deleted_is_in_no_limbo() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    let doomed = one.create_folder("Doomed", None).await.unwrap();
    fill(&one, doomed, 100).await;
    two.folders().await.unwrap();
    let mut late = house.accepted(house.ann, &mail(500)).await;
    late.place = Place::Folder(doomed);
    let late = [late];
    let (gone, delivered) = tokio::join!(one.delete_folder(doomed), two.deliver(&late));
    gone.unwrap();
    delivered.unwrap();
    assert_clean(&one).await;
}

/// Whoever empties a deleted folder: the one who deleted it, and the checker that found it half empty.
#[tokio::test(start_paused = true)]
async fn two_who_empty_a_deleted_folder_take_each_message_out_once() {
    let house = house().await;
    let elsewhere = house.elsewhere();
    let (one, two) = (house.open(house.ann).await, elsewhere.open(&house.scope(house.ann)).await.unwrap());
    fill(&one, folder(&one, "INBOX").await, 200).await;
    let doomed = one.create_folder("Doomed", None).await.unwrap();
    fill(&one, doomed, 150).await;
    let (gone, _) = tokio::join!(one.delete_folder(doomed), async {
        house.world.env.sleep(std::time::Duration::from_millis(15)).await;
        let _ = two.check(true).await;
    });
    gone.unwrap();
    assert_eq!(one.head().await.unwrap().items, 200);
}
