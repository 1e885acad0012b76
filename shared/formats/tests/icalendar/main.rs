//! The public face of `penfold_formats::icalendar`: other libraries' opinions, windows, hostile input.

#![allow(clippy::unwrap_used)]

mod generate;
mod second_opinion;
mod windows;
