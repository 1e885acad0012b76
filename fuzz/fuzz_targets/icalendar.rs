//! Calendar objects: what is read is read again the same, no window takes long, and what others see is still an object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use penfold_formats::icalendar::{Limits, Object, Zone, split};

fuzz_target!(|input: &[u8]| {
    let _ = split(input, &Limits::file(1 << 20));
    let Ok(object) = Object::read(input) else { return };
    assert_eq!(object.bytes(), input);
    let zone = Zone::named("Europe/Berlin").unwrap();
    let window = 1_767_225_600..1_769_904_000;
    let span = object.span(&zone);
    if let Ok(found) = object.occurrences(window.clone(), &zone, 1_000) {
        for one in found {
            assert!(one.start <= one.end);
            assert!(one.end >= span.first && span.last.is_none_or(|last| one.start <= last));
        }
    }
    let _ = object.busy(window.clone(), &zone, 1_000);
    let _ = object.expand(window, &zone, 1_000);
    assert_eq!(Object::read(&object.without_alarms()).unwrap().uid(), object.uid());
});
