//! The Author Domain (RFC 9989 §5.3.1).

use crate::header::Message;
use crate::name;
use penfold_formats::mime::addresses;

/// Whose name is in From.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Author {
    /// No From, several of them, or none with a domain: forbidden by RFC 5322 §3.6.
    #[default]
    Nobody,
    /// As A-labels in lower case.
    Domain(String),
    /// Addresses of different domains, which are exempt from DMARC.
    Several,
}

impl Author {
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::Domain(domain) => Some(domain),
            _ => None,
        }
    }
}

pub(crate) fn author(message: &Message<'_>) -> Author {
    let mut fields = message.named("From");
    let (Some(from), None) = (fields.next(), fields.next()) else { return Author::Nobody };
    let mut found: Option<String> = None;
    for mailbox in addresses(from.value) {
        // Only both together are an address; the rest marks a group (RFC 5322 §3.4).
        let (Some(_), Some(host)) = (&mailbox.mailbox, &mailbox.host) else { continue };
        let Some(domain) = std::str::from_utf8(host).ok().and_then(name::canonical) else { return Author::Nobody };
        match &found {
            Some(other) if *other != domain => return Author::Several,
            _ => found = Some(domain),
        }
    }
    found.map_or(Author::Nobody, Author::Domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Author {
        author(&Message::read(header.as_bytes()))
    }

    #[test]
    fn authors() {
        let domain = |text: &str| Author::Domain(text.to_owned());
        assert_eq!(of("From: A <a@Example.COM>\r\n"), domain("example.com"));
        assert_eq!(of("from : \"b@evil.test\" <a@x.test>, c@X.test\r\n"), domain("x.test"));
        assert_eq!(of("From: G: a@x.test;\r\n"), domain("x.test"));
        assert_eq!(of("From: a@b\u{fc}cher.example\r\n"), domain("xn--bcher-kva.example"));
        assert_eq!(of("From: a@x.test, b@y.test\r\n"), Author::Several);
        for nobody in ["", "Subject: x\r\n", "From:\r\n", "From: a\r\n", "From: a@x.test\r\nFrom: a@x.test\r\n", "From: a@[1.2.3.4]\r\n"] {
            assert_eq!(of(nobody), Author::Nobody, "{nobody}");
        }
    }
}
