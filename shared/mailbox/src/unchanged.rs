//! Commits that rest on how folders were when somebody looked at them (RFC 6578 §5).

use crate::account::Mailbox;
use crate::objects::Since;
use crate::view::View;
use penfold_types::{Error, FolderId, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Unchanged {
    folders: Vec<(FolderId, Since)>,
    /// What follows the first commit rests on that.
    rested: AtomicBool,
}

impl Mailbox {
    /// The same account, whose next commit is refused ([`Error::is_unmet`]) where one of these folders is no longer as it was then.
    #[must_use]
    pub fn if_unchanged(&self, folders: Vec<(FolderId, Since)>) -> Self {
        let mut resting = self.clone();
        resting.unchanged = Some(Arc::new(Unchanged { folders, rested: AtomicBool::new(false) }));
        resting
    }

    pub(crate) fn judge_unchanged(&self, before: &View) -> Result<()> {
        let Some(own) = self.unchanged.as_ref().filter(|own| !own.rested.load(Ordering::Relaxed)) else { return Ok(()) };
        let is = |(folder, then): &(FolderId, Since)| before.folders.get(*folder).is_some_and(|now| Since::whole(now.modseq) == *then);
        if own.folders.iter().all(is) { Ok(()) } else { Err(Error::unmet("the folder has changed: read it again")) }
    }

    pub(crate) fn rested(&self) {
        if let Some(own) = &self.unchanged {
            own.rested.store(true, Ordering::Relaxed);
        }
    }
}
