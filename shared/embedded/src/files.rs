//! Large blobs, each a file of its own.

use bytes::Bytes;
use penfold_ports::BlobKey;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(crate) struct Files {
    dir: PathBuf,
}

pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes a directory whose name survives a power cut.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => dir.parent().map_or(Ok(()), sync_dir),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

impl Files {
    /// What a crash left half written goes.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        make_dir(&dir)?;
        let temporary = dir.join("tmp");
        make_dir(&temporary)?;
        for entry in fs::read_dir(&temporary)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self { dir })
    }

    /// `key` was checked to be plain (`layout::blob_key`).
    fn path(&self, key: &BlobKey) -> PathBuf {
        self.dir.join(key.as_str())
    }

    /// Durable when it returns. `mark` names the temporary file.
    pub(crate) fn put(&self, key: &BlobKey, parts: &[Bytes], mark: u64) -> io::Result<()> {
        let path = self.path(key);
        let Some(folder) = path.parent() else { return Err(io::ErrorKind::InvalidFilename.into()) };
        let temporary = self.dir.join("tmp").join(format!("{mark:016x}"));
        let written = write_synced(&temporary, parts).and_then(|()| make_dir(folder)).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        sync_dir(folder)
    }

    pub(crate) fn read(&self, key: &BlobKey, range: Option<Range<u64>>) -> io::Result<Bytes> {
        let mut file = File::open(self.path(key))?;
        let len = file.metadata()?.len();
        let range = range.unwrap_or(0..len);
        let (start, end) = (range.start.min(len), range.end.min(len));
        let size = usize::try_from(end.saturating_sub(start)).map_err(|_| io::ErrorKind::InvalidInput)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::with_capacity(size);
        file.take(size as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    pub(crate) fn remove(&self, key: &BlobKey) -> io::Result<()> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn write_synced(path: &Path, parts: &[Bytes]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_data()
}
