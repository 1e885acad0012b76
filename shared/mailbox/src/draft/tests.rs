//! Each entry that a commit can hold, by each right.

use super::*;
use crate::Keywords;
use crate::acl::{Acl, Granted};
use crate::folder::{Folders, Role};
use crate::view::{Head, View};
use penfold_ports::{Account, Grantee, Ground};
use penfold_types::{Kind, PrincipalId, TenantId};
use std::sync::Arc;

const VIEWER: PrincipalId = PrincipalId::from_bytes([1; 16]);
const OPEN: FolderId = FolderId::from_bytes([2; 16]);
const SHUT: FolderId = FolderId::from_bytes([3; 16]);

fn folder(id: FolderId, parent: Option<FolderId>, name: &str, list: Vec<Granted>) -> Folder {
    Folder { acl: Acl { modseq: Modseq(5), list: list.into() }, ..Folder::new(id, parent, name, None, UidValidity(1)) }
}

/// One folder that is open with these rights, and one that is not.
fn draft(letters: &str) -> Draft {
    let rights = Rights::read(letters).unwrap();
    let line = |to, since| Granted { to, rights, since: Modseq(since) };
    // A line that is older than its ground, and one for somebody else, count for nothing.
    let others = vec![line(Grantee::Principal(VIEWER), 4), Granted { rights: Rights::ALL, ..line(Grantee::Anyone, 9) }];
    let folders = vec![folder(OPEN, None, "Open", vec![line(Grantee::Principal(VIEWER), 5)]), folder(SHUT, None, "Shut", others)];
    let view = View { head: Head::new(), folders: Folders::new(folders.into_iter().map(Arc::new).collect()) };
    let account = Account { tenant: TenantId::from_bytes([8; 16]), principal: PrincipalId::from_bytes([9; 16]) };
    let grounds = [Ground { to: Grantee::Principal(VIEWER), since: Modseq(5) }];
    Draft::new(&Scope::grant_folders(account, VIEWER, &grounds, Rights::ALL), &view)
}

fn refused(letters: &str, entry: Entry) -> Option<Kind> {
    let mut draft = draft(letters);
    draft.entry(entry);
    draft.refused().err().map(|error| error.kind())
}

fn placed(keywords: Keywords) -> Placed {
    Placed { item: ItemId::from_bytes([4; 16]), uid: Uid(1), keywords, created: Modseq(1), size: 1, received: 0, zone: 0 }
}

fn flags(folder: FolderId, before: Keywords, after: Keywords) -> Entry {
    Entry::Keywords { folder, item: ItemId::from_bytes([4; 16]), uid: Uid(1), created: Modseq(1), before, after }
}

/// Everything that a commit can hold, of the open folder, and the rights that it takes.
fn entries(of: FolderId) -> Vec<(&'static str, Entry)> {
    let own = |name: &str, parent| Folder::new(FolderId::from_bytes([7; 16]), parent, name, None, UidValidity(1));
    vec![
        ("li", Entry::Added { folder: of, placed: placed(Keywords::NONE) }),
        ("lis", Entry::Added { folder: of, placed: placed(Keywords::SEEN) }),
        ("liw", Entry::Added { folder: of, placed: placed(Keywords::FLAGGED) }),
        ("ls", flags(of, Keywords::NONE, Keywords::SEEN)),
        ("lt", flags(of, Keywords::DELETED, Keywords::NONE)),
        ("lw", flags(of, Keywords::SEEN, Keywords::SEEN.with(&Keywords::FLAGGED).unwrap())),
        ("lstw", flags(of, Keywords::SEEN, Keywords::DELETED.with(&Keywords::DRAFT).unwrap())),
        ("le", Entry::Removed { folder: of, placed: placed(Keywords::NONE) }),
        ("lriet", Entry::Moved { from: of, from_uid: Uid(1), to: of, placed: placed(Keywords::NONE) }),
        ("lk", Entry::FolderSet(own("New", Some(of)))),
        ("lx", Entry::FolderGone(of)),
        ("l", Entry::Viewer { folder: of, viewer: VIEWER }),
        ("la", Entry::Acl { folder: of, list: Arc::default() }),
    ]
}

#[test]
fn each_entry_takes_its_rights_and_no_others_do() {
    for (needed, entry) in entries(OPEN) {
        assert_eq!(refused(needed, entry.clone()), None, "{needed} {entry:?}");
        assert_eq!(refused("lrswipkxtea", entry.clone()), None, "{entry:?}");
        for letter in needed.chars() {
            let fewer = "lrswipkxtea".replace(letter, "");
            // Making a folder says in one way only that it is not allowed: it is no way to find out what is there.
            let hidden = letter == 'l' && !needed.contains('k');
            let kind = if hidden { Kind::NotFound } else { Kind::Denied };
            assert_eq!(refused(&fewer, entry.clone()), Some(kind), "{fewer} {entry:?}");
        }
    }
}

#[test]
fn what_is_not_open_is_refused_whatever_it_is() {
    for (needed, entry) in entries(SHUT) {
        let kind = if needed == "lk" { Kind::Denied } else { Kind::NotFound };
        assert_eq!(refused("lrswipkxtea", entry.clone()), Some(kind), "{entry:?}");
    }
    let all = "lrswipkxtea";
    let top = Folder::new(FolderId::from_bytes([7; 16]), None, "Top", None, UidValidity(1));
    let used = Folder { role: Some(Role::Sent), parent: Some(OPEN), ..top.clone() };
    let open = Folder::new(OPEN, None, "Open", None, UidValidity(1));
    for set in [
        top,
        used,
        Folder { name: "Renamed".into(), ..open.clone() },
        Folder { parent: Some(SHUT), ..open.clone() },
        Folder { role: Some(Role::Junk), ..open.clone() },
        Folder { subscribed: false, ..open },
    ] {
        assert_eq!(refused(all, Entry::FolderSet(set.clone())), Some(Kind::Denied), "{set:?}");
    }
    let moved = |from, to| Entry::Moved { from, from_uid: Uid(1), to, placed: placed(Keywords::NONE) };
    assert_eq!((refused(all, moved(OPEN, SHUT)), refused(all, moved(SHUT, OPEN))), (Some(Kind::NotFound), Some(Kind::NotFound)));
    let other = Entry::Viewer { folder: OPEN, viewer: PrincipalId::from_bytes([5; 16]) };
    assert_eq!(refused(all, other), Some(Kind::Denied));
    // What is left in a folder that is gone is the owner's to take out.
    let gone = Entry::Removed { folder: FolderId::from_bytes([6; 16]), placed: placed(Keywords::NONE) };
    assert_eq!(refused(all, gone), Some(Kind::NotFound));
}
