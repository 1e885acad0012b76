//! The file: `PENFOLD-TENANT-1`, a line feed, 32 bytes of salt, then frames: 4 bytes of length, and that many bytes, sealed by
//! AES-256-GCM with the frame's number as nonce. So without the key nothing can be read, and no byte can be changed, no frame
//! left out, doubled or moved, without being noticed before its content is used.

use super::damaged;
use super::key::{ExportKey, SALT};
use super::record::{LARGEST, Record, decode};
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use penfold_types::{Env, Error, Result};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use tokio::sync::mpsc;

const MAGIC: &[u8; 17] = b"PENFOLD-TENANT-1\n";
/// What every version's magic begins with.
const ANY: &[u8] = b"PENFOLD-TENANT-";
const TAG: usize = 16;

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Makes frames of records.
pub struct Sealer {
    key: LessSafeKey,
    number: u64,
}

impl Sealer {
    /// With the header that the file begins with, and its salt.
    pub fn new(env: &Env, key: &ExportKey) -> Result<(Self, Vec<u8>, [u8; SALT])> {
        let mut salt = [0; SALT];
        env.fill(&mut salt);
        Ok((Self { key: key.frames(&salt)?, number: 0 }, [&MAGIC[..], &salt].concat(), salt))
    }

    pub fn seal(&mut self, content: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(4 + content.len() + TAG);
        out.extend_from_slice(&((content.len() + TAG) as u32).to_be_bytes());
        out.extend_from_slice(content);
        let body = out.get_mut(4..).unwrap_or_default();
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(self.number), Aad::empty(), body)
            .map_err(|_| Error::broken("a frame cannot be sealed"))?;
        out.extend_from_slice(tag.as_ref());
        self.number += 1;
        Ok(out)
    }
}

/// Writes what comes to `to`; ends where the sender does. Blocks: for a thread of its own.
pub fn write_archive(to: impl Write, mut from: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 20, to);
    while let Some(bytes) = from.blocking_recv() {
        to.write_all(&bytes)?;
    }
    to.flush()
}

/// What a reading thread hands on: first the salt, then records.
pub enum Read1 {
    Salt([u8; SALT]),
    Record(Record),
}

/// Reads an archive and hands on its records, at last what is wrong with it. Blocks: for a thread of its own.
pub fn read_archive(from: impl Read, key: &ExportKey, to: &mpsc::Sender<Result<Read1>>) {
    if let Err(error) = read_frames(from, key, to) {
        let _ = to.blocking_send(Err(error));
    }
}

fn failed(error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => Error::broken("the archive ends early; it was cut off, so take another copy of it"),
        _ => Error::broken(format!("the archive cannot be read: {error}")),
    }
}

fn read_frames(mut from: impl Read, key: &ExportKey, to: &mpsc::Sender<Result<Read1>>) -> Result<()> {
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Error::broken("this is no archive of a tenant; make one with penfold export --tenant"),
        _ => failed(&error),
    })?;
    if magic != *MAGIC {
        return Err(Error::broken(if magic.starts_with(ANY) {
            "the archive was made by another version; import it with that one"
        } else {
            "this is no archive of a tenant; make one with penfold export --tenant"
        }));
    }
    let mut salt = [0; SALT];
    from.read_exact(&mut salt).map_err(|error| failed(&error))?;
    let frames = key.frames(&salt)?;
    if to.blocking_send(Ok(Read1::Salt(salt))).is_err() {
        return Ok(());
    }
    for number in 0.. {
        let mut len = [0; 4];
        from.read_exact(&mut len).map_err(|error| failed(&error))?;
        let len = u32::from_be_bytes(len) as usize;
        if !(TAG + 1..=LARGEST + TAG).contains(&len) {
            return Err(damaged("a frame has an impossible length"));
        }
        let mut body = Vec::new();
        // Not allocated before it is there: a length that lies costs nothing.
        (&mut from).take(len as u64).read_to_end(&mut body).map_err(|error| failed(&error))?;
        if body.len() < len {
            return Err(failed(&ErrorKind::UnexpectedEof.into()));
        }
        let plain = frames.open_in_place(nonce(number), Aad::empty(), &mut body).map_err(|_| match number {
            0 => {
                Error::denied("the key file is not the one of this archive, or its beginning is damaged; give the one that its export used")
            }
            _ => damaged("a frame was changed"),
        })?;
        let record = decode(bytes::Bytes::copy_from_slice(plain))?;
        let last = matches!(record, Record::End(_));
        if last && from.read(&mut [0]).map_err(|error| failed(&error))? != 0 {
            return Err(damaged("something follows its end"));
        }
        if to.blocking_send(Ok(Read1::Record(record))).is_err() || last {
            return Ok(());
        }
    }
    Ok(())
}
