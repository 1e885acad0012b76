use super::{CHUNK, Job, Listed, written};
use crate::cli::import::{encode_utf7, unix_lines};
use crate::cli::units::show_asctime;
use penfold_formats::mime::header_fields;
use penfold_mailbox::{Folder, Keywords};
use penfold_types::Result;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How far a file is: the uidvalidity and last uid that it holds whole, and its length then.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Mark {
    uidvalidity: u32,
    uid: u32,
    length: u64,
}

pub async fn folder(job: &mut Job<'_>, root: &Path, path: &str, folder: &Folder) -> Result<()> {
    let file = target(root, path);
    let mut all = job.listed(folder).await?;
    if all.is_empty() {
        return Ok(());
    }
    if let Some(parent) = file.parent() {
        written(parent, fs::create_dir_all(parent))?;
    }
    let mark_path = file.with_extension("penfold-export");
    let mut mark = read_mark(&mark_path).filter(|mark| mark.uidvalidity == folder.uidvalidity.get()).unwrap_or_default();
    let mut out = written(&file, open(&file, &mut mark))?;
    let before = all.len();
    all.retain(|one| one.uid.get() > mark.uid);
    job.known(before - all.len());
    for chunk in all.chunks(CHUNK) {
        let mut text = Vec::new();
        for (one, bytes) in chunk.iter().zip(job.read(path, chunk).await?) {
            if let Some(bytes) = bytes {
                write_message(&mut text, one, &bytes);
                job.done();
            }
        }
        written(&file, out.write_all(&text).and_then(|()| out.sync_data()))?;
        mark.length += text.len() as u64;
        mark.uid = chunk.last().map_or(mark.uid, |one| one.uid.get());
        mark.uidvalidity = folder.uidvalidity.get();
        written(&mark_path, write_mark(&mark_path, mark))?;
        job.progress(path).await?;
    }
    Ok(())
}

/// `A/B` is `A.sbd/B.mbox`: a folder that has mail and folders below it is a file and a directory.
fn target(root: &Path, path: &str) -> PathBuf {
    let mut out = root.to_owned();
    let levels: Vec<String> = path.split(Folder::SEPARATOR).map(|level| encode_utf7(level, &['/', '\\'])).collect();
    for (index, level) in levels.iter().enumerate() {
        // A name of dots only would lead elsewhere.
        let level = if level.chars().all(|c| c == '.') { format!("_{level}") } else { level.clone() };
        out.push(format!("{level}{}", if index + 1 == levels.len() { ".mbox" } else { ".sbd" }));
    }
    out
}

/// Opens the file where the mark says it was whole; a file without its mark, or shorter, is written anew.
fn open(path: &Path, mark: &mut Mark) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    if file.metadata()?.len() < mark.length {
        *mark = Mark::default();
    }
    file.set_len(mark.length)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

fn read_mark(path: &Path) -> Option<Mark> {
    let text = fs::read_to_string(path).ok()?;
    let mut words = text.split_ascii_whitespace();
    Some(Mark { uidvalidity: words.next()?.parse().ok()?, uid: words.next()?.parse().ok()?, length: words.next()?.parse().ok()? })
}

fn write_mark(path: &Path, mark: Mark) -> io::Result<()> {
    let aside = path.with_extension("penfold-export.new");
    fs::write(&aside, format!("{} {} {}\n", mark.uidvalidity, mark.uid, mark.length))?;
    fs::rename(aside, path)
}

/// RFC 4155 with the quoting of mboxrd; the flags go into fields that the import takes out again.
fn write_message(out: &mut Vec<u8>, one: &Listed, bytes: &[u8]) {
    let text = unix_lines(bytes);
    let sender = sender(bytes).unwrap_or_else(|| "MAILER-DAEMON".to_owned());
    out.extend_from_slice(format!("From {sender} {}\n", show_asctime(one.received)).as_bytes());
    out.extend_from_slice(&state_fields(&one.keywords));
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        if line.get(marks..).is_some_and(|rest| rest.starts_with(b"From ")) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
    }
    if !text.ends_with(b"\n") {
        out.push(b'\n');
    }
    out.push(b'\n');
}

fn state_fields(keywords: &Keywords) -> Vec<u8> {
    let mut letters = String::new();
    for (name, letter) in [("\\Answered", 'A'), ("\\Flagged", 'F'), ("\\Deleted", 'D'), ("\\Draft", 'T')] {
        if keywords.contains(name) {
            letters.push(letter);
        }
    }
    let mut fields = format!("Status: {}\n", if keywords.seen() { "RO" } else { "O" });
    if !letters.is_empty() {
        fields.push_str(&format!("X-Status: {letters}\n"));
    }
    let others: Vec<&str> = keywords.iter().filter(|name| !name.starts_with('\\')).collect();
    if !others.is_empty() {
        fields.push_str(&format!("X-Keywords: {}\n", others.join(" ")));
    }
    fields.into_bytes()
}

/// The envelope's sender, as Return-Path has it.
fn sender(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(8192)).unwrap_or_default();
    let (_, _, value) = header_fields(head).find(|(name, _, _)| name.eq_ignore_ascii_case(b"return-path"))?;
    let text = String::from_utf8_lossy(value).trim().trim_start_matches('<').trim_end_matches('>').to_owned();
    (!text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control())).then_some(text)
}
