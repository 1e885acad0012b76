//! A frozen account is read and not written: while a tenant moves. The epoch is raised each time, so that a writer who decided
//! before commits nothing after.

use crate::account::{Mailbox, Mailboxes};
use crate::verbs::{ROUNDS, busy};
use crate::view::{Head, Status};
use penfold_ports::{Key, PortError, Rights, Row, Sk, When, Write};
use penfold_types::{Error, Result};

impl Mailbox {
    /// True where it was not frozen before.
    pub async fn freeze(&self) -> Result<bool> {
        self.turn(Status::Active, Status::Frozen).await
    }

    /// True where it was frozen.
    pub async fn thaw(&self) -> Result<bool> {
        self.turn(Status::Frozen, Status::Active).await
    }

    async fn turn(&self, from: Status, to: Status) -> Result<bool> {
        self.need(Rights::ALL)?;
        let _turn = self.shared.writing.lock().await;
        let key = self.scope().key(Sk::head());
        let mut sent = None;
        for round in 0..ROUNDS {
            // An account that nobody has opened yet is made by this.
            let head = self.view().await?.head.clone();
            if head.status == to {
                return Ok(sent == Some(head.epoch));
            }
            if head.status != from {
                return Err(Error::conflict("the account is parked or moved; see penfold check"));
            }
            let epoch = head.epoch + 1;
            let set = vec![("st".into(), (to as u64).into()), ("ep".into(), epoch.into())];
            let when = When::Equal(vec![("ep".into(), head.epoch.into()), ("m".into(), head.modseq.get().into())]);
            let done = self.inner.world.table.put(Write::Update { key: key.clone(), set, remove: Vec::new(), when }).await;
            self.shared.forget();
            match done {
                Ok(()) => return Ok(true),
                // The next look tells.
                Err(PortError::Unknown) => sent = Some(epoch),
                Err(PortError::Condition { .. } | PortError::Throttled) => {}
                Err(error) => return Err(error.into()),
            }
            self.inner.world.env.sleep_jittered(std::time::Duration::from_millis(10 << round.min(6))).await;
        }
        Err(busy())
    }
}

impl Mailboxes {
    /// Whether a row is what stays of an account that was destroyed.
    pub fn is_destroyed(key: &Key, row: &Row) -> bool {
        *key.sk() == Sk::head() && Head::from_row(row).is_some_and(|head| head.status == Status::Destroyed)
    }
}
