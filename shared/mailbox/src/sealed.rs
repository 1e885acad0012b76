//! Bytes at rest: zstd, then AES-256-GCM under the tenant's data key. Blobs are cut into chunks of 64 KiB, each sealed by
//! itself, so that a range can be read; what sits in rows is sealed in one piece.
//!
//! A blob: `P` `1`, key version u32, length u64, chunk count u32, then a u32 for each chunk (its sealed length, the top
//! bit set where it is not compressed), then the chunks. A sealed chunk is a nonce of 12 bytes, the ciphertext and a tag
//! of 16. Every chunk is bound to the blob's key, its number and the header.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::{Buf, Bytes, BytesMut};
use penfold_types::{Env, Error, Result};
use std::cell::RefCell;
use std::ops::Range;

pub(crate) const CHUNK: usize = 64 * 1024;
const FIXED: usize = 2 + 4 + 8 + 4;
const STORED: u32 = 1 << 31;
const TAG: usize = 16;
const LEVEL: i32 = 1;

/// What texts of rows have in common; zstd looks back into it. Part of the format: never edit it, add a second one.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// A tenant's data key, ready for use.
pub(crate) struct DataCipher {
    version: u32,
    key: LessSafeKey,
}

struct Tools {
    compress: zstd::bulk::Compressor<'static>,
    compress_row: zstd::bulk::Compressor<'static>,
    decompress: zstd::bulk::Decompressor<'static>,
    decompress_row: zstd::bulk::Decompressor<'static>,
}

thread_local! {
    // Contexts of zstd are large and slow to make, so each thread keeps its own.
    static TOOLS: RefCell<Option<Tools>> = const { RefCell::new(None) };
}

fn with_tools<T>(work: impl FnOnce(&mut Tools) -> std::io::Result<T>) -> Result<T> {
    TOOLS
        .with_borrow_mut(|slot| {
            let tools = match slot {
                Some(tools) => tools,
                None => {
                    let made = Tools {
                        compress: zstd::bulk::Compressor::new(LEVEL)?,
                        compress_row: zstd::bulk::Compressor::with_dictionary(LEVEL, DICTIONARY)?,
                        decompress: zstd::bulk::Decompressor::new()?,
                        decompress_row: zstd::bulk::Decompressor::with_dictionary(DICTIONARY)?,
                    };
                    slot.insert(made)
                }
            };
            work(tools)
        })
        .map_err(|e| Error::broken("stored bytes cannot be read").because(e))
}

fn broken(what: &str) -> Error {
    Error::broken("stored bytes cannot be read").because(what)
}

impl DataCipher {
    pub fn new(version: u32, key: &[u8; 32]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| broken("the data key has a wrong length"))?;
        Ok(Self { version, key: LessSafeKey::new(key) })
    }

    /// Appends nonce, ciphertext and tag of `plain` to `out`.
    fn seal_into(&self, env: &Env, aad: &[u8], plain: &[u8], out: &mut BytesMut) -> Result<()> {
        let mut nonce = [0; NONCE_LEN];
        env.fill(&mut nonce);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plain);
        let sealed = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(sealed, Aad::from(aad), &mut out[start..])
            .map_err(|_| Error::broken("the bytes cannot be sealed"))?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    fn open<'a>(&self, aad: &[u8], sealed: &'a mut [u8]) -> Result<&'a [u8]> {
        if sealed.len() < NONCE_LEN + TAG {
            return Err(broken("shorter than a seal"));
        }
        let (nonce, rest) = sealed.split_at_mut(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken("no nonce"))?;
        self.key.open_in_place(nonce, Aad::from(aad), rest).map(|plain| &*plain).map_err(|_| broken("the seal does not hold"))
    }

    /// For what sits in a row: key version, then the compressed text, sealed. `aad` is what it belongs to.
    pub fn seal_row(&self, env: &Env, aad: &[u8], plain: &[u8]) -> Result<Bytes> {
        let packed = with_tools(|tools| tools.compress_row.compress(plain))?;
        let mut out = BytesMut::with_capacity(packed.len() + 8 + NONCE_LEN + TAG);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&(plain.len() as u32).to_be_bytes());
        self.seal_into(env, aad, &packed, &mut out)?;
        Ok(out.freeze())
    }

    pub fn open_row(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = sealed.to_vec();
        let (head, body) = sealed.split_at_mut_checked(8).ok_or_else(|| broken("no header"))?;
        let len = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if len > penfold_ports::limits::ROW {
            return Err(broken("too long for a row"));
        }
        let packed = self.open(aad, body)?;
        with_tools(|tools| tools.decompress_row.decompress(packed, len))
    }

    /// Seals a blob. `aad` is its key.
    pub fn seal_blob(&self, env: &Env, aad: &[u8], parts: &[Bytes]) -> Result<Bytes> {
        let length: usize = parts.iter().map(Bytes::len).sum();
        let count = length.div_ceil(CHUNK);
        let mut head = BytesMut::with_capacity(FIXED);
        head.extend_from_slice(b"P\x01");
        head.extend_from_slice(&self.version.to_be_bytes());
        head.extend_from_slice(&(length as u64).to_be_bytes());
        head.extend_from_slice(&(count as u32).to_be_bytes());
        let mut out = BytesMut::with_capacity(FIXED + count * 4 + length / 2 + count * (NONCE_LEN + TAG));
        out.extend_from_slice(&head);
        out.resize(FIXED + count * 4, 0);
        let mut source = Parts::new(parts);
        for number in 0..count {
            let plain = source.next(CHUNK);
            let packed = with_tools(|tools| tools.compress.compress(&plain))?;
            let start = out.len();
            let stored = packed.len() >= plain.len();
            self.seal_into(env, &chunk_aad(aad, &head, number), if stored { &plain } else { &packed }, &mut out)?;
            let entry = (out.len() - start) as u32 | if stored { STORED } else { 0 };
            out[FIXED + number * 4..][..4].copy_from_slice(&entry.to_be_bytes());
        }
        Ok(out.freeze())
    }

    /// Opens the chunks `chunks` of a blob; `sealed` begins at the first of them.
    pub fn open_chunks(&self, aad: &[u8], head: &BlobHead, chunks: Range<usize>, sealed: &[u8]) -> Result<BytesMut> {
        let mut out = BytesMut::with_capacity(chunks.len() * CHUNK);
        let mut at = 0;
        let mut work = Vec::new();
        for number in chunks {
            let (len, stored) = head.chunk(number).ok_or_else(|| broken("no such chunk"))?;
            let bytes = sealed.get(at..at + len).ok_or_else(|| broken("the blob ends early"))?;
            at += len;
            work.clear();
            work.extend_from_slice(bytes);
            let packed = self.open(&chunk_aad(aad, &head.fixed, number), &mut work)?;
            if stored {
                out.extend_from_slice(packed);
            } else {
                let plain = with_tools(|tools| tools.decompress.decompress(packed, CHUNK))?;
                out.extend_from_slice(&plain);
            }
        }
        Ok(out)
    }
}

fn chunk_aad(key: &[u8], head: &[u8], number: usize) -> Vec<u8> {
    [key, head, &(number as u32).to_be_bytes()].concat()
}

/// The key version of a row's seal.
pub(crate) fn row_version(sealed: &[u8]) -> Option<u32> {
    sealed.first_chunk().map(|v| u32::from_be_bytes(*v))
}

/// Gives out the joined parts in pieces, without joining them first where one piece lies in one part.
struct Parts<'a> {
    parts: &'a [Bytes],
    at: usize,
}

impl<'a> Parts<'a> {
    fn new(parts: &'a [Bytes]) -> Self {
        Self { parts, at: 0 }
    }

    fn next(&mut self, want: usize) -> Bytes {
        let mut joined = BytesMut::new();
        while joined.len() < want {
            let Some(part) = self.parts.first() else { break };
            let take = (part.len() - self.at).min(want - joined.len());
            let piece = part.slice(self.at..self.at + take);
            self.at += take;
            if self.at == part.len() {
                self.parts = &self.parts[1..];
                self.at = 0;
            }
            if joined.is_empty() && (take == want || self.parts.is_empty()) {
                return piece;
            }
            joined.extend_from_slice(&piece);
        }
        joined.freeze()
    }
}

/// A blob's header and chunk index.
pub(crate) struct BlobHead {
    fixed: [u8; FIXED],
    pub version: u32,
    pub length: u64,
    index: Vec<u32>,
}

impl BlobHead {
    /// How many bytes hold the header of a blob of `length` bytes.
    pub fn size(length: u64) -> usize {
        FIXED + usize::try_from(length).unwrap_or(usize::MAX / 8).div_ceil(CHUNK) * 4
    }

    pub fn read(bytes: &[u8]) -> Result<Self> {
        let fixed: [u8; FIXED] = *bytes.first_chunk().ok_or_else(|| broken("no header"))?;
        let mut from = &fixed[..];
        if from.get_u16() != u16::from_be_bytes(*b"P\x01") {
            return Err(broken("not a blob, or of a newer version"));
        }
        let (version, length, count) = (from.get_u32(), from.get_u64(), from.get_u32() as usize);
        if (length as u128).div_ceil(CHUNK as u128) != count as u128 {
            return Err(broken("the header contradicts itself"));
        }
        let index = bytes.get(FIXED..FIXED + count * 4).ok_or_else(|| broken("the index ends early"))?;
        let index = index.chunks_exact(4).map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]])).collect();
        Ok(Self { fixed, version, length, index })
    }

    pub fn chunks(&self) -> usize {
        self.index.len()
    }

    fn chunk(&self, number: usize) -> Option<(usize, bool)> {
        let entry = self.index.get(number)?;
        Some(((entry & !STORED) as usize, entry & STORED != 0))
    }

    /// Where the sealed chunks lie in the blob's bytes.
    pub fn place(&self, chunks: Range<usize>) -> Range<u64> {
        let sum = |to: usize| self.index.iter().take(to).map(|e| u64::from(e & !STORED)).sum::<u64>();
        let base = (FIXED + self.index.len() * 4) as u64;
        base + sum(chunks.start)..base + sum(chunks.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher() -> DataCipher {
        DataCipher::new(1, &[7; 32]).expect("32 bytes")
    }

    #[test]
    fn blobs_open_in_ranges_of_chunks() {
        let env = Env::system();
        for len in [0usize, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
            let plain: Vec<u8> = (0..len).map(|n| ((n * n) >> 5) as u8).collect();
            let cut = len / 3;
            let parts = [Bytes::copy_from_slice(&plain[..cut]), Bytes::copy_from_slice(&plain[cut..])];
            let sealed = cipher().seal_blob(&env, b"key", &parts).expect("seals");
            let head = BlobHead::read(&sealed[..BlobHead::size(len as u64)]).expect("reads");
            assert_eq!(head.length, len as u64);
            for from in 0..head.chunks() {
                let place = head.place(from..head.chunks());
                let got = cipher()
                    .open_chunks(b"key", &head, from..head.chunks(), &sealed[place.start as usize..place.end as usize])
                    .expect("opens");
                assert_eq!(&got[..], &plain[from * CHUNK..]);
            }
        }
    }

    #[test]
    fn a_changed_byte_or_another_key_is_noticed() {
        let env = Env::system();
        let sealed = cipher().seal_blob(&env, b"key", &[Bytes::from_static(b"hello hello hello")]).expect("seals");
        let head = BlobHead::read(&sealed).expect("reads");
        let place = head.place(0..1);
        let chunk = &sealed[place.start as usize..];
        assert!(cipher().open_chunks(b"other", &head, 0..1, chunk).is_err());
        assert!(DataCipher::new(1, &[8; 32]).expect("32 bytes").open_chunks(b"key", &head, 0..1, chunk).is_err());
        for at in 0..chunk.len() {
            let mut bad = chunk.to_vec();
            bad[at] ^= 1;
            assert!(cipher().open_chunks(b"key", &head, 0..1, &bad).is_err());
        }
        for cut in 0..sealed.len() {
            let _ = BlobHead::read(&sealed[..cut]);
        }
    }

    #[test]
    fn rows_are_bound_to_what_they_belong_to() {
        let env = Env::system();
        let text = b"Received: from mail.example.com by mx.example.org with ESMTPS".repeat(4);
        let sealed = cipher().seal_row(&env, b"item", &text).expect("seals");
        assert!(sealed.len() < text.len());
        assert_eq!(cipher().open_row(b"item", &sealed).expect("opens"), text);
        assert!(cipher().open_row(b"other", &sealed).is_err());
    }
}
