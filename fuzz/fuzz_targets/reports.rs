//! Reports: whatever comes is read or refused, and what was read is written so that it is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use penfold_reports::{dmarc, find, tls, unpack};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(feedback) = dmarc::read(bytes) {
        assert_eq!(dmarc::read(dmarc::write(&feedback).as_bytes()), Ok(feedback));
    }
    if let Ok(report) = tls::read(bytes) {
        assert_eq!(tls::read(&tls::write(&report)), Ok(report));
    }
    if let Ok(report) = unpack(bytes, 1 << 20) {
        assert!(report.len() <= 1 << 20);
    }
    let _ = find(bytes);
});
