//! What a peer offers in its answer to EHLO: RFC 5321 §4.1.1.1.

use super::answer::Answer;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Offers {
    /// How the peer calls itself.
    pub name: String,
    /// RFC 1870, and its limit where there is one.
    pub sized: bool,
    pub size: Option<u64>,
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6152.
    pub eight_bit: bool,
    /// RFC 3030; each is of use only with the other.
    pub binary: bool,
    pub chunking: bool,
    /// RFC 6531.
    pub utf8: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 8689.
    pub require_tls: bool,
    /// RFC 2852: the least seconds that may be asked for.
    pub deliver_by: Option<i64>,
    /// RFC 4954: SASL PLAIN and LOGIN.
    pub plain: bool,
    pub login: bool,
}

impl Offers {
    pub(crate) fn of(answer: &Answer) -> Self {
        let mut lines = answer.lines.iter();
        let first = lines.next().map_or("", String::as_str);
        let mut offers = Self { name: first.split(' ').next().unwrap_or_default().to_ascii_lowercase(), ..Self::default() };
        for line in lines {
            offers.add(line);
        }
        offers
    }

    fn add(&mut self, line: &str) {
        // Some old servers write "AUTH=LOGIN PLAIN".
        let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
        match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "SIZE" => {
                self.sized = true;
                self.size = words.next().and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
            }
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit = true,
            "BINARYMIME" => self.binary = true,
            "CHUNKING" => self.chunking = true,
            "SMTPUTF8" => self.utf8 = true,
            "DSN" => self.dsn = true,
            "STARTTLS" => self.starttls = true,
            "DELIVERBY" => self.deliver_by = Some(words.next().and_then(|least| least.parse().ok()).unwrap_or(0)),
            "REQUIRETLS" => self.require_tls = true,
            "AUTH" => {
                for mechanism in words {
                    self.plain |= mechanism.eq_ignore_ascii_case("PLAIN");
                    self.login |= mechanism.eq_ignore_ascii_case("LOGIN");
                }
            }
            _ => {}
        }
    }
}
