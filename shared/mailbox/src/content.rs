//! The part of an item that never changes: where its bytes are, and what was read from them once.

use crate::codec::{unzigzag, zigzag};
use crate::sealed::{DataCipher, row_version};
use bytes::Bytes;
use penfold_formats::mime::Summary;
use penfold_ports::Row;
use penfold_types::{AcceptanceId, Env, Error, FolderId, ItemId, Modseq, Result};

/// Where an item's bytes are. All recipients and copies of one acceptance share it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Blob {
    pub acceptance: AcceptanceId,
    pub length: u64,
}

/// An item: its bytes are `prefix` followed by the blob.
#[derive(Clone, Debug)]
pub struct Content {
    pub item: ItemId,
    pub blob: Blob,
    /// Our own header fields: Return-Path, Received, Authentication-Results.
    pub prefix: Bytes,
    pub summary: Summary,
    /// INTERNALDATE: unix seconds and minutes east.
    pub received: i64,
    pub zone: i16,
    pub thread: ItemId,
    /// The folder it is in, `None` once it was expunged and only history holds it.
    pub folder: Option<FolderId>,
}

impl Content {
    /// Bytes of prefix and blob together (RFC822.SIZE).
    pub fn size(&self) -> u64 {
        self.prefix.len() as u64 + self.blob.length
    }
}

/// The attributes of a content row that are read without opening its seal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ContentFacts {
    pub blob: Blob,
    pub folder: Option<FolderId>,
    pub thread: ItemId,
    pub size: u64,
    pub received: i64,
    pub zone: i16,
    /// It is a version of an object, and whether its bytes are in the row itself.
    pub object: bool,
    pub inline: bool,
}

/// What is sealed: the prefix's length, the prefix, the summary.
fn pack(prefix: &[u8], summary: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + prefix.len() + summary.len());
    out.extend_from_slice(&(prefix.len() as u32).to_be_bytes());
    out.extend_from_slice(prefix);
    out.extend_from_slice(summary);
    out
}

pub(crate) struct NewContent<'a> {
    pub item: ItemId,
    pub blob: Blob,
    pub prefix: &'a [u8],
    /// [`Summary::encode`].
    pub summary: &'a [u8],
    pub received: i64,
    pub zone: i16,
    pub thread: ItemId,
    pub folder: FolderId,
}

impl NewContent<'_> {
    pub fn size(&self) -> u64 {
        self.prefix.len() as u64 + self.blob.length
    }

    pub fn to_row(&self, env: &Env, cipher: &DataCipher) -> Result<Row> {
        let sealed = cipher.seal_row(env, self.item.as_bytes(), &pack(self.prefix, self.summary))?;
        Ok(Row::new()
            .with("a", self.blob.acceptance.as_bytes())
            .with("l", self.blob.length)
            .with("f", self.folder.as_bytes())
            .with("th", self.thread.as_bytes())
            .with("z", self.size())
            .with("d", zigzag(self.received))
            .with("tz", zigzag(self.zone.into()))
            .with("c", sealed))
    }
}

impl ContentFacts {
    pub fn from_row(row: &Row) -> Option<Self> {
        Some(Self {
            blob: Blob { acceptance: AcceptanceId::from_slice(row.bytes("a")?)?, length: row.u64("l")? },
            folder: row.bytes("f").and_then(|b| FolderId::from_slice(b)),
            thread: ItemId::from_slice(row.bytes("th")?)?,
            size: row.u64("z")?,
            received: unzigzag(row.u64("d")?),
            zone: i16::try_from(unzigzag(row.u64("tz")?)).ok()?,
            object: row.u64("k").is_some(),
            inline: row.bytes("b").is_some(),
        })
    }
}

/// The commit that expunged it, for a row that only history holds.
pub(crate) fn gone(row: &Row) -> Option<Modseq> {
    row.u64("g").map(Modseq)
}

/// The version of the data key that a content row is sealed with.
pub(crate) fn version(row: &Row) -> Option<u32> {
    row_version(row.bytes("c")?)
}

/// Opens a content row.
pub(crate) fn open(item: ItemId, row: &Row, cipher: &DataCipher) -> Result<Content> {
    let damaged = || Error::broken("an item's row cannot be read");
    let facts = ContentFacts::from_row(row).ok_or_else(damaged)?;
    let plain = Bytes::from(cipher.open_row(item.as_bytes(), row.bytes("c").ok_or_else(damaged)?)?);
    let len = plain.first_chunk().map(|l| u32::from_be_bytes(*l) as usize).ok_or_else(damaged)?;
    if plain.len() < 4 + len {
        return Err(damaged());
    }
    Ok(Content {
        item,
        blob: facts.blob,
        prefix: plain.slice(4..4 + len),
        summary: Summary::decode(&plain[4 + len..]).ok_or_else(damaged)?,
        received: facts.received,
        zone: facts.zone,
        thread: facts.thread,
        folder: facts.folder,
    })
}
