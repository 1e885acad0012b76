//! What people may choose as a password: long enough, and nothing that is guessed first (NIST SP 800-63B §3.1.1.2: length and
//! a list of known ones, no rules about kinds of characters).

use super::Operator;
use super::passwords::check_password;
use penfold_types::{Address, Error, Result};

/// Characters.
pub const SHORTEST: usize = 10;
/// What is tried first everywhere, without digits and signs at its end.
const KNOWN: [&str; 36] = [
    "password",
    "passwort",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "asdfghjkl",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "zxcvbnm",
    "letmein",
    "welcome",
    "iloveyou",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "superman",
    "trustno",
    "abc",
    "abcdefghij",
    "admin",
    "administrator",
    "changeme",
    "secret",
    "test",
    "testtest",
    "google",
    "computer",
    "michael",
    "starwars",
    "penfold",
];

impl Operator {
    /// Refuses what is too short, known, or made of the person's own name.
    pub fn judge_password(&self, password: &str, address: &Address, name: &str) -> Result<()> {
        check_password(password)?;
        if password.chars().count() < SHORTEST {
            return Err(Error::invalid(format!("a password has at least {SHORTEST} characters")));
        }
        let folded = password.to_lowercase();
        let mut seen: Vec<char> = folded.chars().collect();
        seen.sort_unstable();
        seen.dedup();
        let core = folded.trim_matches(|c: char| !c.is_alphabetic());
        let doubled = folded.split_at_checked(folded.len() / 2).is_some_and(|(first, second)| first == second && KNOWN.contains(&first));
        if seen.len() < 4 || (core.is_empty() && folded.len() < 16) || KNOWN.contains(&core) || KNOWN.contains(&folded.as_str()) || doubled
        {
            return Err(Error::invalid("this password is one of those that are tried first; choose another"));
        }
        let label = address.domain().as_str().split('.').next().unwrap_or_default().to_owned();
        let own = [address.local().to_lowercase(), name.to_lowercase(), name.to_lowercase().replace(' ', ""), label];
        if own.iter().any(|own| own.chars().count() >= 3 && core == own) || folded == address.key() {
            return Err(Error::invalid("a password is not the name of its owner"));
        }
        Ok(())
    }
}
