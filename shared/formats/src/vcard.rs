//! vCards: 3.0 (RFC 2426) and 4.0 (RFC 6350), and 2.1 where a file is imported.
//!
//! A card is read over the bytes that a client wrote, and those are what is given back. What has to be written anew (another
//! version, some properties only, a person of the directory) is made line by line from them.

mod build;
mod card;
mod convert;
mod draft;
mod fault;
mod fields;
pub mod filter;
mod many;
mod old;
mod partial;
mod value;

pub use build::{Fields, build};
pub use card::{Card, Limits, Version};
pub use convert::convert;
pub use fault::{Fault, What};
pub use fields::{Birthday, Kind, Name, Photo, Point};
pub use many::{Found, join, split};
pub use partial::{Selected, select, with_uid};
