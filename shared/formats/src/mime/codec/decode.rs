use super::{ATTACHMENT, CUT, ENCODINGS, TYPES, VERSION, envelope_bits, mailbox_bits, part_bits};
use crate::mime::bounds::{MAX_DEPTH, MAX_PARTS};
use crate::mime::summary::{Envelope, Mailbox, Part, Summary, Text};

impl Summary {
    /// From the stored form. `None`: it is damaged, or of a version that this reader does not know.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { rest: bytes, last: 0, parts: 0 };
        if reader.byte()? != VERSION {
            return None;
        }
        let bits = reader.number()?;
        let preview = reader.string()?;
        let references = reader.many(Reader::string)?;
        let envelope = reader.envelope()?;
        let root = reader.part(0)?;
        // More than a summary is as wrong as less.
        reader.rest.is_empty().then_some(())?;
        Some(Self { envelope, root, preview, references, attachment: bits & ATTACHMENT != 0, cut: bits & CUT != 0 })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Where the header before this one ended.
    last: u32,
    parts: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<Text> {
        self.bytes().map(Box::from)
    }

    /// Outer `None`: damaged.
    fn text_if(&mut self, bits: u64, bit: u64) -> Option<Option<Text>> {
        if bits & bit == 0 { Some(None) } else { self.text().map(Some) }
    }

    fn string(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    /// A count and as many values, each of which takes at least a byte: a false count ends at the end of the bytes.
    fn many<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= self.rest.len())?;
        let mut all = Vec::with_capacity(count.min(32));
        for _ in 0..count {
            all.push(one(self)?);
        }
        Some(all)
    }

    fn envelope(&mut self) -> Option<Envelope> {
        use envelope_bits::*;
        let bits = self.number()?;
        let mut envelope = Envelope {
            date: self.text_if(bits, DATE)?,
            subject: self.text_if(bits, SUBJECT)?,
            in_reply_to: self.text_if(bits, IN_REPLY_TO)?,
            message_id: self.text_if(bits, MESSAGE_ID)?,
            ..Envelope::default()
        };
        if bits & SENT != 0 {
            envelope.sent = Some(self.signed()?);
            envelope.sent_zone = i16::try_from(self.signed()?).ok()?;
        }
        envelope.from = self.list(bits & FROM != 0)?;
        envelope.sender = if bits & SENDER_IS_FROM != 0 { envelope.from.clone() } else { self.list(true)? };
        envelope.reply_to = if bits & REPLY_TO_IS_FROM != 0 { envelope.from.clone() } else { self.list(true)? };
        envelope.to = self.list(bits & TO != 0)?;
        envelope.cc = self.list(bits & CC != 0)?;
        envelope.bcc = self.list(bits & BCC != 0)?;
        Some(envelope)
    }

    fn list(&mut self, there: bool) -> Option<Vec<Mailbox>> {
        if there { self.many(Self::mailbox) } else { Some(Vec::new()) }
    }

    fn mailbox(&mut self) -> Option<Mailbox> {
        use mailbox_bits::*;
        let bits = self.number()?;
        Some(Mailbox {
            name: self.text_if(bits, NAME)?,
            route: self.text_if(bits, ROUTE)?,
            mailbox: self.text_if(bits, MAILBOX)?,
            host: self.text_if(bits, HOST)?,
        })
    }

    fn part(&mut self, depth: usize) -> Option<Part> {
        use part_bits::*;
        self.parts += 1;
        // An embedded message without anything in it has a root that `summarise` does not count.
        if depth > MAX_DEPTH + 1 || self.parts > 2 * MAX_PARTS {
            return None;
        }
        let mut part = Part::default();
        (part.kind, part.subtype) = self.kind()?;
        part.encoding = self.encoding()?;
        let bits = self.number()?;
        let start = self.offset(self.last)?;
        let body = self.offset(start)?;
        let end = self.offset(body)?;
        (part.header, part.body) = (start..body, body..end);
        self.last = body;
        if bits & LINES != 0 {
            part.lines = u32::try_from(self.number()?).ok()?;
        }
        if bits & PARAMS != 0 {
            part.params = self.many(Self::param)?;
        }
        if bits & DISPOSITION != 0 {
            part.disposition = Some((self.string()?, self.many(Self::param)?));
        }
        part.id = self.text_if(bits, ID)?;
        part.description = self.text_if(bits, DESCRIPTION)?;
        part.location = self.text_if(bits, LOCATION)?;
        part.md5 = self.text_if(bits, MD5)?;
        if bits & LANGUAGE != 0 {
            part.language = self.many(Self::string)?;
        }
        if bits & MESSAGE != 0 {
            part.message = Some(Box::new(self.envelope()?));
        }
        if bits & CHILDREN != 0 {
            part.children = self.many(|reader| reader.part(depth + 1))?;
        }
        Some(part)
    }

    fn kind(&mut self) -> Option<(String, String)> {
        match self.byte()? {
            0 => Some((self.string()?, self.string()?)),
            code => TYPES.get(usize::from(code) - 1).map(|(kind, subtype)| ((*kind).to_owned(), (*subtype).to_owned())),
        }
    }

    fn encoding(&mut self) -> Option<String> {
        match self.byte()? {
            0 => self.string(),
            code => ENCODINGS.get(usize::from(code) - 1).map(|encoding| (*encoding).to_owned()),
        }
    }

    /// A place that is so many bytes after another.
    fn offset(&mut self, from: u32) -> Option<u32> {
        from.checked_add(u32::try_from(self.number()?).ok()?)
    }

    fn param(&mut self) -> Option<(String, Text)> {
        Some((self.string()?, self.text()?))
    }
}
