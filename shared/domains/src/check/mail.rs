//! Where mail goes (RFC 5321 §5.1).

use super::Judged;
use penfold_ports::MailExchange;

pub(super) fn shown(mx: &MailExchange) -> String {
    format!("{} {}", mx.preference, if mx.exchange.is_empty() { "." } else { &mx.exchange })
}

/// `found` by preference.
pub(super) fn mx(host: &str, found: &[MailExchange]) -> Judged {
    let Some(best) = found.iter().map(|mx| mx.preference).min() else { return Judged::missing() };
    if found.iter().any(|mx| mx.exchange.is_empty()) {
        return Judged::differs("a null MX says that the domain takes no mail (RFC 7505); replace it with what is wanted");
    }
    let own = |mx: &&MailExchange| mx.exchange.eq_ignore_ascii_case(host);
    let others = found.iter().any(|mx| !own(&mx));
    match found.iter().filter(own).map(|mx| mx.preference).min() {
        Some(preference) if preference > best => {
            Judged::differs(format!("mail goes to another host first; give {host} the lowest number, or remove the others"))
        }
        Some(_) if others => Judged::noting("some mail goes to other hosts too; remove them, unless they hand it on to this one"),
        Some(_) => Judged::ok(),
        None => Judged::differs("mail goes elsewhere; replace it once the mailboxes are here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    #[test]
    fn the_best_preference_counts() {
        let judged = |list: &[(u16, &str)]| {
            let found: Vec<_> =
                list.iter().map(|(preference, host)| MailExchange { preference: *preference, exchange: (*host).to_owned() }).collect();
            let judged = mx("mx.host.test", &found);
            (judged.verdict, judged.advice.is_some())
        };
        assert_eq!(judged(&[(5, "MX.host.test")]), (Verdict::Ok, false));
        assert_eq!(judged(&[(5, "mx.host.test"), (20, "old.test")]), (Verdict::Ok, true));
        assert_eq!(judged(&[(5, "old.test"), (20, "mx.host.test")]), (Verdict::Differs, true));
        assert_eq!(judged(&[(5, "old.test")]), (Verdict::Differs, true));
        assert_eq!(judged(&[(0, "")]), (Verdict::Differs, true));
        assert_eq!(judged(&[]), (Verdict::Missing, true));
    }
}
