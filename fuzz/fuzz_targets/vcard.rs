//! Cards: what is read can be converted, and what comes of it can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use penfold_formats::vcard::{Card, Limits, Version, convert, split};

fuzz_target!(|input: &[u8]| {
    for found in split(input, Limits::default()) {
        let _ = found;
    }
    let Ok(card) = Card::read(input, Limits::default()) else { return };
    assert_eq!(card.bytes(), input);
    for version in [Version::V3, Version::V4] {
        let converted = convert(&card, version);
        assert_eq!(Card::read(&converted, Limits::default()).unwrap().version(), version);
    }
});
