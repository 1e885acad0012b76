//! What earlier runs have taken: a file of keys for each source and mailbox, one line each, synced after each batch.

use aws_lc_rs::digest;
use penfold_types::{Error, Result};
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

pub struct State {
    path: PathBuf,
    file: File,
    seen: Arc<Seen>,
}

impl State {
    /// The state of the source of this name; `again` begins anew.
    pub fn open(data: &Path, name: &str, again: bool) -> Result<Self> {
        let folder = data.join("imports");
        let path = folder.join(format!("{}.keys", hex(&key(&[name.as_bytes()]))));
        let failed =
            |error: std::io::Error| Error::broken(format!("the state of the import cannot be kept in {}: {error}", path.display()));
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        let mut file = options.open(&path).map_err(failed)?;
        if again {
            file.set_len(0).map_err(failed)?;
        }
        let mut seen = HashSet::new();
        for line in BufReader::new(&file).lines() {
            // A line that a crash tore is no key.
            seen.extend(line.ok().and_then(|line| unhex(&line)));
        }
        if !seen.is_empty() {
            // After a torn line, the next key needs a line of its own.
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self { file, seen: Arc::new(Seen(seen)), path })
    }

    pub fn seen(&self) -> Arc<Seen> {
        self.seen.clone()
    }

    pub fn note<'a>(&mut self, keys: impl Iterator<Item = &'a Key>) -> Result<()> {
        let mut lines = String::new();
        for key in keys {
            lines.push_str(&hex(key));
            lines.push('\n');
        }
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::broken(format!("the state of the import cannot be kept in {}: {error}", self.path.display())))
    }
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
