//! The public face of `penfold_formats::icalendar`: other libraries' opinions, windows, hostile input.

#![allow(clippy::unwrap_used)]

mod generate;
mod hostile;
mod reading;
mod second_opinion;
mod windows;
