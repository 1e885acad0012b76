//! What one request may bring or take.

/// Octets of a body that is XML.
pub const XML: usize = 1 << 20;
/// Octets of a calendar object (RFC 4791 §5.2.5).
pub const CALENDAR_OBJECT: usize = 1 << 20;
/// Octets of a vCard with its photo (RFC 6352 §6.2.3).
pub const CARD: usize = 1 << 20;
/// Attachments of one event or task (RFC 8607 §6.3): as an import has it.
pub const ATTACHMENTS: usize = penfold_calendar::ATTACHMENTS;
/// Octets of a file, and of an attachment (RFC 8607 §6.2).
pub const FILE: usize = 25 << 20;
/// Instances that one answer expands (RFC 4791 §5.2.8).
pub const INSTANCES: usize = 10_000;
/// Attendees of one instance (RFC 4791 §5.2.9).
pub const ATTENDEES: usize = 1_000;
/// Members that a PROPFIND tells of.
pub const MEMBERS: usize = 200_000;
/// Entries of the organisation's directory that a PROPFIND tells of.
pub const ENTRIES: usize = 10_000;
/// Octets of an answer after which no more cards of the directory are put into it.
pub const CARDS: usize = 16 << 20;
/// Members that one report tells of.
pub const MATCHES: usize = 100_000;
/// Members that one page of a sync-collection tells of, unless the client wants fewer.
pub const SYNC: usize = 5_000;
/// The same with the bytes of objects.
pub const SYNC_WITH_DATA: usize = 200;
/// Octets of an answer, beyond which nothing more is told in it.
pub const ANSWER: usize = 64 << 20;
/// Hrefs of a multiget.
pub const HREFS: usize = 10_000;
/// Objects of a folder that is read as one file.
pub const IN_ONE_FILE: usize = 20_000;
/// Rows that are read at once.
pub const BATCH: usize = 100;
/// Members of a folder that is copied with all that is in it.
pub const COPIED: usize = 1_000;
