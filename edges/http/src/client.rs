//! Whose request it is: the socket's peer, or whom a load balancer of ours names.

use crate::listen::Shaken;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use penfold_rest::{Peer, Private};
use penfold_runtime::Front;
use std::net::SocketAddr;
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
    State((front, tls)): State<(Front, bool)>,
    ConnectInfo(Client(socket)): ConnectInfo<Client>,
    mut request: Request,
    next: Next,
) -> Response {
    let behind = front.covers(socket.ip()).then(|| Peer::forwarded(request.headers())).flatten();
    let peer = behind.unwrap_or(Peer(socket.ip()));
    let private = Private::of(tls, peer, behind.map(|_| request.headers()));
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(private);
    next.run(request).await
}
