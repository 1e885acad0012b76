//! Macro strings (RFC 7208 §7): read once, expanded for each sender.

use std::fmt::Write;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MacroString(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Macro(Macro),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Macro {
    letter: u8,
    /// An upper-case letter: what is not unreserved in a URI is escaped.
    escape: bool,
    /// How many parts from the right are kept; 0 is all.
    keep: usize,
    reverse: bool,
    delimiters: Vec<u8>,
}

/// Where a macro string stands decides which letters it may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Domain,
    /// `c`, `r` and `t` too, and spaces.
    Explanation,
}

/// What letters stand for.
pub(super) struct Values<'a> {
    pub sender: &'a str,
    pub local: &'a str,
    pub sender_domain: &'a str,
    pub domain: &'a str,
    pub address: String,
    /// The address as people write it.
    pub readable: String,
    pub family: &'static str,
    pub helo: &'a str,
    pub receiver: &'a str,
    /// The validated name of the client; `unknown` without one.
    pub validated: &'a str,
    pub seconds: i64,
}

impl Values<'_> {
    fn of(&self, letter: u8) -> String {
        let text = match letter {
            b's' => self.sender,
            b'l' => self.local,
            b'o' => self.sender_domain,
            b'd' => self.domain,
            b'i' => &self.address,
            b'p' => self.validated,
            b'v' => self.family,
            b'h' => self.helo,
            b'c' => &self.readable,
            b'r' => self.receiver,
            _ => return self.seconds.to_string(),
        };
        text.to_owned()
    }
}

impl MacroString {
    /// `None` where it breaks the grammar.
    pub fn read(text: &[u8], place: Place) -> Option<Self> {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'%' => {
                    let (kind, after) = rest.split_first()?;
                    rest = after;
                    match kind {
                        b'%' => literal.push('%'),
                        b'_' => literal.push(' '),
                        b'-' => literal.push_str("%20"),
                        b'{' => {
                            let end = rest.iter().position(|byte| *byte == b'}')?;
                            let (inner, after) = rest.split_at_checked(end)?;
                            if !literal.is_empty() {
                                pieces.push(Piece::Text(std::mem::take(&mut literal)));
                            }
                            pieces.push(Piece::Macro(Macro::read(inner, place)?));
                            rest = after.get(1..)?;
                        }
                        _ => return None,
                    }
                }
                b' ' if place == Place::Explanation => literal.push(' '),
                0x21..=0x7e => literal.push(char::from(*byte)),
                _ => return None,
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Some(Self(pieces))
    }

    /// A domain-spec ends in a macro or a top label (§7.1).
    pub fn is_domain(&self) -> bool {
        match self.0.last() {
            Some(Piece::Macro(_)) => true,
            Some(Piece::Text(text)) => {
                let text = text.strip_suffix('.').unwrap_or(text);
                text.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
            }
            None => false,
        }
    }

    pub fn needs_validated_name(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Macro(one) if one.letter == b'p'))
    }

    pub fn expand(&self, values: &Values<'_>) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Macro(one) => one.expand(values, &mut out),
            }
        }
        out
    }
}

fn is_top_label(label: &str) -> bool {
    let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inside && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && !label.bytes().all(|byte| byte.is_ascii_digit())
}

impl Macro {
    fn read(inner: &[u8], place: Place) -> Option<Self> {
        let (first, rest) = inner.split_first()?;
        let letter = first.to_ascii_lowercase();
        let known = match place {
            Place::Domain => b"slodiphv".contains(&letter),
            Place::Explanation => b"slodiphvcrt".contains(&letter),
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = rest.split_at_checked(digits)?;
        let keep = match number {
            [] => 0,
            // More parts than a name can have are all of them.
            _ => std::str::from_utf8(number).ok()?.parse::<usize>().unwrap_or(usize::MAX),
        };
        if !known || (keep == 0 && !number.is_empty()) {
            return None;
        }
        let (reverse, delimiters) = match rest.split_first() {
            Some((b'r' | b'R', rest)) => (true, rest),
            _ => (false, rest),
        };
        if !delimiters.iter().all(|byte| b".-+,/_=".contains(byte)) {
            return None;
        }
        Some(Self { letter, escape: first.is_ascii_uppercase(), keep, reverse, delimiters: delimiters.to_vec() })
    }

    fn expand(&self, values: &Values<'_>, out: &mut String) {
        let value = values.of(self.letter);
        let delimits = |c: char| match self.delimiters.as_slice() {
            [] => c == '.',
            own => own.iter().any(|byte| char::from(*byte) == c),
        };
        let mut parts: Vec<&str> = value.split(delimits).collect();
        if self.reverse {
            parts.reverse();
        }
        let kept = if self.keep == 0 { parts.len() } else { self.keep.min(parts.len()) };
        let text = parts.split_off(parts.len() - kept).join(".");
        if !self.escape {
            out.push_str(&text);
            return;
        }
        for byte in text.bytes() {
            // RFC 3986 §2.3.
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7208 §7.4.
    #[test]
    fn examples_of_the_standard() {
        let values = |address: &str, family| Values {
            sender: "strong-bad@email.example.com",
            local: "strong-bad",
            sender_domain: "email.example.com",
            domain: "email.example.com",
            address: crate::name::dotted(address.parse().unwrap()),
            readable: address.to_owned(),
            family,
            helo: "mx.example.org",
            receiver: "mx.example.net",
            validated: "unknown",
            seconds: 1,
        };
        let (v4, v6) = (values("192.0.2.3", "in-addr"), values("2001:db8::cb01", "ip6"));
        for (text, expected) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%{S}", "strong-bad%40email.example.com"),
            ("%%%_%-", "% %20"),
        ] {
            assert_eq!(MacroString::read(text.as_bytes(), Place::Domain).unwrap().expand(&v4), expected, "{text}");
        }
        assert_eq!(
            MacroString::read(b"%{ir}.%{v}._spf.%{d2}", Place::Domain).unwrap().expand(&v6),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
        );
        assert_eq!(MacroString::read(b"%{c} %{t}", Place::Explanation).unwrap().expand(&v4), "192.0.2.3 1");
    }

    #[test]
    fn what_breaks_the_grammar() {
        for bad in ["%", "%a", "%{", "%{d", "%{}", "%{x}", "%{d0}", "%{d2x}", "%{c}", "a b", "\u{7f}"] {
            assert!(MacroString::read(bad.as_bytes(), Place::Domain).is_none(), "{bad}");
        }
        for (text, is_domain) in [("a.b", true), ("a.b.", true), ("%{d}", true), ("a", false), ("a.1", false), ("a.-b", false), ("", false)]
        {
            assert_eq!(MacroString::read(text.as_bytes(), Place::Domain).unwrap().is_domain(), is_domain, "{text}");
        }
    }
}
