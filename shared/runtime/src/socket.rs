use socket2::{SockRef, TcpKeepalive};
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
