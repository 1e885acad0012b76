//! Domain names as they stand in records, signatures and envelopes: text that may be anything.

use penfold_types::Domain;
use std::net::IpAddr;

/// RFC 1035 §2.3.4: labels of 1 to 63 octets, 253 in all. Underscores and the like are welcome, as DNS takes them.
pub(crate) fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.is_ascii() && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// A domain in the form in which domains are compared: A-labels, lower case, no dot at the end.
pub(crate) fn canonical(name: &str) -> Option<String> {
    name.strip_suffix('.').unwrap_or(name).parse::<Domain>().ok().map(|domain| domain.to_string())
}

/// Whether `name` is `parent` or lies below it. Both in one case.
pub(crate) fn is_within(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// IPv4 as four numbers, IPv6 as 32 nibbles (RFC 7208 §7.3); a mapped address is IPv4.
pub(crate) fn dotted(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_name("a.b") && is_name("_x.a.b.") && is_name(&"a".repeat(63)));
        assert!(!is_name("") && !is_name("a..b") && !is_name("ä.b") && !is_name(&"a".repeat(64)) && !is_name(&"a.".repeat(128)));
        assert!(is_within("a.b", "b") && is_within("b", "b") && !is_within("ab", "b") && !is_within("b", "a.b"));
        assert_eq!(canonical("BÜCHER.example.").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(dotted("::ffff:1.2.3.4".parse().unwrap()), "1.2.3.4");
        assert_eq!(dotted("2001:db8::cb01".parse().unwrap()), "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1");
    }
}
