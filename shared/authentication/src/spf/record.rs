//! SPF records (RFC 7208 §4.6, §12), read in whole before any of it is asked: an error anywhere is a permanent one.

use super::SpfResult;
use super::macros::{MacroString, Place};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Record {
    pub directives: Vec<Directive>,
    pub redirect: Option<MacroString>,
    pub explanation: Option<MacroString>,
}

#[derive(PartialEq, Eq, Debug)]
pub(super) struct Directive {
    /// The result where the mechanism matches.
    pub result: SpfResult,
    pub mechanism: Mechanism,
}

#[derive(PartialEq, Eq, Debug)]
pub(super) enum Mechanism {
    All,
    Include(MacroString),
    A(Target),
    Mx(Target),
    Ptr(Option<MacroString>),
    Ip(Network),
    Exists(MacroString),
}

/// Of `a` and `mx`; without a name it is the current domain.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub name: Option<MacroString>,
    pub v4: u32,
    pub v6: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Network {
    pub address: IpAddr,
    pub prefix: u32,
}

impl Network {
    /// Both as `IpAddr::to_canonical` gives them.
    pub fn contains(&self, client: IpAddr) -> bool {
        match (self.address, client) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - self.prefix.min(32);
                (u64::from(own.to_bits()) >> shift) == (u64::from(other.to_bits()) >> shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.prefix.min(128)
            }
            _ => false,
        }
    }
}

/// Whether a TXT record is an SPF record at all (§4.5).
pub(super) fn is_spf(text: &[u8]) -> bool {
    text.get(..6).is_some_and(|version| version.eq_ignore_ascii_case(b"v=spf1")) && matches!(text.get(6), None | Some(b' '))
}

impl Record {
    /// `None` where there is a syntax error.
    pub fn read(text: &[u8]) -> Option<Self> {
        let mut out = Self::default();
        for term in text.get(6..)?.split(|byte| *byte == b' ').filter(|term| !term.is_empty()) {
            match modifier(term) {
                Some((name, value)) => out.modify(name, value)?,
                None => out.directives.push(Directive::read(term)?),
            }
        }
        Some(out)
    }

    fn modify(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        let text = MacroString::read(value, Place::Domain)?;
        let slot = match name.to_ascii_lowercase().as_slice() {
            b"redirect" => &mut self.redirect,
            b"exp" => &mut self.explanation,
            _ => return Some(()),
        };
        if slot.is_some() || !text.is_domain() {
            return None;
        }
        *slot = Some(text);
        Some(())
    }
}

/// A modifier has its `=` behind a name, before any `:` or `/`.
fn modifier(term: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = term.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (term.get(..equals)?, term.get(equals + 1..)?);
    let fits = name.first()?.is_ascii_alphabetic() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    fits.then_some((name, value))
}

impl Directive {
    fn read(term: &[u8]) -> Option<Self> {
        let (result, term) = match term.split_first()? {
            (b'+', rest) => (SpfResult::Pass, rest),
            (b'-', rest) => (SpfResult::Fail, rest),
            (b'~', rest) => (SpfResult::SoftFail, rest),
            (b'?', rest) => (SpfResult::Neutral, rest),
            _ => (SpfResult::Pass, term),
        };
        let end = term.iter().position(|byte| matches!(byte, b':' | b'/')).unwrap_or(term.len());
        let (name, rest) = term.split_at_checked(end)?;
        let mechanism = match name.to_ascii_lowercase().as_slice() {
            b"all" => rest.is_empty().then_some(Mechanism::All)?,
            b"include" => Mechanism::Include(domain(rest.strip_prefix(b":")?)?),
            b"exists" => Mechanism::Exists(domain(rest.strip_prefix(b":")?)?),
            b"ptr" if rest.is_empty() => Mechanism::Ptr(None),
            b"ptr" => Mechanism::Ptr(Some(domain(rest.strip_prefix(b":")?)?)),
            b"a" => Mechanism::A(target(rest)?),
            b"mx" => Mechanism::Mx(target(rest)?),
            b"ip4" => Mechanism::Ip(network::<Ipv4Addr>(rest.strip_prefix(b":")?, 32)?),
            b"ip6" => Mechanism::Ip(network::<Ipv6Addr>(rest.strip_prefix(b":")?, 128)?),
            _ => return None,
        };
        Some(Self { result, mechanism })
    }
}

fn domain(text: &[u8]) -> Option<MacroString> {
    MacroString::read(text, Place::Domain).filter(MacroString::is_domain)
}

/// A length of a prefix: no sign, no leading zero.
fn prefix(digits: &[u8], most: u32) -> Option<u32> {
    let fits = !digits.is_empty()
        && digits.len() <= 3
        && digits.iter().all(u8::is_ascii_digit)
        && (digits.len() == 1 || !digits.starts_with(b"0"));
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (fits && number <= most).then_some(number)
}

fn network<A: std::str::FromStr + Into<IpAddr>>(text: &[u8], most: u32) -> Option<Network> {
    let text = std::str::from_utf8(text).ok()?;
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, prefix(length.as_bytes(), most)?),
        None => (text, most),
    };
    let address: A = address.parse().ok()?;
    Some(Network { address: address.into(), prefix: length })
}

/// Digits at the end, behind `mark`.
fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, number) = text.split_at_checked(text.len() - digits)?;
    let head = head.strip_suffix(mark)?;
    (digits > 0).then_some((head, number))
}

/// `[":" domain-spec] ["/" v4] ["//" v6]`
fn target(text: &[u8]) -> Option<Target> {
    let (text, v6) = match cut(text, b"//") {
        Some((head, digits)) => (head, prefix(digits, 128)?),
        None => (text, 128),
    };
    let (text, v4) = match cut(text, b"/") {
        Some((head, digits)) => (head, prefix(digits, 32)?),
        None => (text, 32),
    };
    let name = match text.strip_prefix(b":") {
        Some(name) => Some(domain(name)?),
        None if text.is_empty() => None,
        None => return None,
    };
    Some(Target { name, v4, v6 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for good in [
            "v=spf1",
            "V=SPF1 -ALL",
            "v=spf1  mx/24//64 a:x.y/0 ip4:1.2.3.0/24 ip6:::1/128 exists:%{i}.x.y ptr ptr:x.y ?all ",
            "v=spf1 a:a:8080.b unknown=%{d} moo.cow-far_out=man:dog/cat redirect=a.b exp=%{d}",
        ] {
            assert!(is_spf(good.as_bytes()) && Record::read(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "v=spf1 a/33",
            "v=spf1 a/01",
            "v=spf1 a//129",
            "v=spf1 a:",
            "v=spf1 a:/8",
            "v=spf1 all:x",
            "v=spf1 all/8",
            "v=spf1 ip4:1.2.3",
            "v=spf1 ip4:1.2.3.4/",
            "v=spf1 ip4:::1",
            "v=spf1 ip6:1.2.3.4",
            "v=spf1 include",
            "v=spf1 include:a",
            "v=spf1 ptr/8",
            "v=spf1 redirect=a.b redirect=a.b",
            "v=spf1 redirect=",
            "v=spf1 exp=a.b exp=c.d",
            "v=spf1 x",
            "v=spf1 ++all",
            "v=spf1 a\t",
        ] {
            assert!(Record::read(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(!is_spf(b"v=spf10 a") && !is_spf(b"v=spf1\ta") && !is_spf(b"spf") && !is_spf(b""));
    }

    #[test]
    fn networks() {
        let within =
            |address: &str, prefix, client: &str| Network { address: address.parse().unwrap(), prefix }.contains(client.parse().unwrap());
        assert!(within("1.2.3.0", 24, "1.2.3.255") && within("1.2.3.4", 0, "9.9.9.9") && within("::", 0, "ff::"));
        assert!(!within("1.2.3.0", 24, "1.2.4.0") && !within("1.2.3.4", 32, "1.2.3.5") && !within("::", 0, "1.2.3.4"));
        assert!(within("2001:db8::", 32, "2001:db8:ffff::1") && !within("2001:db8::", 33, "2001:db8:8000::"));
    }
}
