//! The words that people, groups, shared mailboxes and outside contacts are found by. Each is a row that holds all words of its
//! entry, so that a search reads no other row to see who fits; it is written in the commit that changes what it stands for. What
//! an entry's own row holds of its words says which rows there are.

use crate::profile::{Attribute, Profile};
use crate::rows::{Principal, PrincipalKind, keyed, rest};
use icu_normalizer::DecomposingNormalizerBorrowed;
use penfold_ports::{Row, Sk, TenantScope, Write};
use penfold_types::{Address, PrincipalId};
use std::collections::BTreeSet;

/// Words of one entry.
const WORDS: usize = 12;
/// Of these, those of the name at most.
const OF_NAME: usize = 6;
/// Bytes of one word.
const LONGEST: usize = 40;
/// Bytes of what is asked that are looked at.
const ASKED: usize = 500;
/// Words of what is asked.
const ASKED_WORDS: usize = 8;
/// What stands for an outside contact beside the kinds of principals.
pub(crate) const CONTACT: u64 = 4;

/// Marks: letters are found without them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Letters that are no other letter with a mark, and are typed as others.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        _ => return None,
    })
}

/// As texts are compared: in lower case, without accents (NFKD of UAX #15, without marks).
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let apart = DecomposingNormalizerBorrowed::new_nfkd().normalize(&text.to_lowercase()).to_lowercase();
    let mut out = String::with_capacity(apart.len());
    for c in apart.chars().filter(|c| !is_mark(*c)) {
        match plain(c) {
            Some(letters) => out.push_str(letters),
            None => out.push(c),
        }
    }
    out
}

/// The words of a text, folded.
fn words(text: &str) -> impl Iterator<Item = String> {
    let all: Vec<String> = folded(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(cut).collect();
    all.into_iter()
}

fn cut(word: &str) -> String {
    let end = word.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST).last().unwrap_or(0);
    word.get(..end).unwrap_or_default().to_owned()
}

fn local(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}

/// What is looked for: words, all of which an entry has to have the beginning of, and domains behind an at sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub words: Vec<String>,
    /// As far as they were typed.
    pub domains: Vec<String>,
}

impl Asked {
    pub fn read(text: &str) -> Self {
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= ASKED).last().unwrap_or(0);
        let text = if text.len() <= ASKED { text } else { text.get(..end).unwrap_or_default() };
        let (mut found, mut domains) = (Vec::new(), Vec::new());
        for token in text.split_whitespace() {
            let token = token.trim_matches(['<', '>', ',', ';', '"']);
            if let Some((_, domain)) = token.rsplit_once('@').filter(|(_, domain)| !domain.is_empty()) {
                domains.push(domain.to_lowercase());
            }
            for word in words(local(token)).filter(|word| !found.contains(word)).collect::<Vec<_>>() {
                found.push(word);
            }
        }
        found.truncate(ASKED_WORDS);
        Self { words: found, domains }
    }

    /// Whether somebody of this name and address is meant.
    pub fn fits_address(&self, name: &str, address: &Address) -> bool {
        let own = words_of(name, &Profile::default(), &[address]);
        self.fits(own.iter().map(String::as_str)) && self.domains.iter().all(|begin| address.domain().as_str().starts_with(begin.as_str()))
    }

    /// Whether an entry of these words is meant.
    pub fn fits<'a>(&self, words: impl Iterator<Item = &'a str> + Clone) -> bool {
        self.words.iter().all(|asked| words.clone().any(|word| word.starts_with(asked.as_str())))
    }

    /// The same, where the words may also stand inside of others.
    pub fn stands_in<'a>(&self, words: impl Iterator<Item = &'a str> + Clone) -> bool {
        self.words.iter().all(|asked| words.clone().any(|word| word.contains(asked.as_str())))
    }
}

/// The words of an entry: of its name, of its first address, and then of whatever else it is called by.
pub(crate) fn words_of(name: &str, profile: &Profile, addresses: &[&Address]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut take = |more: &mut dyn Iterator<Item = String>, most: usize| {
        for word in more {
            if found.len() < most {
                found.insert(word);
            }
        }
    };
    let locals: Vec<String> = addresses.iter().map(|address| address.key()).collect();
    take(&mut words(name), OF_NAME);
    take(&mut locals.first().into_iter().flat_map(|key| words(local(key))), OF_NAME + 3);
    for attribute in [Attribute::GivenName, Attribute::FamilyName] {
        take(&mut profile.get(attribute).into_iter().flat_map(words), WORDS);
    }
    take(&mut locals.iter().skip(1).flat_map(|key| words(local(key))), WORDS);
    found
}

/// What an entry's row says of its words: how often they were changed, and which they are.
pub(crate) struct Change {
    pub stored: String,
    pub writes: Vec<Write>,
}

fn split(stored: &str) -> (u64, BTreeSet<String>) {
    let mut parts = stored.split(' ');
    let number = parts.next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (number, parts.filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

/// From what stood in the entry's row (`None`: nothing yet) to other words.
pub(crate) fn change(scope: &TenantScope, id: PrincipalId, kind: u64, before: Option<&str>, after: &BTreeSet<String>) -> Change {
    let (number, old) = before.map(split).unwrap_or_default();
    let all = after.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut writes: Vec<_> = old.difference(after).map(|word| Write::delete(scope.organisation(row_key(word, id)))).collect();
    if old != *after {
        let row = || Row::new().with("k", kind).with("w", all.as_str());
        writes.extend(after.iter().map(|word| Write::put(scope.organisation(row_key(word, id)), row())));
    }
    Change { stored: format!("{} {all}", number.saturating_add(1)).trim_end().to_owned(), writes }
}

impl Principal {
    /// The words that it is to be found by, with all its addresses.
    pub fn own_words(&self, aliases: &[Address]) -> BTreeSet<String> {
        if self.is_hidden() {
            return BTreeSet::new();
        }
        let addresses: Vec<_> = std::iter::once(&self.address).chain(aliases).collect();
        words_of(&self.name, &self.profile, &addresses)
    }

    /// For one that is made: its row then says which words it has.
    pub fn index(&mut self, scope: &TenantScope, id: PrincipalId, aliases: &[Address]) -> Vec<Write> {
        let change = change(scope, id, self.kind.number(), None, &self.own_words(aliases));
        self.words = Some(change.stored);
        change.writes
    }
}

const PREFIX: &str = "word#";

/// Rows of words that begin with this: of all, where it is empty.
pub(crate) fn begins(word: &str) -> Sk {
    Sk::text(&format!("{PREFIX}{word}"))
}

fn row_key(word: &str, id: PrincipalId) -> Sk {
    keyed(&format!("{PREFIX}{word}\0"), id.as_bytes())
}

/// Of a row's key: whose word it is.
pub(crate) fn entry_of(key: &Sk) -> Option<PrincipalId> {
    let rest = rest(key, PREFIX)?;
    let at = rest.len().checked_sub(16)?;
    PrincipalId::from_slice(rest.get(at..)?)
}

/// Of a row's key: which word.
pub(crate) fn word_of(key: &Sk) -> Option<&str> {
    let rest = rest(key, PREFIX)?;
    std::str::from_utf8(rest.get(..rest.len().checked_sub(17)?)?).ok()
}

/// What kinds the numbers in rows of words stand for; `None` is an outside contact.
pub(crate) fn kind_of(row: &Row) -> Option<Option<PrincipalKind>> {
    match row.u64("k")? {
        CONTACT => Some(None),
        number => PrincipalKind::read(number).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_written() {
        for (text, wanted) in [
            ("José-María ÅNGSTRÖM", vec!["jose", "maria", "angstrom"]),
            ("Weiß, Łukasz", vec!["weiss", "lukasz"]),
            ("ﬁne Ⅳ", vec!["fine", "iv"]),
            ("Ναυσικά", vec!["ναυσικα"]),
            ("  \u{300} ", vec![]),
        ] {
            assert_eq!(words(text).collect::<Vec<_>>(), wanted, "{text}");
        }
        assert_eq!(cut(&"é".repeat(30)).len(), LONGEST);
        assert_eq!(cut(&format!("a{}", "é".repeat(30))).len(), LONGEST - 1);
    }

    #[test]
    fn an_entry_has_twelve_words_and_its_address_is_among_them() {
        let name = (0..40).map(|number| format!("n{number}")).collect::<Vec<_>>().join(" ");
        let addresses: Vec<Address> = (0..20).map(|number| format!("local.part{number}@one.test").parse().unwrap()).collect();
        let found = words_of(&name, &Profile::default(), &addresses.iter().collect::<Vec<_>>());
        assert_eq!(found.len(), WORDS);
        assert!(found.contains("local") && found.contains("part0"), "{found:?}");
    }

    #[test]
    fn what_is_asked_is_bounded_and_knows_addresses() {
        let asked = Asked::read("Ann \"Müll\" <ann.m@one.te>");
        assert_eq!((asked.words, asked.domains), (vec!["ann".to_owned(), "mull".into(), "m".into()], vec!["one.te".to_owned()]));
        assert!(Asked::read(&"ä ".repeat(10_000)).words.len() <= ASKED_WORDS);
        assert_eq!(Asked::read(" @ - "), Asked::default());
        assert!(Asked::read("an sm").fits(["anna", "smith"].into_iter()) && !Asked::read("an sm").fits(["anna"].into_iter()));
    }
}
