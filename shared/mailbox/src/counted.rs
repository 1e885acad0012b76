//! For the meter: heads and logs as they are stored, without making an account of one that nobody has used yet. The meter's
//! mark says how far it came; all that is known of that row here is the modseq, for history is not dropped past it.

use crate::account::{Mailbox, Mailboxes, modseq_of};
use crate::acl::whole;
use crate::change::Change;
use crate::view::Head;
use penfold_ports::{Key, Name, Query, Scope, Sk};
use penfold_types::{Error, Modseq, Result};

/// Of the meter's mark: the last change that is counted.
pub const COUNTED: Name = Name::new("m");

/// Changes that follow one another.
#[derive(Debug, Default)]
pub struct Stretch {
    pub changes: Vec<Change>,
    /// Behind these there is more.
    pub more: bool,
}

impl Mailbox {
    /// Up to where the meter came; 0 where it has not come by yet.
    pub(crate) async fn counted(&self) -> Result<Modseq> {
        let account = self.account();
        let key = self.inner.directory.tenant_scope(account.tenant).usage(Sk::mark(account.principal));
        let mark = self.inner.world.table.get(&key).await?;
        Ok(mark.and_then(|row| row.u64(COUNTED)).map_or(Modseq(0), Modseq))
    }
}

impl Mailboxes {
    /// The head of each account; `None` where nobody has used it yet.
    pub async fn heads(&self, scopes: &[Scope]) -> Result<Vec<Result<Option<Head>>>> {
        scopes.iter().try_for_each(whole)?;
        let keys: Vec<Key> = scopes.iter().map(|scope| scope.key(Sk::head())).collect();
        let read = |row: Option<_>| match row {
            None => Ok(None),
            Some(row) => Head::from_row(&row).map(Some).ok_or_else(|| Error::broken("the account's head cannot be read")),
        };
        Ok(self.world().table.batch_get(&keys).await?.into_iter().map(read).collect())
    }

    /// A page of an account's log: changes after one modseq, up to another. It ends before a change that is missing.
    pub async fn stretch(&self, scope: &Scope, after: Modseq, to: Modseq) -> Result<Stretch> {
        whole(scope)?;
        let (from, end) = (Sk::change(after.next()), Some(Sk::change(to.next())));
        let page = self.world().table.query(&Query { pk: scope.pk().clone(), from, to: end, limit: usize::MAX, reverse: false }).await?;
        let mut changes: Vec<Change> = Vec::with_capacity(page.rows.len());
        for (sk, row) in page.rows {
            let modseq = modseq_of(&sk).ok_or_else(|| Error::broken("a change has no number"))?;
            if modseq != changes.last().map_or(after, |last| last.modseq).next() {
                return Ok(Stretch { changes, more: false });
            }
            changes.push(Change::from_row(modseq, &row).ok_or_else(|| Error::broken("a change cannot be read"))?);
        }
        Ok(Stretch { changes, more: page.more })
    }
}
