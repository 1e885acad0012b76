//! Reverse-path and forward-path: RFC 5321 §4.1.2, with the UTF-8 of RFC 6531 §3.3.

use super::strip_word;
use penfold_types::Address;

/// What stood between the angle brackets, a source route taken off (RFC 5321 appendix C).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Path {
    /// Empty for the null reverse-path. Has no angle bracket and no control character.
    pub text: String,
    /// `None` for the null path, and where the domain is an address literal.
    pub address: Option<Address>,
}

impl Path {
    pub fn is_null(&self) -> bool {
        self.text.is_empty()
    }

    /// RFC 6531 §3.5: such a path may be named only where SMTPUTF8 was asked for.
    pub fn is_international(&self) -> bool {
        !self.text.is_ascii()
    }
}

/// `FROM:<path> parameters`: the path and the parameters.
pub(crate) fn reverse(argument: &str) -> Option<(Path, &str)> {
    let (inner, rest) = bracketed(strip_word(argument, "FROM:")?)?;
    if inner.is_empty() {
        return Some((Path::default(), rest));
    }
    Some((mailbox(inner)?, rest))
}

/// `TO:<path> parameters`. `<postmaster>` needs no domain (RFC 5321 §4.1.1.3): it is ours.
pub(crate) fn forward<'a>(argument: &'a str, hostname: &str) -> Option<(Path, &'a str)> {
    let (inner, rest) = bracketed(strip_word(argument, "TO:")?)?;
    if inner.eq_ignore_ascii_case("postmaster") {
        let text = format!("{inner}@{hostname}");
        return Some((Path { address: text.parse().ok(), text }, rest));
    }
    Some((mailbox(inner)?, rest))
}

/// The text inside the angle brackets, and what follows them. A `>` inside a quoted string does not end the path.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    // RFC 5321 §3.3 allows no space behind the colon, but many clients send one.
    let text = text.trim_start_matches(' ').strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let rest = text.get(at + 1..)?;
                let separated = rest.is_empty() || rest.starts_with(' ');
                return separated.then_some((text.get(..at)?, rest.trim_matches(' ')));
            }
            _ => (),
        }
    }
    None
}

fn mailbox(inner: &str) -> Option<Path> {
    let text = without_route(inner)?;
    if let Ok(address) = text.parse::<Address>() {
        return Some(Path { text: text.to_owned(), address: Some(address) });
    }
    is_literal(text).then(|| Path { text: text.to_owned(), address: None })
}

/// RFC 5321 §4.1.2, A-d-l: `@one,@two:box@three` means `box@three`.
fn without_route(inner: &str) -> Option<&str> {
    if !inner.starts_with('@') {
        return Some(inner);
    }
    inner.split_once(':').map(|(_, mailbox)| mailbox)
}

/// `local-part@[address]`: RFC 5321 §4.1.3.
fn is_literal(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let Some(inner) = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']')) else { return false };
    let address = match strip_word(inner, "IPv6:") {
        Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
        None => inner.parse::<std::net::Ipv4Addr>().is_ok(),
    };
    // The local part is judged as that of any other address.
    address && format!("{local}@literal.invalid").parse::<Address>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(argument: &str) -> Option<(String, String)> {
        reverse(argument).map(|(path, rest)| (path.text, rest.to_owned()))
    }

    fn pair(a: &str, b: &str) -> Option<(String, String)> {
        Some((a.to_owned(), b.to_owned()))
    }

    #[test]
    fn reads_paths() {
        assert_eq!(text("FROM:<>"), pair("", ""));
        assert_eq!(text("from:<a@x.test> SIZE=1"), pair("a@x.test", "SIZE=1"));
        assert_eq!(text("FROM: <a@x.test>"), pair("a@x.test", ""));
        assert_eq!(text("FROM:<@a.test,@b.test:c@x.test>"), pair("c@x.test", ""));
        assert_eq!(text("FROM:<\"a>b\"@x.test> BODY=7BIT"), pair("\"a>b\"@x.test", "BODY=7BIT"));
        assert_eq!(text("FROM:<a@[192.0.2.1]>"), pair("a@[192.0.2.1]", ""));
        assert_eq!(text("FROM:<a@[IPv6:2001:db8::1]>"), pair("a@[IPv6:2001:db8::1]", ""));
        let (path, _) = forward("TO:<Postmaster>", "mx.x.test").unwrap();
        assert_eq!(path.address.unwrap().to_string(), "Postmaster@mx.x.test");
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            "FROM:",
            "FROM:a@x.test",
            "FROM:<a@x.test",
            "FROM:<a>",
            "FROM:<a b@x.test>",
            "FROM:<a@x.test>SIZE=1",
            "FROM:<a@[1.2.3]>",
            "FROM:<\"a@x.test>",
            "TO:<a@x.test>",
            "FROM:<<a@x.test>>",
            "FROM:<\u{7}@x.test>",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
