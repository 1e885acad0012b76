//! Address lists for ENVELOPE (RFC 5322 §3.4 and §4.4, RFC 9051 §7.5.2). Each byte is read once; the worst input
//! yields odd addresses, never an error.

use super::bounds::Budget;
use super::cursor::{Cursor, comment_text, is_space};
use super::summary::Mailbox;

/// All addresses of a field value, groups as RFC 9051 marks them.
pub fn addresses(value: &[u8]) -> Vec<Mailbox> {
    address_list(value, &mut Budget::of(usize::MAX))
}

pub(super) fn address_list(value: &[u8], budget: &mut Budget) -> Vec<Mailbox> {
    let mut list = List {
        cursor: Cursor::new(value),
        found: Vec::new(),
        budget,
        full: false,
        in_group: false,
        words: Words::default(),
        comment: None,
    };
    list.read();
    list.found
}

struct List<'a, 'b> {
    cursor: Cursor<'a>,
    found: Vec<Mailbox>,
    budget: &'b mut Budget,
    full: bool,
    in_group: bool,
    words: Words,
    /// The last comment that was passed since the address began.
    comment: Option<&'a [u8]>,
}

/// The words read so far: a phrase, or a local part, which of them is known only at what follows.
#[derive(Default)]
struct Words {
    /// All words, with one space where there was white space.
    phrase: Vec<u8>,
    /// The last word and what is joined to it by dots: a local part, if an `@` comes.
    local: Vec<u8>,
    /// Where in `phrase` that last word began.
    name_end: usize,
    dotted: bool,
}

impl Words {
    fn clear(&mut self) {
        self.phrase.clear();
        self.local.clear();
        self.name_end = 0;
        self.dotted = false;
    }

    fn push(&mut self, word: &[u8], gap: bool, quoted: bool) {
        let gap = gap && !self.phrase.is_empty();
        // RFC 5322 §4.4 (obs-local-part): white space may stand around the dots of a local part.
        if gap && !self.dotted && (quoted || word.first() != Some(&b'.')) {
            self.local.clear();
            self.name_end = self.phrase.len();
        }
        if gap {
            self.phrase.push(b' ');
        }
        self.phrase.extend_from_slice(word);
        self.local.extend_from_slice(word);
        self.dotted = !quoted && word.last() == Some(&b'.');
    }
}

/// What ends an atom here. Dots are no special: phrases of today have them (obs-phrase).
fn is_atom(byte: u8) -> bool {
    !is_space(byte) && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b':' | b';' | b'@' | b'\\' | b',' | b'"')
}

impl<'a> List<'a, '_> {
    fn read(&mut self) {
        while !self.full {
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                None => break,
                Some(b',') => self.cursor.bump(),
                Some(b';') => {
                    self.cursor.bump();
                    self.end_group();
                }
                Some(_) => self.address(),
            }
        }
        self.end_group();
    }

    fn skip_cfws(&mut self) -> bool {
        let (passed, comment) = self.cursor.cfws();
        self.comment = comment.or(self.comment);
        passed
    }

    fn end_group(&mut self) {
        if self.in_group {
            self.in_group = false;
            self.found.push(Mailbox::default());
        }
    }

    fn address(&mut self) {
        self.words.clear();
        self.comment = None;
        loop {
            let gap = self.skip_cfws();
            match self.cursor.peek() {
                None | Some(b',' | b';') => return self.bare(),
                Some(b'<') => return self.angle(),
                Some(b':') if !self.words.phrase.is_empty() => return self.group(),
                Some(b'@') => {
                    if !self.at_sign() {
                        return;
                    }
                }
                Some(_) => self.word(gap),
            }
        }
    }

    /// One atom, quoted string or stray special.
    fn word(&mut self, gap: bool) {
        if self.cursor.eat(b'"') {
            let mut text = Vec::new();
            self.cursor.quoted(&mut text);
            return self.words.push(&text, gap, true);
        }
        let atom = self.cursor.take_while(is_atom);
        if !atom.is_empty() {
            return self.words.push(atom, gap, false);
        }
        if let Some(byte) = self.cursor.peek() {
            self.cursor.bump();
            self.words.push(&[byte], gap, false);
        }
    }

    /// `local@domain` without angle brackets. True: it was the unquoted display name of what follows.
    fn at_sign(&mut self) -> bool {
        self.cursor.bump();
        let host = self.domain();
        self.skip_cfws();
        if self.cursor.peek() == Some(b'<') {
            self.words.push(b"@", false, true);
            self.words.push(&host, false, true);
            return true;
        }
        self.skip_junk();
        let mut name = self.words.phrase.get(..self.words.name_end).unwrap_or_default().to_vec();
        if name.is_empty() {
            // RFC 5322 §3.4: the legacy form has the name in a comment; it is all that there is to show.
            name = self.comment.map(comment_text).unwrap_or_default();
        }
        let local = std::mem::take(&mut self.words.local);
        self.push(name, Vec::new(), Some(local), Some(host));
        false
    }

    /// Words and no address: taken as a mailbox without a domain.
    fn bare(&mut self) {
        if self.words.phrase.is_empty() {
            return;
        }
        let mailbox = std::mem::take(&mut self.words.phrase);
        self.push(self.comment.map(comment_text).unwrap_or_default(), Vec::new(), Some(mailbox), Some(Vec::new()));
    }

    fn group(&mut self) {
        self.cursor.bump();
        self.end_group();
        let name = std::mem::take(&mut self.words.phrase);
        self.push(Vec::new(), Vec::new(), Some(name), None);
        self.in_group = !self.full;
    }

    /// `phrase <[route:] local@domain>`.
    fn angle(&mut self) {
        self.cursor.bump();
        let name = std::mem::take(&mut self.words.phrase);
        self.words.clear();
        self.cursor.skip_cfws();
        let route = if self.cursor.peek() == Some(b'@') { self.route() } else { Vec::new() };
        let mut host = Vec::new();
        loop {
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                None | Some(b'>') => break,
                Some(b'@') => {
                    self.cursor.bump();
                    host = self.domain();
                    break;
                }
                Some(_) => self.word(false),
            }
        }
        self.cursor.take_while(|byte| !matches!(byte, b'>' | b','));
        self.cursor.eat(b'>');
        self.skip_junk();
        let local = std::mem::take(&mut self.words.local);
        self.push(name, route, Some(local), Some(host));
    }

    /// RFC 5322 §4.4: `@a,@b:` before the address.
    fn route(&mut self) -> Vec<u8> {
        let route = self.cursor.take_while(|byte| !matches!(byte, b':' | b'>'));
        self.cursor.eat(b':');
        route.iter().copied().filter(|byte| !is_space(*byte)).collect()
    }

    /// Dot-atom or domain literal, with white space and comments around its dots.
    fn domain(&mut self) -> Vec<u8> {
        let mut host = Vec::new();
        loop {
            let gap = self.skip_cfws();
            if host.is_empty() && self.cursor.peek() == Some(b'[') {
                host.extend(self.cursor.take_while(|byte| byte != b']').iter().filter(|byte| !is_space(**byte)));
                if self.cursor.eat(b']') {
                    host.push(b']');
                }
                return host;
            }
            if gap && !host.is_empty() && host.last() != Some(&b'.') && self.cursor.peek() != Some(b'.') {
                return host;
            }
            let atom = self.cursor.take_while(is_atom);
            if atom.is_empty() {
                return host;
            }
            host.extend_from_slice(atom);
        }
    }

    /// Whatever stands between an address and the next comma.
    fn skip_junk(&mut self) {
        loop {
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                None | Some(b',' | b';') => return,
                Some(b'"') => {
                    self.cursor.bump();
                    self.cursor.quoted(&mut Vec::new());
                }
                Some(_) => self.cursor.bump(),
            }
        }
    }

    fn push(&mut self, name: Vec<u8>, route: Vec<u8>, mailbox: Option<Vec<u8>>, host: Option<Vec<u8>>) {
        // A byte of flags, the lengths, and the end of a group must fit too.
        let size = name.len() + route.len() + mailbox.as_ref().map_or(0, Vec::len) + host.as_ref().map_or(0, Vec::len);
        if !self.budget.pay(size.saturating_add(if size < 128 { 4 } else { 12 })) {
            self.full = true;
            return;
        }
        let optional = |text: Vec<u8>| (!text.is_empty()).then(|| text.into_boxed_slice());
        self.found.push(Mailbox {
            name: optional(name),
            route: optional(route),
            mailbox: mailbox.map(Vec::into_boxed_slice),
            host: host.map(Vec::into_boxed_slice),
        });
    }
}
