//! The public face of `penfold_formats::xml`.

#![allow(clippy::unwrap_used)]

mod hostile;
mod property;
mod reading;
mod writing;

use penfold_formats::xml::{Element, Fault, Limits, read};

fn parsed(text: &str) -> Element {
    read(text.as_bytes(), Limits::default()).unwrap()
}

fn fault(bytes: &[u8]) -> Fault {
    read(bytes, Limits::default()).unwrap_err()
}
