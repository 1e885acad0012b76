//! How reports are packed: gzip (RFC 1952), which the documents ask for, and zip, which many reporters still send. Whatever
//! comes out is bounded before it is made.

use crate::Unreadable;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use std::borrow::Cow;
use std::io::{Read, Write};

/// Files that an archive may have in front of the one that is looked for.
const FILES: usize = 8;

pub fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::default());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

/// The report inside, whatever it is packed as; at most `limit` bytes of it.
pub fn unpack(bytes: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Unreadable> {
    match bytes {
        [0x1f, 0x8b, ..] => bounded(MultiGzDecoder::new(bytes), limit).map(Cow::Owned),
        [b'P', b'K', 3, 4, ..] => unzip(bytes, limit).map(Cow::Owned),
        _ if bytes.len() > limit => Err(Unreadable::TooLarge),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

fn bounded(from: impl Read, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::new();
    let read = from.take(limit as u64 + 1).read_to_end(&mut out);
    read.map_err(|error| Unreadable::Archive(error.to_string()))?;
    if out.len() > limit { Err(Unreadable::TooLarge) } else { Ok(out) }
}

/// The first file that is not empty, by the headers in front of the files (APPNOTE 4.3.7): the directory at the end says
/// nothing more that is needed here.
fn unzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    let wrong = |why: &str| Unreadable::Archive(why.to_owned());
    let mut rest = bytes;
    for _ in 0..FILES {
        if !rest.starts_with(b"PK\x03\x04") {
            return Err(wrong("there is no file in it"));
        }
        let u16_at = |at: usize| rest.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes);
        let u32_at = |at: usize| rest.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        let short = || wrong("it ends too early");
        let (flags, method) = (u16_at(6).ok_or_else(short)?, u16_at(8).ok_or_else(short)?);
        let packed = usize::try_from(u32_at(18).ok_or_else(short)?).map_err(|_| short())?;
        let before = 30 + usize::from(u16_at(26).ok_or_else(short)?) + usize::from(u16_at(28).ok_or_else(short)?);
        let data = rest.get(before..).ok_or_else(short)?;
        if flags & 1 > 0 {
            return Err(wrong("it is encrypted"));
        }
        // Where the size stands behind the file only a compressed one says itself where it ends.
        let behind = flags & 8 > 0;
        let found = match method {
            0 if behind => return Err(wrong("the size of a file is not known")),
            0 if packed > limit => return Err(Unreadable::TooLarge),
            0 => data.get(..packed).ok_or_else(short)?.to_vec(),
            8 if behind => bounded(DeflateDecoder::new(data), limit)?,
            8 => bounded(DeflateDecoder::new(data.get(..packed).ok_or_else(short)?), limit)?,
            _ => return Err(wrong("its compression is not known")),
        };
        if !found.is_empty() {
            return Ok(found);
        }
        // A directory, say.
        rest = data.get(packed..).unwrap_or_default();
    }
    Err(wrong("there is no file in it"))
}
