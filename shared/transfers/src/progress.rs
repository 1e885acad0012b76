//! How one goes on: in turns, one job each, of as many steps as fit; each step is one commit. Who does the same step at the
//! same time finds it done.

use crate::transfer::{State, Transfer, Wrong};
use crate::transfers::{Ticket, Transfers, same};
use bytes::Bytes;
use penfold_ports::{Job, PortError, Query, Row, Sk, Write};
use penfold_types::{Error, Result, TenantId};

/// Characters of what is wrong with one row.
const DETAIL: usize = 300;

/// What a step came to.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Where the next one begins.
    pub cursor: String,
    /// Octets of the content up to here.
    pub read: u64,
    pub done: u64,
    pub wrong: Vec<Wrong>,
    /// What is to be known of that which was done all the same.
    pub told: Vec<Wrong>,
    /// What it adds to the content, a part each.
    pub parts: Vec<Bytes>,
    pub total: Option<u64>,
    /// It was the last one.
    pub last: bool,
}

/// What a job is about.
#[derive(Debug)]
pub enum Turn {
    Yours(Box<Transfer>),
    /// It has ended, or another job has it.
    Nothing,
}

impl Transfers {
    /// Opens a job.
    pub async fn turn(&self, job: &Job) -> Result<Turn> {
        let Ok(ticket) = serde_json::from_slice::<Ticket>(&job.body) else { return Ok(Turn::Nothing) };
        let transfer = match self.find(ticket.tenant, ticket.transfer).await {
            Err(error) if error.kind() == penfold_types::Kind::NotFound => return Ok(Turn::Nothing),
            found => found?,
        };
        if !transfer.state.is_under_way() || ticket.turn > transfer.turn {
            return Ok(Turn::Nothing);
        }
        if ticket.turn < transfer.turn {
            // Whoever handed over may have died before it called the next.
            self.call(&transfer).await?;
            return Ok(Turn::Nothing);
        }
        Ok(Turn::Yours(Box::new(transfer)))
    }

    /// Writes down a step. `false`: somebody else did, or it was cancelled.
    pub async fn advance(&self, transfer: &mut Transfer, step: Step) -> Result<bool> {
        let (before, now) = (same(transfer), self.world.env.now());
        let mut next = transfer.clone();
        let mut writes = Vec::new();
        for part in step.parts {
            let part = self.put(&next, part).await?;
            writes.push(Write::put(self.part_key(&next, next.upload, next.parts), part.row()));
            next.parts += 1;
            next.octets += part.octets;
        }
        let failed = step.wrong.len() as u64;
        let wrong = [step.wrong, step.told].concat();
        if !wrong.is_empty() {
            writes.push(self.wrong_row(&next, &wrong).await?);
        }
        next.state = if step.last { State::Done } else { State::Running };
        next.began = next.began.or(Some(now));
        next.ended = step.last.then_some(now);
        next.step += 1;
        next.cursor = step.cursor;
        next.read = step.read;
        next.done += step.done;
        next.failed += failed;
        next.total = step.total.or(next.total);
        self.move_on(transfer, next, writes, before).await
    }

    /// Its turn is over: others are next.
    pub async fn hand_over(&self, transfer: &mut Transfer) -> Result<()> {
        let before = same(transfer);
        let next = Transfer { turn: transfer.turn + 1, step: transfer.step + 1, ..transfer.clone() };
        if self.move_on(transfer, next, Vec::new(), before).await? { self.call(transfer).await } else { self.call_again(transfer).await }
    }

    /// Somebody else moved it on, and may have died since: its turn is called, wherever that is now.
    pub async fn call_again(&self, transfer: &Transfer) -> Result<()> {
        match self.find(transfer.tenant, transfer.id).await {
            Ok(now) if now.state.is_under_way() => self.call(&now).await,
            Ok(_) => Ok(()),
            Err(error) if error.kind() == penfold_types::Kind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// It cannot be carried on.
    pub async fn fail(&self, transfer: &mut Transfer, why: &str) -> Result<()> {
        let (before, ended) = (same(transfer), Some(self.world.env.now()));
        let why = Some(why.chars().take(DETAIL).collect());
        let next = Transfer { state: State::Failed, ended, why, step: transfer.step + 1, ..transfer.clone() };
        self.move_on(transfer, next, Vec::new(), before).await?;
        Ok(())
    }

    async fn move_on(&self, transfer: &mut Transfer, next: Transfer, mut writes: Vec<Write>, before: penfold_ports::When) -> Result<bool> {
        writes.push(Write::Update { key: self.key(&next), set: next.changing(), remove: Vec::new(), when: before });
        match self.table().commit(writes).await {
            Err(PortError::Condition { .. }) => return Ok(false),
            done => done?,
        }
        *transfer = next;
        if !transfer.state.is_open() {
            self.drop_upload(transfer).await?;
        }
        Ok(true)
    }

    async fn wrong_row(&self, transfer: &Transfer, wrong: &[Wrong]) -> Result<Write> {
        let short = |one: &Wrong| Wrong { detail: one.detail.chars().take(DETAIL).collect(), ..one.clone() };
        let text = serde_json::to_vec(&wrong.iter().map(short).collect::<Vec<_>>());
        let text = text.map_err(|error| Error::broken("what is wrong cannot be written").because(error))?;
        let key = self.scope(transfer.tenant).transfer(Sk::transfer_problem(transfer.id, transfer.step));
        let sealed = self.directory.seal(transfer.tenant, &aad(key.sk()), &text).await?;
        Ok(Write::put(key, Row::new().with("s", sealed)))
    }

    /// What was wrong, by line, a page at a time; the key is where to go on.
    pub async fn wrong(&self, transfer: &Transfer, after: Option<&[u8]>) -> Result<(Vec<Wrong>, Option<Vec<u8>>)> {
        let prefix = Sk::transfer_problems(transfer.id);
        let pk = self.scope(transfer.tenant).transfer(prefix.clone()).pk().clone();
        let mut query = Query::prefix(pk, &prefix);
        query.limit = 1;
        if let Some(after) = after.filter(|after| after.starts_with(prefix.as_bytes())) {
            query.from = Sk::from_stored(after).successor();
        }
        let page = self.table().query(&query).await?;
        let mut found = Vec::new();
        for (sk, row) in &page.rows {
            found.extend(self.open_wrong(transfer.tenant, sk, row).await?);
        }
        let next = page.rows.last().filter(|_| page.more).map(|(sk, _)| sk.as_bytes().to_vec());
        Ok((found, next))
    }

    async fn open_wrong(&self, tenant: TenantId, sk: &Sk, row: &Row) -> Result<Vec<Wrong>> {
        let broken = || Error::broken("what was wrong cannot be read");
        let text = self.directory.open(tenant, &aad(sk), row.bytes("s").ok_or_else(broken)?).await?;
        serde_json::from_slice(&text).map_err(|error| broken().because(error))
    }
}

fn aad(sk: &Sk) -> Vec<u8> {
    [b"transfer#", sk.as_bytes()].concat()
}
