//! Hashes of the body. Signatures of one message mostly ask for the same, which is then computed once.

use crate::canonical::{self, Form};
use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;

/// Different hashes of one body: two forms, and some lengths.
const DIFFERENT: usize = 6;

pub(crate) struct Hashes<'a> {
    body: &'a [u8],
    known: Mutex<Vec<(Form, Option<u64>, Hash)>>,
}

#[derive(Clone)]
pub(crate) struct Hash {
    pub sha256: Vec<u8>,
    /// Octets of the canonical body, which may be more than were hashed.
    pub length: u64,
}

impl<'a> Hashes<'a> {
    pub fn new(body: &'a [u8]) -> Self {
        Self { body, known: Mutex::default() }
    }

    /// `None` where too many were asked for.
    pub fn of(&self, form: Form, limit: Option<u64>) -> Option<Hash> {
        let mut known = self.known.lock();
        if let Some((.., hash)) = known.iter().find(|(own, length, _)| *own == form && *length == limit) {
            return Some(hash.clone());
        }
        if known.len() == DIFFERENT {
            return None;
        }
        let (mut context, mut length) = (Context::new(&SHA256), 0_u64);
        canonical::body(self.body, form, |piece| {
            let room = usize::try_from(limit.unwrap_or(u64::MAX).saturating_sub(length)).unwrap_or(usize::MAX);
            context.update(piece.get(..room).unwrap_or(piece));
            length += piece.len() as u64;
        });
        let hash = Hash { sha256: context.finish().as_ref().to_vec(), length };
        known.push((form, limit, hash.clone()));
        Some(hash)
    }
}
