//! One copy in Sent of what its owner sent. The server puts one there, and most clients append theirs as well, before or
//! after it. Both name the item by the Message-ID, so that either finds the other with one query over the last hour.

use crate::account::Mailbox;
use crate::change::Placed;
use crate::folder::{Folder, Role};
use crate::state;
use penfold_formats::mime::Summary;
use penfold_ports::{Account, Query, Sk};
use penfold_types::{FolderId, ItemId, Modseq, Result, Timestamp};
use std::time::Duration;

use super::arrive::{first_16, message_id_hash};

/// How far apart the two may come.
const APART: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Maker {
    Server,
    Client,
}

/// What makes two messages twins: the hash of their Message-ID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Twin([u8; 16]);

impl Twin {
    pub fn of(summary: &Summary) -> Option<Self> {
        summary.envelope.message_id.as_deref().map(message_id_hash).map(Self)
    }

    /// The id of the copy that `maker` puts into the mailbox at a time.
    pub fn item(self, maker: Maker, account: Account, at: Timestamp) -> ItemId {
        let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        hash.update(match maker {
            Maker::Server => b"sent copy",
            Maker::Client => b"appended ",
        });
        hash.update(&self.0);
        hash.update(account.tenant.as_bytes());
        hash.update(account.principal.as_bytes());
        ItemId::shaped(at, first_16(hash.finish().as_ref()))
    }
}

/// Whether copies of what was sent are kept in this folder.
pub(super) fn keeps_copies(folder: &Folder) -> bool {
    folder.role == Some(Role::Sent)
}

impl Mailbox {
    /// The newest copy of one of these makers that is in the folder and not older than an hour before `at`.
    pub(super) async fn twin(&self, folder: FolderId, twin: Twin, makers: &[Maker], at: Timestamp) -> Result<Option<(Placed, Modseq)>> {
        let since = Timestamp::from_millis(at.millis().saturating_sub(i64::try_from(APART.as_millis()).unwrap_or(i64::MAX)).max(0));
        let to = Some(Sk::states(folder).after_prefix());
        let from = Sk::state(folder, ItemId::shaped(since, [0; 16]));
        let mut query = Query { pk: self.scope().pk().clone(), from, to, limit: 1000, reverse: false };
        let mut found = None;
        loop {
            let page = self.inner.world.table.query(&query).await?;
            for (sk, row) in &page.rows {
                let id = sk.as_bytes().get(Sk::states(folder).as_bytes().len()..).and_then(ItemId::from_slice);
                if let Some(id) = id.filter(|id| makers.iter().any(|maker| twin.item(*maker, self.account(), id.time()) == *id)) {
                    found = state::from_row(id, row).or(found);
                }
            }
            match page.rows.last() {
                Some((last, _)) if page.more => query.from = last.successor(),
                _ => return Ok(found),
            }
        }
    }
}
