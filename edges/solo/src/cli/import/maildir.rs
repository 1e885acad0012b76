//! A Maildir: `new` and `cur`, flags in the names, folders as `.A.B` (Maildir++) or as directories below.

use super::message::internet_lines;
use super::state::key;
use super::{Loaded, MESSAGE, Read, Sink, utf7};
use penfold_types::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const DEPTH: usize = 32;

struct Source {
    path: PathBuf,
    folder: String,
}

pub fn read(root: &Path, sink: &Sink) -> Result<()> {
    let mut sources = Vec::new();
    collect(root, "", 0, &mut sources);
    if sources.is_empty() {
        return Err(Error::invalid(format!("{} is no Maildir: there is no cur or new in it", root.display())));
    }
    let total =
        sources.iter().flat_map(|source| ["cur", "new"].map(|part| source.path.join(part))).map(|dir| files(&dir).len() as u64).sum();
    if !sink.put(Read::Total(total)) {
        return Ok(());
    }
    for source in &sources {
        let letters = keyword_letters(&source.path);
        for part in ["cur", "new"] {
            for name in files(&source.path.join(part)) {
                if !sink.put(load(source, part, &name, &letters, sink)) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() || path.join("new").is_dir()
}

/// Directories that are no links, by name.
fn directories(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

fn collect(path: &Path, folder: &str, depth: usize, out: &mut Vec<Source>) {
    if is_maildir(path) {
        out.push(Source { path: path.to_owned(), folder: folder.to_owned() });
    }
    if depth >= DEPTH {
        return;
    }
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    for name in directories(path) {
        let child = path.join(&name);
        match name.strip_prefix('.') {
            Some(dotted) if is_maildir(&child) => {
                let parts: Vec<String> = dotted.split('.').filter(|part| !part.is_empty()).map(level).collect();
                if !parts.is_empty() {
                    out.push(Source { path: child, folder: below(&parts.join("/")) });
                }
            }
            None if !matches!(name.as_str(), "cur" | "new" | "tmp") => collect(&child, &below(&level(&name)), depth + 1, out),
            _ => {}
        }
    }
}

/// One level of a folder's path.
fn level(name: &str) -> String {
    utf7::decode(name).replace('/', "_")
}

fn files(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !name.starts_with('.')).collect();
    // Names begin with the time of delivery.
    names.sort_unstable();
    names
}

/// The keywords behind the letters a to z, as Dovecot keeps them beside the mail.
fn keyword_letters(path: &Path) -> Vec<(char, String)> {
    let text = fs::read_to_string(path.join("dovecot-keywords")).unwrap_or_default();
    let read = |line: &str| {
        let (number, name) = line.split_once(' ')?;
        Some((char::from(b'a' + number.parse::<u8>().ok().filter(|number| *number < 26)?), name.trim().to_owned()))
    };
    text.lines().filter_map(read).collect()
}

fn load(source: &Source, part: &str, name: &str, letters: &[(char, String)], sink: &Sink) -> Read {
    let path = source.path.join(part).join(name);
    let place = path.display().to_string();
    let broken = |why: String| Read::Broken { place: place.clone(), why, weight: 1 };
    let (base, info) = match name.rfind([':', '!', ';']).map(|at| name.split_at(at)) {
        Some((base, info)) if info.get(1..).is_some_and(|info| info.starts_with("2,")) => (base, info.get(3..).unwrap_or("")),
        _ => (name, ""),
    };
    let facts = match fs::metadata(&path) {
        Ok(facts) if facts.is_file() => facts,
        Ok(_) => return broken("is no file".to_owned()),
        Err(error) => return broken(error.to_string()),
    };
    // A name is used once, whatever flags it gets.
    let key = key(&[b"maildir", source.folder.as_bytes(), base.as_bytes()]);
    if sink.knows(&key) {
        return Read::Skipped { weight: 1 };
    }
    if facts.len() == 0 || facts.len() > MESSAGE {
        return broken(if facts.len() == 0 { "is empty".to_owned() } else { format!("is larger than {MESSAGE} bytes") });
    }
    let bytes = match fs::read(&path) {
        Ok(bytes) => internet_lines(bytes).into(),
        Err(error) => return broken(error.to_string()),
    };
    let since = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let received = since.and_then(|since| i64::try_from(since.as_secs()).ok()).map(|seconds| (seconds, 0));
    let keywords = if part == "new" { Vec::new() } else { flags(info, letters) };
    Read::Message(Box::new(Loaded { key, folder: source.folder.clone(), place, bytes, keywords, received, weight: 1 }))
}

/// What the letters after `:2,` say (cr.yp.to/proto/maildir.html).
fn flags(info: &str, letters: &[(char, String)]) -> Vec<String> {
    let name = |letter: char| match letter {
        'S' => Some("\\Seen".to_owned()),
        'R' => Some("\\Answered".to_owned()),
        'F' => Some("\\Flagged".to_owned()),
        'T' => Some("\\Deleted".to_owned()),
        'D' => Some("\\Draft".to_owned()),
        'P' => Some("$Forwarded".to_owned()),
        other => letters.iter().find(|(own, _)| *own == other).map(|(_, name)| name.clone()),
    };
    info.chars().filter_map(name).collect()
}
