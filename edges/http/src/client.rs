//! Whose request it is: the socket's peer, or whom a load balancer of ours names.

use crate::listen::Shaken;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use penfold_account::Peer;
use penfold_runtime::Front;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Client(SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Client {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, Shaken>> for Client {
    fn connect_info(stream: IncomingStream<'_, Shaken>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Puts it into the request, for the routers.
pub async fn named(
    State(front): State<Front>,
    ConnectInfo(Client(socket)): ConnectInfo<Client>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = Some(socket.ip()).filter(|peer| front.covers(*peer)).and_then(|_| forwarded(request.headers()));
    request.extensions_mut().insert(Peer(peer.unwrap_or(socket.ip())));
    next.run(request).await
}

/// The last of X-Forwarded-For: what the load balancer itself added.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_word_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded(&headers), None);
        headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        assert_eq!(forwarded(&headers), Some(IpAddr::from([198, 51, 100, 7])));
        headers.append("x-forwarded-for", "2001:db8::7".parse().unwrap());
        assert_eq!(forwarded(&headers), "2001:db8::7".parse().ok());
        headers.append("x-forwarded-for", "somebody".parse().unwrap());
        assert_eq!(forwarded(&headers), None);
    }
}
