use std::borrow::Cow;

use crate::lines::{Line, parameter_value, push_line};

/// A line that is to be written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub group: Option<String>,
    pub name: String,
    pub params: Vec<(String, Vec<String>)>,
    /// With its escapes.
    pub value: String,
}

impl Draft {
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self { group: None, name: name.to_owned(), params: Vec::new(), value: value.into() }
    }

    pub fn of(line: &Line<'_>) -> Self {
        let own = |value: &Cow<'_, str>| value.clone().into_owned();
        let params = line.params.iter().map(|param| (own(&param.name), param.values.iter().map(own).collect())).collect();
        Self { group: line.group.as_ref().map(own), name: own(&line.name), params, value: own(&line.value) }
    }

    #[must_use]
    pub fn with(mut self, param: &str, value: &str) -> Self {
        self.set(param, value);
        self
    }

    /// One more value of the parameter.
    pub fn add(&mut self, param: &str, value: &str) {
        match self.params.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(param)) {
            Some((_, values)) => values.push(value.to_owned()),
            None => self.params.push((param.to_owned(), vec![value.to_owned()])),
        }
    }

    /// This value and no other.
    pub fn set(&mut self, param: &str, value: &str) {
        self.remove(param);
        self.params.push((param.to_owned(), vec![value.to_owned()]));
    }

    pub fn remove(&mut self, param: &str) {
        self.params.retain(|(name, _)| !name.eq_ignore_ascii_case(param));
    }

    pub fn param(&self, param: &str) -> Option<&str> {
        let (_, values) = self.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(param))?;
        values.first().map(String::as_str)
    }

    /// Takes a value out of TYPE, whatever its case, and says whether it was there.
    pub fn take_type(&mut self, kind: &str) -> bool {
        let mut found = false;
        for (_, values) in self.params.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("TYPE")) {
            let before = values.len();
            values.retain(|value| !value.eq_ignore_ascii_case(kind));
            found |= values.len() < before;
        }
        self.params.retain(|(name, values)| !(name.eq_ignore_ascii_case("TYPE") && values.is_empty()));
        found
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        let mut text = String::with_capacity(self.value.len() + 64);
        if let Some(group) = &self.group {
            text.push_str(group);
            text.push('.');
        }
        text.push_str(&self.name);
        for (name, values) in &self.params {
            text.push(';');
            text.push_str(name);
            for (at, value) in values.iter().enumerate() {
                text.push(if at == 0 { '=' } else { ',' });
                text.push_str(&parameter_value(value));
            }
        }
        text.push(':');
        text.push_str(&self.value);
        push_line(out, &text);
    }
}
