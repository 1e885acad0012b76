//! A header field that is being written, folded before a line is too wide (RFC 5322 §2.1.1).

const LINE: usize = 76;
/// The width that a tab takes.
const TAB: usize = 8;

pub(crate) struct Folded {
    pub text: String,
    column: usize,
}

impl Folded {
    pub fn new(begin: &str) -> Self {
        Self { text: begin.to_owned(), column: begin.len() }
    }

    /// White space may take the place of a space at the word's beginning, or come before it.
    pub fn word(&mut self, word: &str) {
        if self.column + word.len() > LINE && self.column > TAB {
            self.line();
            self.push(word.trim_start());
        } else {
            self.push(word);
        }
    }

    pub fn line(&mut self) {
        self.text.push_str("\r\n\t");
        self.column = TAB;
    }

    /// Text that may be folded anywhere.
    pub fn text(&mut self, text: &str) {
        for c in text.chars() {
            if self.column >= LINE {
                self.line();
            }
            self.text.push(c);
            self.column += 1;
        }
    }

    fn push(&mut self, word: &str) {
        self.text.push_str(word);
        self.column += word.len();
    }
}
