//! People as rows: what is read, what is written, and that one reads back the other.

use crate::sheet::Read;
use crate::transfer::Wrong;
use penfold_directory::{Attribute, NewPerson, OneOfMany, PersonChange, PersonInfo, ProfileChange, Quota, Status, check_name};
use penfold_types::{Address, Error, PrincipalId, Result};

/// What a file may have. The first one it must have; an empty cell says nothing.
pub const COLUMNS: [&str; 23] = [
    "address",
    "name",
    "password",
    "quota",
    "status",
    "aliases",
    "sent_copy",
    "recovery_address",
    "given_name",
    "family_name",
    "title",
    "department",
    "company",
    "office",
    "phone",
    "mobile",
    "street",
    "city",
    "state",
    "postal_code",
    "country",
    "employee_id",
    "employee_type",
];

/// Somebody as a row has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    pub line: u64,
    pub address: Address,
    pub name: Option<String>,
    pub password: Option<String>,
    pub quota: Option<u64>,
    pub status: Option<Status>,
    pub aliases: Vec<Address>,
    pub sent_copy: Option<bool>,
    pub recovery: Option<Address>,
    pub profile: ProfileChange,
}

impl PersonRow {
    /// What is wrong is told without what stands there: with a column too many it may be a password.
    pub fn read(row: Read) -> std::result::Result<Self, Wrong> {
        let line = row.line;
        let cells = row.cells.map_err(|why| Wrong { line, column: None, detail: why.to_owned() })?;
        let (own, texts) = cells.split_at_checked(8).unwrap_or_default();
        let [address, name, password, quota, status, aliases, sent_copy, recovery] = <[Option<String>; 8]>::try_from(own.to_vec())
            .map_err(|_| Wrong { line, column: None, detail: "the row has another number of fields".to_owned() })?;
        let texts = Attribute::ALL.into_iter().zip(texts).filter_map(|(attribute, text)| Some((attribute, Some(text.clone()?))));
        let profile = ProfileChange { texts: texts.collect(), manager: None };
        if let Some((attribute, detail)) = profile.wrong() {
            return Err(Wrong { line, column: Some(attribute.as_str().to_owned()), detail });
        }
        let wrong = |column: &'static str, detail: String| Wrong { line, column: Some(column.to_owned()), detail };
        let read_address = |column: &'static str, text: &str| -> std::result::Result<Address, Wrong> {
            text.parse().map_err(|_| wrong(column, "this is no address; one is written as ann@example.com".to_owned()))
        };
        let address = address.ok_or_else(|| wrong("address", "there is no address".to_owned()))?;
        let address = read_address("address", &address)?;
        if let Some(name) = &name {
            check_name(name).map_err(|error| wrong("name", error.text().to_owned()))?;
        }
        let quota = quota.map(|text| text.parse().map_err(|_| wrong("quota", "this is no number of octets".to_owned()))).transpose()?;
        let status = match status.as_deref() {
            None => None,
            Some("active") => Some(Status::Active),
            Some("suspended") => Some(Status::Suspended),
            Some(_) => return Err(wrong("status", "a person is active or suspended".to_owned())),
        };
        let sent_copy = match sent_copy.as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => return Err(wrong("sent_copy", "true or false is expected".to_owned())),
        };
        let aliases = aliases.unwrap_or_default();
        let aliases = aliases.split([' ', ';', ',']).filter(|text| !text.is_empty()).map(|text| read_address("aliases", text));
        let aliases: Vec<_> = aliases.collect::<std::result::Result<_, _>>()?;
        if aliases.len() > ALIASES {
            return Err(wrong("aliases", format!("a row has at most {ALIASES} aliases")));
        }
        let recovery = recovery.map(|text| read_address("recovery_address", &text)).transpose()?;
        Ok(Self { line, address, name, password, quota, status, aliases, sent_copy, recovery, profile })
    }

    /// As somebody new, under an id that is theirs at each try, with the first of their aliases.
    pub fn new_person(&self, id: PrincipalId, aliases: usize) -> std::result::Result<OneOfMany, Wrong> {
        let name = self.name.clone().ok_or_else(|| self.wrong(Some("name"), "somebody new needs a name"))?;
        let person = NewPerson { address: self.address.clone(), name, password: self.password.clone(), quota: self.quota };
        let change = PersonChange { name: None, quota: None, ..self.change() };
        Ok(OneOfMany { id, person, aliases: self.aliases.iter().take(aliases).cloned().collect(), change })
    }

    /// What somebody who is there is to become.
    pub fn change(&self) -> PersonChange {
        PersonChange {
            name: self.name.clone(),
            quota: self.quota.map(Quota::Bytes),
            status: self.status,
            sent_copy: self.sent_copy,
            recovery: self.recovery.clone().map(Some),
            hidden: None,
            profile: self.profile.clone(),
        }
    }

    pub fn wrong(&self, column: Option<&str>, detail: &str) -> Wrong {
        Wrong { line: self.line, column: column.map(str::to_owned), detail: detail.to_owned() }
    }
}

/// Aliases of one person.
const ALIASES: usize = 200;

/// What a file of people begins with: everything but what is never shown.
pub fn header() -> Result<Vec<u8>> {
    record(COLUMNS.iter().filter(|name| **name != "password").map(|name| (*name).to_owned()))
}

/// Somebody, as the line of a file that reads back the same.
pub fn person_record(person: &PersonInfo) -> Result<Vec<u8>> {
    let aliases: Vec<_> = person.aliases.iter().map(Address::to_string).collect();
    let own = [
        person.address.to_string(),
        person.name.clone(),
        if person.quota_is_own { person.quota.to_string() } else { String::new() },
        if person.status == Status::Active { "active" } else { "suspended" }.to_owned(),
        aliases.join(" "),
        person.sent_copy.to_string(),
        person.recovery.as_ref().map(Address::to_string).unwrap_or_default(),
    ];
    let texts = Attribute::ALL.into_iter().map(|attribute| person.profile.get(attribute).unwrap_or_default().to_owned());
    record(own.into_iter().chain(texts))
}

fn record(cells: impl IntoIterator<Item = String>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(cells).map_err(|error| error.to_string());
    let written = written.and_then(|()| writer.into_inner().map_err(|error| error.to_string()));
    written.map_err(|error| Error::broken("a row cannot be written").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_its_column() {
        assert_eq!(COLUMNS[8..], Attribute::ALL.map(Attribute::as_str));
    }
}
