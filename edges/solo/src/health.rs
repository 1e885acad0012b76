//! `penfold health`: what a container's health check runs, where there is no curl.

use crate::failure::Failure;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const WAIT: Duration = Duration::from_secs(5);
/// Octets of the answer; it is a line.
const ANSWER: u64 = 4096;

/// Asks `/healthz` at `address`.
pub async fn ask(address: SocketAddr) -> Result<(), Failure> {
    let answer = tokio::time::timeout(WAIT, get(address)).await;
    let answer = answer.map_err(|_| Failure::Other(format!("{address} does not answer")))?;
    let answer = answer.map_err(|error| Failure::Other(format!("{address}: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(Failure::Other(format!("{address} says: {}", body.trim()))),
    }
}

async fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
    let mut answer = String::new();
    stream.take(ANSWER).read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(answer: &'static [u8]) -> Result<(), Failure> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer).await.unwrap();
        });
        let result = ask(address).await;
        server.await.unwrap();
        result
    }

    #[tokio::test]
    async fn well_or_not() {
        told(b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nok\n").await.unwrap();
        let error = told(b"HTTP/1.0 503 Service Unavailable\r\n\r\nno space left\n").await.unwrap_err();
        assert!(matches!(error, Failure::Other(text) if text.ends_with("says: no space left")));
        assert!(told(b"").await.is_err());
    }
}
