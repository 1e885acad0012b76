//! Whatever comes: an answer, and no panic; what is written is read back.

use crate::dmarc::{SAMPLE, sample};
use penfold_reports::bounds::XML;
use penfold_reports::{dmarc, find, time, tls, unpack};
use proptest::prelude::*;

/// The sample with a few bytes that are others.
fn torn(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((0..text.len(), any::<u8>()), 0..6).prop_map(move |changes| {
        let mut bytes = text.as_bytes().to_vec();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes
    })
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = dmarc::read(&bytes);
        let _ = tls::read(&bytes);
        let _ = find(&bytes);
        let _ = unpack(&bytes, 10_000);
        for magic in [&b"\x1f\x8b\x08"[..], b"PK\x03\x04"] {
            let _ = unpack(&[magic, &bytes].concat(), 10_000);
        }
    }

    #[test]
    fn a_torn_sample_is_read_or_refused(bytes in torn(SAMPLE)) {
        if let Ok(feedback) = dmarc::read(&bytes) {
            let text = dmarc::write(&feedback);
            prop_assert_eq!(dmarc::read(text.as_bytes()).unwrap(), feedback, "{}", text);
        }
    }

    #[test]
    fn texts_survive(name in "\\PC{1,40}", comment in any::<String>()) {
        let mut feedback = sample();
        prop_assume!(!name.trim().is_empty());
        feedback.metadata.org_name = name;
        feedback.records[0].dkim[0].human_result = Some(comment);
        let once = dmarc::read(dmarc::write(&feedback).as_bytes()).unwrap();
        prop_assert_eq!(dmarc::read(dmarc::write(&once).as_bytes()).unwrap(), once);
    }

    #[test]
    fn times_are_read_or_not(text in "\\PC{0,30}", seconds in 0i64..253_402_300_799) {
        let _ = time::read(&text);
        prop_assert_eq!(time::read(&time::write(seconds)), Some(seconds));
    }

    #[test]
    fn packed_is_unpacked(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let packed = penfold_reports::gzip(&bytes);
        prop_assert_eq!(unpack(&packed, XML).unwrap().into_owned(), bytes);
    }
}
