//! Rights to single folders: who comes in by them, what is there for them, and when it ends.

use crate::support::*;
use penfold_directory::{NewGroup, SignedIn};
use penfold_mailbox::{Delta, Mailbox, Mailboxes, RightsChange, Store};
use penfold_ports::{Account, Grantee, Preset, Rights, Scope, Sk};
use penfold_types::{Address, FolderId, Kind, Modseq, PrincipalId, Result};

fn a(text: &str) -> Address {
    text.parse().unwrap()
}

fn rights(letters: &str) -> Rights {
    Rights::read(letters).unwrap()
}

fn signed_in(house: &House, account: Account) -> SignedIn {
    SignedIn { account, address: a("bob@acme.test"), name: "Bob".into(), sent_copy: true, scope: house.scope(account) }
}

async fn grant(mailbox: &Mailbox, folder: FolderId, to: Grantee, letters: &str) -> Result<Rights> {
    mailbox.set_rights(folder, to, RightsChange::Set(rights(letters)), "ann@acme.test", None, false).await
}

/// Ann's mailbox as somebody else may see it.
async fn visit(house: &House, viewer: Account) -> Result<Mailbox> {
    visit_by(house, &house.mailboxes, viewer).await
}

async fn visit_by(house: &House, mailboxes: &Mailboxes, viewer: Account) -> Result<Mailbox> {
    let scope = house.directory.open_folders(&signed_in(house, viewer), house.ann.principal).await?;
    mailboxes.open(&scope).await
}

async fn paths(mailbox: &Mailbox) -> Vec<String> {
    mailbox.folders().await.unwrap().iter().map(|(path, _)| path.to_owned()).collect()
}

async fn group(house: &House, address: &str, members: &[&str]) -> PrincipalId {
    let operator = house.directory.operator();
    let new = NewGroup { address: a(address), name: "Group".into(), who_may_post: penfold_directory::PostPolicy::Inside };
    operator.create_group(&new).await.unwrap();
    let members: Vec<Address> = members.iter().map(|member| a(member)).collect();
    operator.add_members(&a(address), &members).await.unwrap();
    operator.id_of(house.ann.tenant, &a(address)).await.unwrap().0
}

fn bob(house: &House) -> Grantee {
    Grantee::Principal(house.bob.principal)
}

#[tokio::test(start_paused = true)]
async fn what_is_not_opened_is_not_there() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (inbox, work) = (folder(&ann, "INBOX").await, ann.create_folder("Plans/Work", None).await.unwrap());
    let plans = folder(&ann, "Plans").await;
    let hidden = ann.create_folder("Plans/Work/Hidden", None).await.unwrap();
    fill(&ann, inbox, 2).await;
    fill(&ann, work, 2).await;
    assert_eq!(visit(&house, house.bob).await.map(|_| ()).unwrap_err().kind(), Kind::NotFound);
    grant(&ann, work, bob(&house), "lr").await.unwrap();
    let visitor = visit(&house, house.bob).await.unwrap();
    assert_eq!(paths(&visitor).await, ["Plans/Work"]);
    let folders = visitor.folders().await.unwrap();
    assert!(folders.find("Plans").is_none() && folders.get(plans).is_none() && folders.path(inbox).is_none());
    assert!(!folders.has_children(work), "what is below is hidden");
    assert_eq!(listed(&visitor, work).await, [1, 2]);
    let own = visitor.folder(work).await.unwrap();
    assert_eq!((own.total, visitor.rights(&own).to_string().as_str()), (2, "lr"));
    // Nothing of it by ids either.
    let items: Vec<_> = ann.index(inbox).await.unwrap().iter().map(|m| m.item).collect();
    let theirs: Vec<_> = ann.index(work).await.unwrap().iter().map(|m| m.item).collect();
    let secret = ann.contents(&items).await.unwrap().remove(0).unwrap();
    assert!(visitor.contents(&items).await.unwrap().iter().all(Option::is_none));
    assert!(visitor.contents(&theirs).await.unwrap().iter().all(Option::is_some));
    assert_eq!(kind(visitor.bytes(&secret, 0..10).await), Kind::NotFound);
    for id in [inbox, plans, hidden, FolderId::from_bytes([9; 16])] {
        assert_eq!(kind(visitor.folder(id).await), Kind::NotFound);
        assert_eq!(kind(visitor.index(id).await), Kind::NotFound);
        assert_eq!(kind(visitor.newest(id, 5).await), Kind::NotFound);
        assert_eq!(visitor.changes(id, Modseq(0)).await.unwrap(), Delta::Gone);
        assert_eq!(kind(visitor.append(id, new_messages(1)).await), Kind::NotFound);
        assert_eq!(kind(visitor.store(id, &uids([1]), Store::Add, &keywords(&["x"]), None).await), Kind::NotFound);
        assert_eq!(kind(visitor.expunge(id, None, true).await), Kind::NotFound);
        assert_eq!(kind(visitor.copy(id, &uids([1]), &visitor, work).await), Kind::NotFound);
        assert_eq!(kind(visitor.move_items(id, &uids([1]), &visitor, work).await), Kind::NotFound);
        assert_eq!(kind(visitor.copy(work, &uids([1]), &visitor, id).await), Kind::NotFound);
        assert_eq!(kind(visitor.delete_folder(id).await), Kind::NotFound);
        assert_eq!(kind(visitor.rename_folder(id, "Plans/Work/x").await), Kind::NotFound);
        assert_eq!(kind(visitor.subscribe(id, true).await), Kind::NotFound);
        assert_eq!(kind(visitor.folder_rights(id).await), Kind::NotFound);
        assert_eq!(kind(grant(&visitor, id, bob(&house), "lr").await), Kind::NotFound);
    }
    // Whether a name is taken is not told.
    for path in ["Plans", "Nothing", "Plans/Work/Hidden", "Plans/Work/Free", "Plans/Other"] {
        assert_eq!(kind(visitor.create_folder(path, None).await), Kind::Denied, "{path}");
    }
    // Nor is what the account as a whole is, or what keeps it going.
    assert_eq!(kind(visitor.head().await), Kind::Denied);
    assert_eq!(kind(visitor.usage().await), Kind::Denied);
    assert_eq!(kind(visitor.check(true).await), Kind::Denied);
    assert_eq!(kind(visitor.freeze().await), Kind::Denied);
    assert_eq!(kind(visitor.trim(std::time::Duration::ZERO).await), Kind::Denied);
    assert_eq!(kind(visitor.finish_deletions().await), Kind::Denied);
    let scope = visitor.scope();
    assert_eq!(kind(house.mailboxes.stretch(scope, Modseq(0), Modseq(9)).await.map(|_| ())), Kind::Denied);
    assert_eq!(kind(house.mailboxes.heads(std::slice::from_ref(scope)).await.map(|_| ())), Kind::Denied);
    assert_eq!(kind(house.mailboxes.destroy(scope).await), Kind::Denied);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn of_what_may_only_be_looked_up_nothing_is_counted() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let drop_box = ann.create_folder("Box", None).await.unwrap();
    fill(&ann, drop_box, 3).await;
    grant(&ann, drop_box, bob(&house), "li").await.unwrap();
    let visitor = visit(&house, house.bob).await.unwrap();
    let own = visitor.folder(drop_box).await.unwrap();
    assert_eq!((own.total, own.unseen, own.bytes, own.uidnext.get()), (0, 0, 0, 1));
    assert_eq!(kind(visitor.index(drop_box).await), Kind::Denied);
    let put = visitor.append(drop_box, vec![penfold_mailbox::NewMessage { keywords: keywords(&["\\Seen", "x"]), ..new_message(9) }]).await;
    assert_eq!(numbers(&put.unwrap().uids), [4]);
    let index = ann.index(drop_box).await.unwrap();
    assert!(index.get(penfold_types::Uid(4)).unwrap().keywords.is_empty(), "flags that may not be set are left out");
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_right_ends_with_its_commit() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    fill(&ann, work, 1).await;
    grant(&ann, work, bob(&house), Preset::Editor.rights().to_string().as_str()).await.unwrap();
    let visitor = visit_by(&house, &house.elsewhere(), house.bob).await.unwrap();
    visitor.store(work, &uids([1]), Store::Add, &keywords(&["x"]), None).await.unwrap();
    grant(&ann, work, bob(&house), "lr").await.unwrap();
    assert_eq!(kind(visitor.store(work, &uids([1]), Store::Remove, &keywords(&["x"]), None).await), Kind::Denied);
    assert_eq!(listed(&visitor, work).await, [1]);
    grant(&ann, work, bob(&house), "").await.unwrap();
    assert_eq!(kind(visitor.index(work).await), Kind::NotFound);
    assert_eq!(visitor.changes(work, Modseq(0)).await.unwrap(), Delta::Gone);
    assert!(paths(&visitor).await.is_empty());
    assert_eq!(visit(&house, house.bob).await.map(|_| ()).unwrap_err().kind(), Kind::NotFound);
    assert!(house.directory.others(&signed_in(&house, house.bob)).await.unwrap().is_empty());
    let acts = house.directory.operator().audit_log(house.ann.tenant, house.world.env.now().seconds() / 86_400, 100).await.unwrap();
    let acts: Vec<_> = acts.iter().filter(|act| act.act == "folder.rights").map(|act| act.detail.rsplit(' ').next().unwrap()).collect();
    assert_eq!(acts, ["none", "lr", "lrswite"]);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_back_finds_nothing_open() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (one, two) = (ann.create_folder("One", None).await.unwrap(), ann.create_folder("Two", None).await.unwrap());
    grant(&ann, one, bob(&house), "lr").await.unwrap();
    let operator = house.directory.operator();
    operator.delete_person(&a("bob@acme.test")).await.unwrap();
    assert!(ann.folder_rights(one).await.unwrap().list.is_empty());
    assert_eq!(kind(grant(&ann, two, bob(&house), "lr").await), Kind::NotFound);
    operator.restore(house.ann.tenant, house.bob.principal).await.unwrap();
    assert!(ann.folder_rights(one).await.unwrap().list.is_empty());
    assert_eq!(visit(&house, house.bob).await.map(|_| ()).unwrap_err().kind(), Kind::NotFound);
    // A new right brings no old one with it.
    grant(&ann, two, bob(&house), "lr").await.unwrap();
    assert_eq!(paths(&visit(&house, house.bob).await.unwrap()).await, ["Two"]);
    grant(&ann, one, bob(&house), "l").await.unwrap();
    assert_eq!(paths(&visit(&house, house.bob).await.unwrap()).await, ["One", "Two"]);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_who_is_gone_opens_nothing_and_comes_back_whole() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    grant(&ann, work, bob(&house), "lr").await.unwrap();
    grant(&ann, work, Grantee::Anyone, "l").await.unwrap();
    let operator = house.directory.operator();
    operator.delete_person(&a("ann@acme.test")).await.unwrap();
    assert_eq!(visit(&house, house.bob).await.map(|_| ()).unwrap_err().kind(), Kind::NotFound);
    assert!(house.directory.others(&signed_in(&house, house.bob)).await.unwrap().is_empty());
    assert_ne!(grant(&ann, work, bob(&house), "lrs").await.map(|_| ()).unwrap_err().kind(), Kind::Denied);
    operator.restore(house.ann.tenant, house.ann.principal).await.unwrap();
    assert_eq!(paths(&visit(&house, house.bob).await.unwrap()).await, ["Work"]);
    // Destroyed for good, it leaves nothing behind with those to whom it was open.
    operator.delete_person(&a("ann@acme.test")).await.unwrap();
    house.mailboxes.destroy(&house.scope(house.ann)).await.unwrap();
    let scope = house.directory.tenant_scope(house.ann.tenant);
    let owner = house.ann.principal;
    let of = |prefix: &str| Sk::from_stored(&[prefix.as_bytes(), owner.as_bytes()].concat());
    assert_eq!(house.row(&scope.principal(house.bob.principal, of("in#f#"))).await, None);
    assert_eq!(house.row(&scope.organisation(of("anyone#"))).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_group_opens_it_to_whoever_is_in_it() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (work, all) = (ann.create_folder("Work", None).await.unwrap(), ann.create_folder("All", None).await.unwrap());
    let inner = group(&house, "inner@acme.test", &["bob@acme.test"]).await;
    let outer = group(&house, "outer@acme.test", &["inner@acme.test"]).await;
    grant(&ann, work, Grantee::Principal(outer), "lr").await.unwrap();
    grant(&ann, work, Grantee::Principal(inner), "ls").await.unwrap();
    let visitor = visit(&house, house.bob).await.unwrap();
    assert_eq!(visitor.rights(&visitor.folder(work).await.unwrap()).to_string(), "lrs", "all grounds together");
    let operator = house.directory.operator();
    operator.remove_member(&a("outer@acme.test"), &a("inner@acme.test")).await.unwrap();
    let visitor = visit(&house, house.bob).await.unwrap();
    assert_eq!(visitor.rights(&visitor.folder(work).await.unwrap()).to_string(), "ls");
    operator.delete_group(&a("inner@acme.test")).await.unwrap();
    assert_eq!(visit(&house, house.bob).await.map(|_| ()).unwrap_err().kind(), Kind::NotFound);
    let left: Vec<_> = ann.folder_rights(work).await.unwrap().list.iter().map(|(who, _)| who.identifier()).collect();
    assert_eq!(left, ["outer@acme.test"]);
    grant(&ann, all, Grantee::Anyone, "lr").await.unwrap();
    assert_eq!(paths(&visit(&house, house.bob).await.unwrap()).await, ["All"]);
    // Everybody is everybody here.
    let stranger = house.directory.open_folders(&signed_in(&house, house.zoe), house.ann.principal).await;
    assert_eq!(kind(stranger), Kind::NotFound);
    assert!(house.directory.others(&signed_in(&house, house.zoe)).await.unwrap().is_empty());
    for nobody in ["zoe@zeta.test", "nobody@acme.test", "nobody@nowhere.test", "", "@", "-bob@acme.test"] {
        assert_eq!(kind(house.directory.grantee(house.ann.tenant, nobody).await), Kind::NotFound, "{nobody}");
    }
    assert_eq!(kind(grant(&ann, all, Grantee::Principal(house.zoe.principal), "lr").await), Kind::NotFound);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_folder_takes_over_the_rights_of_the_one_it_lies_in() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    grant(&ann, work, bob(&house), "lrswikxte").await.unwrap();
    let visitor = visit(&house, house.bob).await.unwrap();
    let below = visitor.create_folder("Work/a/b", None).await.unwrap();
    ann.create_folder("Work/mine", None).await.unwrap();
    let view = visit_by(&house, &house.elsewhere(), house.bob).await.unwrap();
    assert_eq!(paths(&view).await, ["Work", "Work/a", "Work/a/b", "Work/mine"]);
    fill(&visitor, below, 3).await;
    assert_eq!(kind(visitor.create_folder("Top", None).await), Kind::Denied);
    assert_eq!(kind(visitor.create_folder("Work/x", Some(penfold_mailbox::Role::Junk)).await), Kind::Denied);
    assert_eq!(kind(visitor.rename_folder(below, "Top").await), Kind::Denied);
    visitor.rename_folder(below, "Work/c").await.unwrap();
    visitor.delete_folder(below).await.unwrap();
    assert!(house.row(&ann.scope().key(Sk::folder_acl(below))).await.is_none());
    assert_eq!(paths(&visitor).await, ["Work", "Work/a", "Work/mine"]);
    grant(&ann, work, bob(&house), "l").await.unwrap();
    assert_eq!(paths(&visitor).await, ["Work", "Work/a", "Work/mine"], "each keeps its own");
    assert_eq!(kind(visitor.create_folder("Work/y", None).await), Kind::Denied);
    visitor.create_folder("Work/a/y", None).await.unwrap();
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn two_who_grant_at_once_both_do() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    let elsewhere = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    let team = Grantee::Principal(group(&house, "team@acme.test", &[]).await);
    let (one, two, three) =
        tokio::join!(grant(&ann, work, bob(&house), "lr"), grant(&elsewhere, work, team, "lrs"), grant(&ann, work, Grantee::Anyone, "l"));
    assert!(one.is_ok() && two.is_ok() && three.is_ok(), "{one:?} {two:?} {three:?}");
    let list = ann.folder_rights(work).await.unwrap();
    let mut told: Vec<_> = list.list.iter().map(|(who, rights)| format!("{} {rights}", who.identifier())).collect();
    told.sort();
    assert_eq!(told, ["anyone l", "bob@acme.test lr", "team@acme.test lrs"]);
    // Who saw an older list changes nothing.
    let late = ann.set_rights(work, team, RightsChange::Set(Rights::NONE), "ann", Some(Modseq(list.revision.get() - 1)), false).await;
    assert_eq!(kind(late), Kind::Conflict);
    let added = ann.set_rights(work, bob(&house), RightsChange::Add(rights("it")), "ann", Some(list.revision), false).await.unwrap();
    assert_eq!(added.to_string(), "lrit");
    let less = ann.set_rights(work, bob(&house), RightsChange::Remove(rights("rt")), "ann", None, false).await.unwrap();
    assert_eq!(less.to_string(), "li");
    let before = (house.commits(), ann.folder_rights(work).await.unwrap());
    ann.set_rights(work, team, RightsChange::Set(Rights::NONE), "ann", None, true).await.unwrap();
    ann.set_rights(work, bob(&house), RightsChange::Set(rights("li")), "ann", None, false).await.unwrap();
    assert_eq!((house.commits(), ann.folder_rights(work).await.unwrap()), before, "a rehearsal, and what is so already");
    assert_eq!(kind(grant(&ann, work, Grantee::Principal(house.ann.principal), "l").await), Kind::Invalid);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_is_opened_to_so_many() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    for n in 0..200 {
        let to = Grantee::Principal(group(&house, &format!("g{n}@acme.test"), &[]).await);
        grant(&ann, work, to, "lr").await.unwrap();
    }
    assert_eq!(kind(grant(&ann, work, bob(&house), "lr").await), Kind::Limit);
    // Those who are gone do not count.
    house.directory.operator().delete_group(&a("g7@acme.test")).await.unwrap();
    grant(&ann, work, bob(&house), "lr").await.unwrap();
    assert_eq!(ann.folder_rights(work).await.unwrap().list.len(), 200);
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn no_right_goes_further_than_what_somebody_may_in_their_own() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    fill(&ann, work, 1).await;
    grant(&ann, work, bob(&house), "lrswikxtea").await.unwrap();
    // As of a tenant that is suspended.
    let reader = Scope::grant(house.bob, house.bob.principal, rights("lr"));
    let who = SignedIn { scope: reader, ..signed_in(&house, house.bob) };
    let scope = house.directory.open_folders(&who, house.ann.principal).await.unwrap();
    let visitor = house.mailboxes.open(&scope).await.unwrap();
    assert_eq!(listed(&visitor, work).await, [1]);
    assert_eq!(kind(visitor.append(work, new_messages(1)).await), Kind::Denied);
    assert_eq!(kind(visitor.folder_rights(work).await), Kind::Denied);
    assert_eq!(kind(visitor.delete_folder(work).await), Kind::Denied);
}

#[tokio::test(start_paused = true)]
async fn who_gives_rights_for_others_sees_no_folder() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    fill(&ann, work, 1).await;
    let operator = house.directory.operator();
    let person = penfold_directory::PrincipalKind::Person;
    let scope = operator.open_rights(house.ann.tenant, house.ann.principal, person).await.unwrap();
    let keeper = house.mailboxes.open(&scope).await.unwrap();
    grant(&keeper, work, bob(&house), "lr").await.unwrap();
    assert_eq!(keeper.folder_rights(work).await.unwrap().list.len(), 1);
    assert_eq!(kind(keeper.folders().await), Kind::Denied);
    assert_eq!(kind(keeper.index(work).await), Kind::Denied);
    assert_eq!(kind(keeper.append(work, new_messages(1)).await), Kind::Denied);
    let scope = operator.open_folder_names(house.ann.tenant, house.ann.principal, person).await.unwrap();
    let names = house.mailboxes.open(&scope).await.unwrap();
    assert_eq!(names.folder(work).await.unwrap().total, 1);
    assert_eq!(kind(names.index(work).await), Kind::Denied);
    assert_eq!(kind(names.newest(work, 1).await), Kind::Denied);
    assert_eq!(kind(grant(&names, work, bob(&house), "").await), Kind::Denied);
}

/// Moving is copying first: what may not be read is not carried to where it may.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_not_moved() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let (shut, open) = (ann.create_folder("Shut", None).await.unwrap(), ann.create_folder("Open", None).await.unwrap());
    fill(&ann, shut, 1).await;
    grant(&ann, shut, bob(&house), "lte").await.unwrap();
    grant(&ann, open, bob(&house), "lri").await.unwrap();
    let visitor = visit(&house, house.bob).await.unwrap();
    assert_eq!(kind(visitor.move_items(shut, &uids([1]), &visitor, open).await), Kind::Denied);
    assert_eq!((listed(&ann, shut).await.len(), listed(&ann, open).await.len()), (1, 0));
    grant(&ann, shut, bob(&house), "lrte").await.unwrap();
    visitor.move_items(shut, &uids([1]), &visitor, open).await.unwrap();
    assert_clean(&ann).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_for_somebody_is_not_moved_about_by_them() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    let hidden = ann.create_folder("Work/In/Hidden", None).await.unwrap();
    let between = folder(&ann, "Work/In").await;
    for (of, letters) in [(work, "lkx"), (between, "lkx")] {
        grant(&ann, of, bob(&house), letters).await.unwrap();
    }
    let visitor = visit(&house, house.bob).await.unwrap();
    assert_eq!(kind(visitor.rename_folder(between, "Work/Out").await), Kind::Denied);
    assert_eq!(paths(&ann).await.iter().filter(|path| path.starts_with("Work")).count(), 3);
    grant(&ann, hidden, bob(&house), "l").await.unwrap();
    visitor.rename_folder(between, "Work/Out").await.unwrap();
    assert_eq!(ann.folders().await.unwrap().path(hidden), Some("Work/Out/Hidden"));
    // Beside it is not below it.
    let beside = ann.create_folder("Work/Outer", None).await.unwrap();
    grant(&ann, beside, bob(&house), "").await.unwrap();
    visitor.rename_folder(between, "Work/In").await.unwrap();
    assert_clean(&ann).await;
}

/// Thousands opened something to everybody: whoever is looked for is found, and still in the list.
#[tokio::test(start_paused = true)]
async fn however_many_opened_something_each_is_found() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let work = ann.create_folder("Work", None).await.unwrap();
    grant(&ann, work, Grantee::Anyone, "lr").await.unwrap();
    let scope = house.directory.tenant_scope(house.ann.tenant);
    let plant = async |from: u16, to: u16| {
        for n in from..to {
            let owner = [&[0; 14][..], &n.to_be_bytes()].concat();
            let key = scope.organisation(Sk::from_stored(&[b"anyone#", &owner[..]].concat()));
            house.plant(penfold_ports::Write::put(key, penfold_ports::Row::new().with("v", 1u64))).await;
        }
    };
    plant(0, 1100).await;
    let who = signed_in(&house, house.bob);
    let found = async || house.directory.find_others(&who, &a("ann@acme.test")).await.map(|(owner, _)| owner);
    assert_eq!(found().await.unwrap(), house.ann.principal);
    let all = house.directory.others(&who).await.unwrap();
    assert_eq!(all.iter().map(|(one, _)| one.address.to_string()).collect::<Vec<_>>(), ["ann@acme.test"]);
    let listed = house.mailboxes.open(&all[0].1).await.unwrap();
    assert_eq!(paths(&listed).await, ["Work"]);
    // A list ends somewhere. Who opened something to somebody by name is in it, and all others are still found.
    plant(1100, 6000).await;
    assert!(house.directory.others(&who).await.unwrap().is_empty());
    assert_eq!(found().await.unwrap(), house.ann.principal);
    grant(&ann, work, bob(&house), "lr").await.unwrap();
    assert_eq!(house.directory.others(&who).await.unwrap().len(), 1);
    for (viewer, address) in [(house.zoe, "ann@acme.test"), (house.bob, "zoe@zeta.test"), (house.bob, "bob@acme.test")] {
        assert_eq!(kind(house.directory.find_others(&signed_in(&house, viewer), &a(address)).await.map(|_| ())), Kind::NotFound);
    }
}

/// All of them are noted in one log.
#[tokio::test(start_paused = true)]
async fn many_owners_grant_at_once() {
    let house = house().await;
    let mut owners = Vec::new();
    for n in 0..40 {
        let account = person(&house.directory, "acme", &format!("p{n}@acme.test"), None).await;
        let mailbox = house.open(account).await;
        let work = mailbox.create_folder("Work", None).await.unwrap();
        owners.push((mailbox, work));
    }
    let before = house.commits();
    let mut granting = tokio::task::JoinSet::new();
    let to = bob(&house);
    for (mailbox, work) in owners {
        granting.spawn(async move { grant(&mailbox, work, to, "lr").await });
    }
    for done in granting.join_all().await {
        done.unwrap();
    }
    assert_eq!(house.commits() - before, 40, "nobody fails for somebody else");
    assert_eq!(house.directory.others(&signed_in(&house, house.bob)).await.unwrap().len(), 40);
}

/// The right ends while a commit that it allowed is under way: it is carried out before, or not at all.
#[tokio::test(start_paused = true)]
async fn what_was_allowed_when_it_was_asked_is_judged_again_when_it_is_done() {
    for done in [true, false] {
        let house = house().await;
        let ann = house.open(house.ann).await;
        let elsewhere = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
        let work = ann.create_folder("Work", None).await.unwrap();
        grant(&ann, work, bob(&house), "lri").await.unwrap();
        let visitor = visit(&house, house.bob).await.unwrap();
        house.hooks.next([crate::support::hooks::Fault::Held { done }]);
        let ((), put) = tokio::join!(
            async {
                house.hooks.reached.notified().await;
                grant(&elsewhere, work, bob(&house), "lr").await.unwrap();
                house.hooks.go.notify_one();
            },
            visitor.append(work, new_messages(1))
        );
        if done {
            assert_eq!(numbers(&put.unwrap().uids), [1]);
        } else {
            assert_eq!(kind(put), Kind::Denied);
        }
        assert_eq!(listed(&ann, work).await.len(), usize::from(done));
        assert_clean(&ann).await;
    }
}
