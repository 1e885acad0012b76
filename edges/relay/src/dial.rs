//! How a connection is made: TCP, or what a simulation brings.

use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;

pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Duplex for T {}

pub type Stream = Box<dyn Duplex>;

/// Connects to `to`, from `source` where that is given. The caller keeps the time.
#[async_trait]
pub trait Dial: Send + Sync {
    async fn dial(&self, to: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream>;
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

#[async_trait]
impl Dial for Tcp {
    async fn dial(&self, to: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = source {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
