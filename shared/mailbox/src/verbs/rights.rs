//! Who else may do what in a folder: read and changed, each change with what makes it found and its row of the audit log, in one
//! commit.

use super::{ROUNDS, busy};
use crate::account::Mailbox;
use crate::acl::{Acl, Granted};
use crate::change::Entry;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::view::View;
use penfold_directory::{GranteeInfo, Granting};
use penfold_ports::{Grantee, Rights};
use penfold_types::{Error, FolderId, Modseq, Result};

/// The list of a folder as people see it, without those who are gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderRights {
    /// Moves with each change of the list; 0 where there was none.
    pub revision: Modseq,
    pub list: Vec<(GranteeInfo, Rights)>,
}

/// RFC 4314 §3.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RightsChange {
    Set(Rights),
    Add(Rights),
    Remove(Rights),
}

impl RightsChange {
    fn apply(self, before: Rights) -> Rights {
        match self {
            Self::Set(rights) => rights,
            Self::Add(rights) => before.and(rights),
            Self::Remove(rights) => before.without(rights),
        }
    }
}

/// A line counts where its grantee is there and was granted something without a break since.
fn counts(line: &Granted, known: Option<&GranteeInfo>) -> bool {
    known.and_then(|known| known.since).is_some_and(|since| line.since >= since)
}

fn is_granted_elsewhere(view: &View, folder: FolderId, known: &GranteeInfo) -> bool {
    let others = view.folders.all().filter(|other| other.id != folder);
    others.flat_map(|other| other.acl.list.iter()).any(|line| line.to == known.to && counts(line, Some(known)))
}

impl Mailbox {
    /// Lines of a list that one commit changes: each takes three rows of it.
    pub const RIGHTS_TOGETHER: usize = 25;

    pub async fn folder_rights(&self, folder: FolderId) -> Result<FolderRights> {
        self.need_in(folder, Rights::ADMINISTER).await?;
        let view = self.view().await?;
        let own = view.folders.get(folder).ok_or_else(|| Error::not_found("no such folder"))?;
        let known = self.known(&own.acl).await?;
        let list = own.acl.list.iter().zip(known).filter(|(line, known)| counts(line, known.as_ref()));
        let list = list.filter_map(|(line, known)| Some((known?, line.rights))).collect();
        Ok(FolderRights { revision: own.acl.modseq, list })
    }

    async fn known(&self, acl: &Acl) -> Result<Vec<Option<GranteeInfo>>> {
        let all: Vec<Grantee> = acl.list.iter().map(|line| line.to).collect();
        self.inner.directory.grantees(self.account(), &all).await
    }

    /// Changes what somebody may do in a folder, in the name of `actor`, and gives what it is now. `expected`: the revision that
    /// the caller saw. `rehearses`: all is judged, and nothing is done.
    pub async fn set_rights(
        &self,
        folder: FolderId,
        to: Grantee,
        change: RightsChange,
        actor: &str,
        expected: Option<Modseq>,
        rehearses: bool,
    ) -> Result<Rights> {
        let mut after = self.change_rights(folder, &[(to, change)], actor, expected, rehearses).await?;
        after.pop().ok_or_else(|| Error::broken("a change of rights came to nothing"))
    }

    /// The same for several, [`Self::RIGHTS_TOGETHER`] at most, in one commit; each is named once.
    pub async fn change_rights(
        &self,
        folder: FolderId,
        changes: &[(Grantee, RightsChange)],
        actor: &str,
        expected: Option<Modseq>,
        rehearses: bool,
    ) -> Result<Vec<Rights>> {
        self.need_in(folder, Rights::ADMINISTER).await?;
        if changes.iter().any(|(to, _)| *to == Grantee::Principal(self.account().principal)) {
            return Err(Error::invalid("the owner has every right, and keeps it"));
        }
        if changes.len() > Self::RIGHTS_TOGETHER {
            return Err(Error::limit("so many rights are not changed at once"));
        }
        let all: Vec<Grantee> = changes.iter().map(|(to, _)| *to).collect();
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            let view = self.view_to_decide().await?;
            let own = view.folders.get(folder).ok_or_else(|| Error::not_found("no such folder"))?;
            if expected.is_some_and(|expected| expected != own.acl.modseq) {
                return Err(Error::conflict("it was changed since; read it again"));
            }
            let grantees = self.inner.directory.grantees(self.account(), &all).await?;
            let known = self.known(&own.acl).await?;
            let mut list: Vec<Granted> = Vec::with_capacity(own.acl.list.len() + changes.len());
            list.extend(own.acl.list.iter().zip(&known).filter(|(line, known)| counts(line, known.as_ref())).map(|(line, _)| *line));
            let mut draft = Draft::new(self.scope(), &view);
            let (mut after, mut granting) = (Vec::with_capacity(changes.len()), Vec::new());
            for ((to, change), grantee) in changes.iter().zip(&grantees) {
                let grantee = grantee.as_ref().ok_or_else(|| Error::not_found("there is no such person or group"))?;
                let before = list.iter().find(|line| line.to == *to).map_or(Rights::NONE, |line| line.rights);
                let rights = change.apply(before);
                after.push(rights);
                if rights == before {
                    continue;
                }
                list.retain(|line| line.to != *to);
                if !rights.is_none() {
                    list.push(Granted { to: *to, rights, since: draft.modseq() });
                }
                let keeps = !rights.is_none() || is_granted_elsewhere(&view, folder, grantee);
                granting.push(Granting { grantee, keeps, since: draft.modseq(), folder, rights, actor });
            }
            if list.len() > Acl::LIMIT {
                return Err(Error::limit("a folder is opened to 200 people and groups at most"));
            }
            if granting.is_empty() || rehearses {
                return Ok(after);
            }
            draft.entry(Entry::Acl { folder, list: list.into() });
            let noting = self.inner.directory.noting(self.account().tenant).await;
            for write in self.inner.directory.granting(self.account(), &granting).await? {
                draft.write(write);
            }
            let outcome = self.commit(draft).await?;
            drop(noting);
            match outcome {
                Outcome::Done => return Ok(after),
                // Also where the audit log, or a grantee, moved on.
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }
}
