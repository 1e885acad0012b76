//! Who else may do what in a folder. The list is the folder's own, a row behind the folder's row, and moves with the log like
//! everything else in a view: so a decision and the rights that it was made on are of one moment.

use crate::account::Mailbox;
use crate::codec::{Reader, put_u64};
use crate::folder::{Folder, Kind};
use penfold_ports::{Grantee, Name, Rights, Row, Scope, Value};
use penfold_types::{Error, FolderId, Modseq, PrincipalId, Result};
use std::sync::Arc;

/// One line of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Granted {
    pub to: Grantee,
    pub rights: Rights,
    /// The commit that granted it.
    pub since: Modseq,
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Acl {
    /// The last commit that changed it; 0 where none did.
    pub modseq: Modseq,
    pub list: Arc<[Granted]>,
}

impl Acl {
    /// Lines of one folder.
    pub const LIMIT: usize = 200;

    pub fn attributes(&self) -> Vec<(Name, Value)> {
        let mut lines = Vec::with_capacity(self.list.len() * 24 + 2);
        encode(&self.list, &mut lines);
        vec![("m".into(), self.modseq.get().into()), ("e".into(), lines.into())]
    }

    pub fn from_row(row: &Row) -> Option<Self> {
        let list = decode(&mut Reader(row.bytes("e")?))?;
        Some(Self { modseq: Modseq(row.u64("m")?), list: list.into() })
    }

    /// What somebody comes to on these grounds.
    fn granted(&self, scope: &Scope) -> Rights {
        let counts = |line: &&Granted| scope.grounds().iter().any(|ground| ground.to == line.to && line.since >= ground.since);
        self.list.iter().filter(counts).fold(Rights::NONE, |rights, line| rights.and(line.rights))
    }
}

/// The rights that a scope has in a folder. Where it has to do with single folders, one that it may not look up is not there for
/// it, whatever else was granted. A calendar of which titles are shown is seen, and read in part.
pub(crate) fn rights_in(scope: &Scope, folder: &Folder) -> Rights {
    let granted = folder.acl.granted(scope);
    // Of nothing else there are titles and places.
    let granted = if folder.kind == Kind::Events { granted } else { granted.without(Rights::DETAILS) };
    let seen = if granted.has(Rights::DETAILS) { Rights::LOOKUP } else { Rights::NONE };
    let rights = scope.rights().and(granted).and(seen).within(scope.most().and(Rights::UNSEEN));
    let rights = if folder.fed && !scope.feeds() { rights.without(OURS) } else { rights };
    if scope.grounds().is_empty() || rights.has(Rights::LOOKUP) { rights } else { rights.within(Rights::UNSEEN) }
}

/// What nobody does in a folder that is filled from elsewhere.
const OURS: Rights = Rights::WRITE.and(Rights::INSERT).and(Rights::CREATE).and(Rights::DELETE_ITEM).and(Rights::EXPUNGE);

/// Why something is refused: what may not be looked up is not there.
pub(crate) fn refusal(scope: &Scope, rights: Rights) -> Error {
    if rights.has(Rights::LOOKUP) || scope.grounds().is_empty() { denied() } else { Error::not_found("no such folder") }
}

/// For what has to do with an account as a whole: its log, its end.
pub(crate) fn whole(scope: &Scope) -> Result<()> {
    if scope.rights().has(Rights::ALL) { Ok(()) } else { Err(denied()) }
}

pub(crate) fn denied() -> Error {
    Error::denied("that is not allowed in this mailbox")
}

impl Mailbox {
    /// What may be done in a folder.
    pub fn rights(&self, folder: &Folder) -> Rights {
        rights_in(self.scope(), folder)
    }

    /// Denies where the scope's rights to the whole account do not reach.
    pub(crate) fn need(&self, rights: Rights) -> Result<()> {
        if self.scope().rights().within(self.scope().most()).has(rights) { Ok(()) } else { Err(denied()) }
    }

    /// Refuses where the rights to a folder do not reach: read anew for whom single folders were opened, one read unit. Each
    /// commit judges once more, by the view that it builds on.
    pub(crate) async fn need_in(&self, folder: FolderId, rights: Rights) -> Result<()> {
        self.judge_in(folder, |own| own.has(rights)).await.map(|_| ())
    }

    /// The rights to a folder, where they are enough for `enough`.
    pub(crate) async fn judge_in(&self, folder: FolderId, enough: impl Fn(Rights) -> bool + Send) -> Result<Rights> {
        let mut rights = self.scope().rights().within(self.scope().most());
        if !self.scope().grounds().is_empty() {
            rights = self.view().await?.folders.get(folder).map_or(Rights::NONE, |own| rights_in(self.scope(), own));
        }
        if enough(rights) { Ok(rights) } else { Err(refusal(self.scope(), rights)) }
    }
}

pub(crate) fn encode(list: &[Granted], out: &mut Vec<u8>) {
    put_u64(out, list.len() as u64);
    for line in list {
        match line.to {
            Grantee::Anyone => out.push(0),
            Grantee::Principal(id) => {
                out.push(1);
                out.extend_from_slice(id.as_bytes());
            }
        }
        put_u64(out, line.rights.bits());
        put_u64(out, line.since.get());
    }
}

pub(crate) fn decode(from: &mut Reader<'_>) -> Option<Vec<Granted>> {
    let count = usize::try_from(from.u64()?).ok().filter(|count| *count <= Acl::LIMIT)?;
    let mut list = Vec::with_capacity(count);
    for _ in 0..count {
        let to = match from.u8()? {
            0 => Grantee::Anyone,
            1 => Grantee::Principal(PrincipalId::from_bytes(from.id()?)),
            _ => return None,
        };
        list.push(Granted { to, rights: Rights::from_bits(from.u64()?), since: Modseq(from.u64()?) });
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_and_a_torn_one_is_none() {
        let one = |to, since| Granted { to, rights: Rights::LOOKUP.and(Rights::READ), since: Modseq(since) };
        let list = vec![one(Grantee::Anyone, 3), one(Grantee::Principal(PrincipalId::from_bytes([7; 16])), 400)];
        let mut bytes = Vec::new();
        encode(&list, &mut bytes);
        assert_eq!(decode(&mut Reader(&bytes)), Some(list));
        for end in 0..bytes.len() {
            assert_eq!(decode(&mut Reader(&bytes[..end])), None, "{end}");
        }
        let mut many = Vec::new();
        put_u64(&mut many, u64::MAX);
        assert_eq!(decode(&mut Reader(&many)), None);
    }
}
