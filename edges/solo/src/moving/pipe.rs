//! Where an archive is written to and read from. Who carries out the command may be the server, which has neither the person's
//! standard input nor output: for `-` the command line makes a socket, and whoever does the work connects to it.

use penfold_types::{Env, Error, Result};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// The command line's end: copies between the socket and standard input or output.
pub struct Pipe {
    dir: PathBuf,
    path: PathBuf,
    copying: JoinHandle<io::Result<u64>>,
}

impl Pipe {
    /// `out`: from the work to standard output.
    pub fn open(env: &Env, out: bool) -> io::Result<Self> {
        // The server may run as somebody else, so the directory can be entered, but by its name alone, which nobody can guess.
        let dir = std::env::temp_dir().join(format!("penfold-{:016x}{:016x}", env.random_u64(), env.random_u64()));
        fs::DirBuilder::new().mode(0o711).create(&dir)?;
        let path = dir.join("s");
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o666))?;
        let copying = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            if out {
                let mut stdout = BufWriter::with_capacity(1 << 20, io::stdout().lock());
                let copied = io::copy(&mut stream, &mut stdout)?;
                stdout.flush()?;
                Ok(copied)
            } else {
                io::copy(&mut io::stdin().lock(), &mut stream)
            }
        });
        Ok(Self { dir, path, copying })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// After the command: until everything has been copied. Where the command failed, nothing is waited for.
    pub fn close(self, done: bool) -> io::Result<()> {
        let _ = fs::remove_dir_all(&self.dir);
        if !done {
            return Ok(());
        }
        match self.copying.join() {
            // Whoever read had enough before we had sent all.
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Ok(copied) => copied.map(drop),
            Err(_) => Err(io::Error::other("copying ended unexpectedly")),
        }
    }
}

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|facts| facts.file_type().is_socket())
}

pub fn open_source(path: &Path) -> Result<Box<dyn Read + Send>> {
    let cannot = |error: io::Error| Error::invalid(format!("cannot read {}: {error}", path.display()));
    if is_socket(path) {
        let stream = UnixStream::connect(path).map_err(cannot)?;
        return Ok(Box::new(BufReader::with_capacity(1 << 20, stream)));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 20, File::open(path).map_err(cannot)?)))
}

/// A file being written: under its name only once it is whole.
pub struct Target {
    path: PathBuf,
    aside: Option<PathBuf>,
}

pub fn open_target(path: &Path) -> Result<(Target, Box<dyn Write + Send>)> {
    let cannot = |error: io::Error| Error::invalid(format!("cannot write {}: {error}", path.display()));
    if is_socket(path) {
        let stream = UnixStream::connect(path).map_err(cannot)?;
        return Ok((Target { path: path.to_owned(), aside: None }, Box::new(stream)));
    }
    if path.exists() {
        return Err(Error::invalid(format!("{} is there already; give another name", path.display())));
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(".part");
    let aside = PathBuf::from(aside);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside).map_err(cannot)?;
    Ok((Target { path: path.to_owned(), aside: Some(aside) }, Box::new(file)))
}

impl Target {
    /// Durable, and under its name.
    pub fn keep(&self) -> Result<()> {
        let Some(aside) = &self.aside else { return Ok(()) };
        let kept = File::open(aside).and_then(|file| file.sync_all()).and_then(|()| fs::rename(aside, &self.path));
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let kept = kept.and_then(|()| File::open(dir)?.sync_all());
        kept.map_err(|error| Error::invalid(format!("cannot write {}: {error}", self.path.display())))
    }

    pub fn drop_it(&self) {
        if let Some(aside) = &self.aside {
            let _ = fs::remove_file(aside);
        }
    }
}
