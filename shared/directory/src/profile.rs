//! What is known of somebody beside their addresses: what an address book shows, and what dynamic groups choose by. Each is an
//! attribute of the principal's own row.

use penfold_ports::{Name, Row, Value};
use penfold_types::{Error, PrincipalId, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of one attribute.
const LONGEST: usize = 128;
const MANAGER: Name = Name::new("mg");

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    GivenName,
    FamilyName,
    Title,
    Department,
    Company,
    Office,
    Phone,
    Mobile,
    Street,
    City,
    State,
    PostalCode,
    Country,
    EmployeeId,
    EmployeeType,
}

impl Attribute {
    pub const ALL: [Self; 15] = [
        Self::GivenName,
        Self::FamilyName,
        Self::Title,
        Self::Department,
        Self::Company,
        Self::Office,
        Self::Phone,
        Self::Mobile,
        Self::Street,
        Self::City,
        Self::State,
        Self::PostalCode,
        Self::Country,
        Self::EmployeeId,
        Self::EmployeeType,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::Title => "title",
            Self::Department => "department",
            Self::Company => "company",
            Self::Office => "office",
            Self::Phone => "phone",
            Self::Mobile => "mobile",
            Self::Street => "street",
            Self::City => "city",
            Self::State => "state",
            Self::PostalCode => "postal_code",
            Self::Country => "country",
            Self::EmployeeId => "employee_id",
            Self::EmployeeType => "employee_type",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// In the principal's row.
    fn column(self) -> Name {
        let text = match self {
            Self::GivenName => "gn",
            Self::FamilyName => "fn",
            Self::Title => "ti",
            Self::Department => "de",
            Self::Company => "co",
            Self::Office => "of",
            Self::Phone => "ph",
            Self::Mobile => "mo",
            Self::Street => "str",
            Self::City => "ci",
            Self::State => "sta",
            Self::PostalCode => "pc",
            Self::Country => "cn",
            Self::EmployeeId => "ei",
            Self::EmployeeType => "et",
        };
        Name::from(text)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub texts: BTreeMap<Attribute, String>,
    /// Somebody of the same tenant, who may have been deleted since.
    pub manager: Option<PrincipalId>,
}

/// What is not named stays; `None` takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChange {
    pub texts: BTreeMap<Attribute, Option<String>>,
    pub manager: Option<Option<PrincipalId>>,
}

impl Profile {
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        self.texts.get(&attribute).map(String::as_str)
    }

    pub(crate) fn read(row: &Row) -> Self {
        let text = |one: Attribute| Some((one, row.str(one.column())?.to_owned()));
        let manager = row.bytes(MANAGER).and_then(|bytes| PrincipalId::from_slice(bytes));
        Self { texts: Attribute::ALL.into_iter().filter_map(text).collect(), manager }
    }

    pub(crate) fn write(&self, row: &mut Row) {
        for (attribute, text) in &self.texts {
            row.set(attribute.column(), text.as_str());
        }
        if let Some(manager) = self.manager {
            row.set(MANAGER, manager.as_bytes());
        }
    }

    /// As it is after a change.
    #[must_use]
    pub fn with(&self, change: &ProfileChange) -> Self {
        let mut after = self.clone();
        for (attribute, text) in &change.texts {
            match text {
                Some(text) => after.texts.insert(*attribute, text.clone()),
                None => after.texts.remove(attribute),
            };
        }
        if let Some(manager) = change.manager {
            after.manager = manager;
        }
        after
    }
}

impl ProfileChange {
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.manager.is_none()
    }

    /// The first attribute that cannot be taken, and why.
    pub fn wrong(&self) -> Option<(Attribute, String)> {
        let fits = |text: &str| !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        let (attribute, _) = self.texts.iter().find(|(_, text)| text.as_deref().is_some_and(|text| !fits(text)))?;
        Some((*attribute, format!("1 to {LONGEST} bytes without control characters, or null for none")))
    }

    /// The changes of the row, and what stands in the audit log of them: which attributes, not what they say.
    pub(crate) fn write(&self, set: &mut Vec<(Name, Value)>, remove: &mut Vec<Name>, detail: &mut Vec<String>) -> Result<()> {
        if let Some((attribute, words)) = self.wrong() {
            return Err(Error::invalid(format!("{}: {words}", attribute.as_str())));
        }
        for (attribute, text) in &self.texts {
            match text {
                Some(text) => set.push((attribute.column(), text.as_str().into())),
                None => remove.push(attribute.column()),
            }
            detail.push(attribute.as_str().to_owned());
        }
        match self.manager {
            Some(Some(manager)) => set.push((MANAGER, manager.as_bytes().into())),
            Some(None) => remove.push(MANAGER),
            None => return Ok(()),
        }
        detail.push("manager".to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_reads_back_and_no_two_attributes_share_a_column() {
        let mut profile = Profile { manager: Some(PrincipalId::from_bytes([7; 16])), ..Profile::default() };
        for attribute in Attribute::ALL {
            assert_eq!(Attribute::parse(attribute.as_str()), Some(attribute));
            profile.texts.insert(attribute, format!("of {}", attribute.as_str()));
        }
        let mut row = Row::new();
        profile.write(&mut row);
        assert_eq!(Profile::read(&row), profile);
        // Beside what else stands in such a row.
        for name in ["k", "a", "n", "st", "lv", "q", "sv", "wp", "sc", "tf", "ro", "rc", "rv", "at", "al", "ca", "ok", "t", "p"] {
            assert!(Attribute::ALL.into_iter().all(|one| one.column().as_str() != name) && MANAGER.as_str() != name, "{name}");
        }
    }
}
