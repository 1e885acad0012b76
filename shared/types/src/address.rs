//! Mail addresses, parsed once. The domain is kept as lower-case A-labels (RFC 5890), the local part as it was written
//! (RFC 5321 §2.4) beside a folded form for looking up: people type their names in any case.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("an address is local-part@domain")]
    NoAt,
    #[error("the part before the @ is empty, too long (64 octets) or has characters that are not allowed there")]
    Local,
    #[error("the domain is empty, too long or not a domain name")]
    Domain,
    #[error("an address has at most 254 octets")]
    Long,
}

/// A domain name: lower-case A-labels, at least one label, no dot at the end, at most 253 octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() || text.len() > 253 {
            return Err(AddressError::Domain);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| AddressError::Domain)?.into_owned()
        };
        let fits = ascii.len() <= 253
            && ascii.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            });
        if fits { Ok(Self(ascii)) } else { Err(AddressError::Domain) }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Domain {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `local-part@domain`: RFC 5321 §4.1.2 with the UTF-8 of RFC 6531 §3.3. A quoted local part is kept unquoted, so
/// `"a b"@x` and what it means are one value; `Display` quotes it again where it must be.
#[derive(Clone)]
pub struct Address {
    local: String,
    folded: String,
    domain: Domain,
}

impl Address {
    pub const LOCAL_LIMIT: usize = 64;
    pub const LIMIT: usize = 254;

    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The form under which a mailbox is looked up: folded to lower case, quoting and `@domain` included.
    pub fn key(&self) -> String {
        format!("{}@{}", self.folded, self.domain)
    }

    /// The address without `+detail` (RFC 5233 §2), or `None` where there is none.
    pub fn without_detail(&self) -> Option<Self> {
        let (user, _) = self.local.split_once('+')?;
        if user.is_empty() {
            return None;
        }
        Some(Self { local: user.to_owned(), folded: user.to_lowercase(), domain: self.domain.clone() })
    }

    /// True where SMTPUTF8 is needed to name it (RFC 6531).
    pub fn is_international(&self) -> bool {
        !self.local.is_ascii()
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded && self.domain == other.domain
    }
}

impl Eq for Address {}

impl std::hash::Hash for Address {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
        self.domain.hash(state);
    }
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !(c.is_ascii() || c.is_control() || c.is_whitespace())
}

fn is_dot_atom(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// Takes the quotes off a quoted local part; `None` where it holds what RFC 5321 §4.1.2 (qtextSMTP) does not allow.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => chars.next()?,
            '"' => return None,
            other => other,
        };
        if c.is_control() {
            return None;
        }
        out.push(c);
    }
    Some(out)
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() > Self::LIMIT {
            return Err(AddressError::Long);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.len() > Self::LOCAL_LIMIT {
            return Err(AddressError::Local);
        }
        let local =
            if is_dot_atom(local) { local.to_owned() } else { unquote(local).filter(|l| !l.is_empty()).ok_or(AddressError::Local)? };
        let folded = local.to_lowercase();
        Ok(Self { local, folded, domain: domain.parse()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_atom(&self.local) {
            write!(f, "{}@{}", self.local, self.domain)
        } else {
            write!(f, "\"{}\"@{}", self.local.replace('\\', "\\\\").replace('"', "\\\""), self.domain)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, AddressError> {
        text.parse()
    }

    #[test]
    fn reads_what_rfc_5321_allows() {
        assert_eq!(parse("Jane.Doe@Example.COM").map(|a| a.to_string()), Ok("Jane.Doe@example.com".into()));
        assert_eq!(parse("jane.doe@example.com"), parse("JANE.DOE@EXAMPLE.com"));
        assert_eq!(parse("\"a b\"@x.test").map(|a| a.local().to_owned()), Ok("a b".into()));
        assert_eq!(parse("\"a\"@x.test").map(|a| a.to_string()), Ok("a@x.test".into()));
        assert_eq!(parse("grüße@bücher.example").map(|a| a.to_string()), Ok("grüße@xn--bcher-kva.example".into()));
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["", "a", "@x", "a@", "a..b@x", ".a@x", "a b@x", "a@-x", "a@x..y", "a@x.", "\"a@x", "a\u{7}@x", "<a@x>"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse(&format!("{}@x", "a".repeat(65))), Err(AddressError::Local));
        assert_eq!(parse(&format!("a@{}", "x.".repeat(140))), Err(AddressError::Long));
    }

    #[test]
    fn detail_is_cut_once() {
        let address = parse("ann+list+x@x.test").ok().and_then(|a| a.without_detail());
        assert_eq!(address.map(|a| a.to_string()), Some("ann@x.test".into()));
        assert!(parse("+x@x.test").is_ok_and(|a| a.without_detail().is_none()));
    }
}
