//! What a window shows is what all of the series shows there. CASES and SEED as in `second_opinion.rs`.

use penfold_formats::icalendar::{Object, Occurrence, Zone};

use crate::generate::{Dice, case};

const LONGEST: i64 = 40 * 366 * 86_400;

/// From the begin of a series as far as there are a thousand, at the most: how far, and what is there.
fn whole(object: &Object) -> (i64, Vec<Occurrence>) {
    let first = object.span(&Zone::UTC).first;
    let mut out = (600, Vec::new());
    for reach in (0..12).map(|power| 600 * 6_i64.pow(power)).take_while(|reach| *reach < LONGEST) {
        let Ok(found) = object.occurrences(first..first + reach, &Zone::UTC, 1000) else { break };
        out = (reach, found);
    }
    out
}

fn check(object: &Object, dice: &mut Dice, about: &str) {
    let (span, (reach, whole)) = (object.span(&Zone::UTC), whole(object));
    assert!(whole.iter().all(|one| span.first <= one.start && span.last.is_none_or(|last| one.end <= last)), "{about} {span:?}");
    for _ in 0..5 {
        let from = span.first + dice.roll(-86_400, reach - 1);
        let to = (from + dice.roll(1, reach / 2)).min(span.first + reach);
        if from >= to {
            continue;
        }
        let cut: Vec<Occurrence> = whole.iter().copied().filter(|one| one.overlaps(&(from..to))).collect();
        let got = object.occurrences(from..to, &Zone::UTC, 1000).map_err(|error| format!("{about} {from}..{to}: {error}")).unwrap();
        let different = got.iter().find(|one| !cut.contains(one)).or(cut.iter().find(|one| !got.contains(one)));
        assert_eq!(different, None, "{about}, {from}..{to}");
        assert_eq!(got.len(), cut.len(), "{about}, {from}..{to}");
    }
}

/// The same with some instances taken out, moved, or moved with all that follow.
fn changed(text: &str, instances: &[i64], dice: &mut Dice) -> String {
    let utc = |time: i64| {
        let stamp = jiff::Timestamp::from_second(time).unwrap();
        stamp.strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    let mut text = text.to_owned();
    for _ in 0..dice.roll(1, 6) {
        let one = instances[dice.roll(0, instances.len() as i64 - 1) as usize];
        match dice.roll(0, 3) {
            0 => text = text.replacen("RRULE", &format!("EXDATE:{}\r\nRRULE", utc(one)), 1),
            1 => text = text.replacen("RRULE", &format!("RDATE:{}\r\nRRULE", utc(one + dice.roll(1, 100_000))), 1),
            kind => {
                let range = if kind == 2 { ";RANGE=THISANDFUTURE" } else { "" };
                let (to, hours) = (utc(one + dice.roll(-300_000, 300_000)), dice.roll(0, 30));
                let own = format!("RECURRENCE-ID{range}:{}\r\nDTSTART:{to}\r\nDURATION:PT{hours}H\r\n", utc(one));
                text = text.replace("END:VCALENDAR", &format!("BEGIN:VEVENT\r\nUID:1\r\n{own}END:VEVENT\r\nEND:VCALENDAR"));
            }
        }
    }
    text
}

#[test]
fn a_window_is_a_cut_of_the_whole() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let (seed, cases) = (number("SEED", 2), number("CASES", 2000));
    let mut dice = Dice::new(seed);
    for index in 0..cases {
        let case = case(&mut dice);
        let text = case.object().replace("RRULE", &format!("DURATION:PT{}H\r\nRRULE", dice.roll(0, 50)));
        let object = Object::read(text.as_bytes()).unwrap();
        check(&object, &mut dice, &format!("seed {seed}, case {index}: {text}"));
        let instances: Vec<i64> = whole(&object).1.iter().filter_map(|one| Some(one.recurrence_id?.utc)).take(20).collect();
        if !instances.is_empty() {
            let text = changed(&text, &instances, &mut dice);
            check(&Object::read(text.as_bytes()).unwrap(), &mut dice, &format!("seed {seed}, case {index}: {text}"));
        }
    }
}
