//! What may be reached: an address that is public, and a port where web servers are.

use crate::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// First octets and prefix lengths of what is not public (the registries of RFC 6890), or reaches more than one host.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Between a provider and its customers (RFC 6598); clouds have services there.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Links, and what machines of a cloud learn about themselves (169.254.169.254).
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, what is reserved, and broadcast.
    ([224, 0, 0, 0], 3),
];

/// Within 2000::/3, which alone is public.
const NOT_PUBLIC_V6: [([u16; 4], u32); 5] = [
    // Protocols, Teredo and benchmarks, and ORCHID.
    ([0x2001, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0], 32),
    // 6to4 hides an address of the older family, and nobody runs it.
    ([0x2002, 0, 0, 0], 16),
    ([0x2620, 0x4f, 0x8000, 0], 48),
    ([0x3fff, 0, 0, 0], 20),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !NOT_PUBLIC_V4.iter().any(|(base, length)| (bits ^ u32::from(Ipv4Addr::from(*base))) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    // NAT64 (RFC 6052, RFC 8215): the address behind it counts, for a gateway would go there.
    if bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000 {
        return u32::try_from(bits & 0xffff_ffff).is_ok_and(|inner| is_public_v4(Ipv4Addr::from(inner)));
    }
    let first = |base: &[u16; 4]| u128::from(Ipv6Addr::new(base[0], base[1], base[2], base[3], 0, 0, 0, 0));
    bits >> 125 == 1 && !NOT_PUBLIC_V6.iter().any(|(base, length)| (bits ^ first(base)) >> (128 - length) == 0)
}

/// Whether an address is one of the public network. An IPv6 address that holds an IPv4 one is that one.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Web servers are at their own ports, or at those that everybody may open; never at another service of a host.
pub(super) fn is_port(port: u16) -> bool {
    matches!(port, 80 | 443) || port >= 1024
}

/// Whether an address is this machine's own, however it is written. The system says so without sending anything: it names the
/// address that it would come from.
fn is_own(address: IpAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let from = UdpSocket::bind(any).and_then(|socket| socket.connect((address, 443)).and_then(|()| socket.local_addr()));
    from.is_ok_and(|from| from.ip().to_canonical() == address.to_canonical())
}

/// Whether a connection to an address may be made.
pub(super) fn is_allowed(address: IpAddr, allowed: &[Network]) -> bool {
    allowed.iter().any(|network| network.contains(address.to_canonical())) || (is_public(address) && !is_own(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "126.1.1.1",
            "128.0.0.1",
            "169.253.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "192.169.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:200::1",
            "2001:db7::1",
            "2003::1",
            "64:ff9b::101:101",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for hidden in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1.1.1.1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:101:101::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(hidden.parse().unwrap()), "{hidden}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_reached_and_our_own_is_not() {
        let allowed: Vec<Network> = vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (address, fits) in [("127.0.0.1", true), ("::ffff:127.0.0.1", true), ("fd12::1", true), ("10.0.0.1", false), ("::1", false)] {
            assert_eq!(is_allowed(address.parse().unwrap(), &allowed), fits, "{address}");
        }
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn ports_of_other_services_are_left_alone() {
        let fits: Vec<u16> = [0, 22, 25, 80, 81, 443, 445, 993, 1023, 1024, 8443].into_iter().filter(|port| is_port(*port)).collect();
        assert_eq!(fits, [80, 443, 1024, 8443]);
    }
}
