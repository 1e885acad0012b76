//! Names of keys. They carry the day on which the pair was made and the kind of key: `p20261126r`, `p20261126e`; a second
//! pair of one day is `p20261126-2r`.

use penfold_authentication::Algorithm;
use penfold_types::{Error, Result, Timestamp, date};

const DAY: i64 = 86_400;
const A_DAY: u32 = 99;

/// What all keys of a pair have in common, and no key of `taken` has.
pub(crate) fn pair_name<'a>(now: Timestamp, taken: impl Iterator<Item = &'a str> + Clone) -> Result<String> {
    let (year, month, dom) = date::civil(now.seconds().div_euclid(DAY));
    let plain = format!("p{year:04}{month:02}{dom:02}");
    let mut names = std::iter::once(plain.clone()).chain((2..=A_DAY).map(|number| format!("{plain}-{number}")));
    let free = |name: &String| !taken.clone().any(|selector| pair_of(selector) == name);
    names.find(free).ok_or_else(|| Error::limit("enough keys were made for this domain today; come back tomorrow"))
}

pub(crate) fn selector(pair: &str, algorithm: Algorithm) -> String {
    let letter = match algorithm {
        Algorithm::RsaSha256 => 'r',
        Algorithm::Ed25519Sha256 => 'e',
    };
    format!("{pair}{letter}")
}

/// A selector without the letter of its algorithm.
fn pair_of(selector: &str) -> &str {
    selector.trim_end_matches(['r', 'e'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_s_name_is_its_day_and_is_not_used_twice() {
        let now = Timestamp::from_seconds(20_783 * DAY + 5);
        let mut taken: Vec<String> = Vec::new();
        for wanted in ["p20261126", "p20261126-2", "p20261126-3"] {
            let name = pair_name(now, taken.iter().map(String::as_str)).unwrap();
            assert_eq!(name, wanted);
            taken.push(selector(&name, Algorithm::RsaSha256));
            taken.push(selector(&name, Algorithm::Ed25519Sha256));
        }
        assert_eq!(taken[..2], ["p20261126r", "p20261126e"]);
    }
}
