use super::chars::is_char;
use super::element::{Element, Node};
use super::name::{APPLE, CALDAV, CALENDARSERVER, CARDDAV, DAV, Name, Word, XML};

/// Prefixes that clients know these namespaces by. Some old ones look at the prefix only.
const PREFIXES: [(&str, &str); 5] = [(DAV, "d"), (CALDAV, "c"), (CARDDAV, "card"), (CALENDARSERVER, "cs"), (APPLE, "ical")];

/// Writes one document in UTF-8. Elements that are still open are closed by [`Writer::finish`].
///
/// What XML cannot carry (controls) becomes U+FFFD; CR is written as a reference, so that lines of calendars stay as they are.
#[derive(Debug)]
pub struct Writer {
    out: String,
    /// The tag of the innermost element has no `>` yet.
    in_tag: bool,
    open: Vec<Open>,
    /// Prefixes declared in place: namespace and number. Those of [`PREFIXES`] have none.
    declared: Vec<(Word, Option<usize>)>,
}

#[derive(Debug)]
struct Open {
    tag: String,
    lang: Option<Word>,
    /// How many declarations were in scope outside.
    outside: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// The root declares the namespaces of DAV, CalDAV, CardDAV and Apple; others are declared where they are.
    pub fn new() -> Self {
        let mut writer = Self::bare();
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        writer.declared = PREFIXES.iter().map(|(ns, _)| (Word::known(ns), None)).collect();
        writer
    }

    /// Without a declaration and with only the namespaces that are used.
    fn bare() -> Self {
        Self { out: String::new(), in_tag: false, open: Vec::new(), declared: Vec::new() }
    }

    /// Starts an element; attributes may follow until anything else does.
    pub fn open(&mut self, name: &Name) {
        let lang = self.open.last().and_then(|open| open.lang.clone());
        self.end_tag();
        let is_root = self.open.is_empty();
        let outside = self.declared.len();
        let (tag, declaration) = self.qualified(name);
        self.out.push('<');
        self.out.push_str(&tag);
        if is_root {
            for (ns, prefix) in PREFIXES.iter().take(outside) {
                self.declare(prefix, ns);
            }
        }
        if let Some((prefix, ns)) = declaration {
            self.declare(&prefix, &ns);
        }
        self.in_tag = true;
        self.open.push(Open { tag, lang, outside });
    }

    /// An attribute of the element that was just opened. Without effect after its content began.
    pub fn attribute(&mut self, name: &Name, value: &str) {
        if !self.in_tag {
            return;
        }
        let (name, declaration) = self.qualified(name);
        if let Some((prefix, ns)) = declaration {
            self.declare(&prefix, &ns);
        }
        self.attribute_as(&name, value);
    }

    pub fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.end_tag();
            escape(&mut self.out, text, false);
        }
    }

    pub fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.declared.truncate(open.outside);
        if self.in_tag {
            self.out.push_str("/>");
            self.in_tag = false;
        } else {
            self.out.push_str("</");
            self.out.push_str(&open.tag);
            self.out.push('>');
        }
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, name: &Name) {
        self.open(name);
        self.close();
    }

    /// An element with text in it.
    pub fn leaf(&mut self, name: &Name, text: &str) {
        self.open(name);
        self.text(text);
        self.close();
    }

    /// A tree, so that reading it gives an equal one.
    pub fn element(&mut self, element: &Element) {
        self.open(&element.name);
        self.language(element.lang.as_ref());
        for (name, value) in &element.attributes {
            self.attribute(name, value);
        }
        for node in &element.children {
            match node {
                Node::Element(child) => self.element(child),
                Node::Text(text) => self.text(text),
            }
        }
        self.close();
    }

    /// How many octets there are by now.
    pub fn octets(&self) -> usize {
        self.out.len()
    }

    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.into_bytes()
    }

    fn language(&mut self, lang: Option<&Word>) {
        let Some(open) = self.open.last_mut() else { return };
        if open.lang.as_ref() != lang {
            open.lang = lang.cloned();
            self.attribute_as("xml:lang", lang.map_or("", Word::as_str));
        }
    }

    fn end_tag(&mut self) {
        if self.in_tag {
            self.out.push('>');
            self.in_tag = false;
        }
    }

    fn declare(&mut self, prefix: &str, ns: &str) {
        self.attribute_as(&format!("xmlns:{prefix}"), ns);
    }

    fn attribute_as(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        escape(&mut self.out, value, true);
        self.out.push('"');
    }

    /// The name with its prefix, and the declaration that is missing for it. No default namespace is ever declared, so a
    /// name without prefix has no namespace.
    fn qualified(&mut self, name: &Name) -> (String, Option<(String, String)>) {
        let (ns, local) = name.key();
        match ns {
            "" => return (local.to_owned(), None),
            XML => return (format!("xml:{local}"), None),
            _ => {}
        }
        let fixed = PREFIXES.iter().find(|(known, _)| *known == ns).map(|(_, prefix)| *prefix);
        let found = self.declared.iter().rev().find(|(known, _)| known.as_str() == ns).map(|(_, number)| *number);
        let number = found.unwrap_or_else(|| fixed.is_none().then_some(self.declared.len()));
        let prefix = match (fixed, number) {
            (Some(prefix), _) => prefix.to_owned(),
            (None, number) => format!("x{}", number.unwrap_or(0)),
        };
        let qualified = format!("{prefix}:{local}");
        if found.is_some() {
            return (qualified, None);
        }
        self.declared.push((Word::read(ns), number));
        (qualified, Some((prefix, ns.to_owned())))
    }
}

/// One element as a document of its own, without a declaration: how a dead property is stored.
pub fn element_bytes(element: &Element) -> Vec<u8> {
    let mut writer = Writer::bare();
    writer.element(element);
    writer.finish()
}

fn escape(out: &mut String, text: &str, is_attribute: bool) {
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let replacement = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\r' => "&#13;",
            '"' if is_attribute => "&quot;",
            '\t' if is_attribute => "&#9;",
            '\n' if is_attribute => "&#10;",
            c if is_char(c) => continue,
            _ => "\u{FFFD}",
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(replacement);
        from = at + c.len_utf8();
    }
    out.push_str(text.get(from..).unwrap_or_default());
}
