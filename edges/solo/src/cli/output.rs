//! Answers as people see them: a table whose columns stand under each other, or one JSON object a line; progress on a
//! terminal only.

use crate::control::Response;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Lines whose columns are aligned together; a longer list is shown in such pieces.
const PIECE: usize = 200;

pub struct Output {
    json: bool,
    table: Vec<Vec<String>>,
    bar: Option<ProgressBar>,
    notes: u64,
    /// Nobody reads what we write any more (`penfold person list | head`).
    closed: bool,
    /// Standard output is taken by an archive.
    stderr: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, table: Vec::new(), bar: None, notes: 0, closed: false, stderr: false }
    }

    pub fn use_stderr(&mut self) {
        self.stderr = true;
    }

    /// False where nothing more is wanted.
    pub fn take(&mut self, response: Response) -> bool {
        match response {
            Response::Item { value, .. } if self.json => self.print(&value.to_string()),
            Response::Item { rows, .. } => {
                self.table.extend(rows);
                if self.table.len() >= PIECE {
                    self.show_table();
                }
            }
            Response::Progress { done, total, text } => self.progress(done, total, text),
            Response::Note { text } => self.note(&text),
            Response::Done | Response::Failed { .. } => {}
        }
        !self.closed
    }

    pub fn done(mut self) -> ExitCode {
        self.finish();
        if self.notes > 0 && !self.json {
            eprintln!("penfold: {} skipped", self.notes);
        }
        ExitCode::SUCCESS
    }

    pub fn failed(mut self, kind: &str, text: &str, code: u8) -> ExitCode {
        self.finish();
        if self.json {
            eprintln!("{}", serde_json::json!({ "error": { "kind": kind, "text": text } }));
        } else {
            eprintln!("penfold: {text}");
        }
        ExitCode::from(code)
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.show_table();
    }

    fn progress(&mut self, done: u64, total: Option<u64>, text: String) {
        if self.json || !io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::no_length();
            if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {per_sec} {eta} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(done);
        bar.set_message(text);
    }

    fn note(&mut self, text: &str) {
        self.notes += 1;
        let line = if self.json { serde_json::json!({ "skipped": text }).to_string() } else { format!("skipped: {text}") };
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn show_table(&mut self) {
        let table = std::mem::take(&mut self.table);
        let columns = table.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            table.iter().filter(|row| row.len() > column + 1).filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for row in &table {
            let mut line = String::new();
            for (index, cell) in row.iter().enumerate() {
                line.push_str(&printable(cell));
                let pad = widths.get(index).unwrap_or(&0).saturating_sub(cell.chars().count());
                if index + 1 < row.len() {
                    line.extend(std::iter::repeat_n(' ', pad + 2));
                }
            }
            self.print(&line);
        }
    }

    fn print(&mut self, line: &str) {
        if self.stderr {
            eprintln!("{line}");
        } else if !self.closed && writeln!(io::stdout().lock(), "{line}").is_err() {
            self.closed = true;
        }
    }
}

/// What came in by mail shall not steer the terminal.
fn printable(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
