//! Rows that were read and are kept until it is known that they belong together: in memory, and beyond that in a file that has
//! no name any more, so that no crash leaves it behind.

use super::digest::{RowSum, Sum};
use super::record::Block;
use penfold_ports::{Key, Row};
use penfold_types::{Env, Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Bytes of one part that stay in memory.
const MEMORY: usize = 4 << 20;

/// Contents of frames, in order.
#[derive(Default)]
pub struct Spool {
    memory: Vec<Vec<u8>>,
    bytes: usize,
    file: Option<File>,
}

fn no_room(error: io::Error) -> Error {
    Error::retry(format!("no temporary file can be written in {}: {error}", std::env::temp_dir().display()))
}

impl Spool {
    pub fn push(&mut self, env: &Env, content: Vec<u8>) -> Result<()> {
        if self.file.is_none() && self.bytes + content.len() <= MEMORY {
            self.bytes += content.len();
            self.memory.push(content);
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(unnamed(env).map_err(no_room)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.write_all(&(content.len() as u32).to_be_bytes()).and_then(|()| file.write_all(&content));
        written.map_err(no_room)
    }

    /// What was put in, from the first on; once.
    pub fn read(mut self) -> Result<Contents> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(0)).map_err(no_room)?;
        }
        Ok(Contents { memory: self.memory.into_iter(), file: self.file })
    }
}

fn unnamed(env: &Env) -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("penfold-{:016x}{:016x}", env.random_u64(), env.random_u64()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

pub struct Contents {
    memory: std::vec::IntoIter<Vec<u8>>,
    file: Option<File>,
}

impl Iterator for Contents {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(content) = self.memory.next() {
            return Some(Ok(content));
        }
        let file = self.file.as_mut()?;
        let mut len = [0; 4];
        match file.read_exact(&mut len) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            Err(error) => return Some(Err(no_room(error))),
            Ok(()) => {}
        }
        let mut content = vec![0; u32::from_be_bytes(len) as usize];
        Some(file.read_exact(&mut content).map(|()| content).map_err(no_room))
    }
}

/// Rows with their sum.
pub struct Part {
    block: Block,
    pub spool: Spool,
    sum: RowSum,
}

impl Part {
    pub fn new(block: Block) -> Self {
        Self { block, spool: Spool::default(), sum: RowSum::default() }
    }

    pub fn push(&mut self, env: &Env, key: &Key, row: &Row) -> Result<()> {
        self.sum.update(key, row);
        self.block.push(key, row);
        if self.block.is_full() { self.spool.push(env, self.block.take()) } else { Ok(()) }
    }

    /// The frames, their sum, and how many rows they hold.
    pub fn finish(mut self, env: &Env) -> Result<(Spool, Sum, u64)> {
        if !self.block.is_empty() {
            self.spool.push(env, self.block.take())?;
        }
        let rows = self.sum.rows;
        Ok((self.spool, self.sum.finish(), rows))
    }
}
