use std::borrow::Cow;
use std::collections::BTreeSet;

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceError, QName, ResolveResult};

use super::chars::{is_char, is_ncname};
use super::element::{Element, Node};
use super::fault::Fault;
use super::limits::{Limits, MAX_LANG, MAX_NAMESPACE};
use super::name::{Name, Word, XML};

const VERSION: XmlVersion = XmlVersion::Explicit1_0;

/// Reads a document: UTF-8, or UTF-16 with its mark (RFC 4918 §8.2 asks for both). One root, and only comments, white
/// space and processing instructions around it.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Element, Fault> {
    if bytes.len() > limits.octets {
        return Err(Fault::TooLarge { what: "octets" });
    }
    let (text, utf16) = decode(bytes)?;
    if let Some((at, _)) = text.char_indices().find(|(_, c)| !is_char(*c)) {
        return Err(Fault::Malformed { at: at as u64, why: "a character that XML does not have" });
    }
    let mut reader = NsReader::from_str(&text);
    reader.config_mut().check_comments = true;
    Tree { limits, utf16, words: BTreeSet::new(), elements: 0, open: Vec::new(), root: None }.read(&mut reader)
}

/// The text, and whether it was UTF-16.
fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, bool), Fault> {
    let wide = match bytes {
        [0xFE, 0xFF, ..] => Some(encoding_rs::UTF_16BE),
        [0xFF, 0xFE, ..] => Some(encoding_rs::UTF_16LE),
        _ => None,
    };
    if let Some(encoding) = wide {
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes.get(2..).unwrap_or_default());
        return text.map(|text| (text, true)).ok_or(Fault::Malformed { at: 0, why: "no UTF-16" });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((Cow::Borrowed(text), false)),
        Err(error) => Err(Fault::Malformed { at: error.valid_up_to() as u64, why: "no UTF-8" }),
    }
}

struct Tree {
    limits: Limits,
    utf16: bool,
    /// Namespaces and languages that were seen: each is kept once.
    words: BTreeSet<Word>,
    elements: usize,
    open: Vec<Element>,
    root: Option<Element>,
}

/// What is wrong, where the position is not known yet.
enum Wrong {
    Large(&'static str),
    Bad(&'static str),
    Doctype,
}

impl Tree {
    fn read(mut self, reader: &mut NsReader<&[u8]>) -> Result<Element, Fault> {
        loop {
            let before = reader.buffer_position();
            let event = reader.read_event().map_err(|error| broken(&error, reader.error_position()))?;
            let done = matches!(event, Event::Eof);
            self.take(event, reader, before).map_err(|wrong| match wrong {
                Wrong::Large(what) => Fault::TooLarge { what },
                Wrong::Bad(why) => Fault::Malformed { at: before, why },
                Wrong::Doctype => Fault::Doctype { at: before },
            })?;
            if done {
                let none = Fault::Malformed { at: before, why: "there is no element, or its end is missing" };
                return self.root.ok_or(none);
            }
        }
    }

    fn take(&mut self, event: Event<'_>, reader: &NsReader<&[u8]>, at: u64) -> Result<(), Wrong> {
        match event {
            Event::Start(start) => {
                let element = self.element(&start, reader)?;
                self.open.push(element);
            }
            Event::Empty(start) => {
                let element = self.element(&start, reader)?;
                self.close(element);
            }
            Event::End(_) => {
                let element = self.open.pop().ok_or(Wrong::Bad("an end without a start"))?;
                self.close(element);
            }
            Event::Text(text) => {
                if text.contains("]]>") {
                    return Err(Wrong::Bad("]]> in text"));
                }
                self.text(&text.xml10_content())?;
            }
            Event::CData(_) if self.open.is_empty() => return Err(Wrong::Bad("CDATA outside of the root")),
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => self.reference(&reference)?,
            Event::Decl(decl) => self.declaration(&decl, at)?,
            Event::DocType(_) => return Err(Wrong::Doctype),
            Event::PI(pi) if pi.target().eq_ignore_ascii_case("xml") => return Err(Wrong::Bad("a declaration that is not at the start")),
            Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if !self.open.is_empty() => return Err(Wrong::Bad("the end of an element is missing")),
            Event::Eof => {}
        }
        Ok(())
    }

    fn close(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Wrong> {
        match self.open.last_mut() {
            Some(element) => element.push_text(text),
            None if text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) => {}
            None => return Err(Wrong::Bad("text outside of the root")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Wrong> {
        let element = self.open.last_mut().ok_or(Wrong::Bad("text outside of the root"))?;
        if let Some(c) = reference.resolve_char_ref().map_err(|_| Wrong::Bad("a wrong character reference"))? {
            if !is_char(c) {
                return Err(Wrong::Bad("a reference to a character that XML does not have"));
            }
            element.push_text(c.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        let text = quick_xml::escape::resolve_predefined_entity(reference).ok_or(Wrong::Bad("an entity that is not declared"))?;
        element.push_text(text);
        Ok(())
    }

    fn declaration(&self, decl: &BytesDecl<'_>, at: u64) -> Result<(), Wrong> {
        if at > 0 {
            return Err(Wrong::Bad("a declaration that is not at the start"));
        }
        if !decl.version().is_ok_and(|version| version.starts_with("1.")) {
            return Err(Wrong::Bad("no version 1 of XML"));
        }
        let encoding = decl.encoding().transpose().map_err(|_| Wrong::Bad("a wrong declaration"))?;
        let known = match encoding.as_deref() {
            None => true,
            Some(name) if self.utf16 => name.to_ascii_lowercase().starts_with("utf-16"),
            Some(name) => name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii"),
        };
        if known { Ok(()) } else { Err(Wrong::Bad("an encoding that is neither UTF-8 nor what was sent")) }
    }

    fn element(&mut self, start: &BytesStart<'_>, reader: &NsReader<&[u8]>) -> Result<Element, Wrong> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(Wrong::Bad("a second root"));
        }
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(Wrong::Large("elements"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(Wrong::Large("elements inside each other"));
        }
        let mut element = Element::new(self.name(start.name(), true, reader)?);
        element.lang = self.open.last().and_then(|parent| parent.lang.clone());
        let mut seen = 0;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| Wrong::Bad("a wrong attribute"))?;
            seen += 1;
            if seen > self.limits.attributes {
                return Err(Wrong::Large("attributes"));
            }
            self.attribute(&mut element, &attribute, reader)?;
        }
        Ok(element)
    }

    fn attribute(&mut self, element: &mut Element, attribute: &Attribute<'_>, reader: &NsReader<&[u8]>) -> Result<(), Wrong> {
        let value = value(attribute)?;
        if attribute.key.as_namespace_binding().is_some() {
            // Bound by the reader; the prefix alone is left to be looked at.
            let fine = attribute.key.prefix().is_none() || is_ncname(attribute.key.local_name().into_inner());
            return if fine { Ok(()) } else { Err(Wrong::Bad("a wrong prefix")) };
        }
        let name = self.name(attribute.key, false, reader)?;
        if name.key() == (XML, "lang") {
            element.lang = self.language(&value)?;
            return Ok(());
        }
        if element.attributes.iter().any(|(other, _)| *other == name) {
            return Err(Wrong::Bad("an attribute that is there twice"));
        }
        element.attributes.push((name, value.into_owned()));
        Ok(())
    }

    /// An empty xml:lang takes back what is said above (XML 1.0 §2.12).
    fn language(&mut self, value: &str) -> Result<Option<Word>, Wrong> {
        match value {
            "" => Ok(None),
            value if value.len() > MAX_LANG => Err(Wrong::Large("octets in xml:lang")),
            value => Ok(Some(self.word(value))),
        }
    }

    fn name(&mut self, name: QName<'_>, is_element: bool, reader: &NsReader<&[u8]>) -> Result<Name, Wrong> {
        if let Some(prefix) = name.prefix()
            && (prefix.is_xmlns() || !is_ncname(prefix.into_inner()))
        {
            return Err(Wrong::Bad("a wrong prefix"));
        }
        let resolver = reader.resolver();
        let (bound, local) = if is_element { resolver.resolve_element(name) } else { resolver.resolve_attribute(name) };
        let ns = match bound {
            ResolveResult::Unbound => Word::known(""),
            ResolveResult::Unknown(_) => return Err(Wrong::Bad("a prefix that is not declared")),
            // The reader hands out namespaces as they are written, with references.
            ResolveResult::Bound(ns) => {
                let raw = Attribute { key: QName("xmlns"), value: Cow::Borrowed(ns.into_inner()) };
                let ns = value(&raw)?;
                if ns.len() > MAX_NAMESPACE {
                    return Err(Wrong::Large("octets in the name of a namespace"));
                }
                self.word(&ns)
            }
        };
        Name::of(ns, local.into_inner()).ok_or(Wrong::Bad("a name that is none"))
    }

    fn word(&mut self, text: &str) -> Word {
        if let Some(word) = self.words.get(text) {
            return word.clone();
        }
        let word = Word::read(text);
        self.words.insert(word.clone());
        word
    }
}

fn value<'a>(attribute: &Attribute<'a>) -> Result<Cow<'a, str>, Wrong> {
    if attribute.value.contains('<') {
        return Err(Wrong::Bad("< in an attribute"));
    }
    let value = attribute.normalized_value(VERSION).map_err(|_| Wrong::Bad("a wrong reference in an attribute"))?;
    if value.chars().all(is_char) { Ok(value) } else { Err(Wrong::Bad("a reference to a character that XML does not have")) }
}

fn broken(error: &Error, at: u64) -> Fault {
    match error {
        Error::Namespace(NamespaceError::TooManyBindings(_)) => Fault::TooLarge { what: "namespaces" },
        Error::Namespace(NamespaceError::TooDeeplyNested(_)) => Fault::TooLarge { what: "elements inside each other" },
        Error::Namespace(_) => Fault::Malformed { at, why: "a wrong namespace" },
        Error::IllFormed(_) => Fault::Malformed { at, why: "starts and ends do not match" },
        _ => Fault::Malformed { at, why: "no XML" },
    }
}
