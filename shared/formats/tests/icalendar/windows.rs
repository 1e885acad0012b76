//! What a window shows is what all of the series shows there. CASES and SEED as in `second_opinion.rs`.

use penfold_formats::icalendar::{Object, Occurrence, Zone};

use crate::generate::{Dice, case};

#[test]
fn a_window_is_a_cut_of_the_whole() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let (seed, cases) = (number("SEED", 2), number("CASES", 2000));
    let mut dice = Dice::new(seed);
    for index in 0..cases {
        let case = case(&mut dice);
        let hours = dice.roll(0, 50);
        let text = case.object().replace("RRULE", &format!("DURATION:PT{hours}H\r\nRRULE"));
        let object = Object::read(text.as_bytes()).unwrap();
        let span = object.span(&Zone::UTC);
        // As far from the start as there are a thousand, at the most.
        let (mut reach, mut whole) = (600, Vec::new());
        for further in (0..12).map(|power| 600 * 6_i64.pow(power)).take_while(|further| *further < 40 * 366 * 86_400) {
            let Ok(found) = object.occurrences(span.first..span.first + further, &Zone::UTC, 1000) else { break };
            (reach, whole) = (further, found);
        }
        assert!(whole.iter().all(|one| span.first <= one.start && span.last.is_none_or(|last| one.end <= last)), "{case:?} {span:?}");
        for _ in 0..5 {
            let from = span.first + dice.roll(-86_400, reach - 1);
            let to = (from + dice.roll(1, reach / 2)).min(span.first + reach);
            if from >= to {
                continue;
            }
            let cut: Vec<Occurrence> = whole.iter().copied().filter(|one| one.overlaps(&(from..to))).collect();
            let got =
                object.occurrences(from..to, &Zone::UTC, 1000).map_err(|error| format!("{case:?} {hours} {from}..{to}: {error}")).unwrap();
            let different = got.iter().find(|one| !cut.contains(one)).or(cut.iter().find(|one| !got.contains(one)));
            assert_eq!(different, None, "seed {seed}, case {index}: {case:?} {hours} hours, {from}..{to}");
            assert_eq!(got.len(), cut.len());
        }
    }
}
