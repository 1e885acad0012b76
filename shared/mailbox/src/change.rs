//! The change log: one row a commit, holding everything that a view needs to move on from the commit before.

use crate::acl::{self, Granted};
use crate::codec::{Reader, put_bytes, put_i64, put_u64};
use crate::folder::{Folder, Kind};
use crate::keywords::Keywords;
use bytes::Bytes;
use penfold_ports::Row;
use penfold_types::{CommitId, FolderId, ItemId, Modseq, PrincipalId, Timestamp, Uid};
use std::sync::Arc;

/// One commit, as the log tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub modseq: Modseq,
    pub commit: CommitId,
    pub at: Timestamp,
    /// Who did it, where it was not the account's owner (or a delivery).
    pub viewer: Option<PrincipalId>,
    /// What it added came by mail.
    pub delivery: bool,
    pub entries: Vec<Entry>,
}

/// An item as it stands in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    pub item: ItemId,
    pub uid: Uid,
    pub keywords: Keywords,
    /// The commit that brought the item into the account.
    pub created: Modseq,
    pub size: u32,
    /// INTERNALDATE: unix seconds, and the minutes east of Greenwich of its zone.
    pub received: i64,
    pub zone: i16,
}

/// What an object was made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    pub item: ItemId,
    pub size: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    Added {
        folder: FolderId,
        placed: Placed,
    },
    Keywords {
        folder: FolderId,
        item: ItemId,
        uid: Uid,
        created: Modseq,
        before: Keywords,
        after: Keywords,
    },
    Removed {
        folder: FolderId,
        placed: Placed,
    },
    /// `placed` is as it stands afterwards.
    Moved {
        from: FolderId,
        from_uid: Uid,
        to: FolderId,
        placed: Placed,
    },
    /// Made, renamed, moved or (un)subscribed; the counts in it mean nothing.
    FolderSet(Folder),
    FolderGone(FolderId),
    /// An item that has a name of its own in its folder: made, replaced, removed, or given other properties. A move is two.
    /// Neither before nor after: of this name is a folder in it, which came, went or was renamed.
    Object {
        folder: FolderId,
        name: String,
        before: Option<Version>,
        after: Option<Version>,
    },
    /// Somebody who is not the owner changed a setting of their own; the row `v#viewer#folder` says what it is now.
    Viewer {
        folder: FolderId,
        viewer: PrincipalId,
    },
    /// The whole list of who else may do what in a folder.
    Acl {
        folder: FolderId,
        list: Arc<[Granted]>,
    },
}

const FORMAT: u8 = 1;

/// Folders of one change, each written once.
#[derive(Default)]
struct FolderTable(Vec<FolderId>);

impl FolderTable {
    fn place(&mut self, id: FolderId) -> u64 {
        match self.0.iter().position(|own| *own == id) {
            Some(at) => at as u64,
            None => {
                self.0.push(id);
                self.0.len() as u64 - 1
            }
        }
    }

    fn get(&self, at: u64) -> Option<FolderId> {
        self.0.get(usize::try_from(at).ok()?).copied()
    }
}

fn put_placed(out: &mut Vec<u8>, placed: &Placed) {
    out.extend_from_slice(placed.item.as_bytes());
    put_u64(out, placed.uid.get().into());
    placed.keywords.encode(out);
    put_u64(out, placed.created.get());
    put_u64(out, placed.size.into());
    put_i64(out, placed.received);
    put_i64(out, placed.zone.into());
}

fn read_placed(from: &mut Reader<'_>) -> Option<Placed> {
    Some(Placed {
        item: ItemId::from_bytes(from.id()?),
        uid: Uid(from.u32()?),
        keywords: Keywords::decode(from)?,
        created: Modseq(from.u64()?),
        size: from.u32()?,
        received: from.i64()?,
        zone: from.i16()?,
    })
}

/// Outer `None`: it cannot be read.
fn read_version(from: &mut Reader<'_>) -> Option<Option<Version>> {
    Some(match from.u8()? {
        0 => None,
        _ => Some(Version { item: ItemId::from_bytes(from.id()?), size: from.u32()? }),
    })
}

impl Entry {
    fn encode(&self, folders: &mut FolderTable, out: &mut Vec<u8>) {
        match self {
            Self::Added { folder, placed } => {
                out.push(1);
                put_u64(out, folders.place(*folder));
                put_placed(out, placed);
            }
            Self::Keywords { folder, item, uid, created, before, after } => {
                out.push(2);
                put_u64(out, folders.place(*folder));
                out.extend_from_slice(item.as_bytes());
                put_u64(out, uid.get().into());
                put_u64(out, created.get());
                before.encode(out);
                after.encode(out);
            }
            Self::Removed { folder, placed } => {
                out.push(3);
                put_u64(out, folders.place(*folder));
                put_placed(out, placed);
            }
            Self::Moved { from, from_uid, to, placed } => {
                out.push(4);
                put_u64(out, folders.place(*from));
                put_u64(out, from_uid.get().into());
                put_u64(out, folders.place(*to));
                put_placed(out, placed);
            }
            Self::FolderSet(folder) => {
                let mail = folder.kind == Kind::Mail;
                out.push(if mail { 5 } else { 9 });
                put_u64(out, folders.place(folder.id));
                folder.encode_facts(out);
                if !mail {
                    folder.encode_collection(out);
                }
            }
            Self::FolderGone(folder) => {
                out.push(6);
                put_u64(out, folders.place(*folder));
            }
            Self::Viewer { folder, viewer } => {
                out.push(7);
                put_u64(out, folders.place(*folder));
                out.extend_from_slice(viewer.as_bytes());
            }
            Self::Acl { folder, list } => {
                out.push(8);
                put_u64(out, folders.place(*folder));
                acl::encode(list, out);
            }
            Self::Object { folder, name, before, after } => {
                out.push(10);
                put_u64(out, folders.place(*folder));
                put_bytes(out, name.as_bytes());
                for version in [before, after] {
                    out.push(u8::from(version.is_some()));
                    if let Some(version) = version {
                        out.extend_from_slice(version.item.as_bytes());
                        put_u64(out, version.size.into());
                    }
                }
            }
        }
    }

    /// Versions that do not know it pass over it.
    fn is_beside(&self) -> bool {
        match self {
            Self::Acl { .. } | Self::Object { .. } => true,
            Self::FolderSet(folder) => folder.kind != Kind::Mail,
            _ => false,
        }
    }

    fn decode(folders: &FolderTable, from: &mut Reader<'_>) -> Option<Self> {
        let op = from.u8()?;
        let folder = folders.get(from.u64()?)?;
        Some(match op {
            1 => Self::Added { folder, placed: read_placed(from)? },
            2 => Self::Keywords {
                folder,
                item: ItemId::from_bytes(from.id()?),
                uid: Uid(from.u32()?),
                created: Modseq(from.u64()?),
                before: Keywords::decode(from)?,
                after: Keywords::decode(from)?,
            },
            3 => Self::Removed { folder, placed: read_placed(from)? },
            4 => Self::Moved { from: folder, from_uid: Uid(from.u32()?), to: folders.get(from.u64()?)?, placed: read_placed(from)? },
            5 => Self::FolderSet(Folder::decode_facts(folder, from)?),
            6 => Self::FolderGone(folder),
            7 => Self::Viewer { folder, viewer: PrincipalId::from_bytes(from.id()?) },
            8 => Self::Acl { folder, list: acl::decode(from)?.into() },
            9 => {
                let mut own = Folder::decode_facts(folder, from)?;
                own.decode_collection(from)?;
                Self::FolderSet(own)
            }
            10 => {
                let name = from.str()?.to_owned();
                Self::Object { folder, name, before: read_version(from)?, after: read_version(from)? }
            }
            _ => return None,
        })
    }
}

impl Change {
    pub(crate) fn to_row(&self) -> Row {
        let mut folders = FolderTable::default();
        let (mut entries, mut beside) = (Vec::with_capacity(self.entries.len() * 40), Vec::new());
        for entry in &self.entries {
            let out = if entry.is_beside() { &mut beside } else { &mut entries };
            entry.encode(&mut folders, out);
        }
        let mut out = Vec::with_capacity(entries.len() + 40);
        out.push(FORMAT);
        put_u64(&mut out, folders.0.len() as u64);
        for folder in &folders.0 {
            out.extend_from_slice(folder.as_bytes());
        }
        out.extend_from_slice(&entries);
        let mut row = Row::new().with("id", self.commit.as_bytes()).with("t", self.at.millis().max(0) as u64).with("e", out);
        if !beside.is_empty() {
            row.set("x", beside);
        }
        if let Some(viewer) = self.viewer {
            row.set("w", viewer.as_bytes());
        }
        if self.delivery {
            row.set("d", true);
        }
        row
    }

    pub(crate) fn from_row(modseq: Modseq, row: &Row) -> Option<Self> {
        let entries: &Bytes = row.bytes("e")?;
        let mut from = Reader(entries);
        if from.u8()? != FORMAT {
            return None;
        }
        let count = usize::try_from(from.u64()?).ok()?;
        let mut folders = FolderTable::default();
        for _ in 0..count {
            folders.0.push(FolderId::from_bytes(from.id()?));
        }
        let mut entries = Vec::new();
        while !from.is_empty() {
            entries.push(Entry::decode(&folders, &mut from)?);
        }
        let mut beside = Reader(row.bytes("x").map_or(&[], |bytes| bytes));
        while !beside.is_empty() {
            entries.push(Entry::decode(&folders, &mut beside)?);
        }
        Some(Self {
            modseq,
            commit: CommitId::from_slice(row.bytes("id")?)?,
            at: Timestamp::from_millis(i64::try_from(row.u64("t")?).ok()?),
            viewer: row.bytes("w").and_then(|b| PrincipalId::from_slice(b)),
            delivery: row.u64("d") == Some(1),
            entries,
        })
    }
}
