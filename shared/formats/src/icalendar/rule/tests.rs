//! RFC 5545 §3.8.5.3, all of its examples, and what no rule may do.

use super::*;
use crate::icalendar::{civil::END, fault::What, zone::Zone};

/// Days as `199709 02 03`: six digits are a year and a month, two a day of it, at the time of the start. Or whole times.
fn expected(text: &str, start: Clock) -> Vec<i64> {
    let (mut month, mut out) = ("", Vec::new());
    for word in text.split_whitespace() {
        match word.len() {
            6 => month = word,
            2 => out.push(clock(&format!("{month}{word}")).unwrap().local + start.local.rem_euclid(DAY)),
            _ => out.push(clock(word).unwrap().local),
        }
    }
    out
}

/// All of a rule, or as many as are wanted.
fn walk(start: &str, rule: &str, most: usize) -> Vec<i64> {
    let zone = Zone::named("America/New_York").unwrap();
    let series = Series::new(&Rule::parse(rule, 1).unwrap(), clock(start).unwrap(), Some(&zone), &mut Budget::new(1_000_000)).unwrap();
    let mut out = Vec::new();
    let mut each = |time| {
        out.push(time);
        out.len() < most
    };
    series.walk(0..END, &mut Budget::new(1_000_000), &mut each).unwrap();
    out
}

fn check(start: &str, rule: &str, wanted: &str) {
    let wanted = expected(wanted, clock(start).unwrap());
    // Without an end the standard shows the first ones.
    let most = if rule.contains("UNTIL") || rule.contains("COUNT") { 10_000 } else { wanted.len() };
    let shown = |times: Vec<i64>| times.into_iter().map(crate::icalendar::civil::write_local).collect::<Vec<_>>();
    assert_eq!(shown(walk(start, rule, most)), shown(wanted), "{rule}");
}

#[test]
fn daily_of_rfc_5545() {
    check("19970902T090000", "FREQ=DAILY;COUNT=10", "199709 02 03 04 05 06 07 08 09 10 11");
    assert_eq!(walk("19970902T090000", "FREQ=DAILY;UNTIL=19971224T000000Z", 1000).len(), 113);
    check("19970902T090000", "FREQ=DAILY;INTERVAL=2", "199709 02 04 06 08 10 12 14 16 18 20 22 24 26 28 30 199710 02 04");
    check("19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5", "199709 02 12 22 199710 02 12");
    let yearly = walk("19980101T090000", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", 1000);
    assert_eq!(yearly.len(), 93);
    assert_eq!(yearly, walk("19980101T090000", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", 1000));
}

#[test]
fn weekly_of_rfc_5545() {
    check("19970902T090000", "FREQ=WEEKLY;COUNT=10", "199709 02 09 16 23 30 199710 07 14 21 28 199711 04");
    check(
        "19970902T090000",
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "199709 02 09 16 23 30 199710 07 14 21 28 199711 04 11 18 25 199712 02 09 16 23",
    );
    check(
        "19970902T090000",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "199709 02 16 30 199710 14 28 199711 11 25 199712 09 23 199801 06 20 199802 03",
    );
    for end in ["UNTIL=19971007T000000Z", "COUNT=10"] {
        check("19970902T090000", &format!("FREQ=WEEKLY;{end};WKST=SU;BYDAY=TU,TH"), "199709 02 04 09 11 16 18 23 25 30 199710 02");
    }
    check(
        "19970901T090000",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "199709 01 03 05 15 17 19 29 199710 01 03 13 15 17 27 29 31 199711 10 12 14 24 26 28 199712 08 10 12 22",
    );
    check("19970902T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "199709 02 04 16 18 30 199710 02 14 16");
    check("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "199708 05 10 19 24");
    check("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "199708 05 17 19 31");
}

#[test]
fn monthly_of_rfc_5545() {
    check(
        "19970905T090000",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "199709 05 199710 03 199711 07 199712 05 199801 02 199802 06 199803 06 199804 03 199805 01 199806 05",
    );
    check("19970905T090000", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "199709 05 199710 03 199711 07 199712 05");
    check(
        "19970907T090000",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "199709 07 28 199711 02 30 199801 04 25 199803 01 29 199805 03 31",
    );
    check("19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "199709 22 199710 20 199711 17 199712 22 199801 19 199802 16");
    check("19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3", "199709 28 199710 29 199711 28 199712 29 199801 29 199802 26");
    check("19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "199709 02 15 199710 02 15 199711 02 15 199712 02 15 199801 02 15");
    check(
        "19970930T090000",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "199709 30 199710 01 31 199711 01 30 199712 01 31 199801 01 31 199802 01",
    );
    check(
        "19970910T090000",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "199709 10 11 12 13 14 15 199903 10 11 12 13",
    );
    check(
        "19970902T090000",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "199709 02 09 16 23 30 199711 04 11 18 25 199801 06 13 20 27 199803 03 10 17 24 31",
    );
    // DTSTART is the first here; the standard takes it out by EXDATE.
    check("19970902T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "199709 02 199802 13 199803 13 199811 13 199908 13 200010 13");
    check(
        "19970913T090000",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "199709 13 199710 11 199711 08 199712 13 199801 10 199802 07 199803 07 199804 11 199805 09 199806 13",
    );
    check("19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "199709 04 199710 07 199711 06");
    check(
        "19970929T090000",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "199709 29 199710 30 199711 27 199712 30 199801 29 199802 26 199803 30",
    );
    check("20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "200701 15 30 200702 15 200703 15 30");
}

#[test]
fn yearly_of_rfc_5545() {
    check(
        "19970610T090000",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "199706 10 199707 10 199806 10 199807 10 199906 10 199907 10 200006 10 200007 10 200106 10 200107 10",
    );
    check(
        "19970310T090000",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "199703 10 199901 10 199902 10 199903 10 200101 10 200102 10 200103 10 200301 10 200302 10 200303 10",
    );
    check(
        "19970101T090000",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "199701 01 199704 10 199707 19 200001 01 200004 09 200007 18 200301 01 200304 10 200307 19 200601 01",
    );
    check("19970519T090000", "FREQ=YEARLY;BYDAY=20MO", "199705 19 199805 18 199905 17");
    check("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "199705 12 199805 11 199905 17");
    check("19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "199703 13 20 27 199803 05 12 19 26 199903 04 11 18 25");
    check(
        "19970605T090000",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "199706 05 12 19 26 199707 03 10 17 24 31 199708 07 14 21 28 199806 04 11 18 25",
    );
    check("19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "199611 05 200011 07 200411 02");
    check("19920107T090000", "FREQ=YEARLY;INTERVAL=3;BYWEEKNO=2;BYDAY=TU", "199201 07 199501 10 199801 06");
}

#[test]
fn within_the_day_of_rfc_5545() {
    check("19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "19970902T090000 19970902T120000 19970902T150000");
    check(
        "19970902T090000",
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "19970902T090000 19970902T091500 19970902T093000 19970902T094500 19970902T100000 19970902T101500",
    );
    check("19970902T090000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4", "19970902T090000 19970902T103000 19970902T120000 19970902T133000");
    let day = walk("19970902T090000", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", 500);
    assert_eq!(day, walk("19970902T090000", "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16", 500));
    assert_eq!(day.len(), 500);
    assert_eq!(day[24], clock("19970903T090000").unwrap().local);
}

#[test]
fn invalid_dates_of_rfc_7529() {
    check("20140131", "RSCALE=GREGORIAN;FREQ=MONTHLY;COUNT=4", "201401 31 201403 31 201405 31 201407 31");
    check("20140131", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;COUNT=4", "201401 31 201402 28 201403 31 201404 30");
    check("20140131", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD;COUNT=4", "201401 31 201403 01 31 201405 01");
    check("20160229", "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=FORWARD;COUNT=5", "201602 29 201703 01 201803 01 201903 01 202002 29");
    assert_eq!(Rule::parse("RSCALE=CHINESE;FREQ=YEARLY", 7).map_err(|fault| (fault.what, fault.line)), Err((What::SupportedRscale, 7)));
}

#[test]
fn what_is_no_rule() {
    for wrong in [
        "",
        "INTERVAL=2",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=é",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYEASTER=0",
        "FREQ",
    ] {
        assert_eq!(Rule::parse(wrong, 3).map_err(|fault| fault.line), Err(3), "{wrong}");
    }
    assert!(Rule::parse("freq=daily;;X-THING=1;byhour=9;", 1).is_ok());
}

#[test]
fn counting_by_arithmetic_is_counting() {
    let start = clock("20240131T093015").unwrap();
    for rule in [
        "FREQ=DAILY;INTERVAL=3;BYHOUR=8,9,20",
        "FREQ=WEEKLY;BYDAY=MO,WE,1FR;INTERVAL=2",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=MONTHLY;BYMONTHDAY=1,15,28",
        "FREQ=MONTHLY;BYDAY=1MO,3WE",
        "FREQ=MONTHLY;BYMONTHDAY=-1;INTERVAL=5",
        "FREQ=YEARLY;BYMONTH=1,5;BYMONTHDAY=3,7",
        "FREQ=YEARLY;BYDAY=20MO,-1FR",
        "FREQ=YEARLY;BYMONTHDAY=9",
        "FREQ=HOURLY;INTERVAL=7;BYMINUTE=0,30",
        "FREQ=MINUTELY;INTERVAL=7;BYSECOND=0,15",
        "FREQ=SECONDLY;INTERVAL=100000",
        "FREQ=MONTHLY",
        "FREQ=YEARLY;BYDAY=MO;BYMONTH=2",
    ] {
        let all = walk("20240131T093015", rule, 100);
        for count in [1, 2, 3, 4, 5, 17, 60, 99] {
            let counted = Rule::parse(&format!("{rule};COUNT={count}"), 1).unwrap();
            let series = Series::new(&counted, start, None, &mut Budget::new(100_000)).unwrap();
            assert_eq!(series.end(), Some(all[count - 1]), "{rule} {count}");
        }
    }
}

#[test]
fn a_late_window_costs_what_an_early_one_does() {
    for (rule, most) in [
        ("FREQ=DAILY", 20),
        ("FREQ=SECONDLY;INTERVAL=7", 30_000),
        ("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", 30),
        ("FREQ=DAILY;COUNT=999999", 20),
    ] {
        let series = Series::new(&Rule::parse(rule, 1).unwrap(), clock("19900101T090000").unwrap(), None, &mut Budget::new(100)).unwrap();
        let day = clock("20600328").unwrap().local;
        series.walk(day..day + DAY, &mut Budget::new(most), &mut |_| true).unwrap();
    }
}

#[test]
fn bombs_end() {
    let start = clock("19900101T090000").unwrap();
    let whole = |rule: &str| {
        let series = Series::new(&Rule::parse(rule, 1).unwrap(), start, None, &mut Budget::new(1_000_000)).map_err(|_| "count")?;
        let mut count = 0;
        series
            .walk(0..END, &mut Budget::new(1_000_000), &mut |_| {
                count += 1;
                true
            })
            .map(|()| count)
            .map_err(|_| "walk")
    };
    assert_eq!(whole("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), Ok(1));
    assert_eq!(whole("FREQ=SECONDLY;BYSETPOS=2"), Ok(1));
    // Never at these hours of these days, nor on such a day of the month.
    assert_eq!(whole("FREQ=HOURLY;INTERVAL=14;BYDAY=FR,SA;BYHOUR=8"), Ok(1));
    assert_eq!(whole("FREQ=MINUTELY;INTERVAL=1440;BYHOUR=8"), Ok(1));
    assert_eq!(whole("FREQ=HOURLY;BYMONTH=6;BYMONTHDAY=31"), Ok(1));
    assert_eq!(whole("FREQ=SECONDLY;BYYEARDAY=1;BYMONTH=2"), Ok(1));
    assert_eq!(whole("FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1"), Ok(1));
    assert_eq!(whole("FREQ=SECONDLY;BYSETPOS=-1"), Err("walk"));
    assert_eq!(whole("FREQ=SECONDLY;COUNT=999999999;BYHOUR=3"), Err("count"));
    let all = |name: &str, most: usize| format!("{name}={}", (0..most).map(|number| number.to_string()).collect::<Vec<_>>().join(","));
    let most = format!("FREQ=YEARLY;BYYEARDAY=1;{};{};{};", all("BYHOUR", 24), all("BYMINUTE", 60), all("BYSECOND", 60));
    assert_eq!(whole(&format!("{most}BYSETPOS=86400")), Ok(8011));
    assert_eq!(whole(&most), Err("walk"));
}
