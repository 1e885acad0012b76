//! Keys as they are stored; the table in the crate's documentation.

use bytes::{BufMut, Bytes, BytesMut};
use penfold_ports::{BlobKey, Key, Pk, PortError, QueueName, Sk};
use penfold_types::TenantId;

/// One LSM tree each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Space {
    Rows,
    Blobs,
    Jobs,
}

pub(crate) fn row_key(pk: &Pk, sk: &[u8]) -> Bytes {
    let pk = pk.as_str().as_bytes();
    let mut key = BytesMut::with_capacity(pk.len() + 1 + sk.len());
    key.put_slice(pk);
    key.put_u8(0);
    key.put_slice(sk);
    key.freeze()
}

pub(crate) fn key_of(key: &Key) -> Bytes {
    row_key(key.pk(), key.sk().as_bytes())
}

/// The first key after a partition.
pub(crate) fn partition_end(pk: &Pk) -> Bytes {
    let mut key = BytesMut::with_capacity(pk.as_str().len() + 1);
    key.put_slice(pk.as_str().as_bytes());
    key.put_u8(1);
    key.freeze()
}

/// The sort key in a stored key of partition `pk`.
pub(crate) fn sort_key(pk: &Pk, stored: &[u8]) -> Sk {
    Sk::from_stored(stored.get(pk.as_str().len() + 1..).unwrap_or_default())
}

/// Characters of an id in text.
const ID: usize = 26;

pub(crate) fn blob_key(key: &BlobKey) -> Result<Bytes, PortError> {
    let text = key.as_str();
    // Large blobs are files of that name.
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'/');
    if !plain || text.len() > 200 || text.split('/').count() != 2 || text.split('/').any(str::is_empty) {
        return Err(PortError::Limit("a blob key is tenant/name, each of a-z, 0-9 and -"));
    }
    let id = text.get(text.len().saturating_sub(ID)..).unwrap_or(text);
    let mut out = BytesMut::with_capacity(id.len() + 1 + text.len());
    out.put_slice(id.as_bytes());
    out.put_u8(0);
    out.put_slice(text.as_bytes());
    Ok(out.freeze())
}

const NAMES: &[u8] = b"\0b";

pub(crate) fn blob_name(text: &str) -> Bytes {
    [NAMES, text.as_bytes()].concat().into()
}

/// The first and the end of the names of a tenant's blobs.
pub(crate) fn blob_names(tenant: TenantId) -> (Bytes, Bytes) {
    // '0' follows '/'.
    (blob_name(&format!("{tenant}/")), blob_name(&format!("{tenant}0")))
}

pub(crate) fn blob_of_name(stored: &[u8]) -> Option<BlobKey> {
    let text = std::str::from_utf8(stored.strip_prefix(NAMES)?).ok()?;
    Some(BlobKey::from_stored(text))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobPart {
    Job = b'j' as isize,
    Failures = b'f' as isize,
}

pub(crate) fn job_prefix(queue: QueueName, part: JobPart) -> Vec<u8> {
    let mut key = Vec::with_capacity(queue.as_str().len() + 10);
    key.extend_from_slice(queue.as_str().as_bytes());
    key.extend_from_slice(&[0, part as u8]);
    key
}

pub(crate) fn job_key(queue: QueueName, part: JobPart, number: u64) -> Bytes {
    let mut key = job_prefix(queue, part);
    key.extend_from_slice(&number.to_be_bytes());
    key.into()
}

pub(crate) fn job_number(stored: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*stored.last_chunk()?))
}
