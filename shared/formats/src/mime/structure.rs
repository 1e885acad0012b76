//! The scanner that finds the parts of a message (RFC 2046 §5.1). One pass, no recursion: open multiparts are a stack, and
//! each line that begins with "--" is compared with the stack's boundaries, innermost first. So an outer boundary also
//! ends inner parts that lack their own end, and nothing is read more than `MAX_DEPTH` times.

use memchr::memmem::Finder;

use super::bounds::{Budget, MAX_DEPTH, MAX_PARTS};
use super::envelope::{Header, opaque};
use super::fields::{is_empty_line, line_length};
use super::preview;
use super::summary::{Envelope, Part, Summary};

/// Parses a message once, at acceptance. Pure, bounded, linear; never fails.
pub fn summarise(message: &[u8]) -> Summary {
    summarise_counted(message).0
}

/// As `summarise`, with the steps that the scanner took: tests hold that these grow with the message and no faster.
pub(super) fn summarise_counted(message: &[u8]) -> (Summary, u64) {
    // Offsets have 32 bits; what no message limit lets through is not looked at.
    let message = message.get(..u32::MAX as usize).unwrap_or(message);
    let mut scan = Scan {
        message,
        open: Vec::new(),
        done: None,
        parts: 0,
        budget: Budget::envelope(),
        lines: Lines::default(),
        envelope: Envelope::default(),
        references: Vec::new(),
        steps: 0,
    };
    scan.run();
    let root = scan.done.unwrap_or_default();
    let preview = preview::preview(&root, message);
    let attachment = preview::has_attachment(&root);
    let summary = Summary { envelope: scan.envelope, root, preview, references: scan.references, attachment, cut: scan.budget.cut };
    (summary, scan.steps)
}

/// A part whose end has not been seen.
struct Open {
    part: Part,
    start: usize,
    /// Where its body begins.
    body: usize,
    /// Line breaks before `body`.
    lines: u32,
    /// Gone once the closing delimiter was there: the rest is epilogue.
    boundary: Option<Vec<u8>>,
}

/// A delimiter line: whose it is, where the content before it ends and the next line begins.
struct Delimiter {
    depth: usize,
    closing: bool,
    content_end: usize,
    next: usize,
}

/// How the header that begins at some place ends.
enum HeaderEnd {
    EmptyLine(usize),
    Delimiter(Delimiter),
    Message,
}

/// Counts line breaks up to places that only move forward.
#[derive(Default)]
struct Lines {
    at: usize,
    count: u32,
}

impl Lines {
    fn up_to(&mut self, message: &[u8], place: usize) -> u32 {
        if let Some(passed) = message.get(self.at..place) {
            self.count += u32::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(u32::MAX);
            self.at = place;
        }
        self.count
    }
}

struct Scan<'m> {
    message: &'m [u8],
    open: Vec<Open>,
    /// The root, once it was closed.
    done: Option<Part>,
    parts: usize,
    budget: Budget,
    lines: Lines,
    envelope: Envelope,
    references: Vec<String>,
    steps: u64,
}

impl<'m> Scan<'m> {
    fn run(&mut self) {
        // Built once: every part of every multipart is looked for with it.
        let dashes = Finder::new("\n--");
        let mut at = 0;
        loop {
            let delimiter = match self.header_end(at) {
                HeaderEnd::Message => {
                    self.begin(at, self.message.len());
                    None
                }
                HeaderEnd::Delimiter(delimiter) => {
                    self.begin(at, delimiter.content_end.max(at));
                    Some(delimiter)
                }
                HeaderEnd::EmptyLine(body) => {
                    self.begin(at, body);
                    if self.open.last().is_some_and(|open| open.part.message.is_some()) {
                        at = body;
                        continue;
                    }
                    self.delimiter_from(body, &dashes)
                }
            };
            match self.next_part(delimiter, &dashes) {
                Some(next) => at = next,
                None => return self.close_down_to(0, self.message.len()),
            }
        }
    }

    /// Closes what the delimiter ends. Gives where the next part begins; `None` at the end of the message.
    fn next_part(&mut self, mut delimiter: Option<Delimiter>, dashes: &Finder<'_>) -> Option<usize> {
        loop {
            let found = delimiter?;
            if !found.closing && self.parts >= MAX_PARTS {
                self.budget.cut = true;
                return None;
            }
            self.close_down_to(found.depth + 1, found.content_end);
            if !found.closing {
                return Some(found.next);
            }
            if let Some(open) = self.open.get_mut(found.depth) {
                open.boundary = None;
            }
            delimiter = self.delimiter_from(found.next, dashes);
        }
    }

    /// Goes through the lines of a header. A boundary ends it too: its part has no body.
    fn header_end(&mut self, start: usize) -> HeaderEnd {
        let mut at = start;
        loop {
            let rest = self.message.get(at..).unwrap_or_default();
            self.steps += 1;
            if rest.is_empty() {
                return HeaderEnd::Message;
            }
            if is_empty_line(rest) {
                return HeaderEnd::EmptyLine(at + line_length(rest));
            }
            if let Some(delimiter) = self.delimiter_at(at) {
                return HeaderEnd::Delimiter(delimiter);
            }
            at += line_length(rest);
        }
    }

    /// The next delimiter line at or after `start`, which begins a line.
    fn delimiter_from(&mut self, start: usize, dashes: &Finder<'_>) -> Option<Delimiter> {
        if self.open.iter().all(|open| open.boundary.is_none()) {
            return None;
        }
        if let Some(delimiter) = self.delimiter_at(start) {
            return Some(delimiter);
        }
        let mut at = start;
        loop {
            at += dashes.find(self.message.get(at..)?)? + 1;
            if let Some(delimiter) = self.delimiter_at(at) {
                return Some(delimiter);
            }
        }
    }

    /// RFC 2046 §5.1.1: "--", the boundary, "--" at the last one, white space; and nothing more on the line, so that a
    /// boundary which begins with another's text is not taken for it.
    fn delimiter_at(&mut self, line: usize) -> Option<Delimiter> {
        let rest = self.message.get(line..)?.strip_prefix(b"--")?;
        for (depth, open) in self.open.iter().enumerate().rev() {
            self.steps += 1;
            let Some(boundary) = &open.boundary else { continue };
            self.steps += common_prefix(boundary, rest);
            let Some(after) = rest.strip_prefix(boundary.as_slice()) else { continue };
            for (closing, after) in [(false, Some(after)), (true, after.strip_prefix(b"--"))] {
                let Some(after) = after else { continue };
                let padding = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                self.steps += padding as u64;
                let end = after.get(padding..).unwrap_or_default();
                if end.is_empty() || is_empty_line(end) {
                    let next = self.message.len() - end.len() + line_length(end).min(2);
                    return Some(Delimiter { depth, closing, content_end: self.before_line_break(line), next });
                }
            }
        }
        None
    }

    fn before_line_break(&self, line: usize) -> usize {
        match self.message.get(..line) {
            Some([.., b'\r', b'\n']) => line - 2,
            Some([.., b'\n']) => line - 1,
            _ => line,
        }
    }

    /// Opens the part whose header is `start..body`.
    fn begin(&mut self, start: usize, body: usize) {
        let header = Header::read(self.message.get(start..body).unwrap_or_default());
        let parent = self.open.last();
        let digest = parent.is_some_and(|open| open.part.message.is_none() && open.part.subtype == "digest");
        if self.open.is_empty() {
            self.envelope = header.envelope(&mut self.budget);
            self.references = header.references();
            self.budget = std::mem::replace(&mut self.budget, Budget::of(0)).into_parts();
        } else if let Some(envelope) = self.open.last_mut().and_then(|open| open.part.message.as_deref_mut()) {
            *envelope = header.envelope(&mut self.budget);
        }
        let (mut part, mut boundary) = header.part(digest, &mut self.budget);
        self.parts += 1;
        // RFC 9051 §7.5.2: both kinds of embedded message have an envelope and a structure.
        let embedded = part.kind == "message" && matches!(part.subtype.as_str(), "rfc822" | "global");
        if (embedded || part.kind == "multipart") && !self.has_room() {
            opaque(&mut part);
            boundary = None;
        } else if embedded {
            part.message = Some(Box::default());
        }
        let lines = self.lines.up_to(self.message, body);
        self.open.push(Open { part, start, body, lines, boundary });
    }

    /// Whether something can be inside the next part: neither too deep nor the last that is counted.
    fn has_room(&mut self) -> bool {
        let room = self.open.len() < MAX_DEPTH && self.parts < MAX_PARTS;
        self.budget.cut |= !room;
        room
    }

    /// Ends all parts deeper than `depth` at `end`.
    fn close_down_to(&mut self, depth: usize, end: usize) {
        while self.open.len() > depth
            && let Some(open) = self.open.pop()
        {
            let part = self.close(open, end);
            match self.open.last_mut() {
                Some(parent) => parent.part.children.push(part),
                None => self.done = Some(part),
            }
        }
    }

    fn close(&mut self, open: Open, end: usize) -> Part {
        let mut part = open.part;
        // The line break of a delimiter can also be the empty line of the header before it; the delimiter has it.
        let body = open.body.min(end);
        part.header = offset(open.start.min(end))..offset(body);
        part.body = offset(body)..offset(end);
        if part.message.is_some() && part.children.is_empty() {
            part.children.push(empty_message(end));
        }
        if part.kind == "multipart" && part.children.is_empty() {
            // RFC 2045 §5.2: without a boundary that occurs it says nothing that can be relied on.
            part = Part { header: part.header, body: part.body, ..Part::default() };
            if self.budget.pay(18) {
                part.params.push(("charset".into(), Box::from(&b"us-ascii"[..])));
            }
        }
        if part.is_text() || part.message.is_some() {
            part.lines = self.lines.up_to(self.message, end).saturating_sub(open.lines);
        }
        part
    }
}

/// The root of a message/rfc822 that has nothing in it.
fn empty_message(at: usize) -> Part {
    let at = offset(at)..offset(at);
    Part { header: at.clone(), body: at, ..Part::default() }
}

fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn common_prefix(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).take_while(|(a, b)| a == b).count() as u64
}
