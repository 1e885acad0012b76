//! Content that comes in, piece by piece.

use crate::content::PART;
use crate::transfer::{LONGEST, State, Transfer};
use crate::transfers::{Transfers, room, same};
use bytes::{Bytes, BytesMut};
use penfold_directory::Operator;
use penfold_ports::{PortError, Sk, When, Write};
use penfold_types::{Error, Result};

/// Octets at the beginning that are looked at before the rest is taken.
pub const LOOKED_AT: usize = 64 << 10;

/// Whoever is cut off begins anew: nothing counts before [`Upload::finish`].
pub struct Upload {
    transfers: Transfers,
    transfer: Transfer,
    held: BytesMut,
    begin: Bytes,
    looked: bool,
}

impl Transfers {
    /// Begins one. Of two at once the later one counts, and the other is told at its next part.
    pub async fn upload(&self, transfer: &Transfer) -> Result<Upload> {
        if transfer.state != State::Uploading {
            // Perhaps it was never called.
            self.nudge(transfer).await?;
            return Err(Error::conflict("it has its content already"));
        }
        room(&self.all(transfer.tenant).await?, &transfer.order)?;
        let mut number = [0; 8];
        self.world.env.fill(&mut number);
        let begun = Transfer { upload: u64::from_be_bytes(number), parts: 0, octets: 0, step: transfer.step + 1, ..transfer.clone() };
        self.write(&begun, same(transfer)).await?;
        // What an earlier one left.
        self.drop_content(&begun).await?;
        Ok(Upload { transfers: self.clone(), transfer: begun, held: BytesMut::new(), begin: Bytes::new(), looked: false })
    }

    async fn write(&self, transfer: &Transfer, when: When) -> Result<()> {
        let write = Write::Update { key: self.key(transfer), set: transfer.changing(), remove: Vec::new(), when };
        self.table().commit(vec![write]).await.map_err(overtaken)
    }
}

fn overtaken(error: PortError) -> Error {
    match error {
        PortError::Condition { .. } => Error::conflict("it was cancelled, or uploaded by another request"),
        other => other.into(),
    }
}

impl Upload {
    pub async fn put(&mut self, bytes: Bytes) -> Result<()> {
        match self.take(bytes).await {
            Err(error) => Err(self.give_up(error).await),
            done => done,
        }
    }

    async fn take(&mut self, mut bytes: Bytes) -> Result<()> {
        if self.begin.len() < LOOKED_AT {
            let more = bytes.len().min(LOOKED_AT - self.begin.len());
            self.begin = [&self.begin[..], &bytes[..more]].concat().into();
        }
        if self.begin.len() >= LOOKED_AT {
            self.look()?;
        }
        self.transfer.octets += bytes.len() as u64;
        if self.transfer.octets > LONGEST {
            return Err(Error::limit(format!("a file has at most {LONGEST} octets")));
        }
        while self.held.len() + bytes.len() >= PART as usize {
            self.held.extend_from_slice(&bytes.split_to(PART as usize - self.held.len()));
            self.store().await?;
        }
        self.held.extend_from_slice(&bytes);
        Ok(())
    }

    /// What is no such file is refused before all of it is there.
    fn look(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.looked, true) {
            self.transfer.order.look(&self.begin)?;
        }
        Ok(())
    }

    async fn store(&mut self) -> Result<()> {
        let (transfers, transfer) = (&self.transfers, &mut self.transfer);
        let part = transfers.put(transfer, self.held.split().freeze()).await?;
        let key = transfers.part_key(transfer, transfer.upload, transfer.parts);
        // No part of what was cancelled, or forgotten, is left behind.
        let still = Write::Check { key: transfers.key(transfer), when: same(transfer) };
        transfers.table().commit(vec![Write::put(key, part.row()), still]).await.map_err(overtaken)?;
        transfer.parts += 1;
        Ok(())
    }

    /// All of it is there: it begins, in the name of whoever brought it.
    pub async fn finish(mut self, operator: &Operator) -> Result<Transfer> {
        match self.end(operator).await {
            Err(error) => Err(self.give_up(error).await),
            Ok(()) => {
                self.transfers.call(&self.transfer).await?;
                Ok(self.transfer)
            }
        }
    }

    async fn end(&mut self, operator: &Operator) -> Result<()> {
        self.look()?;
        if !self.held.is_empty() {
            self.store().await?;
        }
        let before = same(&self.transfer);
        let next =
            Transfer { state: State::Waiting, by: operator.actor().to_owned(), step: self.transfer.step + 1, ..self.transfer.clone() };
        let write = Write::Update { key: self.transfers.key(&next), set: next.changing(), remove: Vec::new(), when: before };
        let about = format!("{} octets", next.octets);
        operator.carry_out(next.tenant, vec![write], "import.upload", &next.id.to_string(), &about).await?;
        self.transfer = next;
        Ok(())
    }

    /// Nothing of it stays; what cannot be dropped now goes with the import.
    async fn give_up(&self, error: Error) -> Error {
        let own = Sk::transfer_parts(self.transfer.id, self.transfer.upload);
        let _ = self.transfers.drop_all(&self.transfer, own).await;
        error
    }
}
