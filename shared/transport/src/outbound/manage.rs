//! What an administrator does with mail on its way out: look at it, hurry it, hold it, take it away.

use super::carry::Leave;
use super::later::due;
use super::parcel::{Fate, Parcel, State};
use penfold_ports::{Commit, PortError, QueueName, Said, Sk, TenantScope, World, Write};
use penfold_types::{AcceptanceId, CommitId, Error, Result};

/// One parcel of a tenant.
pub struct Desk<'a> {
    pub world: &'a World,
    pub scope: &'a TenantScope,
    pub acceptance: AcceptanceId,
    pub part: u64,
}

impl Desk<'_> {
    pub async fn read(&self) -> Result<Option<Parcel>> {
        let row = self.world.table.get(&self.scope.outgoing(Sk::outgoing(self.acceptance, self.part))).await?;
        row.map(|row| Parcel::from_row(self.acceptance, &row)).transpose()
    }

    /// The next attempt is now; also of what is held.
    pub async fn retry(&self) -> Result<()> {
        let mut parcel = self.at_rest().await?;
        (parcel.state, parcel.at) = (State::Waiting, self.world.env.now());
        // The job that is due later is an old one from here on.
        parcel.attempts = parcel.attempts.saturating_add(1);
        self.write(parcel, true).await
    }

    /// No attempt is made until somebody says so.
    pub async fn hold(&self) -> Result<()> {
        let mut parcel = self.at_rest().await?;
        (parcel.state, parcel.at) = (State::Held, self.world.env.now());
        self.write(parcel, false).await
    }

    /// It is never sent. Where `tell`, the sender hears of it as of any other failure.
    pub async fn give_up(&self, tell: bool) -> Result<()> {
        let mut parcel = self.at_rest().await?;
        for passage in parcel.passages.iter_mut().filter(|passage| passage.waits()) {
            let text = "It was taken off the queue by an administrator".to_owned();
            passage.fate = Fate::Failed(Said { code: 554, status: (5, 7, 1), text, host: None });
            passage.told |= !tell;
        }
        (parcel.state, parcel.at) = (State::Reporting, self.world.env.now());
        parcel.attempts = parcel.attempts.saturating_add(1);
        self.write(parcel, true).await
    }

    async fn at_rest(&self) -> Result<Parcel> {
        let parcel = self.read().await?.ok_or_else(|| Error::not_found("there is no such mail on its way out"))?;
        match parcel.state {
            State::Waiting | State::Held => Ok(parcel),
            State::Trying | State::Reporting => Err(Error::conflict("an attempt is under way; try again in a moment")),
            State::Done => Err(Error::conflict("its way has ended; penfold trace tells how")),
        }
    }

    async fn write(&self, mut parcel: Parcel, go: bool) -> Result<()> {
        let when = parcel.stands();
        parcel.version += 1;
        let key = self.scope.outgoing(Sk::outgoing(self.acceptance, self.part));
        let mut writes = vec![Write::Update { key, set: parcel.attributes(), remove: Vec::new(), when }];
        let leave = Leave { acceptance: self.acceptance, part: self.part, attempts: parcel.attempts };
        let job = go.then(|| leave.job(self.scope.tenant(), &parcel.destination));
        // The earlier job is an old one from here on, so the new one is there from here on too, whoever dies now.
        writes.extend(job.as_ref().map(|job| due(parcel.at, QueueName::Relay, job)));
        match self.world.table.commit(&Commit { id: CommitId::new(&self.world.env), writes }).await {
            Ok(()) => {}
            Err(PortError::Condition { .. }) => return Err(Error::conflict("an attempt began meanwhile; try again in a moment")),
            Err(error) => return Err(error.into()),
        }
        // The timer would send it in some seconds; then it is an old one.
        if let Some(job) = job
            && let Err(error) = self.world.queue.send(QueueName::Relay, vec![job]).await
        {
            tracing::debug!(%error, "the timer sends it");
        }
        Ok(())
    }
}
