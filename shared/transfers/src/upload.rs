//! Content that comes in, piece by piece.

use crate::content::PART;
use crate::sheet::Layout;
use crate::transfer::{State, Transfer};
use crate::transfers::{Transfers, room, same};
use bytes::{Bytes, BytesMut};
use penfold_ports::Write;
use penfold_types::{Error, Result};

/// Octets at the beginning that are looked at before it is taken.
const LOOKED_AT: usize = 64 << 10;

/// Whoever is cut off begins anew: nothing counts before [`Upload::finish`].
pub struct Upload {
    transfers: Transfers,
    transfer: Transfer,
    held: BytesMut,
    begin: Bytes,
}

impl Transfers {
    pub async fn upload(&self, transfer: &Transfer) -> Result<Upload> {
        if transfer.state != State::Uploading {
            return Err(Error::conflict("it has its content already"));
        }
        room(&self.all(transfer.tenant).await?)?;
        let mut number = [0; 8];
        self.world.env.fill(&mut number);
        // Two at once are kept apart; the one that ends first counts.
        let transfer = Transfer { upload: u64::from_be_bytes(number), parts: 0, octets: 0, ..transfer.clone() };
        Ok(Upload { transfers: self.clone(), transfer, held: BytesMut::new(), begin: Bytes::new() })
    }
}

impl Upload {
    pub async fn put(&mut self, mut bytes: Bytes) -> Result<()> {
        if self.begin.len() < LOOKED_AT {
            let more = bytes.len().min(LOOKED_AT - self.begin.len());
            self.begin = [&self.begin[..], &bytes[..more]].concat().into();
        }
        self.transfer.octets += bytes.len() as u64;
        if self.transfer.octets > self.transfer.order.limit() {
            return Err(Error::limit(format!("a file has at most {} octets", self.transfer.order.limit())));
        }
        while self.held.len() + bytes.len() >= PART as usize {
            self.held.extend_from_slice(&bytes.split_to(PART as usize - self.held.len()));
            self.store().await?;
        }
        self.held.extend_from_slice(&bytes);
        Ok(())
    }

    async fn store(&mut self) -> Result<()> {
        let (transfers, transfer) = (&self.transfers, &mut self.transfer);
        let part = transfers.put(transfer, self.held.split().freeze()).await?;
        let key = transfers.part_key(transfer, transfer.upload, transfer.parts);
        transfers.table().commit(vec![Write::put(key, part.row())]).await?;
        transfer.parts += 1;
        Ok(())
    }

    /// All of it is there: it is looked at, and begins.
    pub async fn finish(mut self) -> Result<Transfer> {
        Layout::of(&self.begin)?;
        if !self.held.is_empty() {
            self.store().await?;
        }
        let before = same(&self.transfer);
        self.transfer.state = State::Waiting;
        self.transfer.step += 1;
        let (transfers, transfer) = (self.transfers, self.transfer);
        let write = Write::Update { key: transfers.key(&transfer), set: transfer.changing(), remove: Vec::new(), when: before };
        transfers.table().commit(vec![write]).await?;
        transfers.call(&transfer).await?;
        Ok(transfer)
    }
}
