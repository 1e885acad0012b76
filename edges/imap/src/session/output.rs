//! What a session has to say. It collects in one buffer; whoever writes much calls [`Output::breathe`] between the
//! messages, so that never more than a few pieces wait for a slow reader.

use penfold_ports::Turn;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Octets that are collected before they are handed on.
pub const PIECE: usize = 64 << 10;

/// The peer is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

#[derive(Default)]
pub struct Output {
    pub buf: Vec<u8>,
    pipe: Option<mpsc::Sender<Vec<u8>>>,
    /// Whose place is held while there is something to say, and given back while the peer does not take it.
    pub turn: Turn,
}

impl Output {
    /// Pieces go into `pipe`; what is left in the buffer at the end is the caller's to take.
    pub fn new(buf: Vec<u8>, pipe: mpsc::Sender<Vec<u8>>) -> Self {
        Self { buf, pipe: Some(pipe), turn: Turn::free() }
    }

    /// Keeps everything.
    pub fn memory() -> Self {
        Self::default()
    }

    /// Hands a full buffer on, and waits while the one before it has not been taken.
    pub async fn breathe(&mut self) -> Result<(), Gone> {
        if self.buf.len() < PIECE {
            return Ok(());
        }
        self.flush().await
    }

    pub async fn flush(&mut self) -> Result<(), Gone> {
        let Some(pipe) = &self.pipe else { return Ok(()) };
        if self.buf.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buf, Vec::with_capacity(PIECE + (4 << 10)));
        match pipe.try_send(full) {
            Ok(()) => self.turn.pass().await,
            Err(TrySendError::Closed(_)) => return Err(Gone),
            Err(TrySendError::Full(full)) => {
                let held = self.turn.holds();
                self.turn.rest();
                pipe.send(full).await.map_err(|_| Gone)?;
                if held {
                    self.turn.take().await;
                }
            }
        }
        Ok(())
    }

    /// `* text`
    pub fn untagged(&mut self, text: &str) {
        self.buf.extend_from_slice(b"* ");
        self.buf.extend_from_slice(text.as_bytes());
        self.buf.extend_from_slice(b"\r\n");
    }

    /// `tag text`
    pub fn tagged(&mut self, tag: &str, text: &str) {
        self.buf.extend_from_slice(tag.as_bytes());
        self.buf.push(b' ');
        self.buf.extend_from_slice(text.as_bytes());
        self.buf.extend_from_slice(b"\r\n");
    }
}
