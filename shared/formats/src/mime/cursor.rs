//! Reading a structured field body (RFC 5322 §3.2). Every byte is passed once; folds are white space here.

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// White space of a folded value. NUL is junk that must not stick to a word.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0)
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.at += 1;
        }
        there
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    /// Passes white space and comments. The answer says whether there was any.
    pub(super) fn skip_cfws(&mut self) -> bool {
        self.cfws().0
    }

    /// As `skip_cfws`; gives the inside of the last comment too.
    pub(super) fn cfws(&mut self) -> (bool, Option<&'a [u8]>) {
        let from = self.at;
        let mut comment = None;
        loop {
            self.skip_space();
            if !self.eat(b'(') {
                return (self.at > from, comment);
            }
            comment = Some(self.comment());
        }
    }

    /// RFC 5322 §3.2.2: comments nest and may hold quoted pairs. One without an end takes the rest.
    fn comment(&mut self) -> &'a [u8] {
        let from = self.at;
        let mut depth = 1_u32;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'(' => depth = depth.saturating_add(1),
                b')' if depth == 1 => return self.bytes.get(from..self.at - 1).unwrap_or_default(),
                b')' => depth -= 1,
                _ => {}
            }
        }
        self.bytes.get(from..).unwrap_or_default()
    }

    /// After the opening quote: adds the content without quotes, quoting and folds. Without an end it takes the rest.
    pub(super) fn quoted(&mut self, into: &mut Vec<u8>) {
        loop {
            let plain = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n'));
            into.extend_from_slice(plain);
            match self.peek() {
                None => return,
                Some(b'"') => return self.bump(),
                Some(b'\\') => {
                    self.bump();
                    if let Some(byte) = self.peek().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
                        into.push(byte);
                        self.bump();
                    }
                }
                Some(_) => self.bump(),
            }
        }
    }

    /// Digits as a number; `None` where there are none or more than nine.
    pub(super) fn number(&mut self) -> Option<(u32, usize)> {
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        Some((digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')), digits.len()))
    }
}

/// The text of a comment: quoted pairs and folds undone, trimmed.
pub(super) fn comment_text(inside: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.trim_ascii().iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => text.extend(bytes.next()),
            b'\r' | b'\n' => {}
            _ => text.push(byte),
        }
    }
    text
}
