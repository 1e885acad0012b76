//! An mbox (RFC 4155, with the quoting of mboxrd): messages behind `From ` lines, flags in fields of the header, which are
//! the mailbox's and not the message's and are taken out. A directory's files become folders, as Thunderbird lays them out.

use super::message::{date, header, internet_lines};
use super::state::key;
use super::{Loaded, MESSAGE, Read, Sink};
use penfold_formats::mime::header_fields;
use penfold_types::date::{MONTHS, day};
use penfold_types::{Error, Result};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

const DEPTH: usize = 32;
/// A longer line comes in pieces.
const LINE: u64 = 64 * 1024;

pub fn read(root: &Path, sink: &Sink) -> Result<()> {
    let mut files = Vec::new();
    if root.is_dir() {
        collect(root, "", 0, &mut files);
        if files.is_empty() {
            return Err(Error::invalid(format!("there is no mbox in {}", root.display())));
        }
    } else {
        files.push((root.to_owned(), String::new()));
    }
    let total = files.iter().filter_map(|(path, _)| fs::metadata(path).ok()).map(|facts| facts.len()).sum();
    if !sink.put(Read::Total(total)) {
        return Ok(());
    }
    for (path, folder) in files {
        let mut reader = Reader { folder: &folder, place: path.display().to_string(), sink, same: HashMap::new() };
        match File::open(&path)
            .map_err(|error| error.to_string())
            .and_then(|file| reader.file(BufReader::with_capacity(1 << 16, file)).map_err(|e| e.to_string()))
        {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(why) => {
                if !sink.put(Read::Broken { place: path.display().to_string(), why, weight: 0 }) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Files that begin like an mbox; `Name.sbd` holds the folders below `Name`.
fn collect(path: &Path, folder: &str, depth: usize, out: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut entries: Vec<_> =
        entries.flatten().filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?))).collect();
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, kind) in entries {
        let level = name.strip_suffix(".sbd").or_else(|| name.strip_suffix(".mbox")).unwrap_or(&name);
        let below = if folder.is_empty() { level.to_owned() } else { format!("{folder}/{level}") };
        if kind.is_dir() && depth < DEPTH && !name.starts_with('.') {
            collect(&path.join(&name), &below, depth + 1, out);
        } else if kind.is_file() && begins_as_mbox(&path.join(&name)) {
            out.push((path.join(&name), below));
        }
    }
}

fn begins_as_mbox(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, 5), &mut start));
    read.is_ok() && start == b"From "
}

struct Reader<'a> {
    folder: &'a str,
    place: String,
    sink: &'a Sink,
    /// How often the same message stood in this file so far.
    same: HashMap<super::state::Key, u32>,
}

/// A message while its lines are gathered.
#[derive(Default)]
struct Gathered {
    separator: Vec<u8>,
    bytes: Vec<u8>,
    weight: u64,
    too_large: bool,
}

impl Gathered {
    fn add(&mut self, line: &[u8], whole_line: bool) {
        self.weight += line.len() as u64;
        let line = if whole_line { unquote(line) } else { line };
        if self.bytes.len() as u64 + line.len() as u64 > MESSAGE {
            self.too_large = true;
            self.bytes = Vec::new();
        }
        if !self.too_large {
            self.bytes.extend_from_slice(line);
        }
    }
}

/// `>From ` -> `From `, `>>From ` -> `>From ` (mboxrd).
fn unquote(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    let quoted = marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "));
    if quoted { line.get(1..).unwrap_or(line) } else { line }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// Text may begin with "From " too, where a program did not quote it: a separator has a date, or at most a sender.
fn is_separator(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    line.split_ascii_whitespace().count() <= 2 || separator_date(&line).is_some()
}

/// A field's name and a colon, as the line after a separator must have.
fn is_field(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    name > 0 && line.get(name) == Some(&b':')
}

impl Reader<'_> {
    /// False where nobody wants more.
    fn file(&mut self, mut from: impl BufRead) -> io::Result<bool> {
        let (mut current, mut line) = (None::<Gathered>, Vec::new());
        // A line that may be a separator, kept until the next one tells; only after an empty line or at the start.
        let mut candidate = None::<Vec<u8>>;
        let (mut after_blank, mut starts_line) = (true, true);
        loop {
            line.clear();
            let ended = io::Read::take(&mut from, LINE).read_until(b'\n', &mut line)? == 0;
            if let Some(separator) = candidate.take() {
                if is_separator(&separator) && is_field(&line) {
                    if let Some(whole) = current.replace(Gathered { weight: separator.len() as u64, separator, ..Gathered::default() })
                        && !self.message(whole)
                    {
                        return Ok(false);
                    }
                } else {
                    current.get_or_insert_default().add(&separator, true);
                }
            }
            if ended {
                break;
            }
            if starts_line && after_blank && line.starts_with(b"From ") && line.ends_with(b"\n") {
                candidate = Some(std::mem::take(&mut line));
                (after_blank, starts_line) = (false, true);
                continue;
            }
            let junk = current.is_none() && is_blank(&line);
            if !junk {
                current.get_or_insert_default().add(&line, starts_line);
            }
            after_blank = starts_line && is_blank(&line);
            starts_line = line.ends_with(b"\n");
        }
        Ok(current.is_none_or(|last| self.message(last)))
    }

    fn message(&mut self, gathered: Gathered) -> bool {
        let Gathered { separator, bytes, weight, too_large } = gathered;
        let broken = |place: &str, why: String| Read::Broken { place: place.to_owned(), why, weight };
        if separator.is_empty() {
            return self
                .sink
                .put(broken(&self.place, "does not begin with a From line; what stands before the first one is left out".to_owned()));
        }
        let line = String::from_utf8_lossy(&separator).trim_end().to_owned();
        let place = format!("{} at \"{line}\"", self.place);
        if too_large {
            return self.sink.put(broken(&place, format!("is larger than {MESSAGE} bytes")));
        }
        let (bytes, flags) = take_flags(without_last_blank(bytes));
        if bytes.is_empty() {
            return self.sink.put(broken(&place, "is empty".to_owned()));
        }
        let content = key(&[&bytes]);
        let count = self.same.entry(content).or_insert(0);
        *count += 1;
        let key = key(&[b"mbox", self.folder.as_bytes(), &content, &count.to_be_bytes()]);
        if flags.gone || self.sink.knows(&key) {
            return self.sink.put(Read::Skipped { weight });
        }
        let received = separator_date(&line).map(|seconds| (seconds, 0)).or_else(|| date(&bytes));
        let loaded = Loaded {
            key,
            folder: self.folder.to_owned(),
            place,
            bytes: internet_lines(bytes).into(),
            keywords: flags.keywords,
            received,
            weight,
        };
        self.sink.put(Read::Message(Box::new(loaded)))
    }
}

/// The empty line before the next separator belongs to the mbox.
fn without_last_blank(mut bytes: Vec<u8>) -> Vec<u8> {
    for (ending, cut) in [(&b"\r\n\r\n"[..], 2), (&b"\n\n"[..], 1)] {
        if bytes.ends_with(ending) {
            bytes.truncate(bytes.len() - cut);
            break;
        }
    }
    bytes
}

#[derive(Default)]
struct Flags {
    keywords: Vec<String>,
    /// Deleted in Thunderbird, which leaves it in the file until it compacts.
    gone: bool,
}

/// The message without the fields that mbox programs keep their state in, and what those say.
fn take_flags(bytes: Vec<u8>) -> (Vec<u8>, Flags) {
    let mut flags = Flags::default();
    let head = header(&bytes);
    let mut kept = Vec::with_capacity(bytes.len());
    for (name, whole, value) in header_fields(head) {
        let value = String::from_utf8_lossy(value).trim().to_owned();
        match name.to_ascii_lowercase().as_slice() {
            b"status" => flags.letters(&value, &[('R', "\\Seen")]),
            b"x-status" => flags.letters(&value, &[('A', "\\Answered"), ('F', "\\Flagged"), ('D', "\\Deleted"), ('T', "\\Draft")]),
            b"x-keywords" | b"x-mozilla-keys" => flags.keywords.extend(value.split_ascii_whitespace().take(100).map(str::to_owned)),
            b"x-mozilla-status" => flags.mozilla(&value),
            b"x-mozilla-status2" | b"x-uid" | b"x-imap" | b"x-imapbase" => {}
            _ => kept.extend_from_slice(whole),
        }
    }
    kept.extend_from_slice(bytes.get(head.len()..).unwrap_or_default());
    (kept, flags)
}

impl Flags {
    fn letters(&mut self, value: &str, known: &[(char, &str)]) {
        self.keywords.extend(known.iter().filter(|(letter, _)| value.contains(*letter)).map(|(_, name)| (*name).to_owned()));
    }

    fn mozilla(&mut self, value: &str) {
        let bits = u32::from_str_radix(value, 16).unwrap_or(0);
        for (bit, name) in [(1, "\\Seen"), (2, "\\Answered"), (4, "\\Flagged"), (0x1000, "$Forwarded")] {
            if bits & bit != 0 {
                self.keywords.push(name.to_owned());
            }
        }
        self.gone |= bits & 8 != 0;
    }
}

/// The time in `From sender Thu Jan  1 00:00:00 1970`, which is UTC (RFC 4155, Appendix A).
fn separator_date(line: &str) -> Option<i64> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let month = words.iter().rposition(|word| MONTHS.contains(word))?;
    let number = MONTHS.iter().position(|name| words.get(month) == Some(name))?;
    let dom = words.get(month + 1)?.parse().ok()?;
    let mut clock = words.get(month + 2)?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().flatten().unwrap_or(0));
    let year = words.get(month + 3..)?.iter().find(|word| word.len() == 4).and_then(|word| word.parse().ok())?;
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    let day = day(year, i64::try_from(number).ok()? + 1, dom)?;
    fits.then(|| day * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_have_dates_in_several_shapes() {
        assert_eq!(separator_date("From ann@x.test Tue Nov 14 22:13:20 2023"), Some(1_700_000_000));
        assert_eq!(separator_date("From - Tue Nov 14 22:13:20 2023"), Some(1_700_000_000));
        assert_eq!(separator_date("From ann@x.test Tue Nov 14 22:13:20 UTC 2023"), Some(1_700_000_000));
        assert_eq!(separator_date("From ann@x.test Tue Nov 14 22:13 2023"), Some(1_699_999_980));
        for bad in ["From ", "From x Nov", "From x Tue Nov 99 22:13:20 2023", "From x Nov 14 99:13:20 2023"] {
            assert_eq!(separator_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_that_begins_like_a_separator_is_text() {
        for (line, separates) in [
            ("From ann@x.test Tue Nov 14 22:13:20 2023\n", true),
            ("From \n", true),
            ("From ann@x.test\n", true),
            ("From the meeting of November\n", false),
            ("From Nov 14 on we are closed\n", false),
        ] {
            assert_eq!(is_separator(line.as_bytes()), separates, "{line}");
        }
    }

    #[test]
    fn quotes_come_off_one_at_a_time() {
        assert_eq!(unquote(b">From x\n"), b"From x\n");
        assert_eq!(unquote(b">>From x\n"), b">From x\n");
        assert_eq!(unquote(b"> From x\n"), b"> From x\n");
    }
}
