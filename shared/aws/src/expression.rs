//! Conditions and updates as DynamoDB's expressions. Every name and value goes by placeholder, so no name is reserved.

use crate::values::{Item, PK, attribute};
use aws_sdk_dynamodb::types::AttributeValue;
use penfold_ports::{Name, Value, When};
use std::collections::HashMap;

#[derive(Default)]
pub(crate) struct Expression {
    names: HashMap<String, String>,
    values: Item,
}

impl Expression {
    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{}", self.names.len());
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    pub(crate) fn condition(&mut self, when: &When) -> Option<String> {
        match when {
            When::Always => None,
            When::Absent => Some(format!("attribute_not_exists({PK})")),
            When::Present => Some(format!("attribute_exists({PK})")),
            When::Equal(wanted) if wanted.is_empty() => Some(format!("attribute_exists({PK})")),
            When::Equal(wanted) => {
                let equal = |(name, value): &(Name, Value)| format!("{} = {}", self.name(name.as_str()), self.value(attribute(value)));
                Some(wanted.iter().map(equal).collect::<Vec<_>>().join(" AND "))
            }
        }
    }

    /// A check must have a condition, also where any row will do.
    pub(crate) fn check(&mut self, when: &When) -> String {
        self.condition(when).unwrap_or_else(|| format!("attribute_exists({PK}) OR attribute_not_exists({PK})"))
    }

    /// Of an attribute that is both removed and set, the value stays; of one that is set twice, the last.
    pub(crate) fn update(&mut self, set: &[(Name, Value)], remove: &[Name]) -> String {
        let mut text = String::new();
        let last = |at: usize, name: &Name| set[at + 1..].iter().all(|(later, _)| later != name);
        let sets: Vec<_> = set.iter().enumerate().filter(|(at, (name, _))| last(*at, name)).map(|(_, set)| set).collect();
        for (at, (name, value)) in sets.iter().enumerate() {
            text += if at == 0 { "SET " } else { ", " };
            text += &format!("{} = {}", self.name(name.as_str()), self.value(attribute(value)));
        }
        let mut removed: Vec<_> = remove.iter().filter(|name| set.iter().all(|(other, _)| other != *name)).copied().collect();
        removed.sort();
        removed.dedup();
        if text.is_empty() && removed.is_empty() {
            // An update must say something; this attribute is nobody's.
            removed.push(Name::new("~"));
        }
        for (at, name) in removed.iter().enumerate() {
            text += if at == 0 { " REMOVE " } else { ", " };
            text += &self.name(name.as_str());
        }
        text.trim_start().to_owned()
    }

    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    pub(crate) fn values(&self) -> Option<Item> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_name_each_attribute_once() {
        let mut expression = Expression::default();
        let n = Name::new;
        let set = [(n("a"), 1u64.into()), (n("b"), 2u64.into()), (n("a"), 3u64.into())];
        let text = expression.update(&set, &[n("b"), n("c"), n("c")]);
        assert_eq!(text, "SET #0 = :0, #1 = :1 REMOVE #2");
        assert_eq!(expression.values().and_then(|mut values| values.remove(":1")), Some(AttributeValue::N("3".into())));
        assert_eq!(Expression::default().update(&[], &[]), "REMOVE #0");
        assert_eq!(Expression::default().update(&[], &[n("x")]), "REMOVE #0");
    }

    #[test]
    fn conditions() {
        let n = Name::new;
        assert_eq!(Expression::default().condition(&When::Always), None);
        assert_eq!(Expression::default().condition(&When::Equal(vec![])).as_deref(), Some("attribute_exists(pk)"));
        let both = When::Equal(vec![(n("a"), 1u64.into()), (n("size"), "x".into())]);
        assert_eq!(Expression::default().condition(&both).as_deref(), Some("#0 = :0 AND #1 = :1"));
        assert!(Expression::default().check(&When::Always).contains(" OR "));
    }
}
