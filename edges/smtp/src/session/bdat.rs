//! BDAT: RFC 3030 §2. A chunk is read whatever its answer, since its octets must never be taken for commands.

use super::data::fault_reply;
use super::{Draft, Mode, Session, Step};
use crate::receive::{Body, Chunk, Ends, Fault, endless};
use crate::reply::{self, Reply};

pub(super) enum Progress<R> {
    Read,
    Went(Option<Step<R>>),
}

impl<R> Session<R> {
    pub(super) fn bdat(&mut self, argument: &str) -> Option<Step<R>> {
        let Some(chunk) = parse(argument) else {
            // How many octets follow is not known, so there is no next command.
            self.close(&reply::BAD_CHUNK);
            return None;
        };
        if chunk.left() > endless(self.config.size_limit) {
            self.close(&reply::ENDLESS);
            return None;
        }
        if let Some(draft) = &mut self.draft
            && draft.failed.is_none()
        {
            draft.failed = begin(draft, &self.config.budget, self.config.size_limit).err();
        }
        self.mode = Mode::Chunk(chunk);
        None
    }

    pub(super) fn on_chunk(&mut self) -> Progress<R> {
        let Mode::Chunk(mut chunk) = self.mode else { return Progress::Went(None) };
        let body = self.draft.as_mut().filter(|d| d.failed.is_none()).and_then(|d| d.chunks.as_mut());
        let ended = chunk.take(&mut self.input, body.map(|(body, ends)| (body, ends)));
        self.mode = Mode::Chunk(chunk);
        if self.draft.as_ref().and_then(|d| d.chunks.as_ref()).is_some_and(|(body, _)| body.is_endless()) {
            self.close(&reply::ENDLESS);
            return Progress::Went(None);
        }
        if !ended {
            return Progress::Read;
        }
        self.mode = Mode::Command;
        Progress::Went(self.chunk_ended(chunk.last))
    }

    fn chunk_ended(&mut self, last: bool) -> Option<Step<R>> {
        let Some(draft) = &mut self.draft else { return self.fail(&reply::MAIL_FIRST) };
        if draft.failed.is_none() {
            draft.failed = draft.chunks.as_mut().and_then(|(body, ends)| judge(body, ends, last)).map(fault_reply);
        }
        if let Some(failed) = draft.failed.clone() {
            // What came so far is of no use; its memory goes back.
            draft.chunks = None;
            if last {
                self.draft = None;
            }
            return self.fail(&failed);
        }
        if !last {
            self.say(&reply::OK);
            return None;
        }
        let mut draft = self.draft.take()?;
        let (body, _) = draft.chunks.take()?;
        match body.finish() {
            Ok((message, lease)) => self.offer(draft, message, lease),
            Err(fault) => {
                self.say(&fault_reply(fault));
                None
            }
        }
    }
}

/// Where the first chunk of a message finds no recipient or no memory, the message has failed.
fn begin<R>(draft: &mut Draft<R>, budget: &crate::Budget, limit: u64) -> Result<(), Reply> {
    if draft.recipients.is_empty() {
        return Err(reply::NO_RECIPIENTS);
    }
    if draft.chunks.is_none() {
        let declared = draft.parameters.size.unwrap_or(0);
        draft.chunks = Some((Body::begin(budget, declared, limit).ok_or(reply::NO_ROOM)?, Ends::default()));
    }
    Ok(())
}

fn judge(body: &mut Body, ends: &Ends, last: bool) -> Option<Fault> {
    if last && !ends.is_whole() {
        body.fail(Fault::BareLine);
    }
    body.fault()
}

fn parse(argument: &str) -> Option<Chunk> {
    let (size, last) = match argument.split_once(' ') {
        Some((size, word)) if word.trim_start_matches(' ').eq_ignore_ascii_case("LAST") => (size, true),
        Some(_) => return None,
        None => (argument, false),
    };
    let digits = (1..=20).contains(&size.len()) && size.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| size.parse().ok()).flatten().map(|size| Chunk::new(size, last))
}
