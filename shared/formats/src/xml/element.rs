use super::name::{Name, Word};

/// An element and all that is in it. Comments and processing instructions are left out, as RFC 4918 §4.3 allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub name: Name,
    /// Without declarations of namespaces and without xml:lang.
    pub attributes: Vec<(Name, String)>,
    /// The language in scope (xml:lang here or above), which belongs to a property's value (RFC 4918 §4.3).
    pub lang: Option<Word>,
    pub children: Vec<Node>,
}

/// Text never stands beside text: references and CDATA sections are merged into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub fn new(name: Name) -> Self {
        Self { name, attributes: Vec::new(), lang: None, children: Vec::new() }
    }

    /// An element of the given names with nothing in it: `ns` and `local` are ours.
    pub const fn known(ns: &'static str, local: &'static str) -> Self {
        Self { name: Name::known(ns, local), attributes: Vec::new(), lang: None, children: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.push_text(text);
        self
    }

    #[must_use]
    pub fn with_attribute(mut self, name: Name, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    pub(super) fn push_text(&mut self, text: &str) {
        match self.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => self.children.push(Node::Text(text.to_owned())),
        }
    }

    pub fn is(&self, ns: &str, local: &str) -> bool {
        self.name.key() == (ns, local)
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The children of that name, in document order.
    pub fn all<'a>(&'a self, ns: &'a str, local: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |element| element.is(ns, local))
    }

    /// The first child of that name.
    pub fn child(&self, ns: &str, local: &str) -> Option<&Element> {
        self.elements().find(|element| element.is(ns, local))
    }

    /// The text that is directly in here, as it was sent.
    pub fn text(&self) -> String {
        self.children.iter().fold(String::new(), |mut all, node| {
            if let Node::Text(text) = node {
                all.push_str(text);
            }
            all
        })
    }

    /// The value of the attribute without a namespace.
    pub fn attribute(&self, local: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name.key() == ("", local)).map(|(_, value)| value.as_str())
    }
}
