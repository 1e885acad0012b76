use crate::support::*;
use penfold_mailbox::Role;

#[tokio::test(start_paused = true)]
async fn a_new_person_has_the_six_folders_with_roles_subscribed() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let folders = ann.folders().await.unwrap();
    let paths: Vec<_> = folders.iter().map(|(path, folder)| (path.to_owned(), folder.role, folder.subscribed, folder.total)).collect();
    let wanted = [
        ("INBOX", Role::Inbox),
        ("Archive", Role::Archive),
        ("Drafts", Role::Drafts),
        ("Junk", Role::Junk),
        ("Sent", Role::Sent),
        ("Trash", Role::Trash),
    ];
    assert_eq!(paths, wanted.map(|(path, role)| (path.to_owned(), Some(role), true, 0)));
    let validities: std::collections::BTreeSet<_> = folders.iter().map(|(_, f)| f.uidvalidity).collect();
    assert_eq!(validities.len(), 6, "each folder has a uidvalidity of its own");
    assert!(folders.iter().all(|(_, f)| f.uidnext.get() == 1 && f.modseq.get() == 1));
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn racing_openers_agree_on_the_folders() {
    let house = house().await;
    let others = [house.elsewhere(), house.elsewhere(), house.elsewhere()];
    let scope = house.scope(house.ann);
    let (a, b, c, d) = tokio::join!(others[0].open(&scope), others[1].open(&scope), others[2].open(&scope), others[0].open(&scope));
    let mut ids = Vec::new();
    for mailbox in [a, b, c, d] {
        let mailbox = mailbox.unwrap();
        ids.push(mailbox.folders().await.unwrap().iter().map(|(_, f)| f.id).collect::<Vec<_>>());
        assert_eq!(mailbox.head().await.unwrap().modseq.get(), 1);
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    assert_clean(&house.open(house.ann).await).await;
}

#[tokio::test(start_paused = true)]
async fn opening_again_changes_nothing_and_costs_one_read() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let before = ann.head().await.unwrap();
    assert_eq!(house.open(house.ann).await.head().await.unwrap(), before);
    assert_eq!(house.elsewhere().open(&house.scope(house.ann)).await.unwrap().head().await.unwrap(), before);
}
