//! A client's end of a connection: commands, answers with literals in them, and waiting.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

pub struct Wire {
    stream: DuplexStream,
    buf: Vec<u8>,
    tag: u32,
    /// Bytes that came.
    pub received: u64,
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    haystack.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|at| at + from)
}

impl Wire {
    pub fn new(stream: DuplexStream) -> Self {
        Self { stream, buf: Vec::new(), tag: 0, received: 0 }
    }

    async fn more(&mut self) {
        let mut space = vec![0; 65_536];
        let count = self.stream.read(&mut space).await.unwrap();
        assert!(count > 0, "the server closed: {}", String::from_utf8_lossy(&self.buf));
        self.received += count as u64;
        self.buf.extend_from_slice(&space[..count]);
    }

    /// Everything up to the end of a line that begins with `start`.
    pub async fn until(&mut self, start: &str) -> String {
        let needle = [b"\n", start.as_bytes()].concat();
        let mut looked = 0;
        loop {
            let begin = if self.buf.starts_with(start.as_bytes()) { Some(0) } else { find(&self.buf, &needle, looked) };
            if let Some(end) = begin.and_then(|at| find(&self.buf, b"\r\n", at + 1)) {
                return String::from_utf8_lossy(&self.buf.drain(..end + 2).collect::<Vec<u8>>()).into_owned();
            }
            looked = begin.unwrap_or(self.buf.len().saturating_sub(needle.len()));
            self.more().await;
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends a command, which must be answered OK, and gives everything up to its end.
    pub async fn imap(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("t{:06} ", self.tag);
        self.write(format!("{tag}{command}\r\n").as_bytes()).await;
        let answer = self.until(&tag).await;
        let last = answer.rsplit_terminator("\r\n").next().unwrap_or_default();
        assert!(last.contains(" OK"), "{}: {last}", command.chars().take(100).collect::<String>());
        answer
    }

    /// Sends a command with a literal at its end.
    pub async fn append(&mut self, command: &str, literal: &[u8]) -> String {
        self.tag += 1;
        let tag = format!("t{:06} ", self.tag);
        self.write(format!("{tag}{command} {{{}+}}\r\n", literal.len()).as_bytes()).await;
        self.write(literal).await;
        self.write(b"\r\n").await;
        let answer = self.until(&tag).await;
        assert!(answer.contains(" OK"), "{command}: {answer}");
        answer
    }

    /// IDLE until something is heard, or for as long as said. What came, empty where nothing did.
    pub async fn idle(&mut self, longest: Duration) -> String {
        self.tag += 1;
        let tag = format!("t{:06} ", self.tag);
        self.write(format!("{tag}IDLE\r\n").as_bytes()).await;
        let mut heard = self.until("+ ").await;
        if self.buf.is_empty() {
            let _ = tokio::time::timeout(longest, self.more()).await;
        }
        self.write(b"DONE\r\n").await;
        heard.push_str(&self.until(&tag).await);
        let notices = heard.lines().filter(|line| line.starts_with("* "));
        notices.map(|line| format!("{line}\n")).collect()
    }

    pub async fn smtp(&mut self, command: &[u8]) -> String {
        self.write(command).await;
        loop {
            // The last line of a reply has a space behind its code.
            let line = self.until("").await;
            if line.as_bytes().get(3) == Some(&b' ') {
                return line;
            }
        }
    }
}
