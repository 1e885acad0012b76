//! Bytes in, whole commands out. A command is one line, or several that are joined by literals (RFC 9051 §4.3); every
//! length is known and bounded before anything is parsed.

use bytes::{Bytes, BytesMut};

/// What a peer may send at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of a command outside its literals.
    pub line: usize,
    /// Octets of all literals of a command that is not APPEND.
    pub literals: u64,
    /// Octets of one literal of APPEND (RFC 7889), and of all of them; 0 before sign-in.
    pub append: u64,
}

impl Limits {
    /// Nobody has signed in: only LOGIN and AUTHENTICATE have anything to say.
    pub const BEFORE_LOGIN: Self = Self { line: 16 << 10, literals: 8 << 10, append: 0 };
    pub const SIGNED_IN: Self = Self { line: 64 << 10, literals: 64 << 10, append: 50 << 20 };
}

/// A literal's octets.
#[derive(Clone, Debug, Default)]
pub struct Literal(pub Bytes);

/// A command as it came: its text, in which each literal is the header `{n}` and a line feed, and the literals.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    pub text: Vec<u8>,
    pub literals: Vec<Literal>,
}

/// Why a command was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    LineTooLong,
    /// A synchronising literal that is too large: the client has not sent it, and reads our answer instead of a `+`.
    LiteralTooLarge,
}

#[derive(Debug)]
pub enum Step {
    /// Give it more bytes.
    More,
    /// Tell the client to go on with its literal (RFC 9051 §4.3).
    Continue,
    Command(Raw),
    /// One line, where a line was asked for.
    Line(Vec<u8>),
    Refused {
        tag: Vec<u8>,
        why: Refusal,
    },
    /// A non-synchronising literal that is too large, or a line without an end: say BYE (RFC 7888 §4).
    Fatal(&'static str),
}

/// What is being read.
#[derive(Default, Debug)]
enum State {
    #[default]
    Line,
    /// The rest of a literal.
    Literal(u64),
    /// A line that is too long, up to its end.
    Discard(usize),
}

#[derive(Default, Debug)]
pub struct Framer {
    input: BytesMut,
    /// Where the search for a line's end goes on.
    scanned: usize,
    state: State,
    raw: Raw,
    filling: BytesMut,
    /// Octets of literals so far.
    total: u64,
}

/// A line that is dropped may go on for so long.
const DISCARD_LIMIT: usize = 1 << 20;
/// The least by which the buffer of a literal grows.
const PIECE: usize = 64 << 10;

impl Framer {
    /// Takes what came from the peer.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if let State::Literal(left) = self.state
            && self.input.is_empty()
        {
            let now = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (ours, rest) = bytes.split_at(now);
            self.fill(ours, left);
            bytes = rest;
        }
        self.input.extend_from_slice(bytes);
    }

    /// Nothing of a command has come yet.
    pub fn is_idle(&self) -> bool {
        self.input.is_empty() && self.raw.text.is_empty() && matches!(self.state, State::Line)
    }

    /// Octets of literals that this command has announced so far, while one is being read.
    pub fn announced(&self) -> u64 {
        if matches!(self.state, State::Literal(_)) { self.total } else { 0 }
    }

    /// Forgets everything that has come, as STARTTLS must (RFC 9051 §6.2.1).
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The buffer grows with what comes, not with what was announced.
    fn fill(&mut self, bytes: &[u8], left: u64) {
        let left = left.saturating_sub(bytes.len() as u64);
        if self.filling.capacity() - self.filling.len() < bytes.len() {
            let more = self.filling.len().max(PIECE) as u64;
            self.filling.reserve(bytes.len() + usize::try_from(left.min(more)).unwrap_or(PIECE));
        }
        self.filling.extend_from_slice(bytes);
        self.state = State::Literal(left);
    }

    /// The next thing to do. With `line` the next line is given as it is, without looking for literals (IDLE's DONE, the
    /// answers of AUTHENTICATE).
    pub fn next(&mut self, limits: &Limits, line: bool) -> Step {
        loop {
            match self.state {
                State::Literal(left) => {
                    if left > 0 {
                        let now = self.input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                        if now == 0 {
                            return Step::More;
                        }
                        let bytes = self.input.split_to(now);
                        self.fill(&bytes, left);
                        continue;
                    }
                    self.raw.literals.push(Literal(std::mem::take(&mut self.filling).freeze()));
                    self.state = State::Line;
                    self.scanned = 0;
                }
                State::Discard(dropped) => match memchr::memchr(b'\n', &self.input) {
                    Some(end) => {
                        drop(self.input.split_to(end + 1));
                        let tag = tag_of(&self.raw.text);
                        self.finish();
                        return Step::Refused { tag, why: Refusal::LineTooLong };
                    }
                    None if dropped > DISCARD_LIMIT => return Step::Fatal("line without an end"),
                    None => {
                        self.state = State::Discard(dropped + self.input.len());
                        self.input.clear();
                        return Step::More;
                    }
                },
                State::Line => match self.line(limits, line) {
                    Some(step) => return step,
                    None => continue,
                },
            }
        }
    }

    fn line(&mut self, limits: &Limits, plain: bool) -> Option<Step> {
        let Some(end) = memchr::memchr(b'\n', self.input.get(self.scanned..).unwrap_or_default()).map(|at| at + self.scanned) else {
            self.scanned = self.input.len();
            if self.raw.text.len() + self.input.len() > limits.line {
                self.raw.text.extend_from_slice(self.input.get(..64).unwrap_or_default());
                self.state = State::Discard(0);
                return None;
            }
            if self.input.is_empty() {
                // An idle connection keeps no buffer.
                self.input = BytesMut::new();
            }
            return Some(Step::More);
        };
        self.scanned = 0;
        let mut line = self.input.split_to(end + 1);
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        if self.raw.text.len() + line.len() > limits.line {
            self.raw.text.extend_from_slice(line.get(..64).unwrap_or_default());
            let tag = tag_of(&self.raw.text);
            self.finish();
            return Some(Step::Refused { tag, why: Refusal::LineTooLong });
        }
        if plain {
            return Some(Step::Line(line.to_vec()));
        }
        self.raw.text.extend_from_slice(&line);
        let Some((len, synchronising)) = literal_header(&line) else {
            let raw = std::mem::take(&mut self.raw);
            self.finish();
            return Some(Step::Command(raw));
        };
        self.announce(limits, len, synchronising)
    }

    /// A line ended in a literal's header.
    fn announce(&mut self, limits: &Limits, len: u64, synchronising: bool) -> Option<Step> {
        let limit = if limits.append > 0 && is_append(&self.raw.text) { limits.append } else { limits.literals };
        self.total = self.total.saturating_add(len);
        if self.total > limit {
            if !synchronising {
                return Some(Step::Fatal("literal too large"));
            }
            let tag = tag_of(&self.raw.text);
            self.finish();
            return Some(Step::Refused { tag, why: Refusal::LiteralTooLarge });
        }
        self.raw.text.push(b'\n');
        self.state = State::Literal(len);
        synchronising.then_some(Step::Continue)
    }

    fn finish(&mut self) {
        self.raw = Raw::default();
        self.filling = BytesMut::new();
        self.state = State::Line;
        self.scanned = 0;
        self.total = 0;
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }
}

/// `{n}` or `{n+}` at the end of a line: its length and whether the client waits for a `+`.
fn literal_header(line: &[u8]) -> Option<(u64, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|b| *b == b'{')?;
    let inner = inner.get(open + 1..)?;
    let (digits, synchronising) = match inner.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (inner, true),
    };
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let len = digits.iter().fold(0u64, |sum, d| sum.saturating_mul(10).saturating_add(u64::from(d - b'0')));
    Some((len, synchronising))
}

/// The first word, where it can be one.
fn tag_of(text: &[u8]) -> Vec<u8> {
    let tag = text.split(|b| *b == b' ').next().unwrap_or_default();
    if tag.is_empty() || tag.len() > 64 || !tag.iter().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\+".contains(b)) {
        return b"*".to_vec();
    }
    tag.to_vec()
}

fn is_append(text: &[u8]) -> bool {
    text.split(|b| *b == b' ').nth(1).is_some_and(|verb| verb.eq_ignore_ascii_case(b"APPEND"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { line: 100, literals: 20, append: 1000 };

    fn next(framer: &mut Framer) -> Step {
        framer.next(&LIMITS, false)
    }

    #[test]
    fn a_command_comes_whole_however_it_is_cut() {
        let wire = b"a1 LOGIN {3}\r\nabc {2+}\r\n\r\n\r\na2 NOOP\r\n";
        for cut in 1..wire.len() {
            let mut framer = Framer::default();
            let mut commands = Vec::new();
            for piece in wire.chunks(cut) {
                framer.push(piece);
                loop {
                    match next(&mut framer) {
                        Step::More => break,
                        Step::Continue => {}
                        Step::Command(raw) => commands.push(raw),
                        other => panic!("{other:?}"),
                    }
                }
            }
            assert_eq!(commands[0].text, b"a1 LOGIN {3}\n {2+}\n");
            assert_eq!(commands[0].literals.iter().map(|l| l.0.clone()).collect::<Vec<_>>(), [&b"abc"[..], b"\r\n"]);
            assert_eq!(commands[1].text, b"a2 NOOP");
            assert!(framer.is_idle());
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_read() {
        let mut framer = Framer::default();
        framer.push(b"a1 LOGIN {21}\r\na2 NOOP\r\n");
        assert!(matches!(next(&mut framer), Step::Refused { tag, why: Refusal::LiteralTooLarge } if tag == b"a1"));
        assert!(matches!(next(&mut framer), Step::Command(raw) if raw.text == b"a2 NOOP"));
        framer.push(b"a3 append x {21}\r\n");
        assert!(matches!(next(&mut framer), Step::Continue));
        framer.clear();
        framer.push(b"a3 X {21+}\r\n");
        assert!(matches!(next(&mut framer), Step::Fatal(_)));
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let mut framer = Framer::default();
        framer.push(b"a1 ");
        for _ in 0..50 {
            framer.push(&[b'x'; 100]);
            assert!(matches!(next(&mut framer), Step::More));
        }
        framer.push(b"\r\na2 NOOP\r\n");
        assert!(matches!(next(&mut framer), Step::Refused { tag, why: Refusal::LineTooLong } if tag == b"a1"));
        assert!(matches!(next(&mut framer), Step::Command(_)));
        let mut endless = Framer::default();
        let fatal = (0..20_000).any(|_| {
            endless.push(&[b'x'; 100]);
            matches!(next(&mut endless), Step::Fatal(_))
        });
        assert!(fatal);
    }

    #[test]
    fn a_plain_line_is_not_searched_for_literals() {
        let mut framer = Framer::default();
        framer.push(b"DONE{3}\r\n");
        assert!(matches!(framer.next(&LIMITS, true), Step::Line(line) if line == b"DONE{3}"));
    }
}
