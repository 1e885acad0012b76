//! The ports on a local disk, in one process.
//!
//! # The data directory
//! ```text
//! DIR/lock           held (flock) while a process owns the directory
//! DIR/master.key     1 format byte, 32 key bytes; mode 0600; seals what is in secrets/
//! DIR/secrets/T      the secret of tenant T, which wraps its data keys; empty once it is destroyed. In no backup of the rest
//! DIR/store/         one fjall database: a journal, and an LSM tree for each of the spaces below
//! DIR/store.new/     a store that is being made; a crash leaves it, and the next open begins anew
//! DIR/files/tmp/     large blobs being written; emptied at open
//! DIR/files/T/NAME   blobs over 256 KB of tenant T, written aside, synced, renamed, directory synced
//! ```
//! | space | key | value |
//! |---|---|---|
//! | rows | pk `00` sk | a row ([`penfold_ports::Row::encode`]) |
//! | rows | `00` `b` blob key | empty: the blob exists (no pk begins with `00`); lists read these |
//! | blobs | last 26 characters of the blob key (its id, so new blobs sort last and are never merged with old ones), `00`, blob key | `00` bytes, or `01` length: it is in files/ |
//! | jobs | queue `00` `j` number | a job |
//! | jobs | queue `00` `f` number | how often that job failed |
//!
//! # Writing
//! One thread, the committer, takes everything that waits, judges it in order against the rows as they are and what it has
//! staged before it, writes one batch to the journal, syncs the journal once, publishes the state as the new snapshot, and
//! answers. Meanwhile the next round gathers. Readers see the last published snapshot, so nobody ever sees what a power cut
//! could take back. A small blob's put only joins the line: the commit or send after it makes it durable.
//!
//! A write or sync that fails is final: nothing more is acknowledged until the directory is opened again, because after a
//! failed sync nobody knows what the disk holds. Reads go on.

mod blobs;
mod closing;
mod committer;
mod core;
mod disk;
mod engine;
mod files;
mod health;
mod intake;
mod jobs;
mod journal;
mod layout;
mod open;
mod prepared;
mod queue;
mod recent;
mod secrets;
mod staged;
mod table;
mod tenant_secrets;

pub use open::{OpenError, Options, Ports, open};
