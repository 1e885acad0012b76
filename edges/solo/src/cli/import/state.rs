//! What earlier runs have taken: a file of keys for each source and mailbox. Before a batch is appended, a line says what
//! is about to come; its keys follow once it is there. So after a crash one batch at most is in doubt, and a look at the
//! folder settles it.

use aws_lc_rs::digest;
use penfold_types::{Error, FolderId, Result, Uid};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names one message of one source.
pub type Key = [u8; 16];

pub fn key(parts: &[&[u8]]) -> Key {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut key = [0; 16];
    key.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    key
}

pub struct Seen(HashSet<Key>);

impl Seen {
    pub fn has(&self, key: &Key) -> bool {
        self.0.contains(key)
    }
}

/// A batch that is about to be appended: all of it or nothing, so its first message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub folder: FolderId,
    /// The folder's before it.
    pub uidnext: Uid,
    pub size: u64,
    /// [`key`] of the first message's bytes.
    pub first: Key,
    pub keys: Vec<Key>,
}

pub struct State {
    path: PathBuf,
    file: File,
    seen: HashSet<Key>,
    /// Taken, and not yet written here.
    taken: Vec<Key>,
    doubtful: Option<Batch>,
}

impl State {
    /// The state of the source of this name; `again` begins anew.
    pub fn open(data: &Path, name: &str, again: bool) -> Result<Self> {
        let folder = data.join("imports");
        let path = folder.join(format!("{}.keys", hex(&key(&[name.as_bytes()]))));
        let open = || {
            fs::create_dir_all(&folder)?;
            let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
            if again {
                file.set_len(0)?;
            }
            let (mut seen, mut doubtful) = (HashSet::new(), None);
            for line in BufReader::new(&file).lines() {
                let line = line?;
                if let Some(batch) = line.strip_prefix("! ").and_then(read_batch) {
                    doubtful = Some(batch);
                } else {
                    // A line that a crash tore is neither.
                    seen.extend(unhex(&line));
                }
            }
            // After a torn line, the next one needs a line of its own.
            file.write_all(b"\n")?;
            Ok((file, seen, doubtful))
        };
        let (file, seen, doubtful) = open().map_err(|error| failed(&path, &error))?;
        let doubtful = doubtful.filter(|batch: &Batch| !batch.keys.iter().all(|key| seen.contains(key)));
        Ok(Self { path, file, seen, taken: Vec::new(), doubtful })
    }

    /// The batch of which an earlier run did not say whether it was appended.
    pub fn doubtful(&mut self) -> Option<Batch> {
        self.doubtful.take()
    }

    /// For the reader of the source: everything taken so far.
    pub fn seen(&self) -> Arc<Seen> {
        Arc::new(Seen(self.seen.iter().chain(&self.taken).copied().collect()))
    }

    /// Before an append.
    pub fn begin(&mut self, batch: &Batch) -> Result<()> {
        let keys: Vec<String> = batch.keys.iter().map(hex).collect();
        let line = format!("! {} {} {} {} {}\n", batch.folder, batch.uidnext, batch.size, hex(&batch.first), keys.join(","));
        self.write(&line)
    }

    /// After it; written with the next batch, or at the end.
    pub fn taken(&mut self, keys: &[Key]) {
        self.taken.extend_from_slice(keys);
    }

    pub fn finish(&mut self) -> Result<()> {
        self.write("")
    }

    fn write(&mut self, line: &str) -> Result<()> {
        let mut text = String::with_capacity(self.taken.len() * 33 + line.len());
        for key in self.taken.drain(..) {
            text.push_str(&hex(&key));
            text.push('\n');
        }
        text.push_str(line);
        self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data()).map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::broken(format!("the state of the import cannot be kept in {}: {error}", path.display()))
}

fn read_batch(line: &str) -> Option<Batch> {
    let mut words = line.split(' ');
    let (folder, uidnext, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let first = unhex(words.next()?)?;
    let keys = words.next()?.split(',').map(unhex).collect::<Option<Vec<_>>>()?;
    Some(Batch { folder, uidnext: Uid(uidnext), size, first, keys })
}

fn hex(key: &Key) -> String {
    format!("{:032x}", u128::from_be_bytes(*key))
}

fn unhex(line: &str) -> Option<Key> {
    if line.len() != 32 {
        return None;
    }
    u128::from_str_radix(line, 16).ok().map(u128::to_be_bytes)
}
