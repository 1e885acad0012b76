//! `penfold health`: asks the process beside it whether it is well, for the health check of a container that has no other program.

use crate::failure::Failure;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A health check is given 5 seconds.
const WAIT: Duration = Duration::from_secs(4);
/// Octets of an answer; it is a status and a sentence.
const LIMIT: u64 = 4096;

/// An error says what is wrong with the process that listens on `address` for HTTP.
pub fn ask(address: SocketAddr) -> Result<(), Failure> {
    let answer =
        answer(address).map_err(|error| Failure::Other(format!("no health from {address} ({error}): is an edge running here?")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(Failure::Other(format!("not well: {}", body.trim()))),
    }
}

fn answer(address: SocketAddr) -> Result<String, Error> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    // HTTP/1.0: the answer ends with the connection.
    write!(stream, "GET /healthz HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LIMIT).read_to_end(&mut answer)?;
    String::from_utf8(answer).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn told(answer: &'static str) -> Result<(), Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 128];
            let n = stream.read(&mut asked).unwrap();
            assert!(asked[..n].starts_with(b"GET /healthz HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let result = ask(address);
        server.join().unwrap();
        result
    }

    #[test]
    fn health_is_what_the_process_says() {
        assert!(told("HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nok\n").is_ok());
        let ill = told("HTTP/1.0 503 Service Unavailable\r\n\r\ntoo much work waits\n");
        assert!(matches!(ill, Err(Failure::Other(text)) if text == "not well: too much work waits"));
        assert!(told("").is_err());
    }

    #[test]
    fn nobody_there() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(ask(address), Err(Failure::Other(text)) if text.contains("is an edge running here?")));
    }
}
