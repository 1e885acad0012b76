//! Bodies of DAV: what is read is written equal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use penfold_formats::xml::{Limits, element_bytes, read};

fuzz_target!(|input: &[u8]| {
    if let Ok(element) = read(input, Limits::default()) {
        assert_eq!(read(&element_bytes(&element), Limits { octets: usize::MAX, ..Limits::default() }), Ok(element));
    }
});
