//! That a report was sent: one row of the cell for each day, kind and domain. Rounds may race and die; the row is claimed
//! before anything leaves, and whoever finds an old claim goes on from there under the same id.

use crate::{Kind, time};
use penfold_ports::{Name, PortError, Query, Row, Sk, Value, When, World, Write, limits, shared};
use penfold_types::{AcceptanceId, Result, Timestamp};
use std::time::Duration;

const STATE: Name = Name::new("st");
/// When it was claimed last; when it was claimed first, which is the report's own date.
const AT: Name = Name::new("at");
const BEGUN: Name = Name::new("b");
const ID: Name = Name::new("id");
const TO: Name = Name::new("to");
const COUNT: Name = Name::new("n");

/// Whoever claimed it so long ago is dead.
const LEASE: Duration = Duration::from_secs(3600);
/// For how long it is known.
const KEPT_DAYS: i64 = 100;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Begun,
    Sent,
    /// Nobody who wanted it may have it, or took it.
    Unwanted,
}

impl State {
    const ALL: [Self; 3] = [Self::Begun, Self::Sent, Self::Unwanted];
}

/// A report that was sent, or is being.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub kind: Kind,
    /// Days since 1970, UTC: the one it is about.
    pub day: i64,
    pub domain: String,
    pub state: State,
    pub at: Timestamp,
    pub begun: Timestamp,
    /// Where it went by mail: `penfold trace` knows more.
    pub acceptance: Option<AcceptanceId>,
    pub to: String,
    /// Messages or sessions in it.
    pub count: u64,
}

/// Whether it is ours to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    Ours(Sent),
    Done,
    /// Somebody is at it.
    Taken,
}

impl Sent {
    fn read(sk: &Sk, row: &Row) -> Option<Self> {
        let (day, rest) = sk.as_bytes().split_first_chunk::<8>()?;
        let (kind, domain) = rest.split_first()?;
        let time = |name| row.u64(name).and_then(|at| i64::try_from(at).ok()).map(Timestamp::from_millis);
        Some(Self {
            kind: Kind::of_letter(*kind)?,
            day: i64::from_be_bytes(*day),
            domain: std::str::from_utf8(domain).ok()?.to_owned(),
            state: *State::ALL.get(usize::try_from(row.u64(STATE)?).ok()?)?,
            at: time(AT)?,
            begun: time(BEGUN)?,
            acceptance: row.bytes(ID).and_then(|id| AcceptanceId::from_slice(id)),
            to: row.str(TO).unwrap_or_default().to_owned(),
            count: row.u64(COUNT).unwrap_or(0),
        })
    }

    fn attributes(&self) -> Vec<(Name, Value)> {
        let millis = |at: Timestamp| Value::from(at.millis().max(0).unsigned_abs());
        let mut all = vec![
            (STATE, (self.state as u64).into()),
            (AT, millis(self.at)),
            (BEGUN, millis(self.begun)),
            (TO, self.to.as_str().into()),
            (COUNT, self.count.into()),
        ];
        all.extend(self.acceptance.map(|id| (ID, id.as_bytes().to_vec().into())));
        all
    }

    /// Claims the report of a day.
    pub async fn claim(world: &World, kind: Kind, day: i64, domain: &str) -> Result<Claim> {
        let (key, now) = (shared::report_sent(day, kind.letter(), domain), world.env.now());
        let mut own = Self {
            kind,
            day,
            domain: domain.to_owned(),
            state: State::Begun,
            at: now,
            begun: now,
            acceptance: None,
            to: String::new(),
            count: 0,
        };
        let row = own.attributes().into_iter().fold(Row::new(), |row, (name, value)| row.with(name, value));
        match world.table.put(Write::put_new(key.clone(), row)).await {
            Ok(()) => return Ok(Claim::Ours(own)),
            Err(PortError::Condition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(row) = world.table.get(&key).await? else { return Ok(Claim::Taken) };
        let Some(known) = Self::read(key.sk(), &row) else { return Ok(Claim::Done) };
        if known.state != State::Begun {
            return Ok(Claim::Done);
        }
        if now.since(known.at) < LEASE {
            return Ok(Claim::Taken);
        }
        own.begun = known.begun;
        let when = When::Equal(vec![(AT, known.at.millis().max(0).unsigned_abs().into())]);
        match world.table.put(Write::Update { key, set: own.attributes(), remove: Vec::new(), when }).await {
            Ok(()) => Ok(Claim::Ours(own)),
            Err(PortError::Condition { .. }) => Ok(Claim::Taken),
            Err(error) => Err(error.into()),
        }
    }

    /// That it is done.
    pub async fn done(&self, world: &World) -> Result<()> {
        let key = shared::report_sent(self.day, self.kind.letter(), &self.domain);
        let write = Write::Update { key, set: self.attributes(), remove: Vec::new(), when: When::Always };
        Ok(world.table.put(write).await?)
    }

    /// Of the last days, the latest first; at most `limit`.
    pub async fn list(world: &World, days: i64, limit: usize) -> Result<Vec<Self>> {
        let from = Sk::from_stored(&(time::day(world.env.now()) - days).max(0).to_be_bytes());
        let query = Query { pk: shared::reports_sent(), from, to: None, limit, reverse: true };
        let rows = world.table.query_all(query).await?;
        Ok(rows.iter().filter_map(|(sk, row)| Self::read(sk, row)).collect())
    }

    /// All about one day, by domain.
    pub async fn of_day(world: &World, kind: Kind, day: i64) -> Result<Vec<Self>> {
        let prefix = Sk::from_stored(&[&day.to_be_bytes()[..], &[kind.letter() as u8]].concat());
        let rows = world.table.query_all(Query::prefix(shared::reports_sent(), &prefix)).await?;
        Ok(rows.iter().filter_map(|(sk, row)| Self::read(sk, row)).collect())
    }

    /// Forgets what is old, and facts that were never told.
    pub async fn expire(world: &World) -> Result<()> {
        let today = time::day(world.env.now());
        let to = Some(Sk::from_stored(&(today - KEPT_DAYS).max(0).to_be_bytes()));
        let query = Query { pk: shared::reports_sent(), from: Sk::text(""), to, limit: 10 * limits::BATCH, reverse: false };
        delete(world, &query).await?;
        for kind in Kind::ALL {
            for day in today - 10..today - 3 {
                let pk = shared::facts(kind.letter(), day);
                delete(world, &Query { pk, from: Sk::text(""), to: None, limit: 10 * limits::BATCH, reverse: false }).await?;
            }
        }
        Ok(())
    }
}

async fn delete(world: &World, query: &Query) -> Result<()> {
    loop {
        let page = world.table.query(query).await?;
        let more = page.more && !page.rows.is_empty();
        for (sk, _) in page.rows {
            world.table.put(Write::delete(penfold_ports::Key::from_stored(query.pk.clone(), sk))).await?;
        }
        if !more {
            return Ok(());
        }
    }
}
