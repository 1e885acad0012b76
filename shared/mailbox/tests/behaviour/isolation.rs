use crate::support::*;
use penfold_ports::{Scope, Sk, Write};
use penfold_types::Kind;

#[tokio::test(start_paused = true)]
async fn every_row_and_blob_begins_with_its_tenant() {
    let house = house().await;
    let (ann, zoe) = (house.open(house.ann).await, house.open(house.zoe).await);
    fill(&ann, folder(&ann, "INBOX").await, 3).await;
    fill(&zoe, folder(&zoe, "INBOX").await, 3).await;
    assert!(ann.scope().pk().as_str().contains(&house.ann.tenant.to_string()));
    assert_eq!(ann.scope().pk().tenant(), Some(house.ann.tenant));
    for blob in house.world.blobs.list(house.zoe.tenant, None).await.unwrap() {
        assert_eq!(blob.tenant(), Some(house.zoe.tenant));
    }
    assert_eq!(house.world.blobs.list(house.zoe.tenant, None).await.unwrap().len(), 3);
}

/// Even where rows and blobs were put under another tenant's names, they do not open there.
#[tokio::test(start_paused = true)]
async fn what_one_tenant_sealed_does_not_open_for_another() {
    let house = house().await;
    let (ann, zoe) = (house.open(house.ann).await, house.open(house.zoe).await);
    let (inbox, theirs) = (folder(&ann, "INBOX").await, folder(&zoe, "INBOX").await);
    fill(&ann, inbox, 1).await;
    let item = ann.index(inbox).await.unwrap().iter().next().unwrap().item;
    let content = ann.contents(&[item]).await.unwrap().remove(0).unwrap();
    // Ann's content, state and blob, as if a mistake had copied them.
    for (from, to) in [(Sk::content(item), Sk::content(item)), (Sk::state(inbox, item), Sk::state(theirs, item))] {
        let row = house.row(&ann.scope().key(from)).await.unwrap();
        house.plant(Write::put(zoe.scope().key(to), row)).await;
    }
    let sealed = house.world.blobs.get(&ann.scope().blob(content.blob.acceptance)).await.unwrap();
    house.world.blobs.put(&zoe.scope().blob(content.blob.acceptance), vec![sealed]).await.unwrap();
    house.plant(Write::put(zoe.scope().key(Sk::text("zz")), penfold_ports::Row::new().with("a", 1u64))).await;
    assert_eq!(kind(zoe.contents(&[item]).await), Kind::Broken);
    assert_eq!(kind(zoe.newest(theirs, 9).await), Kind::Broken);
    assert_eq!(kind(zoe.bytes(&content, 0..u64::MAX).await), Kind::Broken);
}

#[tokio::test(start_paused = true)]
async fn ids_of_another_account_name_nothing() {
    let house = house().await;
    let (ann, zoe, bob) = (house.open(house.ann).await, house.open(house.zoe).await, house.open(house.bob).await);
    let inbox = folder(&ann, "INBOX").await;
    fill(&ann, inbox, 2).await;
    let item = ann.index(inbox).await.unwrap().iter().next().unwrap().item;
    for other in [&zoe, &bob] {
        assert_eq!(kind(other.index(inbox).await), Kind::NotFound);
        assert!(other.contents(&[item]).await.unwrap()[0].is_none());
        assert!(matches!(other.changes(inbox, penfold_types::Modseq(0)).await.unwrap(), penfold_mailbox::Delta::Gone));
        assert!(other.newest(inbox, 10).await.unwrap().is_empty());
        assert_eq!(kind(other.append(inbox, new_messages(1)).await), Kind::NotFound);
        assert_eq!(kind(other.store(inbox, &uids([1]), penfold_mailbox::Store::Add, &keywords(&["x"]), None).await), Kind::NotFound);
        assert_eq!(kind(other.expunge(inbox, None, false).await), Kind::NotFound);
        assert_eq!(kind(other.delete_folder(inbox).await), Kind::NotFound);
        assert_eq!(kind(other.rename_folder(inbox, "Mine").await), Kind::NotFound);
        assert_eq!(kind(other.subscribe(inbox, false).await), Kind::NotFound);
        let own = folder(other, "INBOX").await;
        assert_eq!(kind(other.copy(inbox, &uids([1]), other, own).await), Kind::NotFound);
        assert_eq!(kind(other.move_items(own, &uids([1]), other, inbox).await), Kind::NotFound);
        // Another tenant's blob under the same acceptance is another blob.
        assert!(listed(other, own).await.is_empty());
    }
    let content = ann.contents(&[item]).await.unwrap().remove(0).unwrap();
    assert_eq!(kind(zoe.bytes(&content, 0..9).await), Kind::NotFound);
    assert_eq!(listed(&ann, inbox).await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn rights_are_asked_for_by_every_verb() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, trash) = (folder(&ann, "INBOX").await, folder(&ann, "Trash").await);
    fill(&ann, inbox, 2).await;
    let reader = Scope::grant(house.ann, house.bob.principal, penfold_ports::Rights::LOOKUP.and(penfold_ports::Rights::READ));
    let reader = house.mailboxes.open(&reader).await.unwrap();
    assert_eq!(listed(&reader, inbox).await, [1, 2]);
    let bob = house.open(house.bob).await;
    reader.copy(inbox, &uids([1]), &bob, folder(&bob, "INBOX").await).await.unwrap();
    let all = uids([1, 2]);
    assert_eq!(kind(reader.append(inbox, new_messages(1)).await), Kind::Denied);
    assert_eq!(kind(reader.copy(inbox, &all, &reader, trash).await), Kind::Denied);
    assert_eq!(kind(reader.move_items(inbox, &all, &reader, trash).await), Kind::Denied);
    assert_eq!(kind(reader.expunge(inbox, None, false).await), Kind::Denied);
    assert_eq!(kind(reader.store(inbox, &all, penfold_mailbox::Store::Add, &keywords(&["x"]), None).await), Kind::Denied);
    assert_eq!(kind(reader.create_folder("X", None).await), Kind::Denied);
    assert_eq!(kind(reader.rename_folder(trash, "X").await), Kind::Denied);
    assert_eq!(kind(reader.delete_folder(trash).await), Kind::Denied);
    let nobody = Scope::grant(house.ann, house.bob.principal, penfold_ports::Rights::NONE);
    let nobody = house.mailboxes.open(&nobody).await.unwrap();
    assert_eq!(kind(nobody.copy(inbox, &all, &bob, folder(&bob, "INBOX").await).await), Kind::Denied);
    assert_eq!(kind(nobody.subscribe(inbox, false).await), Kind::Denied);
    assert_eq!(listed(&ann, inbox).await, [1, 2]);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_destroyed_tenant_cannot_be_read() {
    let house = house().await;
    let zoe = house.open(house.zoe).await;
    let inbox = folder(&zoe, "INBOX").await;
    fill(&zoe, inbox, 1).await;
    let item = zoe.index(inbox).await.unwrap().iter().next().unwrap().item;
    let operator = house.directory.operator();
    operator.delete_person(&"zoe@zeta.test".parse().unwrap()).await.unwrap();
    operator.remove_domain(house.zoe.tenant, &"zeta.test".parse().unwrap()).await.unwrap();
    operator.remove_tenant("zeta").await.unwrap();
    let elsewhere = house.elsewhere();
    let mailbox = elsewhere.open(&house.scope(house.zoe)).await.unwrap();
    assert!(mailbox.contents(&[item]).await.is_err(), "without the key nothing opens");
}
