//! Answers of a peer: RFC 5321 §4.2, RFC 2034. Whatever it sends, little is kept of it.

use crate::said;
use bytes::BytesMut;
use memchr::memchr;
use penfold_ports::{Outcome, Said};

/// Octets of one line. RFC 5321 §4.5.3.1.5 says 512; some texts of blocklists are longer.
const LINE: usize = 4096;
/// Octets and lines of one answer.
const ANSWER: usize = 64 * 1024;
const LINES: usize = 500;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub code: u16,
    /// RFC 3463, where there is one that agrees with the code.
    pub status: Option<(u8, u16, u16)>,
    /// Texts without code and status; printable.
    pub lines: Vec<String>,
}

impl Answer {
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4yz or 5yz.
    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    pub fn said(&self, host: &str) -> Said {
        let class = u8::try_from(self.code / 100).unwrap_or(5);
        let text = said::one_line(&self.lines.join(" "));
        Said { code: self.code, status: self.status.unwrap_or((class, 0, 0)), text, host: Some(host.to_owned()) }
    }

    /// For a recipient; `None` where it is neither 4yz nor 5yz.
    pub fn refusal(&self, host: &str) -> Option<Outcome> {
        let said = self.said(host);
        match self.code / 100 {
            4 => Some(Outcome::Deferred { said, unsure: false }),
            5 => Some(Outcome::Refused { said }),
            _ => None,
        }
    }
}

/// Why an answer cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Endless,
    Malformed,
}

/// Reads answers from what came.
#[derive(Default, Debug)]
pub struct Answers {
    /// Of an answer whose last line has not come.
    begun: Option<Answer>,
    size: usize,
}

impl Answers {
    /// The next answer; `None` until all of it is there.
    pub fn take(&mut self, input: &mut BytesMut) -> Result<Option<Answer>, Fault> {
        loop {
            let Some(end) = memchr(b'\n', input) else {
                return if input.len() > LINE { Err(Fault::Endless) } else { Ok(None) };
            };
            let line = input.split_to(end + 1);
            self.size += line.len();
            if line.len() > LINE || self.size > ANSWER {
                return Err(Fault::Endless);
            }
            if self.line(line.trim_ascii_end())? {
                self.size = 0;
                return Ok(self.begun.take());
            }
        }
    }

    /// True at the last line.
    fn line(&mut self, line: &[u8]) -> Result<bool, Fault> {
        let code = code(line).ok_or(Fault::Malformed)?;
        let last = match line.get(3) {
            Some(b'-') => false,
            Some(b' ') | None => true,
            Some(_) => return Err(Fault::Malformed),
        };
        let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default());
        let (status, text) = split_status(code, text.trim());
        let answer = self.begun.get_or_insert_with(|| Answer { code, status, lines: Vec::new() });
        // RFC 5321 §4.2.1: each line has the same code.
        if answer.code != code {
            return Err(Fault::Malformed);
        }
        if answer.lines.len() >= LINES {
            return Err(Fault::Endless);
        }
        answer.lines.push(text.chars().map(|c| if c.is_control() { '?' } else { c }).collect());
        Ok(last)
    }
}

fn code(line: &[u8]) -> Option<u16> {
    match line.get(..3)? {
        [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Some([a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0')))
        }
        _ => None,
    }
}

/// RFC 2034 §4: the class of the status is the code's first digit; what disagrees is text.
fn split_status(code: u16, text: &str) -> (Option<(u8, u16, u16)>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match status(word) {
        Some(status) if u16::from(status.0) == code / 100 => (Some(status), rest.trim_start()),
        _ => (None, text),
    }
}

fn status(word: &str) -> Option<(u8, u16, u16)> {
    let mut numbers = word.splitn(3, '.').map(|number| {
        let digits = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| number.parse::<u16>().ok()).flatten()
    });
    let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some((u8::try_from(class).ok()?, subject, detail))
}
