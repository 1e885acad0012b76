use crate::engine::Engine;
use crate::health::broken;
use crate::intake::Work;
use crate::layout::{Space, key_of, partition_end, row_key, sort_key};
use crate::prepared::Prepared;
use async_trait::async_trait;
use bytes::Bytes;
use fjall::{Guard, Readable};
use penfold_ports::{Chain, Commit, Key, Page, Pk, PortError, Query, Row, Sk, Table, Units, Write, item_size, limits, read_units};
use std::sync::Arc;
use tokio::sync::oneshot;

pub(crate) struct LocalTable(pub(crate) Arc<Engine>);

impl LocalTable {
    fn read(&self, key: &Key, spent: &mut Units) -> Result<Option<Row>, PortError> {
        let stored = self.0.get(Space::Rows, &key_of(key))?;
        let row = stored.map(|bytes| Row::decode(bytes).map_err(broken)).transpose()?;
        spent.read += read_units(row.as_ref().map_or(0, |row| item_size(key, row)));
        Ok(row)
    }
}

fn read_entry(pk: &Pk, entry: Guard) -> Result<(Sk, Row, usize), PortError> {
    let (stored, value) = entry.into_inner().map_err(broken)?;
    let row = Row::decode(Bytes::from(value)).map_err(broken)?;
    let key = Key::from_stored(pk.clone(), sort_key(pk, &stored));
    let size = item_size(&key, &row);
    Ok((key.sk().clone(), row, size))
}

/// Rows until the page is full; the sizes' sum too.
fn fill(query: &Query, mut entries: impl Iterator<Item = Guard>) -> Result<(Page, usize), PortError> {
    let mut page = Page::default();
    let mut bytes = 0;
    while page.rows.len() < query.limit {
        let Some(entry) = entries.next() else { return Ok((page, bytes)) };
        let (sk, row, size) = read_entry(&query.pk, entry)?;
        if bytes + size > limits::PAGE && !page.rows.is_empty() {
            page.more = true;
            return Ok((page, bytes));
        }
        bytes += size;
        page.rows.push((sk, row));
    }
    page.more = query.limit > 0 && entries.next().is_some();
    Ok((page, bytes))
}

#[async_trait]
impl Table for LocalTable {
    async fn get(&self, key: &Key, spent: &mut Units) -> Result<Option<Row>, PortError> {
        self.read(key, spent)
    }

    async fn batch_get(&self, keys: &[Key], spent: &mut Units) -> Result<Vec<Option<Row>>, PortError> {
        if keys.len() > limits::BATCH {
            return Err(PortError::Limit("a batch has at most 100 keys"));
        }
        keys.iter().map(|key| self.read(key, spent)).collect()
    }

    async fn query(&self, query: &Query, spent: &mut Units) -> Result<Page, PortError> {
        let from = row_key(&query.pk, query.from.as_bytes());
        let to = match &query.to {
            Some(to) => row_key(&query.pk, to.as_bytes()),
            None => partition_end(&query.pk),
        };
        if from >= to {
            spent.read += 1;
            return Ok(Page::default());
        }
        let snapshot = self.0.snapshot();
        let range = snapshot.range(self.0.space(Space::Rows), from..to);
        let (page, bytes) = if query.reverse { fill(query, range.rev())? } else { fill(query, range)? };
        spent.read += read_units(bytes);
        Ok(page)
    }

    async fn put(&self, write: Write, spent: &mut Units) -> Result<(), PortError> {
        write.check_limits()?;
        let chain = self.send_chain(vec![Prepared::put(write)], spent).await?;
        chain.error.map_or(Ok(()), Err)
    }

    async fn commit(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError> {
        match self.commit_chain(std::slice::from_ref(commit), spent).await.error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    async fn commit_chain(&self, commits: &[Commit], spent: &mut Units) -> Chain {
        // A commit that is outside the limits stops the chain before it, so those before it are sent alone.
        let fit = commits.iter().position(|commit| commit.check_limits().is_err()).unwrap_or(commits.len());
        let (sent, rest) = commits.split_at(fit);
        let refused = rest.first().and_then(|commit| commit.check_limits().err());
        if sent.is_empty() {
            return Chain { done: 0, error: refused };
        }
        match self.send_chain(sent.iter().map(Prepared::commit).collect(), spent).await {
            Ok(Chain { done, error: None }) => Chain { done, error: refused },
            Ok(chain) => chain,
            Err(error) => Chain { done: 0, error: Some(error) },
        }
    }
}

impl LocalTable {
    async fn send_chain(&self, commits: Vec<Prepared>, spent: &mut Units) -> Result<Chain, PortError> {
        self.0.health.may_commit()?;
        let (answer, answered) = oneshot::channel();
        let size = commits.iter().map(Prepared::weight).sum();
        self.0.submit(Work::Chain { commits, answer }, size).await?;
        let answer = self.0.answer(answered).await?;
        *spent += answer.units;
        Ok(answer.chain)
    }
}
