//! Messages and other files in a tar archive: a Maildir (`INBOX` is its root, every other folder `.A.B` in it), with the octets
//! of each message as they are kept.

use bytes::Bytes;
use penfold_mailbox::{Folder, Keywords};
use penfold_types::Timestamp;
use std::collections::BTreeSet;
use tar::{EntryType, Header};

const BLOCK: usize = 512;

/// One message on its way into an archive.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// As people see it: `Archive/2026`.
    pub folder: &'a str,
    /// Its name in it, without flags.
    pub name: &'a str,
    pub keywords: &'a Keywords,
    pub received: Timestamp,
    pub octets: u64,
}

/// What stands before the octets of a message, and what fills up behind them.
pub fn entry(entry: &Entry) -> (Bytes, Bytes) {
    file(&format!("{}cur/{}:2,{}", directory(entry.folder), entry.name, letters(entry.keywords)), entry.received, entry.octets)
}

/// The same of any other file; `path` is of names that [`file_name`] or [`own_name`] made.
pub fn file(path: &str, at: Timestamp, octets: u64) -> (Bytes, Bytes) {
    let mut out = Vec::with_capacity(3 * BLOCK);
    let mut header = header(octets, EntryType::Regular, at);
    if header.set_path(path).is_err() {
        // GNU's way to names that no header has room for.
        let mut long = self::header(path.len() as u64 + 1, EntryType::GNULongName, at);
        long.set_cksum();
        out.extend_from_slice(long.as_bytes());
        out.extend_from_slice(path.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    let over = usize::try_from(octets % BLOCK as u64).unwrap_or(0);
    let fill = if over == 0 { 0 } else { BLOCK - over };
    (out.into(), vec![0; fill].into())
}

/// Octets of a name, so that what is put behind it fits into the 255 that file systems allow.
const NAME: usize = 200;
/// Octets of an ending that is kept where a name is cut.
const ENDING: usize = 16;

/// A name of one file or folder, whatever people called it: what could lead elsewhere, or end it, is written as `_`, and what is
/// too long is cut. Names that differ may become one: see [`own_name`].
pub fn file_name(name: &str) -> String {
    let fits: String = name.chars().map(|c| if matches!(c, '/' | '\\') || c.is_control() { '_' } else { c }).collect();
    let fits = fits.get(..fits.floor_char_boundary(NAME)).unwrap_or_default().to_owned();
    if fits.chars().all(|c| matches!(c, '.' | ' ')) { format!("_{}", fits.replace('.', "_")) } else { fits }
}

/// The same, where names that differ must stay different: one that had to be changed has its id in it, before its ending.
pub fn own_name(name: &str, id: &dyn std::fmt::Display) -> String {
    let fits = file_name(name);
    if fits == name {
        return fits;
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !ending.is_empty() && ending.len() <= ENDING => {
            format!("{}.{id}.{}", file_name(stem), file_name(ending))
        }
        _ => format!("{fits}.{id}"),
    }
}

/// The end of an archive.
pub fn trailer() -> Bytes {
    Bytes::from_static(&[0; 2 * BLOCK])
}

fn header(octets: u64, kind: EntryType, at: Timestamp) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(octets);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(at.seconds()).unwrap_or(0));
    header
}

/// What could lead out of the archive, or end a name, is written as `_`.
fn directory(folder: &str) -> String {
    if folder == "INBOX" {
        return String::new();
    }
    let level =
        |level: &str| level.chars().map(|c| if matches!(c, '.' | '/' | '\\') || c.is_control() { '_' } else { c }).collect::<String>();
    let levels: Vec<_> = folder.split(Folder::SEPARATOR).map(level).collect();
    format!(".{}/", levels.join("."))
}

fn letters(keywords: &Keywords) -> String {
    let letter = |name| match name {
        "\\Draft" => Some('D'),
        "\\Flagged" => Some('F'),
        "$Forwarded" => Some('P'),
        "\\Answered" => Some('R'),
        "\\Seen" => Some('S'),
        "\\Deleted" => Some('T'),
        _ => None,
    };
    keywords.iter().filter_map(letter).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn names_lead_nowhere_else() {
        for (name, wanted) in [
            ("Work", "Work"),
            ("a/../b", "a_.._b"),
            ("..", "___"),
            (".", "__"),
            ("", "_"),
            ("C:\\x\0.ics", "C:_x_.ics"),
            (".profile", ".profile"),
        ] {
            assert_eq!(file_name(name), wanted);
        }
    }

    #[test]
    fn names_that_differ_stay_so_and_fit_into_file_systems() {
        for (name, wanted) in
            [("a_b", "a_b"), ("a\\b", "a_b.7"), ("a\\b.txt", "a_b.7.txt"), ("a\\.tar\\x", "a_.7.tar_x"), ("..", "___.7"), (".\\", "._.7")]
        {
            assert_eq!(own_name(name, &7), wanted);
        }
        let long = "ä".repeat(400);
        for name in [long.clone(), format!("{long}.ics"), format!("x.{long}"), format!("{long}\\.{long}")] {
            let (short, own) = (file_name(&name), own_name(&name, &"0".repeat(26)));
            assert!(short.len() <= 200 && own.len() <= 245 && own.contains(".00000"), "{own}");
        }
        assert!(own_name(&format!("{long}.ics"), &7).ends_with("ä.7.ics"));
    }

    #[test]
    fn an_archive_of_messages_is_read_by_others() {
        let long = format!("A/{}", "x".repeat(300));
        let seen = Keywords::parse(["\\Seen", "\\Flagged", "own"]).unwrap();
        let at = Timestamp::from_seconds(1_700_000_000);
        let mut archive = Vec::new();
        for (folder, text) in [("INBOX", "one\r\n"), ("A/..", ""), (long.as_str(), &"y".repeat(512))] {
            let (head, fill) = entry(&Entry { folder, name: "1", keywords: &seen, received: at, octets: text.len() as u64 });
            archive.extend([&head[..], text.as_bytes(), &fill].concat());
        }
        archive.extend_from_slice(&trailer());
        let mut reader = tar::Archive::new(&archive[..]);
        let read = |file: std::io::Result<tar::Entry<'_, &[u8]>>| {
            let mut file = file.unwrap();
            let (mut text, path) = (String::new(), file.path().unwrap().display().to_string());
            file.read_to_string(&mut text).unwrap();
            (path, text)
        };
        let files: Vec<_> = reader.entries().unwrap().map(read).collect();
        let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["cur/1:2,FS", ".A.__/cur/1:2,FS", &format!(".A.{}/cur/1:2,FS", "x".repeat(300))]);
        assert_eq!((files[0].1.as_str(), files[2].1.len()), ("one\r\n", 512));
    }
}
