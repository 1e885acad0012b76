//! By what a dynamic group chooses its members: conditions on the attributes of people. Nothing of the choice is stored, so a
//! change of somebody's attributes, or of the filter, counts at once.

use crate::profile::Attribute;
use crate::rows::{Principal, PrincipalKind, Status};
use penfold_types::{Error, PrincipalId, Result};
use serde::{Deserialize, Serialize};

/// Conditions of one filter.
const CONDITIONS: usize = 20;
/// Bytes of a text that is compared.
const LONGEST: usize = 255;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    pub how: How,
    pub rules: Vec<Rule>,
    /// Shared mailboxes are chosen like people.
    pub shared_mailboxes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    All,
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    One(Condition),
    Several(How, Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub of: Subject,
    pub test: Test,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    Attribute(Attribute),
    /// The id of who manages them.
    Manager,
    /// The domain of the primary address.
    Domain,
}

/// Texts are compared without regard to the case of letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    Is(String),
    /// Also where there is nothing.
    IsNot(String),
    StartsWith(String),
    Present(bool),
}

impl Filter {
    /// Refuses what has no condition, too many, or one that could fit nobody.
    pub fn check(&self) -> Result<()> {
        let lists = self.rules.iter().map(|rule| match rule {
            Rule::One(condition) => std::slice::from_ref(condition),
            Rule::Several(_, conditions) => conditions.as_slice(),
        });
        let lists: Vec<_> = lists.collect();
        let count: usize = lists.iter().map(|list| list.len()).sum();
        if self.rules.is_empty() || lists.iter().any(|list| list.is_empty()) || count > CONDITIONS {
            return Err(Error::invalid(format!("a filter has 1 to {CONDITIONS} conditions, and no empty list")));
        }
        lists.into_iter().flatten().try_for_each(Condition::check)
    }

    pub(crate) fn fits(&self, principal: &Principal) -> bool {
        let kind = principal.kind == PrincipalKind::Person || (self.shared_mailboxes && principal.kind == PrincipalKind::Shared);
        kind && principal.status != Status::Deleting && self.how.holds(&self.rules, |rule| rule.fits(principal))
    }

    /// As it stands in a row.
    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a newer version wrote, and this one does not know, chooses nobody.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl How {
    fn holds<T>(self, of: &[T], test: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All => of.iter().all(test),
            Self::Any => of.iter().any(test),
        }
    }
}

impl Rule {
    fn fits(&self, principal: &Principal) -> bool {
        match self {
            Self::One(condition) => condition.fits(principal),
            Self::Several(how, conditions) => how.holds(conditions, |condition| condition.fits(principal)),
        }
    }
}

impl Condition {
    fn check(&self) -> Result<()> {
        let text = match &self.test {
            Test::Is(text) | Test::IsNot(text) | Test::StartsWith(text) => text,
            Test::Present(_) => return Ok(()),
        };
        if text.trim().is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(Error::invalid(format!("a text that is compared has 1 to {LONGEST} bytes and no control characters")));
        }
        Ok(())
    }

    fn fits(&self, principal: &Principal) -> bool {
        let found = match self.of {
            Subject::Attribute(attribute) => principal.profile.get(attribute).map(str::to_owned),
            Subject::Manager => principal.profile.manager.map(|manager: PrincipalId| manager.to_string()),
            Subject::Domain => Some(principal.address.domain().to_string()),
        };
        let found = found.map(|text| text.to_lowercase());
        match &self.test {
            Test::Is(text) => found.is_some_and(|found| found == text.to_lowercase()),
            Test::IsNot(text) => found.is_none_or(|found| found != text.to_lowercase()),
            Test::StartsWith(text) => found.is_some_and(|found| found.starts_with(&text.to_lowercase())),
            Test::Present(wanted) => found.is_some() == *wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_types::Timestamp;

    fn person(texts: &[(Attribute, &str)]) -> Principal {
        let mut person = Principal::new(PrincipalKind::Person, &"ann@One.test".parse().unwrap(), "Ann", Timestamp::default());
        person.profile.texts = texts.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        person
    }

    fn one(of: Subject, test: Test) -> Rule {
        Rule::One(Condition { of, test })
    }

    fn filter(how: How, rules: Vec<Rule>) -> Filter {
        Filter { how, rules, shared_mailboxes: false }
    }

    #[test]
    fn conditions_are_all_or_any_two_deep() {
        let department = Subject::Attribute(Attribute::Department);
        let is = |text: &str| Test::Is(text.to_owned());
        let ann = person(&[(Attribute::Department, "Sales"), (Attribute::City, "Rome")]);
        let city = |texts: &[&str]| {
            let conditions = texts.iter().map(|text| Condition { of: Subject::Attribute(Attribute::City), test: is(text) });
            Rule::Several(How::Any, conditions.collect())
        };
        for (rules, all, any) in [
            (vec![one(department, is("sales")), city(&["Oslo", "ROME"])], true, true),
            (vec![one(department, is("Sales")), city(&["Oslo"])], false, true),
            (vec![one(department, is("Sale")), city(&["Oslo"])], false, false),
            (vec![one(department, Test::StartsWith("SA".into())), one(Subject::Domain, is("one.test"))], true, true),
            (vec![one(department, Test::IsNot("Sales".into())), one(Subject::Manager, Test::Present(true))], false, false),
            (vec![one(Subject::Manager, Test::IsNot("x".into())), one(Subject::Manager, Test::Present(false))], true, true),
        ] {
            for (how, fits) in [(How::All, all), (How::Any, any)] {
                let filter = filter(how, rules.clone());
                assert_eq!(filter.fits(&ann), fits, "{filter:?}");
                assert_eq!(Filter::read(&filter.write()), Some(filter));
            }
        }
        assert_eq!(Filter::read(r#"{"how":"none","rules":[],"shared_mailboxes":false}"#), None);
    }

    #[test]
    fn shared_mailboxes_are_chosen_where_that_is_asked_and_groups_never() {
        let everybody = filter(How::All, vec![one(Subject::Domain, Test::Present(true))]);
        let (mut shared, mut gone) = (person(&[]), person(&[]));
        shared.kind = PrincipalKind::Shared;
        gone.status = Status::Deleting;
        assert!(everybody.fits(&person(&[])) && !everybody.fits(&shared) && !everybody.fits(&gone));
        let more = Filter { shared_mailboxes: true, ..everybody };
        assert!(more.fits(&shared));
        shared.kind = PrincipalKind::Group;
        assert!(!more.fits(&shared));
    }

    #[test]
    fn what_has_no_end_or_no_sense_is_refused() {
        let rule = || one(Subject::Domain, Test::Present(true));
        assert!(filter(How::All, vec![]).check().is_err());
        assert!(filter(How::All, vec![Rule::Several(How::Any, vec![])]).check().is_err());
        assert!(filter(How::All, (0..20).map(|_| rule()).collect()).check().is_ok());
        assert!(filter(How::All, (0..21).map(|_| rule()).collect()).check().is_err());
        for text in ["", " ", "a\nb", &"x".repeat(256)] {
            assert!(filter(How::Any, vec![one(Subject::Domain, Test::Is(text.to_owned()))]).check().is_err());
        }
    }
}
