//! People out of a file, and into one.

use crate::Transfer;
use aws_lc_rs::digest;
use penfold_directory::{OneOfMany, Operator, PersonChange, PersonInfo, PrincipalKind, ProfileChange, Quota};
use penfold_transfers::{Existing, Order, PersonRow, Sheet, Step, Transfer as One, Wrong, header, person_record};
use penfold_types::{Error, Kind, PrincipalId, Result};

/// Rows of one step, looked at some at a time; and those of them with a password, which takes long to hash.
const ROWS: usize = 200;
const SOME: usize = 20;
const HASHED: usize = 20;
/// Aliases that are made with their owner; the others follow.
const AT_ONCE: usize = 20;
/// People of one step out.
const PAGE: usize = 500;

/// A file that is taken in.
pub(crate) struct TakeIn {
    sheet: Sheet,
    operator: Operator,
    existing: Existing,
}

impl TakeIn {
    pub async fn begin(on: &Transfer, one: &One) -> Result<Self> {
        let Order::ImportPeople { existing, rehearse } = one.order else { return Err(Error::broken("this is no import of people")) };
        let operator = on.directory.operator().acting_as(&one.by).rehearsing(rehearse);
        Ok(Self { sheet: Sheet::open(&on.transfers, one).await?, operator, existing })
    }

    pub async fn step(&mut self, on: &Transfer, one: &One) -> Result<Step> {
        let (mut wrong, mut new, mut done) = (Vec::new(), Vec::<PersonRow>::new(), 0);
        let (mut looked, mut last) = (0, false);
        while !last && looked < ROWS && new.iter().filter(|row| row.password.is_some()).count() < HASHED {
            let rows = self.sheet.rows(&on.transfers, one, SOME).await?;
            (looked, last) = (looked + rows.len(), rows.is_empty());
            for row in rows {
                match PersonRow::read(row) {
                    Err(why) => wrong.push(why),
                    Ok(row) => match self.known(one, &row).await? {
                        None => new.push(row),
                        Some(Ok(())) => done += 1,
                        Some(Err(why)) => wrong.push(why),
                    },
                }
            }
        }
        done += self.make(on, one, new, &mut wrong).await?;
        wrong.sort_by_key(|one| one.line);
        Ok(Step { cursor: self.sheet.cursor()?, read: self.sheet.read(), done, wrong, last, ..Step::default() })
    }

    /// What comes of a row about somebody who is there; `None`: nobody is.
    async fn known(&self, one: &One, row: &PersonRow) -> Result<Option<std::result::Result<(), Wrong>>> {
        if self.existing == Existing::Refuse {
            return Ok(None);
        }
        match self.operator.id_of(one.tenant, &row.address).await {
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            // Made by this row itself, the last time that it was tried; perhaps not to the end.
            Ok((id, _)) if id == id_of(one, row.line) => return Ok(None),
            Ok((_, PrincipalKind::Person)) => {}
            Ok((_, kind)) => return Ok(Some(Err(row.wrong(Some("address"), &format!("this is a {}", kind.words()))))),
        }
        match self.update(row).await {
            Err(error) if matches!(error.kind(), Kind::Retry | Kind::Broken) => Err(error),
            Err(error) => Ok(Some(Err(row.wrong(None, error.text())))),
            Ok(()) => Ok(Some(Ok(()))),
        }
    }

    async fn update(&self, row: &PersonRow) -> Result<()> {
        let person = self.operator.person(&row.address).await?;
        if row.password.is_some() {
            return Err(Error::invalid("somebody who is there keeps their password; leave the cell empty"));
        }
        if !person.roles.is_empty() {
            return Err(Error::denied("somebody with roles is changed by hand"));
        }
        if person.address != row.address {
            return Err(Error::conflict(format!("this is another address of {}", person.address)));
        }
        let change = only_new(row.change(), &person);
        if let Some(change) = change {
            self.operator.update_person(&person.address, &change).await?;
        }
        self.more_aliases(&person, row).await
    }

    async fn make(&self, on: &Transfer, one: &One, rows: Vec<PersonRow>, wrong: &mut Vec<Wrong>) -> Result<u64> {
        let (mut made, mut new) = (Vec::new(), Vec::<OneOfMany>::new());
        for row in rows {
            let judged = row.new_person(id_of(one, row.line), AT_ONCE).and_then(|person| match &person.person.password {
                Some(password) => self
                    .operator
                    .judge_password(password, &person.person.address, &person.person.name)
                    .map(|()| person)
                    .map_err(|error| row.wrong(Some("password"), error.text())),
                None => Ok(person),
            });
            match judged {
                Err(why) => wrong.push(why),
                Ok(person) => {
                    made.push(row);
                    new.push(person);
                }
            }
        }
        let hashes = new.iter().any(|one| one.person.password.is_some());
        let outcomes = {
            let _gate = if hashes { on.hashing.acquire().await.ok() } else { None };
            self.operator.create_people(one.tenant, &new).await?
        };
        let mut done = 0;
        for (row, outcome) in made.iter().zip(outcomes) {
            match outcome {
                Ok(_) if row.aliases.len() <= AT_ONCE || self.operator.rehearses() => done += 1,
                Ok(_) => match self.more_aliases(&self.operator.person(&row.address).await?, row).await {
                    Ok(()) => done += 1,
                    Err(error) if matches!(error.kind(), Kind::Retry | Kind::Broken) => return Err(error),
                    Err(error) => wrong.push(row.wrong(Some("aliases"), error.text())),
                },
                Err(error) => wrong.push(row.wrong(Some("address"), error.text())),
            }
        }
        Ok(done)
    }

    /// Those that had no room in the commit of their owner.
    async fn more_aliases(&self, person: &PersonInfo, row: &PersonRow) -> Result<()> {
        for alias in row.aliases.iter().filter(|alias| !person.aliases.contains(alias)) {
            self.operator.address_domain(person.tenant, alias.domain()).await?;
            self.operator.add_alias(&person.address, alias).await?;
        }
        Ok(())
    }
}

/// What is not so already; `None`: everything is.
fn only_new(change: PersonChange, now: &PersonInfo) -> Option<PersonChange> {
    let quota = if now.quota_is_own { Quota::Bytes(now.quota) } else { Quota::Default };
    let change = PersonChange {
        name: change.name.filter(|name| *name != now.name),
        quota: change.quota.filter(|wanted| *wanted != quota),
        status: change.status.filter(|status| *status != now.status),
        sent_copy: change.sent_copy.filter(|copy| *copy != now.sent_copy),
        recovery: change.recovery.filter(|address| *address != now.recovery),
        hidden: None,
        profile: ProfileChange {
            texts: change.profile.texts.into_iter().filter(|(one, text)| now.profile.get(*one) != text.as_deref()).collect(),
            manager: None,
        },
    };
    let nothing = change.name.is_none() && change.quota.is_none() && change.status.is_none() && change.sent_copy.is_none();
    (!nothing || change.recovery.is_some() || !change.profile.is_empty()).then_some(change)
}

/// The same at each try of the same line.
pub(crate) fn id_of(one: &One, line: u64) -> PrincipalId {
    let text = [&one.tenant.as_bytes()[..], one.id.as_bytes(), &line.to_be_bytes()].concat();
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest::digest(&digest::SHA256, &text).as_ref()[..16]);
    PrincipalId::shaped(one.created, bits)
}

/// People that are written down.
pub(crate) struct Write;

impl Write {
    pub async fn step(&mut self, on: &Transfer, one: &One) -> Result<Step> {
        let operator = on.directory.operator();
        let after = Some(one.cursor.as_str()).filter(|cursor| !cursor.is_empty());
        let page = operator.people(one.tenant, after, PAGE).await?;
        let mut text = if after.is_none() { header()? } else { Vec::new() };
        let mut done = 0;
        for person in &page.items {
            // Whoever was deleted meanwhile is not there.
            match operator.person(&person.address).await {
                Ok(person) if person.tenant == one.tenant => text.extend(person_record(&person)?),
                Ok(_) => continue,
                Err(error) if error.kind() == Kind::NotFound => continue,
                Err(error) => return Err(error),
            }
            done += 1;
        }
        let (parts, last) = (vec![text.into()], page.next.is_none());
        Ok(Step { cursor: page.next.unwrap_or_default(), done, parts, last, ..Step::default() })
    }
}
