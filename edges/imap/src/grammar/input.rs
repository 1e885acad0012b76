//! A cursor over one command, and the tokens of RFC 9051 §9. Nothing recurses here.

use super::framer::{Literal, Raw};
use bytes::Bytes;

/// Why a command was not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// The text goes to the client: `BAD text`.
    Syntax(&'static str),
    /// SEARCH in a charset that we do not know: `NO [BADCHARSET]` (RFC 9051 §7.1).
    Charset,
}

pub type Parse<T> = Result<T, Bad>;

pub struct Input<'a> {
    text: &'a [u8],
    at: usize,
    literals: std::slice::Iter<'a, Literal>,
}

/// ATOM-CHAR, but for the characters that some rules add (RFC 9051 §9): 8-bit octets are let through, as names in UTF-8
/// come as atoms from clients of IMAP4rev2.
fn is_atom(b: u8) -> bool {
    !matches!(b, 0..=0x20 | 0x7f | b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

fn is_astring(b: u8) -> bool {
    is_atom(b) || b == b']'
}

impl<'a> Input<'a> {
    pub fn new(raw: &'a Raw) -> Self {
        Self { text: &raw.text, at: 0, literals: raw.literals.iter() }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Takes `byte` where it stands next.
    pub fn eat(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        if here {
            self.at += 1;
        }
        here
    }

    pub fn expect(&mut self, byte: u8, what: &'static str) -> Parse<()> {
        if self.eat(byte) { Ok(()) } else { Err(Bad::Syntax(what)) }
    }

    /// One space; more are let through, as some clients write two around literals.
    pub fn space(&mut self) -> Parse<()> {
        self.expect(b' ', "expected a space")?;
        while self.eat(b' ') {}
        Ok(())
    }

    /// Spaces at the end of a command are let through: several clients send them.
    pub fn end(&mut self) -> Parse<()> {
        while self.eat(b' ') {}
        if self.at_end() { Ok(()) } else { Err(Bad::Syntax("more than the command takes")) }
    }

    pub fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|b| !accept(*b)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Takes `word` in any case, where it stands next and is not the beginning of a longer atom.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let whole = rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            && !rest.get(word.len()).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if whole {
            self.at += word.len();
        }
        whole
    }

    /// A keyword of the grammar, in capitals: letters, digits and what stands in them.
    pub fn word(&mut self) -> Parse<String> {
        let word = self.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'=' | b'_'));
        if word.is_empty() || word.len() > 64 {
            return Err(Bad::Syntax("expected a word"));
        }
        Ok(word.iter().map(|b| b.to_ascii_uppercase() as char).collect())
    }

    pub fn tag(&mut self) -> Parse<&'a str> {
        let tag = self.take_while(|b| is_astring(b) && b != b'+' && b.is_ascii());
        match std::str::from_utf8(tag) {
            Ok(tag) if !tag.is_empty() && tag.len() <= 64 => Ok(tag),
            _ => Err(Bad::Syntax("a command begins with a tag")),
        }
    }

    pub fn atom(&mut self) -> Parse<&'a str> {
        let atom = self.take_while(is_atom);
        match std::str::from_utf8(atom) {
            Ok(atom) if !atom.is_empty() => Ok(atom),
            _ => Err(Bad::Syntax("expected an atom")),
        }
    }

    /// number64 (RFC 9051 §9): 63 bits.
    pub fn number64(&mut self) -> Parse<u64> {
        let digits = self.take_while(|b| b.is_ascii_digit());
        if digits.is_empty() || digits.len() > 19 {
            return Err(Bad::Syntax("expected a number"));
        }
        let number = digits.iter().fold(0u64, |sum, d| sum.saturating_mul(10).saturating_add(u64::from(d - b'0')));
        if number > i64::MAX as u64 { Err(Bad::Syntax("number too large")) } else { Ok(number) }
    }

    pub fn number(&mut self) -> Parse<u32> {
        u32::try_from(self.number64()?).map_err(|_| Bad::Syntax("number too large"))
    }

    pub fn nz_number(&mut self) -> Parse<u32> {
        match self.number()? {
            0 => Err(Bad::Syntax("a number must not be 0")),
            number => Ok(number),
        }
    }

    fn quoted(&mut self) -> Parse<Bytes> {
        self.expect(b'"', "expected a quote")?;
        let mut out = Vec::new();
        loop {
            out.extend_from_slice(self.take_while(|b| !matches!(b, b'"' | b'\\' | b'\r' | b'\n' | 0)));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b @ (b'"' | b'\\')) => {
                            out.push(b);
                            self.at += 1;
                        }
                        _ => return Err(Bad::Syntax("only a quote or a backslash can be quoted")),
                    }
                }
                _ => return Err(Bad::Syntax("a quoted string without an end")),
            }
        }
    }

    /// The header that the framer has already judged, then its octets. `~` before it says that they may hold NUL
    /// (literal8, RFC 9051 §9).
    pub fn literal(&mut self) -> Parse<(&'a Literal, bool)> {
        let binary = self.eat(b'~');
        self.expect(b'{', "expected a literal")?;
        self.take_while(|b| b.is_ascii_digit());
        self.eat(b'+');
        self.expect(b'}', "expected a literal")?;
        self.expect(b'\n', "expected a literal")?;
        self.literals.next().map(|literal| (literal, binary)).ok_or(Bad::Syntax("expected a literal"))
    }

    pub fn string(&mut self) -> Parse<Bytes> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let (literal, binary) = self.literal()?;
        let bytes = literal.0.clone();
        if !binary && memchr::memchr(0, &bytes).is_some() {
            return Err(Bad::Syntax("a literal must not hold NUL"));
        }
        Ok(bytes)
    }

    pub fn astring(&mut self) -> Parse<Bytes> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') => self.string(),
            _ => {
                let atom = self.take_while(is_astring);
                if atom.is_empty() { Err(Bad::Syntax("expected a string")) } else { Ok(Bytes::copy_from_slice(atom)) }
            }
        }
    }

    pub fn nstring(&mut self) -> Parse<Option<Bytes>> {
        if self.eat_word("NIL") { Ok(None) } else { self.string().map(Some) }
    }

    /// list-mailbox: an atom in which wildcards may stand, or a string.
    pub fn list_mailbox(&mut self) -> Parse<Bytes> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') => self.string(),
            _ => {
                let pattern = self.take_while(|b| is_astring(b) || matches!(b, b'%' | b'*'));
                if pattern.is_empty() { Err(Bad::Syntax("expected a mailbox pattern")) } else { Ok(Bytes::copy_from_slice(pattern)) }
            }
        }
    }

    /// A flag: an atom, with a backslash before a system flag.
    pub fn flag(&mut self) -> Parse<&'a str> {
        let start = self.at;
        self.eat(b'\\');
        self.atom()?;
        let flag = self.text.get(start..self.at).unwrap_or_default();
        std::str::from_utf8(flag).map_err(|_| Bad::Syntax("expected a flag"))
    }

    /// `(` items with single spaces `)`; may be empty.
    pub fn parenthesised<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        self.expect(b'(', "expected a list")?;
        let mut out = Vec::new();
        while !self.eat(b')') {
            if !out.is_empty() {
                self.space()?;
            }
            out.push(item(self)?);
        }
        Ok(out)
    }
}
