//! By what a dynamic group chooses, as it is written in a body: `all` or `any` of conditions, each of which may be a list of that
//! kind itself, two deep.

use crate::Problem;
use penfold_directory::{Attribute, Condition, Filter, How, Rule, Subject, Test};
use penfold_types::PrincipalId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// By what a group chooses its members: exactly one of `all` and `any`, with at most 20 conditions in all.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "all": [{ "attribute": "department", "is": "Sales" }, { "any": [{ "attribute": "country", "is": "Norway" },
    { "attribute": "domain", "is": "example.test" }] }] }))]
pub struct FilterView {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<Vec<RuleView>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any: Option<Vec<RuleView>>,
    /// Shared mailboxes are chosen like people.
    #[serde(default)]
    shared_mailboxes: bool,
}

/// A condition, which is an attribute and one test; or `all` or `any` of some.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleView {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_not: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<Vec<ConditionView>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any: Option<Vec<ConditionView>>,
}

/// An attribute and one test; letters count alike in either case.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionView {
    /// Of the profile, such as `department`; or `manager`, an id; or `domain`, of the primary address.
    attribute: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    /// Also where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_not: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
}

fn subject(pointer: &str, text: &str) -> Result<Subject, Problem> {
    match text {
        "manager" => Ok(Subject::Manager),
        "domain" => Ok(Subject::Domain),
        text => Attribute::parse(text).map(Subject::Attribute).ok_or_else(|| {
            let known = Attribute::ALL.map(Attribute::as_str).join(", ");
            Problem::field(format!("{pointer}/attribute"), format!("one of {known}, manager, domain"))
        }),
    }
}

impl ConditionView {
    fn read(self, pointer: &str) -> Result<Condition, Problem> {
        let of = subject(pointer, &self.attribute)?;
        let tests = [
            self.is.map(|text| ("is", Test::Is(text))),
            self.is_not.map(|text| ("is_not", Test::IsNot(text))),
            self.starts_with.map(|text| ("starts_with", Test::StartsWith(text))),
            self.present.map(|wanted| ("present", Test::Present(wanted))),
        ];
        let mut tests = tests.into_iter().flatten();
        let (Some((name, test)), None) = (tests.next(), tests.next()) else {
            return Err(Problem::field(pointer, "exactly one of is, is_not, starts_with, present"));
        };
        let text = match &test {
            Test::Is(text) | Test::IsNot(text) | Test::StartsWith(text) => text.as_str(),
            Test::Present(_) => return Ok(Condition { of, test }),
        };
        let words = match of {
            Subject::Manager if name != "starts_with" && text.parse::<PrincipalId>().is_err() => "the id of a person",
            Subject::Domain if name != "starts_with" && text.parse::<penfold_types::Domain>().is_err() => "a domain",
            _ if text.trim().is_empty() || text.len() > 255 || text.chars().any(char::is_control) => {
                "1 to 255 octets, no control characters"
            }
            _ => return Ok(Condition { of, test }),
        };
        Err(Problem::field(format!("{pointer}/{name}"), words))
    }

    fn of(condition: &Condition) -> Self {
        let attribute = match condition.of {
            Subject::Attribute(attribute) => attribute.as_str(),
            Subject::Manager => "manager",
            Subject::Domain => "domain",
        };
        let mut view = Self { attribute: attribute.to_owned(), ..Self::default() };
        match condition.test.clone() {
            Test::Is(text) => view.is = Some(text),
            Test::IsNot(text) => view.is_not = Some(text),
            Test::StartsWith(text) => view.starts_with = Some(text),
            Test::Present(wanted) => view.present = Some(wanted),
        }
        view
    }
}

/// Which of the two lists is there.
fn list<T>(pointer: &str, all: Option<Vec<T>>, any: Option<Vec<T>>) -> Result<(How, &'static str, Vec<T>), Problem> {
    let (how, name, list) = match (all, any) {
        (Some(list), None) => (How::All, "all", list),
        (None, Some(list)) => (How::Any, "any", list),
        _ => return Err(Problem::field(pointer, "exactly one of all and any")),
    };
    if list.is_empty() { Err(Problem::field(format!("{pointer}/{name}"), "at least one condition")) } else { Ok((how, name, list)) }
}

fn each<T, U>(place: &str, list: Vec<T>, read: impl Fn(T, &str) -> Result<U, Problem>) -> Result<Vec<U>, Problem> {
    list.into_iter().enumerate().map(|(at, one)| read(one, &format!("{place}/{at}"))).collect()
}

impl RuleView {
    fn read(self, pointer: &str) -> Result<Rule, Problem> {
        let Self { attribute, is, is_not, starts_with, present, all, any } = self;
        match attribute {
            Some(attribute) if all.is_none() && any.is_none() => {
                let condition = ConditionView { attribute, is, is_not, starts_with, present };
                Ok(Rule::One(condition.read(pointer)?))
            }
            None if is.is_none() && is_not.is_none() && starts_with.is_none() && present.is_none() => {
                let (how, name, several) = list(pointer, all, any)?;
                Ok(Rule::Several(how, each(&format!("{pointer}/{name}"), several, ConditionView::read)?))
            }
            _ => Err(Problem::field(pointer, "either an attribute with one of is, is_not, starts_with, present; or one of all and any")),
        }
    }

    fn of(rule: &Rule) -> Self {
        match rule {
            Rule::One(condition) => {
                let ConditionView { attribute, is, is_not, starts_with, present } = ConditionView::of(condition);
                Self { attribute: Some(attribute), is, is_not, starts_with, present, ..Self::default() }
            }
            Rule::Several(how, conditions) => {
                let list = Some(conditions.iter().map(ConditionView::of).collect());
                match how {
                    How::All => Self { all: list, ..Self::default() },
                    How::Any => Self { any: list, ..Self::default() },
                }
            }
        }
    }
}

impl FilterView {
    /// `pointer`: where this stands in the body.
    pub fn read(self, pointer: &str) -> Result<Filter, Problem> {
        let (how, name, rules) = list(pointer, self.all, self.any)?;
        let rules = each(&format!("{pointer}/{name}"), rules, RuleView::read)?;
        let filter = Filter { how, rules, shared_mailboxes: self.shared_mailboxes };
        filter.check().map_err(|error| Problem::field(pointer, error.text()))?;
        Ok(filter)
    }
}

impl From<&Filter> for FilterView {
    fn from(filter: &Filter) -> Self {
        let list = Some(filter.rules.iter().map(RuleView::of).collect());
        let shared_mailboxes = filter.shared_mailboxes;
        match filter.how {
            How::All => Self { all: list, any: None, shared_mailboxes },
            How::Any => Self { all: None, any: list, shared_mailboxes },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<Filter, Problem> {
        serde_json::from_value::<FilterView>(value).unwrap().read("/filter")
    }

    #[test]
    fn a_filter_reads_back_as_it_was_written() {
        let text = json!({
            "any": [{ "attribute": "department", "is": "Sales" }, { "all": [{ "attribute": "domain", "is_not": "one.test" },
                { "attribute": "manager", "present": false }] }, { "attribute": "city", "starts_with": "R" }],
            "shared_mailboxes": true,
        });
        let filter = read(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(FilterView::from(&filter)).unwrap(), text);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_taken() {
        let many: Vec<_> = (0..21).map(|_| json!({ "attribute": "city", "present": true })).collect();
        for (text, pointer, words) in [
            (json!({}), "/filter", "exactly one of all and any"),
            (json!({ "all": [], "any": [] }), "/filter", "exactly one of all and any"),
            (json!({ "all": [] }), "/filter/all", "at least one"),
            (json!({ "all": [{ "attribute": "shoe", "is": "43" }] }), "/filter/all/0/attribute", "given_name"),
            (json!({ "all": [{ "attribute": "city" }] }), "/filter/all/0", "is, is_not, starts_with, present"),
            (json!({ "all": [{ "attribute": "city", "is": "a", "is_not": "b" }] }), "/filter/all/0", "exactly one"),
            (json!({ "any": [{ "all": [{ "attribute": "city", "is": " " }] }] }), "/filter/any/0/all/0/is", "1 to 255"),
            (json!({ "any": [{ "all": [], "is": "x" }] }), "/filter/any/0", "either"),
            (json!({ "any": [{ "all": [] }] }), "/filter/any/0/all", "at least one"),
            (json!({ "all": [{ "attribute": "manager", "is": "ann" }] }), "/filter/all/0/is", "the id of a person"),
            (json!({ "all": [{ "attribute": "domain", "is": "a b" }] }), "/filter/all/0/is", "a domain"),
            (json!({ "all": many }), "/filter", "20 conditions"),
        ] {
            let problem = read(text.clone()).unwrap_err();
            assert_eq!(problem.errors[0].pointer, pointer, "{text}");
            assert!(problem.errors[0].detail.contains(words), "{problem:?}");
        }
        let deep = json!({ "all": [{ "all": [{ "all": [] }] }] });
        assert!(serde_json::from_value::<FilterView>(deep).is_err(), "two deep and no deeper");
    }
}
