//! What is kept of a message beside its bytes.

use std::ops::Range;

/// A header value as it came: unfolded, not decoded, any bytes. IMAP's ENVELOPE wants it so.
pub type Text = Box<[u8]>;

/// The parsed form of a message, made by [`super::summarise`]. All ranges are offsets in the bytes given to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    pub envelope: Envelope,
    pub root: Part,
    /// The beginning of the readable text: white space folded, at most 120 characters.
    pub preview: String,
    /// Msg-ids of References and In-Reply-To with their angle brackets, each once, the nearest parent last, at most 20.
    pub references: Vec<String>,
    /// Something in it is to be shown as an attachment.
    pub attachment: bool,
    /// A bound was reached, so an address list, string or part list is shorter than in the message.
    pub cut: bool,
}

/// RFC 9051 §7.5.2, ENVELOPE. `sender` and `reply_to` are `from` where the header has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    pub date: Option<Text>,
    pub subject: Option<Text>,
    pub from: Vec<Mailbox>,
    pub sender: Vec<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub bcc: Vec<Mailbox>,
    pub in_reply_to: Option<Text>,
    pub message_id: Option<Text>,
    /// Date: in seconds since 1970, UTC, in the years 0 to 9999; `None` where it is missing or broken.
    pub sent: Option<i64>,
    /// The zone of Date: in minutes east of UTC.
    pub sent_zone: i16,
}

/// One address of an envelope. A group begins with `mailbox` (its name) and no `host`, and ends with neither.
/// An address that lacks its domain has an empty `host`, so that it is not taken for a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    pub name: Option<Text>,
    /// The source route of RFC 5322 §4.4, where somebody still writes one.
    pub route: Option<Text>,
    pub mailbox: Option<Text>,
    pub host: Option<Text>,
}

impl Mailbox {
    pub fn is_group_start(&self) -> bool {
        self.host.is_none() && self.mailbox.is_some()
    }

    pub fn is_group_end(&self) -> bool {
        self.host.is_none() && self.mailbox.is_none()
    }
}

/// One MIME entity. Always true: `kind` is "multipart" exactly where there are children and no `message`;
/// `message` is there exactly for message/rfc822 and message/global, and `children` is then the one root inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The header with the empty line that ends it, where there is one.
    pub header: Range<u32>,
    /// Begins where the header ends. The line break before a boundary belongs to the boundary (RFC 2046 §5.1.1).
    pub body: Range<u32>,
    /// Lower case, as are `subtype`, `encoding` and the names of parameters.
    pub kind: String,
    pub subtype: String,
    /// Quotes undone; RFC 2231 names and values as they came. [`super::parameter`] decodes them.
    pub params: Vec<(String, Text)>,
    pub id: Option<Text>,
    pub description: Option<Text>,
    /// Content-Transfer-Encoding, "7bit" where there is none.
    pub encoding: String,
    pub disposition: Option<(String, Vec<(String, Text)>)>,
    pub language: Vec<String>,
    pub location: Option<Text>,
    pub md5: Option<Text>,
    /// Line breaks in the body, as it is encoded; counted for text and message parts.
    pub lines: u32,
    pub children: Vec<Part>,
    pub message: Option<Box<Envelope>>,
}

impl Default for Part {
    /// RFC 2045 §5.2: what says nothing about itself is text/plain in US-ASCII.
    fn default() -> Self {
        Self {
            header: 0..0,
            body: 0..0,
            kind: "text".into(),
            subtype: "plain".into(),
            params: Vec::new(),
            id: None,
            description: None,
            encoding: "7bit".into(),
            disposition: None,
            language: Vec::new(),
            location: None,
            md5: None,
            lines: 0,
            children: Vec::new(),
            message: None,
        }
    }
}

impl Part {
    pub fn is_multipart(&self) -> bool {
        self.message.is_none() && !self.children.is_empty()
    }

    pub fn is_text(&self) -> bool {
        self.kind == "text"
    }

    /// A parameter of Content-Type as it came; `name` in lower case.
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// RFC 2183 `filename`, or the older `name` of Content-Type, decoded for display.
    pub fn filename(&self) -> Option<String> {
        let disposition = self.disposition.as_ref().and_then(|(_, params)| super::parameter(params, "filename"));
        disposition.or_else(|| super::parameter(&self.params, "name")).filter(|name| !name.is_empty())
    }

    /// The header's bytes in the message that was summarised.
    pub fn header_of<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        slice(message, &self.header)
    }

    /// The body's bytes in the message that was summarised, transfer encoding and all.
    pub fn body_of<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        slice(message, &self.body)
    }
}

/// Empty where the range does not fit, which is a summary of some other message.
fn slice<'m>(message: &'m [u8], range: &Range<u32>) -> &'m [u8] {
    message.get(range.start as usize..range.end as usize).unwrap_or_default()
}
