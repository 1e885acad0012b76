//! What a frame holds. Everything read here was input from outside: lengths are bounded by the bytes at hand, keys by the
//! table's own limits, and what does not fit is refused and never a panic.

use super::damaged;
use super::digest::Sum;
use bytes::{Buf, BufMut, Bytes};
use penfold_ports::{BlobKey, Key, Pk, Row, Sk, limits};
use penfold_types::{Result, TenantId};

/// Bytes of rows that share a frame, about.
pub const BLOCK: usize = 256 * 1024;
/// Bytes of a blob in one frame.
pub const PIECE: usize = 4 << 20;
/// A frame's largest content: a piece, or a block and one row more.
pub const LARGEST: usize = PIECE + 4096;

/// A row and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub key: Key,
    pub row: Row,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    pub tenant: TenantId,
    pub name: String,
}

/// What must have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    pub rows: u64,
    pub blobs: u64,
    pub bytes: u64,
    /// Of blobs and of all rows but the claims.
    pub inner: Sum,
    pub claims: Sum,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Whose(Whose),
    /// Addresses, domains and name: rows that are unique in a store.
    Claims(Vec<Item>),
    /// A piece of a blob; pieces of one blob follow one another, `more` says that another one comes.
    Blob {
        key: BlobKey,
        more: bool,
        bytes: Bytes,
    },
    Rows(Vec<Item>),
    End(End),
}

const WHOSE: u8 = 1;
const CLAIMS: u8 = 2;
const BLOB: u8 = 3;
const ROWS: u8 = 4;
const END: u8 = 5;

/// Rows being put together to a frame.
pub struct Block {
    bytes: Vec<u8>,
}

impl Block {
    pub fn rows() -> Self {
        Self { bytes: vec![ROWS] }
    }

    pub fn claims() -> Self {
        Self { bytes: vec![CLAIMS] }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 1
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK
    }

    pub fn push(&mut self, key: &Key, row: &Row) {
        let (pk, sk, row) = (key.pk().as_str().as_bytes(), key.sk().as_bytes(), row.encode());
        // A store's keys and rows are within its limits, and so within these widths.
        self.bytes.put_u16(pk.len() as u16);
        self.bytes.put_slice(pk);
        self.bytes.put_u16(sk.len() as u16);
        self.bytes.put_slice(sk);
        self.bytes.put_u32(row.len() as u32);
        self.bytes.put_slice(&row);
    }

    /// The frame's content; the block is empty again.
    pub fn take(&mut self) -> Vec<u8> {
        let kind = self.bytes.first().copied().unwrap_or(ROWS);
        std::mem::replace(&mut self.bytes, vec![kind])
    }
}

pub fn whose(whose: &Whose) -> Vec<u8> {
    [&[WHOSE][..], whose.tenant.as_bytes(), whose.name.as_bytes()].concat()
}

pub fn blob(key: &BlobKey, more: bool, bytes: &[u8]) -> Vec<u8> {
    let name = key.as_str().as_bytes();
    let mut out = Vec::with_capacity(bytes.len() + name.len() + 4);
    out.put_u8(BLOB);
    out.put_u8(more.into());
    out.put_u16(name.len() as u16);
    out.put_slice(name);
    out.put_slice(bytes);
    out
}

pub fn end(end: &End) -> Vec<u8> {
    let mut out = vec![END];
    for number in [end.rows, end.blobs, end.bytes] {
        out.put_u64(number);
    }
    out.put_slice(end.inner.as_bytes());
    out.put_slice(end.claims.as_bytes());
    out
}

pub fn decode(mut from: Bytes) -> Result<Record> {
    let short = || damaged("a record ends early");
    if from.is_empty() {
        return Err(short());
    }
    let record = match from.get_u8() {
        WHOSE => {
            let tenant = from.get(..16).and_then(TenantId::from_slice).ok_or_else(short)?;
            let name = String::from_utf8(from.slice(16..).into()).map_err(|_| damaged("a name is no text"))?;
            if name.is_empty() || name.len() > 400 || name.chars().any(char::is_control) {
                return Err(damaged("a tenant cannot have such a name"));
            }
            Record::Whose(Whose { tenant, name })
        }
        CLAIMS => Record::Claims(items(from)?),
        ROWS => Record::Rows(items(from)?),
        BLOB => {
            if from.len() < 3 {
                return Err(short());
            }
            let (more, len) = (from.get_u8() != 0, usize::from(from.get_u16()));
            let name = take(&mut from, len)?;
            let key = blob_key(&name).ok_or_else(|| damaged("a blob cannot have such a name"))?;
            Record::Blob { key, more, bytes: from }
        }
        END => {
            if from.len() != 3 * 8 + 2 * 32 {
                return Err(short());
            }
            let (rows, blobs, bytes) = (from.get_u64(), from.get_u64(), from.get_u64());
            let mut sum = || Sum::from_bytes(std::array::from_fn(|_| from.get_u8()));
            Record::End(End { rows, blobs, bytes, inner: sum(), claims: sum() })
        }
        _ => return Err(damaged("it holds what this version does not know")),
    };
    Ok(record)
}

fn take(from: &mut Bytes, len: usize) -> Result<Bytes> {
    if from.len() < len { Err(damaged("a record ends early")) } else { Ok(from.split_to(len)) }
}

fn items(mut from: Bytes) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    while !from.is_empty() {
        let wide = |from: &mut Bytes| take(from, 2).map(|mut len| usize::from(len.get_u16()));
        let len = wide(&mut from)?;
        let pk = take(&mut from, len)?;
        let len = wide(&mut from)?;
        let sk = take(&mut from, len)?;
        let len = take(&mut from, 4)?.get_u32() as usize;
        let row = Row::decode(take(&mut from, len)?).map_err(|_| damaged("a row cannot be read"))?;
        let pk = std::str::from_utf8(&pk).map_err(|_| damaged("a key is no text"))?;
        let fits = (1..=limits::PK).contains(&pk.len()) && !pk.contains('\0') && (1..=limits::SK).contains(&sk.len());
        let key = Key::from_stored(Pk::from_stored(pk), Sk::from_stored(&sk));
        if !fits || penfold_ports::item_size(&key, &row) > limits::ROW {
            return Err(damaged("a row is outside the table's limits"));
        }
        items.push(Item { key, row });
    }
    Ok(items)
}

/// A tenant's id, a slash, and a plain name: nothing that could lead elsewhere in a file system.
fn blob_key(name: &[u8]) -> Option<BlobKey> {
    let name = std::str::from_utf8(name).ok()?;
    let (_, own) = name.split_once('/')?;
    let plain = (1..=200).contains(&own.len()) && own.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let key = BlobKey::from_stored(name);
    (plain && key.tenant().is_some()).then_some(key)
}
