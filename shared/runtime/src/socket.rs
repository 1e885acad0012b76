use socket2::{SockRef, TcpKeepalive};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::net::TcpStream;

/// A load balancer forgets a connection after 350 s without a packet; a client that went away is noticed in time too.
const IDLE: Duration = Duration::from_secs(240);
const INTERVAL: Duration = Duration::from_secs(30);

/// What every accepted connection is set to. Answers are written whole, so waiting for more to send would only delay them.
pub fn settle(stream: &TcpStream) {
    // A connection on which this fails is good enough, or ends at its first use.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL));
}

/// What one customer of a provider usually has, and so is counted as one: an address, or a /64 of IPv6 (RFC 6177).
pub fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address => address,
    }
}
