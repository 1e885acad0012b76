//! The engine's journals, before the engine reads them.
//!
//! A power cut may leave any mixture of old and new bytes where the last batch was being written. The engine drops a
//! batch that is cut short, but refuses to open where the checksum of a whole one is wrong, so the last batch is looked at
//! here first. One batch at most can be torn: each is synced before the next is written. Damage with whole batches after
//! it is something else (a bad disk), and is not cut away in silence.
//!
//! Also here: after a clean close everything is in tables, so the journals are emptied and opening reads nothing again.

use crate::files::sync_dir;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: [u8; 4] = *b"FJL\x03";

/// Written into the store after everything was flushed to tables.
const FLUSHED: &str = "flushed";

/// Makes the journals fit to be read by the engine. Gives how many bytes of them it will read.
pub(crate) fn prepare(store: &Path) -> io::Result<u64> {
    let mut journals = list(store)?;
    let marker = store.join(FLUSHED);
    if marker.try_exists()? {
        empty(&journals, store)?;
        fs::remove_file(&marker)?;
        sync_dir(store)?;
        return Ok(0);
    }
    let Some((_, newest)) = journals.pop() else { return Ok(0) };
    let mut bytes = cut_tail(&newest)?;
    for (_, sealed) in journals {
        bytes += sealed.metadata()?.len();
    }
    Ok(bytes)
}

/// Everything is in tables and nothing will be written any more.
pub(crate) fn mark_flushed(store: &Path) -> io::Result<()> {
    File::create(store.join(FLUSHED))?.sync_all()?;
    sync_dir(store)
}

fn list(store: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(store)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jnl")?.parse().ok());
        journals.extend(number.map(|number| (number, path)));
    }
    journals.sort();
    Ok(journals)
}

/// The newest stays, empty, so that the engine goes on with its number.
fn empty(journals: &[(u64, PathBuf)], store: &Path) -> io::Result<()> {
    let Some(((_, newest), sealed)) = journals.split_last() else { return Ok(()) };
    truncate(newest, 0)?;
    for (_, path) in sealed {
        fs::remove_file(path)?;
    }
    sync_dir(store)
}

fn truncate(path: &Path, len: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(len)?;
    file.sync_all()
}

/// Cuts what follows the last whole batch. Gives the length that stays.
fn cut_tail(path: &Path) -> io::Result<u64> {
    let len = path.metadata()?.len();
    let mut reader = Reader { file: BufReader::with_capacity(1 << 18, File::open(path)?), left: len };
    let mut whole = 0;
    while reader.batch()? {
        whole = len - reader.left;
    }
    if whole == len {
        return Ok(len);
    }
    if has_batch_after(path, whole)? {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("damaged at byte {whole}, with whole batches after it")));
    }
    truncate(path, whole)?;
    Ok(whole)
}

/// Looks for a whole batch somewhere behind `from`: each begins where another's trailer ends.
fn has_batch_after(path: &Path, from: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    for at in memchr::memmem::find_iter(&tail, &TRAILER) {
        let rest = tail.get(at + TRAILER.len()..).unwrap_or_default();
        if (Reader { file: rest, left: rest.len() as u64 }).batch()? {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Reader<R> {
    file: R,
    left: u64,
}

impl<R: BufRead> Reader<R> {
    /// True where a whole batch with the right checksum was read.
    fn batch(&mut self) -> io::Result<bool> {
        match self.try_batch() {
            Ok(whole) => Ok(whole),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn try_batch(&mut self) -> io::Result<bool> {
        let [START] = self.take::<1>()? else { return Ok(false) };
        let count = u32::from_le_bytes(self.take()?);
        let _seqno: [u8; 8] = self.take()?;
        let mut hasher = Xxh3::default();
        for _ in 0..count {
            let sound = match self.take::<1>()? {
                [ITEM] => self.item(&mut hasher)?,
                [CLEAR] => self.clear(&mut hasher)?,
                _ => false,
            };
            if !sound {
                return Ok(false);
            }
        }
        let [END] = self.take::<1>()? else { return Ok(false) };
        let checksum = u64::from_le_bytes(self.take()?);
        Ok(self.take()? == TRAILER && hasher.digest() == checksum)
    }

    /// Value type, compression, keyspace, lengths of key, value, and value as it is stored; then key and value.
    fn item(&mut self, hasher: &mut Xxh3) -> io::Result<bool> {
        let head: [u8; 20] = self.take()?;
        let [kind, compression, _, _, _, _, _, _, _, _, k0, k1, _, _, _, _, v0, v1, v2, v3] = head;
        if !matches!(kind, 0 | 1 | 2 | 4) || compression > 1 {
            return Ok(false);
        }
        hasher.update(&[ITEM]);
        hasher.update(&head);
        let len = u64::from(u16::from_le_bytes([k0, k1])) + u64::from(u32::from_le_bytes([v0, v1, v2, v3]));
        self.hash(len, hasher)?;
        Ok(true)
    }

    fn clear(&mut self, hasher: &mut Xxh3) -> io::Result<bool> {
        hasher.update(&[CLEAR]);
        self.hash(8, hasher)?;
        Ok(true)
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.left = self.left.saturating_sub(N as u64);
        Ok(bytes)
    }

    fn hash(&mut self, mut len: u64, hasher: &mut Xxh3) -> io::Result<()> {
        if len > self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= len;
        while len > 0 {
            let bytes = self.file.fill_buf()?;
            let take = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
            if take == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hasher.update(bytes.get(..take).unwrap_or_default());
            self.file.consume(take);
            len -= take as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal of the engine's own, and where its batches end.
    fn written(dir: &Path) -> (Vec<u8>, Vec<usize>) {
        let db = fjall::Database::builder(dir).open().unwrap();
        let space = db.keyspace("rows", Default::default).unwrap();
        let journal = list(dir).unwrap().pop().unwrap().1;
        let mut ends = Vec::new();
        for n in 0..4u8 {
            let mut batch = db.batch();
            batch.insert(&space, [n], vec![n + 1; 50 + usize::from(n) * 5000]);
            batch.remove(&space, [n + 100]);
            batch.commit().unwrap();
            let bytes = fs::read(&journal).unwrap();
            ends.push(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1);
        }
        let mut bytes = fs::read(&journal).unwrap();
        bytes.truncate(*ends.last().unwrap() + 300);
        (bytes, ends)
    }

    fn len_after(path: &Path, bytes: &[u8]) -> io::Result<u64> {
        fs::write(path, bytes).unwrap();
        let kept = cut_tail(path)?;
        assert_eq!(path.metadata().unwrap().len(), kept);
        Ok(kept)
    }

    #[test]
    fn every_torn_tail_is_cut_at_the_last_whole_batch() {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, ends) = written(&dir.path().join("store"));
        let path = dir.path().join("0.jnl");
        let (before, end) = (ends[2], ends[3]);
        assert_eq!(len_after(&path, &bytes).unwrap(), end as u64, "the zeros behind it");
        assert_eq!(len_after(&path, &bytes[..end]).unwrap(), end as u64);
        for cut in before..end {
            let cases: [fn(&mut Vec<u8>, usize); 4] = [
                |bytes, cut| bytes.truncate(cut),
                |bytes, cut| bytes[cut..].fill(0),
                |bytes, cut| bytes[cut..].fill(0xff),
                |bytes, cut| bytes[cut] ^= 0x24,
            ];
            for (n, spoil) in cases.into_iter().enumerate() {
                let mut torn = bytes.clone();
                spoil(&mut torn, cut);
                let kept = len_after(&path, &torn).unwrap();
                // The start marker's count and number are not in the checksum; a number that changed is no torn write.
                let in_number = n == 3 && (before + 5..before + 13).contains(&cut);
                assert_eq!(kept, if in_number { end } else { before } as u64, "case {n} at {cut} of {before}..{end}");
            }
        }
    }

    #[test]
    fn damage_before_a_whole_batch_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let (mut bytes, ends) = written(&dir.path().join("store"));
        bytes[ends[1] + 30] ^= 1;
        let error = len_after(&dir.path().join("0.jnl"), &bytes).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
