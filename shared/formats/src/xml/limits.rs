/// How much XML is read. What passes a limit is [`super::Fault::TooLarge`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of the whole document, before anything is looked at.
    pub octets: usize,
    pub elements: usize,
    /// Elements inside each other; the root is 1.
    pub depth: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { octets: 1 << 20, elements: 20_000, depth: 64, attributes: 64 }
    }
}

/// The longest name of a namespace. It is kept once a document, but written with each property that is stored.
pub(super) const MAX_NAMESPACE: usize = 512;
/// The longest xml:lang; RFC 5646 §4.4.1 asks for 35.
pub(super) const MAX_LANG: usize = 100;
