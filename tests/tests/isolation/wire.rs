//! The client's end of a connection, line by line.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

pub struct Wire {
    stream: DuplexStream,
    buf: Vec<u8>,
    tag: u32,
}

impl Wire {
    pub fn new(stream: DuplexStream) -> Self {
        Self { stream, buf: Vec::new(), tag: 0 }
    }

    /// The next line, empty at the end of the connection.
    pub async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buf.iter().position(|b| *b == b'\n') {
                return String::from_utf8_lossy(&self.buf.drain(..=end).collect::<Vec<u8>>()).trim_end().to_owned();
            }
            let mut space = [0; 16_384];
            match tokio::time::timeout(Duration::from_secs(3_600), self.stream.read(&mut space)).await {
                Ok(Ok(n)) if n > 0 => self.buf.extend_from_slice(&space[..n]),
                Ok(_) => return String::new(),
                Err(_) => panic!("nothing came"),
            }
        }
    }

    /// Sends a command and gives all lines up to its tagged one, without the tag.
    pub async fn imap(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("t{:05}", self.tag);
        let _ = self.stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await;
        let mut out = String::new();
        loop {
            let line = self.line().await;
            if line.is_empty() && self.buf.is_empty() && out.is_empty() {
                return out;
            }
            if let Some(last) = line.strip_prefix(&tag) {
                return out + last;
            }
            if line.is_empty() {
                return out;
            }
            out.push_str(&line);
            out.push('\n');
        }
    }

    /// Sends a command and gives the whole reply.
    pub async fn smtp(&mut self, command: &str) -> String {
        let _ = self.stream.write_all(format!("{command}\r\n").as_bytes()).await;
        let mut out = String::new();
        loop {
            let line = self.line().await;
            let more = line.as_bytes().get(3) == Some(&b'-');
            out.push_str(&line);
            out.push('\n');
            if !more {
                return out;
            }
        }
    }
}

/// Numbers, and ids that hold some, become `#`.
pub fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (word, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        if word.bytes().any(|b| b.is_ascii_digit()) && (word.len() >= 20 || word.bytes().all(|b| b.is_ascii_digit())) {
            out.push('#');
        } else {
            out.push_str(word);
        }
        out.push_str(end);
    }
    out
}
