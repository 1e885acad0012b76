//! Single messages: a file, or the .eml files of a directory and those below it, which become folders.

use super::message::{date, internet_lines};
use super::state::key;
use super::{Loaded, MESSAGE, Read, Sink};
use penfold_types::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const DEPTH: usize = 32;

pub fn read(root: &Path, sink: &Sink) -> Result<()> {
    let mut files = Vec::new();
    if root.is_dir() {
        collect(root, "", 0, &mut files);
        if files.is_empty() {
            return Err(Error::invalid(format!("there is no .eml file in {}", root.display())));
        }
    } else {
        files.push((root.to_owned(), String::new()));
    }
    if !sink.put(Read::Total(files.len() as u64)) {
        return Ok(());
    }
    for (path, folder) in files {
        if !sink.put(load(&path, folder, sink)) {
            break;
        }
    }
    Ok(())
}

fn collect(path: &Path, folder: &str, depth: usize, out: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut entries: Vec<_> =
        entries.flatten().filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?))).collect();
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, kind) in entries {
        if kind.is_dir() && depth < DEPTH && !name.starts_with('.') {
            let below = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            collect(&path.join(&name), &below, depth + 1, out);
        } else if kind.is_file() && Path::new(&name).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("eml")) {
            out.push((path.join(&name), folder.to_owned()));
        }
    }
}

fn load(path: &Path, folder: String, sink: &Sink) -> Read {
    let place = path.display().to_string();
    let broken = |why: String| Read::Broken { place: place.clone(), why, weight: 1 };
    let facts = match fs::metadata(path) {
        Ok(facts) => facts,
        Err(error) => return broken(error.to_string()),
    };
    if facts.len() == 0 || facts.len() > MESSAGE {
        return broken(if facts.len() == 0 { "is empty".to_owned() } else { format!("is larger than {MESSAGE} bytes") });
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return broken(error.to_string()),
    };
    let key = key(&[b"eml", place.as_bytes(), &bytes]);
    if sink.knows(&key) {
        return Read::Skipped { weight: 1 };
    }
    let modified = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|since| i64::try_from(since.as_secs()).ok()).map(|seconds| (seconds, 0));
    let received = date(&bytes).or(modified);
    Read::Message(Box::new(Loaded { key, folder, place, bytes: internet_lines(bytes).into(), keywords: Vec::new(), received, weight: 1 }))
}
