//! The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt §2.2): a load balancer's word for who its client is. It is
//! believed from configured networks only, and there it must come; whoever else sends it speaks to the wrong protocol.

use penfold_types::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Semaphore;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Octets of addresses and extensions; load balancers send some dozens.
const LIMIT: usize = 2048;
/// A load balancer sends the header before anything else.
const WAIT: Duration = Duration::from_secs(5);
/// Connections whose header has not come yet.
const PENDING: usize = 4096;

/// Addresses with a common prefix: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    base: u128,
    /// Bits of the prefix, counted in 128.
    bits: u32,
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

impl Network {
    pub const LOOPBACK_V4: Self = Self { base: 0xffff_7f00_0000, bits: 104 };
    pub const LOOPBACK_V6: Self = Self { base: 1, bits: 128 };

    pub fn contains(&self, address: IpAddr) -> bool {
        let differ = number(address) ^ self.base;
        self.bits == 0 || differ >> (128 - self.bits) == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("{text} is not a network; write for example 10.0.0.0/8 or 2001:db8::/32");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > all {
            return Err(wrong());
        }
        let bits = bits + 128 - all;
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
        Ok(Self { base: number(address) & mask, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

/// The load balancers in front of a port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Front {
    networks: Arc<[Network]>,
    pending: Arc<Semaphore>,
}

impl Front {
    pub fn new(networks: &[Network]) -> Self {
        Self { networks: networks.into(), pending: Arc::new(Semaphore::new(PENDING)) }
    }

    /// True where a connection from `peer` begins with a header.
    pub fn covers(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(peer))
    }

    /// Reads the header, and nothing after it. An error: close the connection without a word.
    pub async fn client(&self, stream: &mut (impl AsyncRead + Unpin), peer: IpAddr) -> Result<IpAddr> {
        let _place = self.pending.try_acquire().map_err(|_| Error::retry("too many connections begin at once"))?;
        tokio::time::timeout(WAIT, read(stream, peer)).await.map_err(|_| Error::invalid("the load balancer said nothing"))?
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), peer: IpAddr) -> Result<IpAddr> {
    let gone = |error: std::io::Error| Error::invalid("the header is not whole").because(error);
    let mut head = [0; 16];
    stream.read_exact(&mut head).await.map_err(gone)?;
    let [signature @ .., command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if signature != SIGNATURE || length > LIMIT {
        return Err(Error::invalid("not a header of the PROXY protocol, version 2"));
    }
    let mut rest = [0; LIMIT];
    let rest = &mut rest[..length];
    stream.read_exact(rest).await.map_err(gone)?;
    match (command, family) {
        // LOCAL: the load balancer itself, to see whether we are there.
        (0x20, _) => Ok(peer),
        (0x21, 0x11) => rest.first_chunk::<4>().map(|a| IpAddr::V4(Ipv4Addr::from(*a))).filter(|_| length >= 12).ok_or(()),
        (0x21, 0x21) => rest.first_chunk::<16>().map(|a| IpAddr::V6(Ipv6Addr::from(*a)).to_canonical()).filter(|_| length >= 36).ok_or(()),
        _ => Err(()),
    }
    .and_then(|client: IpAddr| match command {
        // Loopback has rights of its own, and no load balancer sees a client there.
        0x21 if client.is_loopback() || client.is_unspecified() => Err(()),
        _ => Ok(client),
    })
    .map_err(|()| Error::invalid("a header without a client's address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        out.extend([command, family]);
        out.extend((body.len() as u16).to_be_bytes());
        out.extend(body);
        out
    }

    async fn told(mut bytes: &[u8]) -> Option<(IpAddr, usize)> {
        let client = read(&mut bytes, IpAddr::from([10, 0, 0, 1])).await.ok()?;
        Some((client, bytes.len()))
    }

    fn v4(client: [u8; 4]) -> Vec<u8> {
        [&client[..], &[10, 0, 0, 9], &[0x30, 0x39, 0, 25]].concat()
    }

    #[tokio::test]
    async fn clients_are_told_and_nothing_more_is_read() {
        let mut bytes = header(0x21, 0x11, &v4([198, 51, 100, 7]));
        bytes.extend(b"EHLO x\r\n");
        assert_eq!(told(&bytes).await, Some((IpAddr::from([198, 51, 100, 7]), 8)));
        let six: Ipv6Addr = "2001:db8::7".parse().unwrap();
        let body = [&six.octets()[..], &[0; 16], &[0, 1, 0, 25], b"\x03\0\x04abcd"].concat();
        assert_eq!(told(&header(0x21, 0x21, &body)).await, Some((IpAddr::V6(six), 0)));
        assert_eq!(told(&header(0x20, 0, &[])).await, Some((IpAddr::from([10, 0, 0, 1]), 0)), "a health check");
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let good = header(0x21, 0x11, &v4([198, 51, 100, 7]));
        for end in 0..good.len() {
            assert_eq!(told(&good[..end]).await, None);
        }
        for bad in [
            b"EHLO client.example.com\r\nMAIL FROM:<>\r\n".to_vec(),
            b"PROXY TCP4 198.51.100.7 10.0.0.9 12345 25\r\n".to_vec(),
            header(0x11, 0x11, &v4([198, 51, 100, 7])),
            header(0x21, 0x12, &v4([198, 51, 100, 7])),
            header(0x21, 0x11, &[1, 2, 3, 4]),
            header(0x21, 0x11, &v4([127, 0, 0, 1])),
            header(0x21, 0x21, &[&Ipv6Addr::LOCALHOST.octets()[..], &[0; 20]].concat()),
            header(0x21, 0x21, &[&Ipv4Addr::LOCALHOST.to_ipv6_mapped().octets()[..], &[0; 20]].concat()),
            header(0x21, 0x11, &[0; LIMIT + 1]),
        ] {
            assert_eq!(told(&bad).await, None, "{bad:?}");
        }
    }

    #[test]
    fn networks() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        let in_it = |text: &str, address: &str| network(text).contains(address.parse().unwrap());
        assert!(in_it("10.0.0.0/8", "10.255.0.1") && !in_it("10.0.0.0/8", "11.0.0.1"));
        assert!(in_it("10.1.2.3/8", "10.255.0.1") && in_it("10.0.0.1", "10.0.0.1") && !in_it("10.0.0.1", "10.0.0.2"));
        assert!(in_it("0.0.0.0/0", "198.51.100.7") && !in_it("0.0.0.0/0", "2001:db8::1") && in_it("::/0", "10.0.0.1"));
        assert!(in_it("2001:db8::/32", "2001:db8:1::1") && !in_it("2001:db8::/32", "2001:db9::1"));
        assert!(in_it("10.0.0.0/8", "::ffff:10.0.0.1"));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "ten/8", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
