//! The crate `rrule`, a descendant of dateutil, as a second opinion. CASES=100000 asks for more, SEED for others.
//!
//! Where it is known to see things in another way, `generate.rs` asks so that both can agree; and here: it leaves out times of days
//! whose midnight the clock skips (or has twice), so zones with such days are for the third opinion (tests/recurrence). So are
//! rules by minutes and seconds that leave out days, hours or minutes: it jumps too far behind them, and misses what is there
//! (`FREQ=MINUTELY;BYMONTH=1;BYHOUR=1,16` has nothing at one o'clock of the first day).

use std::collections::BTreeSet;

use penfold_formats::icalendar::{Object, Zone};
use rrule::RRuleSet;

use crate::generate::{Case, Dice, case};

/// Compares the first instances; says how many, or what is different.
fn compare(case: &Case) -> Result<usize, String> {
    let utc = if case.zone == "UTC" { "Z" } else { "" };
    let text = format!("DTSTART;TZID={}:{}{utc}\nRRULE:{}", case.zone, case.start, case.theirs);
    let text = if utc.is_empty() { text } else { text.replace(";TZID=UTC", "") };
    // What it takes for no rule: a start that the clock skips or has twice, BYSETPOS alone.
    let Ok(set) = text.parse::<RRuleSet>() else { return Ok(0) };
    let start = set.get_dt_start().timestamp();
    let found = set.all(60);
    let mut theirs: Vec<i64> = found.dates.iter().map(|date| date.timestamp()).collect();
    // Where it gave up, nothing is known of what is behind its last one.
    let end = if found.limited { theirs.last().map_or(start, |last| last + 1) } else { start + 20 * 366 * 86_400 };
    // Its zones know no summer time behind 2100.
    let end = end.min(3_786_912_000);
    if theirs.first() != Some(&start) {
        theirs.insert(0, start);
    }
    // COUNT is of times by the clock, of which two can be one by UTC.
    theirs.truncate(case.count.map_or(usize::MAX, |count| count as usize));
    let theirs: BTreeSet<i64> = theirs.into_iter().filter(|time| *time < end).collect();
    let theirs: Vec<i64> = theirs.into_iter().collect();
    let object = Object::read(case.object().as_bytes()).map_err(|fault| fault.to_string())?;
    let ours = object.occurrences(start..end, &Zone::UTC, 10_000).map_err(|error| error.to_string())?;
    let ours: Vec<i64> = ours.iter().map(|one| one.start).collect();
    if ours == theirs { Ok(ours.len()) } else { Err(format!("ours {ours:?}\ntheirs {theirs:?}")) }
}

fn leaves_out(rule: &str) -> bool {
    let parts = ["BYMONTH", "BYYEARDAY", "BYDAY", "BYHOUR", "BYMINUTE"];
    (rule.contains("=SECONDLY") && parts.iter().any(|part| rule.contains(part)))
        || (rule.contains("=MINUTELY") && parts.iter().take(4).any(|part| rule.contains(part)))
}

#[test]
fn agrees_with_rrule() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let (seed, cases) = (number("SEED", 1), number("CASES", 10_000));
    let mut dice = Dice::new(seed);
    let (mut compared, mut instances) = (0, 0);
    for index in 0..cases {
        let case = case(&mut dice);
        if ["America/Sao_Paulo", "Asia/Beirut"].contains(&case.zone) || leaves_out(&case.rule) {
            continue;
        }
        match compare(&case) {
            Ok(found) => {
                compared += usize::from(found > 0);
                instances += found;
            }
            Err(difference) => panic!("seed {seed}, case {index}: {case:?}\n{difference}"),
        }
    }
    // Enough of them must have been judged for this to mean anything.
    println!("seed {seed}: {compared} of {cases} compared, {instances} instances");
    assert!(compared as u64 * 10 > cases * 5, "{compared} of {cases}");
}
