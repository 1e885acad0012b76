//! XML 1.0 with namespaces, as WebDAV uses it (RFC 4918 §8.2, §17): a body is read into a small tree, an answer is written.
//!
//! A reader is bounded in octets, elements, depth and attributes, and knows no document types: whoever declares entities
//! is refused, so none can grow. Equal names are equal in namespace and local part, whatever prefix they came with.

mod chars;
mod element;
mod fault;
mod limits;
mod name;
mod read;
mod write;

pub use element::{Element, Node};
pub use fault::Fault;
pub use limits::Limits;
pub use name::{APPLE, CALDAV, CALENDARSERVER, CARDDAV, DAV, Name, Word, XML};
pub use read::read;
pub use write::{Writer, element_bytes};
