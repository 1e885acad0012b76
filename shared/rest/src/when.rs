//! Times as text: RFC 3339 in UTC, to the second.

use penfold_types::Timestamp;
use penfold_types::date::{civil, day};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::{PartialSchema, ToSchema};

const DAY: i64 = 86_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub Timestamp);

impl From<Timestamp> for When {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.seconds();
        let ((year, month, dom), of_day) = (civil(seconds.div_euclid(DAY)), seconds.rem_euclid(DAY));
        write!(f, "{year:04}-{month:02}-{dom:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).map(Self).ok_or_else(|| "a time is written as 2026-11-26T08:30:00Z".to_owned())
    }
}

fn read(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't'])?;
    let number =
        |text: &str, digits: usize| text.parse::<i64>().ok().filter(|_| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()));
    let mut parts = date.split('-');
    let (year, month, dom) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (clock, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, 0),
        None => {
            let at = time.rfind(['+', '-'])?;
            let (clock, zone) = time.split_at(at);
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let (hours, minutes) = (number(hours, 2).filter(|h| *h < 24)?, number(minutes, 2).filter(|m| *m < 60)?);
            (clock, (hours * 60 + minutes) * 60 * if zone.starts_with('-') { -1 } else { 1 })
        }
    };
    let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if hour > 23 || minute > 59 || second > 60 || parts.next().is_some() {
        return None;
    }
    Some(Timestamp::from_seconds(day(year, month, dom)? * DAY + hour * 3600 + minute * 60 + second - offset))
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for When {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ToSchema for When {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_both_ways() {
        for (text, seconds) in [("1970-01-01T00:00:00Z", 0), ("2026-11-26T08:30:01Z", 1_795_681_801), ("1969-12-31T23:59:59Z", -1)] {
            assert_eq!(text.parse(), Ok(When(Timestamp::from_seconds(seconds))));
            assert_eq!(When(Timestamp::from_seconds(seconds)).to_string(), text);
        }
        assert_eq!("1990-12-31t15:59:59.5-08:00".parse::<When>().unwrap().to_string(), "1990-12-31T23:59:59Z");
        for wrong in [
            "",
            "2026-11-26",
            "2026-13-01T00:00:00Z",
            "2026-11-26T24:00:00Z",
            "2026-11-26T08:30Z",
            "+026-11-26T08:30:00Z",
            "2026-11-26T08:30:00",
        ] {
            assert!(wrong.parse::<When>().is_err(), "{wrong}");
        }
    }
}
