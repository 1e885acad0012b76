//! Folders: a tree of named lists of items, with the counts that protocols ask for kept exact by every commit.

use crate::acl::{Acl, rights_in};
use crate::codec::{Reader, put_bytes, put_i64, put_u64};
use crate::objects::in_part;
use penfold_ports::{Name, Rights, Row, Scope, Value};
use penfold_types::{Error, FolderId, Modseq, Result, Uid, UidValidity};
use std::collections::HashMap;
use std::sync::Arc;

/// What the items of a folder are. It never changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Kind {
    #[default]
    Mail,
    Events,
    Tasks,
    Contacts,
    Notes,
    Files,
    /// What is attached to events and tasks: the service's own, seen through those alone.
    Attachments,
}

impl Kind {
    pub const ALL: [Self; 7] = [Self::Mail, Self::Events, Self::Tasks, Self::Contacts, Self::Notes, Self::Files, Self::Attachments];

    pub(crate) fn number(self) -> u64 {
        self as u64
    }

    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// Beside its kind in the log.
const FED: u64 = 1 << 6;

/// What a folder is for; at most one folder has each role (RFC 6154 §2, RFC 8621 §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Inbox,
    Drafts,
    Sent,
    Archive,
    Junk,
    Trash,
    /// Where events, tasks and contacts go that name no folder.
    Calendar,
    Tasks,
    Contacts,
    /// The top of the files.
    Files,
}

impl Role {
    pub const ALL: [Self; 10] = [
        Self::Inbox,
        Self::Drafts,
        Self::Sent,
        Self::Archive,
        Self::Junk,
        Self::Trash,
        Self::Calendar,
        Self::Tasks,
        Self::Contacts,
        Self::Files,
    ];
    /// Those of mail, which an account has from its first opening on.
    pub const MAIL: [Self; 6] = [Self::Inbox, Self::Drafts, Self::Sent, Self::Archive, Self::Junk, Self::Trash];
    /// Those of everything else, which it has from the first time on that somebody asks for them.
    pub const COLLECTIONS: [Self; 4] = [Self::Calendar, Self::Tasks, Self::Contacts, Self::Files];

    pub fn kind(self) -> Kind {
        match self {
            Self::Calendar => Kind::Events,
            Self::Tasks => Kind::Tasks,
            Self::Contacts => Kind::Contacts,
            Self::Files => Kind::Files,
            _ => Kind::Mail,
        }
    }

    /// The name of the folder that a new person gets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbox => "INBOX",
            Self::Drafts => "Drafts",
            Self::Sent => "Sent",
            Self::Archive => "Archive",
            Self::Junk => "Junk",
            Self::Trash => "Trash",
            Self::Calendar => "Calendar",
            Self::Tasks => "Tasks",
            Self::Contacts => "Contacts",
            Self::Files => "Files",
        }
    }

    /// The special-use attribute of RFC 6154 §2; INBOX has none.
    pub fn special_use(self) -> Option<&'static str> {
        match self {
            Self::Inbox | Self::Calendar | Self::Tasks | Self::Contacts | Self::Files => None,
            Self::Drafts => Some("\\Drafts"),
            Self::Sent => Some("\\Sent"),
            Self::Archive => Some("\\Archive"),
            Self::Junk => Some("\\Junk"),
            Self::Trash => Some("\\Trash"),
        }
    }

    pub fn from_special_use(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.special_use().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    fn number(self) -> u64 {
        self as u64 + 1
    }

    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    pub id: FolderId,
    pub parent: Option<FolderId>,
    pub kind: Kind,
    /// One level of the path, which never holds the separator; of a folder that holds no mail any name that people read.
    pub name: String,
    /// The last part of its address in WebDAV, as whoever made it chose it; empty for mail.
    pub segment: String,
    pub role: Option<Role>,
    /// Its content comes from elsewhere: nobody but whoever brings it writes there. It never changes.
    pub fed: bool,
    pub subscribed: bool,
    pub uidvalidity: UidValidity,
    pub uidnext: Uid,
    /// The highest modseq of any change in it (RFC 7162 §3.1.2.1 HIGHESTMODSEQ).
    pub modseq: Modseq,
    pub total: u32,
    pub unseen: u32,
    pub deleted: u32,
    pub bytes: u64,
    /// All changes of items in it so far: every thousandth asks for a checkpoint.
    pub(crate) churn: u32,
    /// Who else may do what in it; a row of its own.
    pub(crate) acl: Acl,
}

impl Folder {
    pub const SEPARATOR: char = '/';
    /// Bytes of one level's name.
    pub const NAME_LIMIT: usize = 255;
    /// Levels of the tree.
    pub const DEPTH_LIMIT: usize = 32;
    /// Folders of one account.
    pub const COUNT_LIMIT: usize = 5_000;

    pub(crate) fn new(id: FolderId, parent: Option<FolderId>, name: &str, role: Option<Role>, uidvalidity: UidValidity) -> Self {
        Self {
            id,
            parent,
            kind: role.map_or(Kind::Mail, Role::kind),
            name: name.to_owned(),
            segment: String::new(),
            role,
            fed: false,
            subscribed: true,
            uidvalidity,
            uidnext: Uid(1),
            modseq: Modseq(0),
            total: 0,
            unseen: 0,
            deleted: 0,
            bytes: 0,
            churn: 0,
            acl: Acl::default(),
        }
    }

    /// What a commit sets in the folder's row; attributes of a newer version stay as they are.
    pub(crate) fn attributes(&self) -> Vec<(Name, Value)> {
        let mut set: Vec<(Name, Value)> = vec![
            ("n".into(), self.name.as_str().into()),
            ("r".into(), self.role.map_or(0, Role::number).into()),
            ("s".into(), self.subscribed.into()),
            ("v".into(), self.uidvalidity.get().into()),
            ("u".into(), self.uidnext.get().into()),
            ("m".into(), self.modseq.get().into()),
            ("t".into(), self.total.into()),
            ("us".into(), self.unseen.into()),
            ("d".into(), self.deleted.into()),
            ("by".into(), self.bytes.into()),
            ("cc".into(), self.churn.into()),
        ];
        if let Some(parent) = self.parent {
            set.push(("p".into(), parent.as_bytes().into()));
        }
        if self.kind != Kind::Mail {
            set.push(("kd".into(), self.kind.number().into()));
            set.push(("sg".into(), self.segment.as_str().into()));
            if self.fed {
                set.push(("fd".into(), true.into()));
            }
        }
        set
    }

    pub(crate) fn from_row(id: FolderId, row: &Row) -> Option<Self> {
        let number = |name: &'static str| row.u64(name).and_then(|n| u32::try_from(n).ok());
        Some(Self {
            id,
            parent: row.bytes("p").and_then(|b| FolderId::from_slice(b)),
            kind: Kind::from_number(row.u64("kd").unwrap_or_default())?,
            name: row.str("n")?.to_owned(),
            segment: row.str("sg").unwrap_or_default().to_owned(),
            role: Role::from_number(row.u64("r")?),
            fed: row.u64("fd") == Some(1),
            subscribed: row.u64("s")? != 0,
            uidvalidity: UidValidity(number("v")?),
            uidnext: Uid(number("u")?),
            modseq: Modseq(row.u64("m")?),
            total: number("t")?,
            unseen: number("us")?,
            deleted: number("d")?,
            bytes: row.u64("by")?,
            churn: number("cc")?,
            acl: Acl::default(),
        })
    }

    /// What a change entry keeps of it: all that is not counted from the entries of items.
    pub(crate) fn encode_facts(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.parent.is_some()));
        if let Some(parent) = self.parent {
            out.extend_from_slice(parent.as_bytes());
        }
        put_bytes(out, self.name.as_bytes());
        put_u64(out, self.role.map_or(0, Role::number));
        put_u64(out, self.subscribed.into());
        put_i64(out, self.uidvalidity.get().into());
    }

    pub(crate) fn decode_facts(id: FolderId, from: &mut Reader<'_>) -> Option<Self> {
        let parent = if from.u8()? == 1 { Some(FolderId::from_bytes(from.id()?)) } else { None };
        let name = from.str()?.to_owned();
        let role = Role::from_number(from.u64()?);
        let subscribed = from.u64()? != 0;
        let uidvalidity = UidValidity(from.i64()?.try_into().ok()?);
        let mut folder = Self::new(id, parent, &name, role, uidvalidity);
        folder.subscribed = subscribed;
        Some(folder)
    }

    /// What is kept of a folder beside that where it holds no mail.
    pub(crate) fn encode_collection(&self, out: &mut Vec<u8>) {
        put_u64(out, self.kind.number() | if self.fed { FED } else { 0 });
        put_bytes(out, self.segment.as_bytes());
    }

    pub(crate) fn decode_collection(&mut self, from: &mut Reader<'_>) -> Option<()> {
        let kind = from.u64()?;
        (self.kind, self.fed) = (Kind::from_number(kind & !FED)?, kind & FED != 0);
        self.segment = from.str()?.to_owned();
        Some(())
    }
}

/// Checks one level of a path.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > Folder::NAME_LIMIT {
        return Err(Error::invalid("a folder's name has 1 to 255 bytes at each level"));
    }
    if name.chars().any(|c| c.is_control() || c == Folder::SEPARATOR) {
        return Err(Error::invalid("a folder's name has no control characters"));
    }
    Ok(())
}

/// All folders of an account at one moment.
#[derive(Clone, Default, Debug)]
pub struct Folders {
    list: Vec<Arc<Folder>>,
    tree: Arc<Tree>,
}

/// What follows from the names and parents of folders of mail, worked out anew only when those change.
#[derive(Default, Debug)]
struct Tree {
    /// Whole paths in their order, INBOX first.
    paths: Vec<(String, FolderId)>,
    parents: HashMap<FolderId, u32>,
}

impl Folders {
    pub(crate) fn new(list: Vec<Arc<Folder>>) -> Self {
        let mut folders = Self { list, tree: Arc::default() };
        folders.regrow();
        folders
    }

    pub fn get(&self, id: FolderId) -> Option<&Folder> {
        self.list.iter().find(|f| f.id == id).map(Arc::as_ref)
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// By whole path; INBOX in any case (RFC 9051 §5.1).
    pub fn find(&self, path: &str) -> Option<&Folder> {
        let wanted = inbox_folded(path);
        let (_, id) = self.tree.paths.iter().find(|(own, _)| *own == wanted)?;
        self.get(*id)
    }

    /// As somebody sees them who may not look up all: what they may not is not there, and of what they may not read nothing is
    /// counted. The levels above a folder still stand in its path.
    pub(crate) fn seen_by(&self, scope: &Scope) -> Self {
        let mut list = Vec::new();
        for folder in &self.list {
            let rights = rights_in(scope, folder);
            if in_part(rights) && rights.has(Rights::LOOKUP) {
                list.push(folder.clone());
            } else if rights.has(Rights::LOOKUP) {
                let Folder { id, parent, ref name, role, uidvalidity, .. } = **folder;
                let blank = Folder {
                    kind: folder.kind,
                    segment: folder.segment.clone(),
                    fed: folder.fed,
                    subscribed: folder.subscribed,
                    acl: folder.acl.clone(),
                    ..Folder::new(id, parent, name, role, uidvalidity)
                };
                list.push(Arc::new(blank));
            }
        }
        let seen: std::collections::HashSet<FolderId> = list.iter().map(|folder| folder.id).collect();
        let above: HashMap<FolderId, Option<FolderId>> = self.list.iter().map(|folder| (folder.id, folder.parent)).collect();
        let paths = self.tree.paths.iter().filter(|(_, id)| seen.contains(id)).cloned().collect();
        let mut tree = Tree { paths, parents: HashMap::new() };
        for folder in &list {
            let mut up = folder.parent;
            for _ in 0..Folder::DEPTH_LIMIT {
                let Some(parent) = up else { break };
                *tree.parents.entry(parent).or_default() += 1;
                up = above.get(&parent).copied().flatten();
            }
        }
        Self { list, tree: Arc::new(tree) }
    }

    pub fn with_role(&self, role: Role) -> Option<&Folder> {
        self.list.iter().find(|f| f.role == Some(role)).map(Arc::as_ref)
    }

    pub fn path(&self, id: FolderId) -> Option<&str> {
        self.tree.paths.iter().find(|(_, own)| *own == id).map(|(path, _)| path.as_str())
    }

    pub fn has_children(&self, id: FolderId) -> bool {
        self.tree.parents.contains_key(&id)
    }

    /// Those that hold no mail, in the order in which they were made. They have no path.
    pub fn collections(&self) -> impl Iterator<Item = &Folder> {
        self.list.iter().map(Arc::as_ref).filter(|folder| folder.kind != Kind::Mail)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Folder> {
        self.list.iter().map(Arc::as_ref)
    }

    /// Folders of mail: paths and folders, INBOX first, then in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Folder)> {
        self.tree.paths.iter().filter_map(|(path, id)| Some((path.as_str(), self.get(*id)?)))
    }

    /// Counts change often and paths rarely: this leaves the tree alone.
    pub(crate) fn get_mut(&mut self, id: FolderId) -> Option<&mut Folder> {
        self.list.iter_mut().find(|f| f.id == id).map(Arc::make_mut)
    }

    pub(crate) fn put(&mut self, folder: Folder) {
        match self.get_mut(folder.id) {
            Some(own) => {
                own.parent = folder.parent;
                own.segment = folder.segment;
                own.name = folder.name;
                own.role = folder.role;
                own.subscribed = folder.subscribed;
            }
            None => self.list.push(Arc::new(folder)),
        }
        self.regrow();
    }

    pub(crate) fn remove(&mut self, id: FolderId) -> Option<Arc<Folder>> {
        let at = self.list.iter().position(|f| f.id == id)?;
        let gone = self.list.remove(at);
        self.regrow();
        Some(gone)
    }

    fn regrow(&mut self) {
        let by_id: HashMap<FolderId, &Folder> = self.list.iter().map(|f| (f.id, f.as_ref())).collect();
        let mut tree = Tree::default();
        for folder in self.list.iter().filter(|folder| folder.kind == Kind::Mail) {
            let mut path = folder.name.clone();
            let mut up = folder.parent;
            // The limit also ends a ring, which only damage could make.
            for _ in 0..Folder::DEPTH_LIMIT {
                let Some(parent) = up.and_then(|id| by_id.get(&id)) else { break };
                path.insert(0, Folder::SEPARATOR);
                path.insert_str(0, &parent.name);
                up = parent.parent;
            }
            if let Some(parent) = folder.parent {
                *tree.parents.entry(parent).or_default() += 1;
            }
            tree.paths.push((inbox_folded(&path), folder.id));
        }
        tree.paths.sort_by(|(a, _), (b, _)| path_key(a).cmp(&path_key(b)));
        self.tree = Arc::new(tree);
    }
}

/// INBOX first, children right after their parents.
fn path_key(path: &str) -> (bool, Vec<&str>) {
    let levels: Vec<&str> = path.split(Folder::SEPARATOR).collect();
    (levels.first() != Some(&"INBOX"), levels)
}

/// The path with a first level `inbox` in capitals.
pub(crate) fn inbox_folded(path: &str) -> String {
    match path.get(..5) {
        Some(first) if first.eq_ignore_ascii_case("INBOX") && (path.len() == 5 || path[5..].starts_with(Folder::SEPARATOR)) => {
            format!("INBOX{}", &path[5..])
        }
        _ => path.to_owned(),
    }
}
