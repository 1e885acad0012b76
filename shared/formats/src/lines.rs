//! Content lines of iCalendar (RFC 5545 §3.1) and vCard (RFC 6350 §3.2), read over the bytes as they came: each line knows where
//! it stands in the input, so that what nobody changes can be written back as it was. Tolerated: LF alone, a byte order mark,
//! blank lines, folds inside of a character.

use std::{borrow::Cow, ops::Range};

use memchr::memchr;

mod write;

pub use write::{escape, parameter_value, push_line, split, unescape};

/// How much is read before somebody is told that it is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Octets of the whole input.
    pub octets: usize,
    /// Content lines, after unfolding.
    pub lines: usize,
    /// Octets of one line, after unfolding.
    pub line: usize,
    /// Parameters of one line, and values of one parameter.
    pub params: usize,
    /// Whether a line that is quoted-printable goes on behind a soft break (vCard 2.1 has it, nothing later).
    pub soft_breaks: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { octets: 1 << 20, lines: 100_000, line: 1 << 20, params: 100, soft_breaks: false }
    }
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub what: Trouble,
    /// Counted from 1, of lines as an editor shows them.
    pub number: u32,
    /// Where it stands in the input, with its line end.
    pub range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The input is longer than the caller takes. Nothing is read of it.
    TooLong,
    /// Nothing is read behind it.
    TooManyLines,
    LineTooLong,
    TooManyParameters,
    NotUtf8,
    /// No name, or no colon.
    Syntax,
}

/// One content line, unfolded. It borrows from the input where it was not folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1, of lines as an editor shows them; of a folded one the first.
    pub number: u32,
    /// Where it stands in the input, with its folds and its line end.
    pub range: Range<usize>,
    /// RFC 6350 §3.3: `item1` of `item1.TEL:...`.
    pub group: Option<Cow<'a, str>>,
    /// As written; names are compared without regard to case.
    pub name: Cow<'a, str>,
    pub params: Vec<Param<'a>>,
    /// As written: escapes are for whoever knows its type.
    pub value: Cow<'a, str>,
}

/// A parameter. What vCard 2.1 writes without a name (`TEL;HOME:...`) has the name and no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param<'a> {
    pub name: Cow<'a, str>,
    /// Without quotes, and with RFC 6868 undone.
    pub values: Vec<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The parameter of that name, the first if there are several.
    pub fn param(&self, name: &str) -> Option<&Param<'a>> {
        self.params.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// The first value of the parameter of that name.
    pub fn param_value(&self, name: &str) -> Option<&str> {
        self.param(name)?.values.first().map(|value| value.as_ref())
    }

    pub fn into_owned(self) -> Line<'static> {
        Line {
            number: self.number,
            range: self.range,
            group: self.group.map(own),
            name: own(self.name),
            params: self.params.into_iter().map(Param::into_owned).collect(),
            value: own(self.value),
        }
    }
}

impl Param<'_> {
    pub fn into_owned(self) -> Param<'static> {
        Param { name: own(self.name), values: self.values.into_iter().map(own).collect() }
    }
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// The lines of an input, one by one. A line that cannot be read does not end it, except at a limit of the whole input.
#[derive(Debug)]
pub struct Lines<'a> {
    input: &'a [u8],
    bounds: Bounds,
    at: usize,
    number: u32,
    count: usize,
    done: bool,
}

impl<'a> Lines<'a> {
    pub fn new(input: &'a [u8], bounds: Bounds) -> Self {
        let at = if input.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { input, bounds, at, number: 1, count: 0, done: false }
    }

    /// The end of the line at `at` without its line end, and the begin of the next.
    fn physical(&self, at: usize) -> (usize, usize) {
        let rest = self.input.get(at..).unwrap_or_default();
        let (mut end, next) = match memchr(b'\n', rest) {
            Some(found) => (at + found, at + found + 1),
            None => (self.input.len(), self.input.len()),
        };
        while end > at && self.input.get(end - 1) == Some(&b'\r') {
            end -= 1;
        }
        (end, next)
    }

    /// RFC 5545 §3.1: a line goes on where the next one begins with a space or a tab.
    fn logical(&mut self) -> (u32, Range<usize>, Cow<'a, [u8]>) {
        let (number, start) = (self.number, self.at);
        let (end, mut next) = self.physical(start);
        self.number = self.number.saturating_add(1);
        let mut text = Cow::Borrowed(self.input.get(start..end).unwrap_or_default());
        let mut quoted = None;
        loop {
            let folded = matches!(self.input.get(next), Some(b' ' | b'\t'));
            let soft = !folded && next < self.input.len() && self.bounds.soft_breaks && text.ends_with(b"=");
            // Asked once a line: a long head and many breaks would be looked through again and again.
            let soft = soft && *quoted.get_or_insert_with(|| is_quoted_printable(&text));
            if !folded && !soft {
                break;
            }
            let from = if folded { next + 1 } else { next };
            let (end, after) = self.physical(from);
            // One octet over the limit is enough to know that it is too long.
            let room = self.bounds.line.saturating_add(1).saturating_sub(text.len());
            let more = self.input.get(from..end).unwrap_or_default();
            let owned = text.to_mut();
            if soft {
                owned.pop();
            }
            owned.extend_from_slice(more.get(..room.min(more.len())).unwrap_or_default());
            next = after;
            self.number = self.number.saturating_add(1);
        }
        self.at = next;
        (number, start..next, text)
    }
}

fn is_quoted_printable(text: &[u8]) -> bool {
    let head = memchr(b':', text).and_then(|colon| text.get(..colon)).unwrap_or_default();
    head.to_ascii_uppercase().windows(16).any(|part| part == b"QUOTED-PRINTABLE")
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if self.input.len() > self.bounds.octets {
            self.done = true;
            return Some(Err(Broken { what: Trouble::TooLong, number: 1, range: 0..self.input.len() }));
        }
        loop {
            if self.at >= self.input.len() {
                self.done = true;
                return None;
            }
            let (number, range, text) = self.logical();
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.count += 1;
            self.done = self.count > self.bounds.lines;
            let what = if self.done {
                Trouble::TooManyLines
            } else if text.len() > self.bounds.line {
                Trouble::LineTooLong
            } else {
                match parse(text, number, range.clone(), self.bounds.params) {
                    Ok(line) => return Some(Ok(line)),
                    Err(what) => what,
                }
            };
            return Some(Err(Broken { what, number, range }));
        }
    }
}

fn parse<'a>(text: Cow<'a, [u8]>, number: u32, range: Range<usize>, params: usize) -> Result<Line<'a>, Trouble> {
    match text {
        Cow::Borrowed(bytes) => parse_text(std::str::from_utf8(bytes).map_err(|_| Trouble::NotUtf8)?, number, range, params),
        Cow::Owned(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| Trouble::NotUtf8)?;
            parse_text(&text, number, range, params).map(Line::into_owned)
        }
    }
}

fn parse_text(text: &str, number: u32, range: Range<usize>, most: usize) -> Result<Line<'_>, Trouble> {
    let end = text.find([';', ':']).ok_or(Trouble::Syntax)?;
    let (head, mut rest) = text.split_at(end);
    let (group, name) = match head.split_once('.') {
        Some((group, name)) => (Some(Cow::Borrowed(group.trim())), name.trim()),
        None => (None, head.trim()),
    };
    if !is_name(name) || group.as_ref().is_some_and(|group| !is_name(group)) {
        return Err(Trouble::Syntax);
    }
    let mut params = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        if params.len() >= most {
            return Err(Trouble::TooManyParameters);
        }
        let (param, left) = parse_param(after, most)?;
        // A semicolon too many says nothing.
        if !param.name.is_empty() {
            params.push(param);
        }
        rest = left;
    }
    let value = rest.strip_prefix(':').ok_or(Trouble::Syntax)?;
    Ok(Line { number, range, group, name: Cow::Borrowed(name), params, value: Cow::Borrowed(value) })
}

/// RFC 5545 §3.1: iana-token or x-name. The underscore is no part of it, and is written all the same.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn parse_param(text: &str, most: usize) -> Result<(Param<'_>, &str), Trouble> {
    let end = text.find(['=', ';', ':']).ok_or(Trouble::Syntax)?;
    let (name, mut rest) = text.split_at(end);
    let mut values = Vec::new();
    if let Some(after) = rest.strip_prefix('=') {
        rest = after;
        loop {
            if values.len() >= most {
                return Err(Trouble::TooManyParameters);
            }
            let (value, left) = parse_param_value(rest)?;
            values.push(decode(value));
            match left.strip_prefix(',') {
                Some(after) => rest = after,
                None => {
                    rest = left;
                    break;
                }
            }
        }
    }
    Ok((Param { name: Cow::Borrowed(name.trim()), values }, rest))
}

fn parse_param_value(text: &str) -> Result<(&str, &str), Trouble> {
    if let Some(quoted) = text.strip_prefix('"')
        && let Some((value, rest)) = quoted.split_once('"')
        && rest.starts_with([',', ';', ':'])
    {
        return Ok((value, rest));
    }
    // A quote that does not end where it should is text.
    let end = text.find([',', ';', ':']).ok_or(Trouble::Syntax)?;
    Ok(text.split_at(end))
}

/// RFC 6868 §3: `^n`, `^^` and `^'`; any other circumflex is itself.
fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('^') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(char) = chars.next() {
        let plain = match (char, chars.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('^')) => '^',
            ('^', Some('\'')) => '"',
            _ => {
                out.push(char);
                continue;
            }
        };
        chars.next();
        out.push(plain);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
