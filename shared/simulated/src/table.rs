use crate::call::{Fate, Shared};
use crate::state::State;
use async_trait::async_trait;
use penfold_ports::{
    Chain, Commit, Key, Page, PortError, Price, Query, Row, Sk, Table, Units, Write, item_size, judge, limits, read_units, repeat_units,
};
use penfold_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How long a client token is known.
const TOKENS: Duration = Duration::from_secs(600);

pub(crate) struct SimTable(pub(crate) Arc<Shared>);

fn subject(key: &Key) -> Vec<u8> {
    [key.pk().as_str().as_bytes(), b"\0", key.sk().as_bytes()].concat()
}

fn read(state: &mut State, key: &Key, spent: &mut Units) -> Option<Row> {
    let row = state.rows.get(key).cloned();
    spent.read += read_units(row.as_ref().map_or(0, |row| item_size(key, row)));
    match &row {
        Some(row) => state.trace.bytes(&row.encode()),
        None => state.trace.text("absent"),
    }
    row
}

fn fill<'a>(query: &Query, mut rows: impl Iterator<Item = (&'a Key, &'a Row)>) -> (Page, usize) {
    let mut page = Page::default();
    let mut bytes = 0;
    while page.rows.len() < query.limit {
        let Some((key, row)) = rows.next() else { return (page, bytes) };
        let size = item_size(key, row);
        if bytes + size > limits::PAGE && !page.rows.is_empty() {
            page.more = true;
            return (page, bytes);
        }
        bytes += size;
        page.rows.push((key.sk().clone(), row.clone()));
    }
    page.more = query.limit > 0 && rows.next().is_some();
    (page, bytes)
}

fn run_query(state: &State, query: &Query) -> (Page, usize) {
    if query.to.as_ref().is_some_and(|to| *to <= query.from) {
        return (Page::default(), 0);
    }
    let from = Key::from_stored(query.pk.clone(), query.from.clone());
    let inside = |entry: &(&Key, &Row)| entry.0.pk() == &query.pk && query.to.as_ref().is_none_or(|to| entry.0.sk() < to);
    if !query.reverse {
        return fill(query, state.rows.range(from..).take_while(inside));
    }
    let to = match &query.to {
        Some(to) => Key::from_stored(query.pk.clone(), to.clone()),
        // No sort key is longer than this.
        None => Key::from_stored(query.pk.clone(), Sk::from_stored(&[0xff; limits::SK + 1])),
    };
    fill(query, state.rows.range(from..to).rev())
}

fn commit_now(state: &mut State, commit: &Commit, now: Timestamp, spent: &mut Units) -> Result<(), PortError> {
    let token = *commit.id.as_bytes();
    if state.tokens.get(&token).is_some_and(|at| now.since(*at) < TOKENS) {
        spent.read += repeat_units(&commit.writes);
        return Ok(());
    }
    let rows = judge(&commit.writes, |key| Ok(state.rows.get(key).cloned()), Price::Transaction, spent)?;
    state.set_rows(rows);
    state.tokens.insert(token, now);
    Ok(())
}

impl SimTable {
    fn settle(&self, state: &mut State, carry_out: impl FnOnce(&mut State) -> Result<(), PortError>) -> Result<(), PortError> {
        match state.fate() {
            Fate::Fine => carry_out(state),
            // What was lost may also have failed.
            Fate::Done => carry_out(state).and(Err(PortError::Unknown)).map_err(|_| PortError::Unknown),
            Fate::Lost => Err(PortError::Unknown),
        }
    }

    async fn one(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError> {
        commit.check_limits()?;
        self.0.call("commit", commit.id.as_bytes()).await?;
        let now = self.0.env.now();
        let result = self.settle(&mut self.0.state.lock(), |state| commit_now(state, commit, now, spent));
        self.0.answer("committed", result)
    }
}

#[async_trait]
impl Table for SimTable {
    async fn get(&self, key: &Key, spent: &mut Units) -> Result<Option<Row>, PortError> {
        self.0.call("get", &subject(key)).await?;
        Ok(read(&mut self.0.state.lock(), key, spent))
    }

    async fn batch_get(&self, keys: &[Key], spent: &mut Units) -> Result<Vec<Option<Row>>, PortError> {
        if keys.len() > limits::BATCH {
            return Err(PortError::Limit("a batch has at most 100 keys"));
        }
        self.0.call("batch_get", &(keys.len() as u64).to_be_bytes()).await?;
        let mut state = self.0.state.lock();
        Ok(keys.iter().map(|key| read(&mut state, key, spent)).collect())
    }

    async fn query(&self, query: &Query, spent: &mut Units) -> Result<Page, PortError> {
        self.0.call("query", &subject(&Key::from_stored(query.pk.clone(), query.from.clone()))).await?;
        let mut state = self.0.state.lock();
        let (page, bytes) = run_query(&state, query);
        spent.read += read_units(bytes);
        for (sk, row) in &page.rows {
            state.trace.bytes(sk.as_bytes());
            state.trace.bytes(&row.encode());
        }
        Ok(page)
    }

    async fn put(&self, write: Write, spent: &mut Units) -> Result<(), PortError> {
        write.check_limits()?;
        self.0.call("put", &subject(write.key())).await?;
        let result = self.settle(&mut self.0.state.lock(), |state| {
            let rows = judge(std::slice::from_ref(&write), |key| Ok(state.rows.get(key).cloned()), Price::Single, spent)?;
            state.set_rows(rows);
            Ok(())
        });
        self.0.answer("put", result)
    }

    async fn commit(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError> {
        self.one(commit, spent).await
    }

    async fn commit_chain(&self, commits: &[Commit], spent: &mut Units) -> Chain {
        for (done, commit) in commits.iter().enumerate() {
            if let Err(error) = self.one(commit, spent).await {
                return Chain { done, error: Some(error) };
            }
        }
        Chain { done: commits.len(), error: None }
    }
}
