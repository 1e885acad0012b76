//! Which domains nobody claims for a company: those that belong to everybody, to nobody, or look like another one.

use crate::Directory;
use penfold_types::{Domain, Error, Result};

/// Top-level names that are not in public DNS (RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476 and what is set aside since).
const RESERVED: [&str; 11] = ["localhost", "invalid", "local", "onion", "arpa", "internal", "alt", "lan", "home", "corp", "example"];
/// For tests only; where the service itself is under test it is taken.
const FOR_TESTS: &str = "test";
const DOCUMENTS: [&str; 3] = ["example.com", "example.net", "example.org"];
/// Where anybody gets an address: none of them is a company's.
const FREE_MAIL: [&str; 60] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "hotmail.co.uk",
    "hotmail.fr",
    "hotmail.de",
    "live.com",
    "live.co.uk",
    "msn.com",
    "passport.com",
    "yahoo.com",
    "yahoo.co.uk",
    "yahoo.co.jp",
    "yahoo.fr",
    "yahoo.de",
    "ymail.com",
    "rocketmail.com",
    "aol.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "gmx.de",
    "gmx.net",
    "gmx.com",
    "gmx.at",
    "gmx.ch",
    "web.de",
    "freenet.de",
    "t-online.de",
    "arcor.de",
    "mail.ru",
    "bk.ru",
    "inbox.ru",
    "list.ru",
    "yandex.ru",
    "yandex.com",
    "rambler.ru",
    "proton.me",
    "protonmail.com",
    "pm.me",
    "tutanota.com",
    "tuta.io",
    "fastmail.com",
    "fastmail.fm",
    "hey.com",
    "zoho.com",
    "mail.com",
    "email.com",
    "qq.com",
    "163.com",
    "126.com",
    "sina.com",
    "naver.com",
    "daum.net",
    "orange.fr",
    "laposte.net",
    "free.fr",
    "libero.it",
    "seznam.cz",
];
/// Suffixes below which everybody registers; the suffix itself is nobody's.
const SUFFIXES: [&str; 22] = [
    "co.uk",
    "org.uk",
    "ac.uk",
    "gov.uk",
    "com.au",
    "net.au",
    "org.au",
    "co.nz",
    "co.jp",
    "or.jp",
    "ne.jp",
    "com.br",
    "com.cn",
    "com.mx",
    "com.tr",
    "co.in",
    "co.za",
    "co.kr",
    "com.sg",
    "com.tw",
    "github.io",
    "amazonaws.com",
];

impl Directory {
    /// One sentence for the person who asked, where it may not be. Whether somebody has the domain is not looked at.
    pub async fn may_be_claimed(&self, domain: &Domain) -> Result<()> {
        let name = domain.as_str();
        let Some((_, top)) = name.rsplit_once('.') else {
            return Err(Error::invalid(format!("{domain} is no domain of a company: it has one part only")));
        };
        if RESERVED.contains(&top) || DOCUMENTS.iter().any(|one| is_or_below(name, one)) {
            return Err(Error::invalid(format!("{domain} is reserved and cannot be anybody's")));
        }
        if top == FOR_TESTS && !self.is_under_test().await? {
            return Err(Error::invalid(format!("{domain} is reserved and cannot be anybody's")));
        }
        if name.contains('_') {
            return Err(Error::invalid(format!("{domain} is no domain of a company: no host name has an underscore")));
        }
        if top.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::invalid(format!("{domain} is no domain name")));
        }
        if FREE_MAIL.iter().any(|one| is_or_below(name, one)) {
            return Err(Error::invalid(format!("{domain} gives addresses to everybody; sign up with a domain of your own")));
        }
        if SUFFIXES.contains(&name) {
            return Err(Error::invalid(format!("under {domain} everybody registers names; sign up with one of those")));
        }
        if let Some(label) = name.split('.').find(|label| looks_like_another(label)) {
            return Err(Error::invalid(format!("the part {label} of the domain looks like another name")));
        }
        if let Some(service) = self.service().await?
            && (is_or_below(&service.host, name) || is_or_below(name, &service.host))
        {
            return Err(Error::invalid(format!("{domain} is the service's own")));
        }
        Ok(())
    }

    /// Its own name is not one of public DNS.
    async fn is_under_test(&self) -> Result<bool> {
        let Some(service) = self.service().await? else { return Ok(true) };
        let top = service.host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        Ok(top == FOR_TESTS || RESERVED.contains(&top.as_str()) || !service.host.contains('.'))
    }
}

fn is_or_below(name: &str, above: &str) -> bool {
    name == above || name.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'))
}

/// An international label (RFC 5890) whose letters are of several scripts, or of one other script and all drawn like Latin ones.
fn looks_like_another(label: &str) -> bool {
    if !label.starts_with("xn--") {
        return false;
    }
    let (text, answer) = idna::domain_to_unicode(label);
    if answer.is_err() {
        return true;
    }
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    let mut scripts: Vec<Script> = letters.iter().map(|c| script(*c)).collect();
    scripts.sort_unstable();
    scripts.dedup();
    match scripts.as_slice() {
        [] => true,
        [Script::Cyrillic] | [Script::Greek] => letters.iter().all(|c| LIKE_LATIN.contains(*c)),
        [_] => false,
        // Japanese and Korean are written in several.
        several => !several.iter().all(|one| matches!(one, Script::Han | Script::Kana | Script::Hangul)),
    }
}

/// Cyrillic and Greek letters that are drawn like Latin ones.
const LIKE_LATIN: &str = "асеорхуіјѕԁһӏԛԝьвкмтнгпαικνορτυχωγηϲϳ";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Han,
    Kana,
    Hangul,
    Other(u32),
}

/// By block, as far as it is needed here; what is not named counts as a script of its own block.
fn script(c: char) -> Script {
    match u32::from(c) {
        0x0041..=0x024f | 0x1e00..=0x1eff => Script::Latin,
        0x0370..=0x03ff | 0x1f00..=0x1fff => Script::Greek,
        0x0400..=0x052f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Script::Cyrillic,
        0x3040..=0x30ff | 0x31f0..=0x31ff => Script::Kana,
        0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x3005..=0x3007 | 0x20000..=0x2ffff => Script::Han,
        0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7af => Script::Hangul,
        other => Script::Other(other >> 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_others() {
        for (text, looks) in [
            ("bücher", false),
            ("пример", false),
            ("παράδειγμα", false),
            ("例え", false),
            ("한국", false),
            ("аррӏе", true),
            ("pаypal", true),
            ("goοgle", true),
        ] {
            let domain: Domain = format!("{text}.com").parse().unwrap();
            assert_eq!(looks_like_another(domain.as_str().split('.').next().unwrap()), looks, "{text} {domain}");
        }
        assert!(!looks_like_another("plain") && looks_like_another("xn--\u{0}"));
    }

    #[test]
    fn a_name_is_below_its_own_parts_only() {
        assert!(is_or_below("a.gmail.com", "gmail.com") && is_or_below("gmail.com", "gmail.com"));
        assert!(!is_or_below("notgmail.com", "gmail.com"));
    }
}
