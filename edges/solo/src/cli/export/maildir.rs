use super::{CHUNK, Job, Listed, written};
use crate::cli::import::{encode_utf7, unix_lines};
use penfold_mailbox::{Folder, Keywords};
use penfold_types::Result;
use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Letters that Dovecot gives to keywords of its own.
const LETTERS: usize = 26;

pub async fn folder(job: &mut Job<'_>, root: &Path, path: &str, folder: &Folder) -> Result<()> {
    let dir = directory(root, path);
    for part in ["cur", "new", "tmp"] {
        written(&dir, fs::create_dir_all(dir.join(part)))?;
    }
    let there = written(&dir, names(&dir))?;
    let (there, mut all): (BTreeSet<String>, Vec<Listed>) = (there, job.listed(folder).await?);
    let before = all.len();
    all.retain(|one| !there.contains(&base(one)));
    job.known(before - all.len());
    let custom = written(&dir, keyword_letters(&dir, &all))?;
    for chunk in all.chunks(CHUNK) {
        for (one, bytes) in chunk.iter().zip(job.read(path, chunk).await?) {
            let Some(bytes) = bytes else { continue };
            written(&dir, write(&dir, one, &unix_lines(&bytes), &custom))?;
            job.done();
        }
        job.progress(path).await?;
    }
    Ok(())
}

/// Maildir++: INBOX is the root, every other folder `.A.B` in it.
fn directory(root: &Path, path: &str) -> PathBuf {
    if path == "INBOX" {
        return root.to_owned();
    }
    let levels: Vec<String> = path.split(Folder::SEPARATOR).map(|level| encode_utf7(level, &['.', '/'])).collect();
    root.join(format!(".{}", levels.join(".")))
}

/// The name without flags: the same at each run.
fn base(one: &Listed) -> String {
    format!("{}.{}.penfold,S={}", one.received.max(0), one.item, one.size)
}

fn names(dir: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for part in ["cur", "new"] {
        for entry in fs::read_dir(dir.join(part))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            found.insert(name.split(":2,").next().unwrap_or_default().to_owned());
        }
    }
    Ok(found)
}

fn write(dir: &Path, one: &Listed, bytes: &[u8], custom: &[String]) -> io::Result<()> {
    let aside = dir.join("tmp").join(base(one));
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    let time = UNIX_EPOCH + Duration::from_secs(one.received.max(0).unsigned_abs());
    file.set_times(FileTimes::new().set_modified(time))?;
    file.sync_data()?;
    fs::rename(aside, dir.join("cur").join(format!("{}:2,{}", base(one), info(&one.keywords, custom))))
}

/// Letters in ASCII order, as the format wants them.
fn info(keywords: &Keywords, custom: &[String]) -> String {
    let mut letters = BTreeSet::new();
    for name in keywords.iter() {
        match name {
            "\\Draft" => letters.insert('D'),
            "\\Flagged" => letters.insert('F'),
            "$Forwarded" => letters.insert('P'),
            "\\Answered" => letters.insert('R'),
            "\\Seen" => letters.insert('S'),
            "\\Deleted" => letters.insert('T'),
            other => match custom.iter().position(|own| own.eq_ignore_ascii_case(other)).and_then(|index| u8::try_from(index).ok()) {
                Some(index) => letters.insert(char::from(b'a' + index)),
                None => false,
            },
        };
    }
    letters.into_iter().collect()
}

/// The file that says what the letters a to z mean: what is there stays, new ones are added while there are letters.
fn keyword_letters(dir: &Path, all: &[Listed]) -> io::Result<Vec<String>> {
    let path = dir.join("dovecot-keywords");
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let mut names: Vec<String> =
        text.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name.to_owned()).take(LETTERS).collect();
    let before = names.len();
    for name in all.iter().flat_map(|one| one.keywords.iter()) {
        let own = !name.starts_with('\\') && name != "$Forwarded" && !names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if own && names.len() < LETTERS {
            names.push(name.to_owned());
        }
    }
    if names.len() > before {
        let lines: String = names.iter().enumerate().map(|(index, name)| format!("{index} {name}\n")).collect();
        fs::write(&path, lines)?;
    }
    Ok(names)
}
