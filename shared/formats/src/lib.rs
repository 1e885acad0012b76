//! Formats: bytes to values and back. Pure (no clock, no I/O), bounded in time and memory, and never a panic: whatever a
//! stranger sends becomes some value, or `None`.

pub mod icalendar;
pub mod lines;
pub mod mime;
pub mod vcard;
pub mod xml;
