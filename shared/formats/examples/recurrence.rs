//! Writes recurrence rules by chance with our answers, a JSON object a line, for tests/recurrence/second.py:
//! `recurrence [CASES [SEED]]`.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use penfold_formats::icalendar::{Object, Zone};

#[path = "../tests/icalendar/generate.rs"]
#[allow(dead_code)]
mod generate;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().unwrap());
    let (cases, seed) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(1));
    let (mut dice, mut out) = (generate::Dice::new(seed), std::io::BufWriter::new(std::io::stdout().lock()));
    for _ in 0..cases {
        let case = generate::case(&mut dice);
        // A COUNT that cannot be reached within the steps that counting may take is refused.
        let Ok(object) = Object::read(case.object().as_bytes()) else {
            eprintln!("refused: {}", case.rule);
            continue;
        };
        let first = object.span(&Zone::UTC).first;
        // A window that begins somewhere in the first years, and holds what a person could look through.
        let from = first + dice.roll(-1, 3 * 366 * 86_400) * dice.roll(0, 1);
        let mut length = 10 * 366 * 86_400;
        let found = loop {
            match object.occurrences(from..from + length, &Zone::UTC, 100) {
                Ok(found) => break found,
                Err(_) => length /= 4,
            }
        };
        let ours: Vec<String> = found.iter().map(|one| one.start.to_string()).collect();
        let count = case.count.map_or("null".to_owned(), |count| count.to_string());
        writeln!(
            out,
            r#"{{"zone": "{}", "start": "{}", "rule": "{}", "theirs": "{}", "count": {count}, "from": {from}, "to": {}, "ours": [{}]}}"#,
            case.zone,
            case.start,
            case.rule,
            case.theirs,
            from + length,
            ours.join(", ")
        )
        .unwrap();
    }
}
