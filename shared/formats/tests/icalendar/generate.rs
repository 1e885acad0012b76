//! Recurrence rules by chance, the same for the same seed, for other libraries to judge.

use std::fmt::Write;

/// Numbers that look like chance.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From `least` to `most`, both included.
    pub fn roll(&mut self, least: i64, most: i64) -> i64 {
        least + (self.next() % (most - least + 1) as u64) as i64
    }

    fn chance(&mut self, percent: i64) -> bool {
        self.roll(1, 100) <= percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(0, from.len() as i64 - 1) as usize]
    }

    fn list(&mut self, most: i64, least: i64, top: i64, signed: bool) -> Vec<i64> {
        let mut out: Vec<i64> = (0..self.roll(1, most)).map(|_| self.roll(least, top)).collect();
        if signed {
            out.iter_mut().for_each(|number| *number *= if self.chance(30) { -1 } else { 1 });
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// A series and what others have to be asked, to be asked the same.
#[derive(Debug, Clone)]
pub struct Case {
    pub zone: &'static str,
    /// By the clock of the zone: `20260131T093000`.
    pub start: String,
    pub rule: String,
    /// Without COUNT, because others do not count a start that the rule does not name, and with the day of the week that BYWEEKNO
    /// leaves to the start, where others take all seven (RFC 5545 §3.3.10 says that what is missing comes from DTSTART).
    pub theirs: String,
    pub count: Option<i64>,
}

pub const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Beirut",
];
const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const FREQUENCIES: [&str; 7] = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"];

/// What others are known to see in another way is not made: BYDAY with and without numbers in one rule (they want both to hold),
/// numbers of BYDAY beside BYWEEKNO, BYSETPOS in a first week that is not whole (they count from the start).
pub fn case(dice: &mut Dice) -> Case {
    let frequency = dice.roll(0, 6) as usize;
    let (year, month) = (dice.roll(1990, 2032), dice.roll(1, 12));
    let mut day = dice.roll(1, 31).min(if month == 2 { 28 + i64::from(year % 4 == 0) } else { 30 + (month + month / 8) % 2 });
    let mut parts = String::new();
    let by_day = days(frequency, dice, &mut parts);
    let times = [("BYHOUR", 23, 25), ("BYMINUTE", 59, 20), ("BYSECOND", 59, 15)];
    for (name, most, percent) in times {
        if dice.chance(percent) {
            let list = dice.list(4, 0, most, false);
            add(&mut parts, name, &list);
        }
    }
    let wkst = if dice.chance(30) { dice.roll(0, 6) } else { 0 };
    if !parts.is_empty() && dice.chance(20) {
        let list = dice.list(3, 1, if frequency > 4 { 2 } else { 5 }, true);
        add(&mut parts, "BYSETPOS", &list);
        if frequency == 2 {
            // The start is put on the begin of its week.
            let number = days_since(year, month, day);
            day -= (number + 3 - wkst).rem_euclid(7);
            if day < 1 {
                day += 7;
            }
        }
    }
    let interval = if dice.chance(50) { 1 } else { dice.roll(1, [4, 14, 5, 40, 100, 300, 5000][frequency]) };
    let mut rule = format!("FREQ={};INTERVAL={interval};WKST={}{parts}", FREQUENCIES[frequency], DAYS[wkst as usize]);
    let start = format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}", dice.roll(0, 23), dice.roll(0, 59), dice.pick(&[0, 0, 30, 59]));
    if dice.chance(30) {
        let until =
            format!(";UNTIL={:04}{:02}{:02}T{:02}0000Z", year + dice.roll(1, 9), dice.roll(1, 12), dice.roll(1, 28), dice.roll(0, 23));
        rule.push_str(&until);
    }
    let mut theirs = rule.clone();
    if parts.contains("BYWEEKNO") && !by_day && !parts.contains("BYMONTHDAY") && !parts.contains("BYYEARDAY") {
        let of_week = (days_since(year, month, day) + 3).rem_euclid(7);
        let _ = write!(theirs, ";BYDAY={}", DAYS[of_week as usize]);
    }
    let count = dice.chance(30).then(|| dice.roll(1, 50));
    if let Some(count) = count {
        let _ = write!(rule, ";COUNT={count}");
    }
    Case { zone: dice.pick(&ZONES), start, rule, theirs, count }
}

/// The parts that say which days. Whether BYDAY is among them.
fn days(frequency: usize, dice: &mut Dice, parts: &mut String) -> bool {
    let mut week = false;
    if dice.chance(35) {
        let list = dice.list(4, 1, 12, false);
        add(parts, "BYMONTH", &list);
    }
    if frequency != 2 && dice.chance(30) {
        let list = dice.list(4, 1, 31, true);
        add(parts, "BYMONTHDAY", &list);
    }
    if (frequency == 0 || frequency > 3) && dice.chance(15) {
        let list = dice.list(5, 1, 366, true);
        add(parts, "BYYEARDAY", &list);
    }
    if frequency == 0 && dice.chance(20) {
        // Others count the weeks of the year before wrongly: 1 January 2050 is in week 52 of 2049, and they do not see it.
        let list = dice.list(4, 1, 51, true);
        add(parts, "BYWEEKNO", &list);
        week = true;
    }
    if !dice.chance(40) {
        return false;
    }
    let most = match frequency {
        0 if !week && !parts.contains("BYMONTH=") => 53,
        0 | 1 if !week => 5,
        _ => 0,
    };
    let numbered = most > 0 && dice.chance(60);
    let names: Vec<String> = (0..dice.roll(1, 4))
        .map(|_| {
            let sign = if dice.chance(30) { -1 } else { 1 };
            let number = if numbered { (sign * dice.roll(1, most)).to_string() } else { String::new() };
            format!("{number}{}", dice.pick(&DAYS))
        })
        .collect();
    let _ = write!(parts, ";BYDAY={}", names.join(","));
    true
}

fn add(parts: &mut String, name: &str, list: &[i64]) {
    let list: Vec<String> = list.iter().map(i64::to_string).collect();
    let _ = write!(parts, ";{name}={}", list.join(","));
}

/// Days since 1970, counted month by month: only for years around now.
fn days_since(year: i64, month: i64, day: i64) -> i64 {
    let leap = |year: i64| year % 4 == 0;
    let years: i64 = (1970..year).map(|year| 365 + i64::from(leap(year))).sum();
    let months: i64 = (1..month).map(|month| if month == 2 { 28 + i64::from(leap(year)) } else { 30 + (month + month / 8) % 2 }).sum();
    years + months + day - 1
}

impl Case {
    /// As one event.
    pub fn object(&self) -> String {
        let zone = if self.zone == "UTC" { String::new() } else { format!(";TZID={}", self.zone) };
        let utc = if self.zone == "UTC" { "Z" } else { "" };
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART{zone}:{}{utc}\r\nRRULE:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            self.start, self.rule
        )
    }
}
