//! Content: parts of a transfer, each a blob that a row names (`tf#T` / `c#id upload number`: `a` acceptance, `z` octets).

use crate::transfer::Transfer;
use crate::transfers::Transfers;
use bytes::{Bytes, BytesMut};
use penfold_mailbox::Blob;
use penfold_ports::{Key, Query, Row, Sk, Write};
use penfold_types::{AcceptanceId, Error, Result};

/// Octets of each part of what is uploaded, but for the last one.
pub(crate) const PART: u64 = 4 << 20;

/// Some of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub(crate) acceptance: AcceptanceId,
    pub octets: u64,
}

impl Part {
    pub(crate) fn row(&self) -> Row {
        Row::new().with("a", self.acceptance.as_bytes()).with("z", self.octets)
    }

    pub(crate) fn read(row: &Row) -> Result<Self> {
        let read = || Some(Self { acceptance: AcceptanceId::from_slice(row.bytes("a")?)?, octets: row.u64("z")? });
        read().ok_or_else(|| Error::broken("a part of an import or export cannot be read"))
    }
}

impl Transfers {
    pub(crate) fn part_key(&self, transfer: &Transfer, upload: u64, number: u32) -> Key {
        self.scope(transfer.tenant).transfer(Sk::transfer_part(transfer.id, upload, number))
    }

    /// Stores a part; the row that names it is still to be written.
    pub(crate) async fn put(&self, transfer: &Transfer, bytes: Bytes) -> Result<Part> {
        let acceptance = AcceptanceId::new(&self.world.env);
        let octets = bytes.len() as u64;
        self.mailboxes.put_blob(transfer.tenant, acceptance, vec![bytes]).await?;
        Ok(Part { acceptance, octets })
    }

    /// Everything that there is to download, in order.
    pub async fn parts(&self, transfer: &Transfer) -> Result<Vec<Part>> {
        let prefix = Sk::transfer_parts(transfer.id, transfer.upload);
        let pk = self.scope(transfer.tenant).transfer(prefix.clone()).pk().clone();
        let rows = self.table().query_all(&Query::prefix(pk, &prefix)).await?;
        let known = usize::try_from(transfer.parts).unwrap_or(usize::MAX);
        rows.iter().take(known).map(|(_, row)| Part::read(row)).collect()
    }

    pub async fn part(&self, transfer: &Transfer, part: Part) -> Result<Bytes> {
        let blob = Blob { acceptance: part.acceptance, length: part.octets };
        self.mailboxes.blob(transfer.tenant, blob).await
    }

    /// What was uploaded, from an octet on: at most `length` octets, fewer at the end.
    pub async fn read(&self, transfer: &Transfer, from: u64, length: usize) -> Result<Bytes> {
        let end = transfer.octets.min(from.saturating_add(length as u64));
        let mut out = BytesMut::new();
        let mut at = from;
        while at < end {
            let number = u32::try_from(at / PART).map_err(|_| Error::broken("an import is too long"))?;
            let row = self.table().get(&self.part_key(transfer, transfer.upload, number)).await?;
            let part = Part::read(&row.ok_or_else(|| Error::broken("a part of an import is missing"))?)?;
            let bytes = self.part(transfer, part).await?;
            let begin = usize::try_from(at % PART).unwrap_or(usize::MAX);
            let upto = bytes.len().min(begin.saturating_add(usize::try_from(end - at).unwrap_or(usize::MAX)));
            let piece = bytes.get(begin..upto).filter(|piece| !piece.is_empty());
            let piece = piece.ok_or_else(|| Error::broken("a part of an import is too short"))?;
            out.extend_from_slice(piece);
            at += piece.len() as u64;
        }
        Ok(out.freeze())
    }

    /// Its content is needed no more; the sweep takes the blobs.
    pub(crate) async fn drop_content(&self, transfer: &Transfer) -> Result<()> {
        self.drop_all(transfer, Sk::all_transfer_parts(transfer.id)).await
    }

    /// Content that came in is needed no more once it is worked off; it may hold passwords.
    pub(crate) async fn drop_upload(&self, transfer: &Transfer) -> Result<()> {
        if transfer.order.is_import() { self.drop_content(transfer).await } else { Ok(()) }
    }

    /// All rows beside its own.
    pub(crate) async fn drop_rows(&self, transfer: &Transfer) -> Result<()> {
        self.drop_content(transfer).await?;
        self.drop_all(transfer, Sk::transfer_problems(transfer.id)).await
    }

    pub(crate) async fn drop_all(&self, transfer: &Transfer, prefix: Sk) -> Result<()> {
        let pk = self.scope(transfer.tenant).transfer(prefix.clone()).pk().clone();
        for (sk, _) in self.table().query_all(&Query::prefix(pk, &prefix)).await? {
            self.table().put(Write::delete(self.scope(transfer.tenant).transfer(sk))).await?;
        }
        Ok(())
    }
}
