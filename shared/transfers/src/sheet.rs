//! A CSV file (RFC 4180) that is read from where it was left: UTF-8, a line of names first, with commas, semicolons or tabs in
//! between.

use crate::people::COLUMNS;
use crate::transfer::Transfer;
use crate::transfers::Transfers;
use bytes::Bytes;
use csv::{ByteRecord, Reader, ReaderBuilder};
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};

/// Octets that are held at once, of which one row may be as long as a quarter.
const WINDOW: usize = 1 << 20;
const ROW: usize = WINDOW / 4;

/// What its first line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    delimiter: u8,
    /// Places in [`COLUMNS`].
    columns: Vec<usize>,
}

/// Where the next row begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    at: u64,
    line: u64,
    layout: Layout,
}

impl Layout {
    /// From the beginning of a file. What is wrong with it says which columns there are.
    pub fn of(begin: &[u8]) -> Result<Place> {
        let mark = if begin.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let text = begin.get(mark..).unwrap_or_default();
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|one| (first.iter().filter(|byte| *byte == one).count(), *one == b','));
        let delimiter = delimiter.unwrap_or(b',');
        let mut reader = reader(delimiter, text);
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(unreadable)? {
            return Err(Error::invalid(format!("the file is empty; its first line names its columns: {}", COLUMNS.join(", "))));
        }
        let mut columns = Vec::with_capacity(record.len());
        for name in &record {
            let name = String::from_utf8_lossy(name).trim().to_lowercase().replace([' ', '-'], "_");
            let place = COLUMNS.iter().position(|known| *known == name).ok_or_else(|| {
                let shown: String = name.chars().take(50).collect();
                Error::invalid(format!("there is no column {shown:?}; there are {}", COLUMNS.join(", ")))
            })?;
            if columns.contains(&place) {
                return Err(Error::invalid(format!("the column {name} is there twice")));
            }
            columns.push(place);
        }
        if !columns.contains(&0) {
            return Err(Error::invalid(format!("the column {} is missing", COLUMNS[0])));
        }
        let end = reader.position().byte();
        let line = 1 + lines(text.get(..end as usize).unwrap_or_default());
        Ok(Place { at: mark as u64 + end, line, layout: Self { delimiter, columns } })
    }
}

fn reader(delimiter: u8, text: &[u8]) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text)
}

fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn unreadable(error: csv::Error) -> Error {
    Error::invalid("the file cannot be read as CSV").because(error)
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub line: u64,
    /// By their place in [`COLUMNS`]; or why there are none.
    pub cells: std::result::Result<Vec<Option<String>>, &'static str>,
}

/// A file, as far as it is held.
pub struct Sheet {
    place: Place,
    window: Bytes,
    from: u64,
}

impl Sheet {
    /// Where the cursor says; an empty one is the beginning.
    pub async fn open(transfers: &Transfers, transfer: &Transfer) -> Result<Self> {
        let place = match transfer.cursor.as_str() {
            "" => {
                let begin = transfers.read(transfer, 0, ROW).await?;
                return Ok(Self { place: Layout::of(&begin)?, window: begin, from: 0 });
            }
            cursor => serde_json::from_str(cursor).map_err(|error| Error::broken("a cursor cannot be read").because(error))?,
        };
        Ok(Self { place, window: Bytes::new(), from: 0 })
    }

    pub fn cursor(&self) -> Result<String> {
        serde_json::to_string(&self.place).map_err(|error| Error::broken("a cursor cannot be written").because(error))
    }

    /// Octets before the next row.
    pub fn read(&self) -> u64 {
        self.place.at
    }

    /// The next rows, at most `count`; none at the end.
    pub async fn rows(&mut self, transfers: &Transfers, transfer: &Transfer, count: usize) -> Result<Vec<Read>> {
        let held = self.from..self.from + self.window.len() as u64;
        let ends = held.end >= transfer.octets;
        let near = held.end.saturating_sub(self.place.at) < ROW as u64;
        if !held.contains(&self.place.at) || (near && !ends) {
            self.window = transfers.read(transfer, self.place.at, WINDOW).await?;
            self.from = self.place.at;
        }
        let begin = usize::try_from(self.place.at - self.from).unwrap_or(usize::MAX);
        let window = self.window.slice(begin.min(self.window.len())..);
        let whole = self.from + self.window.len() as u64 >= transfer.octets;
        self.parse(&window, whole, count)
    }

    fn parse(&mut self, window: &[u8], whole: bool, count: usize) -> Result<Vec<Read>> {
        let Place { at, mut line, layout } = self.place.clone();
        let mut end = 0;
        let mut reader = reader(layout.delimiter, window);
        let (mut record, mut found) = (ByteRecord::new(), Vec::new());
        while found.len() < count && reader.read_byte_record(&mut record).map_err(unreadable)? {
            let position = reader.position();
            // What ends where the window ends may go on behind it.
            if !whole && position.byte() as usize >= window.len() {
                break;
            }
            let row = window.get(end..position.byte() as usize).unwrap_or_default();
            // The line feed of the row before, and lines with nothing in them.
            let before = row.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let begins = line + lines(row.get(..before).unwrap_or_default());
            found.push(Read { line: begins, cells: layout.cells(&record) });
            end = position.byte() as usize;
            line += lines(row);
            self.place.at = at + position.byte();
            self.place.line = line;
        }
        if found.is_empty() && !whole {
            return Err(Error::invalid(format!("line {line} is longer than {ROW} octets: is a quotation mark not closed?")));
        }
        if found.is_empty() {
            self.place.at = at + window.len() as u64;
        }
        Ok(found)
    }
}

impl Layout {
    fn cells(&self, record: &ByteRecord) -> std::result::Result<Vec<Option<String>>, &'static str> {
        if record.len() > self.columns.len() {
            return Err("the row has more fields than the first line has names");
        }
        let mut cells = vec![None; COLUMNS.len()];
        for (field, place) in record.iter().zip(&self.columns) {
            let text = std::str::from_utf8(field).map_err(|_| "the row is not UTF-8")?.trim();
            if let Some(cell) = cells.get_mut(*place).filter(|_| !text.is_empty()) {
                *cell = Some(text.to_owned());
            }
        }
        Ok(cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], window: usize, count: usize) -> Vec<Read> {
        let mut sheet = Sheet { place: Layout::of(text).unwrap(), window: Bytes::new(), from: 0 };
        let mut found = Vec::new();
        loop {
            let at = usize::try_from(sheet.place.at).unwrap();
            let end = text.len().min(at + window);
            let rows = sheet.parse(&text[at..end], end == text.len(), count).unwrap();
            if rows.is_empty() {
                return found;
            }
            // As a worker that was cut off does.
            let cursor = serde_json::to_string(&sheet.place).unwrap();
            sheet.place = serde_json::from_str(&cursor).unwrap();
            found.extend(rows);
        }
    }

    #[test]
    fn rows_are_the_same_however_they_are_cut() {
        let text =
            "\u{feff}Name;address\r\n\"Smith; Ann\";a@one.test\r\n\r\n\"two\nlines\";b@one.test\nßü;c@one.test;too;many\r\nlast;d@one.test";
        let rows = all(text.as_bytes(), 1000, 100);
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4, 6, 7]);
        assert_eq!(rows[0].cells.as_ref().unwrap()[..2], [Some("a@one.test".to_owned()), Some("Smith; Ann".to_owned())]);
        assert_eq!(rows[1].cells.as_ref().unwrap()[1].as_deref(), Some("two\nlines"));
        assert!(rows[2].cells.is_err());
        for window in 40..=text.len() {
            for count in 1..4 {
                assert_eq!(all(text.as_bytes(), window, count), rows, "window {window}, {count} at once");
            }
        }
    }

    #[test]
    fn a_first_line_that_is_wrong_says_what_would_be_right() {
        for (text, says) in [
            ("", "is empty"),
            ("adress,name\n", "there are address, name"),
            ("name\n", "address is missing"),
            ("address,name,Name\n", "twice"),
            ("\u{0}\u{1}", "there is no column"),
        ] {
            let error = Layout::of(text.as_bytes()).unwrap_err();
            assert!(error.text().contains(says), "{text:?}: {error}");
        }
    }
}
