use crate::faults::Faults;
use crate::rng::Rng;
use crate::secrets::Secret;
use crate::trace::Trace;
use bytes::Bytes;
use penfold_ports::{After, BlobKey, Job, Key, Line, QueueName, Row};
use penfold_types::{TenantId, Timestamp};
use std::collections::BTreeMap;

/// Everything there is, and the seed's say over it.
pub(crate) struct State {
    pub(crate) rows: BTreeMap<Key, Row>,
    pub(crate) blobs: BTreeMap<BlobKey, Bytes>,
    /// Put, but no commit or send since has made them durable.
    pub(crate) undurable: BTreeMap<BlobKey, Bytes>,
    pub(crate) jobs: BTreeMap<u64, Job>,
    pub(crate) next_job: u64,
    lines: BTreeMap<QueueName, Line>,
    /// Client tokens and job ids, with the time they were seen.
    pub(crate) tokens: BTreeMap<[u8; 16], Timestamp>,
    pub(crate) job_ids: BTreeMap<(QueueName, [u8; 16]), Timestamp>,
    /// Of tenants; no crash and no backup has anything to do with them.
    pub(crate) secrets: BTreeMap<TenantId, Secret>,
    secrets_made: u64,
    pub(crate) rng: Rng,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) calls: u64,
}

impl State {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            rows: BTreeMap::new(),
            blobs: BTreeMap::new(),
            undurable: BTreeMap::new(),
            jobs: BTreeMap::new(),
            next_job: 1,
            lines: BTreeMap::new(),
            tokens: BTreeMap::new(),
            job_ids: BTreeMap::new(),
            secrets: BTreeMap::new(),
            secrets_made: 0,
            rng: Rng::new(seed),
            faults,
            trace: Trace::default(),
            calls: 0,
        }
    }

    pub(crate) fn line(&mut self, queue: QueueName) -> &mut Line {
        self.lines.entry(queue).or_default()
    }

    pub(crate) fn next_secret(&mut self) -> u64 {
        self.secrets_made += 1;
        self.secrets_made
    }

    pub(crate) fn set_rows(&mut self, rows: Vec<After<'_>>) {
        for (key, row) in rows {
            match row {
                Some(row) => self.rows.insert(key.clone(), row.into_owned()),
                None => self.rows.remove(key),
            };
        }
        self.make_durable();
    }

    /// A commit or send is durable, and with it every blob put before.
    pub(crate) fn make_durable(&mut self) {
        self.blobs.append(&mut self.undurable);
    }

    pub(crate) fn crash(&mut self) {
        self.undurable.clear();
        self.lines.values_mut().for_each(Line::recall);
        self.trace.text("crash");
    }
}
