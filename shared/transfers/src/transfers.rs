use crate::transfer::{Order, State, Transfer};
use aws_lc_rs::digest;
use penfold_directory::{Directory, Operator};
use penfold_mailbox::Mailboxes;
use penfold_ports::{Job, Key, Query, QueueName, Retrying, Row, Sk, TenantScope, When, World, Write};
use penfold_types::{CommitId, Error, Kind, PrincipalId, Result, TenantId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Of one tenant at a time: those that are under way, and all that are remembered; each person's own are counted apart.
const OPEN: usize = 10;
const KEPT: usize = 1000;
/// Imports whose files are still to come.
const UPLOADING: usize = 100;
/// The same of one person.
const OWN_OPEN: usize = 3;
const OWN_KEPT: usize = 50;
const OWN_UPLOADING: usize = 10;
/// After this, one that has not begun is called once more.
const LATE: Duration = Duration::from_secs(60);

/// Cheap to clone.
#[derive(Clone)]
pub struct Transfers {
    pub(crate) world: World,
    pub(crate) directory: Directory,
    pub(crate) mailboxes: Mailboxes,
}

/// The body of a job: whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub tenant: TenantId,
    pub transfer: CommitId,
    pub turn: u64,
}

impl Transfers {
    pub fn new(world: &World, directory: &Directory, mailboxes: &Mailboxes) -> Self {
        Self { world: world.named("transfer"), directory: directory.clone(), mailboxes: mailboxes.clone() }
    }

    pub(crate) fn table(&self) -> Retrying<'_> {
        Retrying(&self.world)
    }

    pub(crate) fn scope(&self, tenant: TenantId) -> TenantScope {
        self.directory.tenant_scope(tenant)
    }

    pub(crate) fn key(&self, transfer: &Transfer) -> Key {
        self.scope(transfer.tenant).transfer(Sk::transfer(transfer.id))
    }

    /// Notes what is to be done; `about` stands in the audit log. An export begins at once, an import once its content is there.
    pub async fn order(&self, operator: &Operator, tenant: TenantId, order: Order, about: &str) -> Result<Transfer> {
        let mut all = self.all(tenant).await?;
        all.retain(|one| one.order.owner() == order.owner());
        let (uploading, kept) = if order.owner().is_some() { (OWN_UPLOADING, OWN_KEPT) } else { (UPLOADING, KEPT) };
        if !order.is_import() {
            room(&all, &order)?;
        } else if all.iter().filter(|one| one.state == State::Uploading).count() >= uploading {
            return Err(Error::limit(format!("{uploading} imports wait for their files; upload or cancel some")));
        }
        if all.len() >= kept {
            return Err(Error::limit(format!("{kept} imports and exports are remembered; remove some")));
        }
        let transfer = Transfer::new(CommitId::new(&self.world.env), tenant, order, operator.actor(), self.world.env.now());
        let act = if transfer.order.is_import() { "import.order" } else { "export.order" };
        let write = Write::put_new(self.key(&transfer), transfer.row()?);
        operator.carry_out(tenant, vec![write], act, &transfer.id.to_string(), about).await?;
        if transfer.state == State::Waiting && !operator.rehearses() {
            self.call(&transfer).await?;
        }
        Ok(transfer)
    }

    /// `NotFound` where there is none in this tenant.
    pub async fn find(&self, tenant: TenantId, id: CommitId) -> Result<Transfer> {
        let row = self.table().get(&self.scope(tenant).transfer(Sk::transfer(id))).await?;
        row.and_then(|row| Transfer::read(tenant, id, &row)).ok_or_else(|| Error::not_found("there is no such import or export"))
    }

    /// One of somebody's own (`owner`), or of the tenant's.
    pub async fn find_of(&self, tenant: TenantId, owner: Option<PrincipalId>, id: CommitId, import: bool) -> Result<Transfer> {
        let found = self.find(tenant, id).await?;
        let fits = found.order.owner() == owner && found.order.is_import() == import;
        if fits { Ok(found) } else { Err(Error::not_found("there is no such import or export")) }
    }

    /// All of a tenant, the oldest first.
    pub async fn all(&self, tenant: TenantId) -> Result<Vec<Transfer>> {
        let prefix = Sk::transfers();
        let pk = self.scope(tenant).transfer(prefix.clone()).pk().clone();
        let rows = self.table().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(sk, row): &(Sk, Row)| {
            let id = CommitId::from_slice(sk.as_bytes().strip_prefix(prefix.as_bytes())?)?;
            Transfer::read(tenant, id, row)
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Stops it where it is.
    pub async fn cancel(&self, operator: &Operator, transfer: &Transfer) -> Result<Transfer> {
        let mut now = transfer.clone();
        // What is under way moves on meanwhile.
        for _ in 0..20 {
            // Whoever is late has what they wanted.
            if !now.state.is_open() {
                return Ok(now);
            }
            let same = same(&now);
            now.state = State::Cancelled;
            now.ended = Some(self.world.env.now());
            now.step += 1;
            let write = Write::Update { key: self.key(&now), set: now.changing(), remove: Vec::new(), when: same };
            match operator.carry_out(now.tenant, vec![write], "transfer.cancel", &now.id.to_string(), "").await {
                Err(error) if error.kind() == Kind::Conflict => now = self.find(now.tenant, now.id).await?,
                Err(error) => return Err(error),
                Ok(()) => {
                    self.drop_upload(&now).await?;
                    return Ok(now);
                }
            }
        }
        Err(Error::retry("it moves on too fast to be cancelled; try again"))
    }

    /// Forgets one that has ended, with what it brought.
    pub async fn remove(&self, operator: &Operator, transfer: &Transfer) -> Result<()> {
        if transfer.state.is_open() {
            return Err(Error::conflict("it is still under way; cancel it first"));
        }
        let write = Write::Delete { key: self.key(transfer), when: When::Present };
        operator.carry_out(transfer.tenant, vec![write], "transfer.remove", &transfer.id.to_string(), "").await?;
        if operator.rehearses() { Ok(()) } else { self.drop_rows(transfer).await }
    }

    /// Calls one that should have begun: whoever ordered it may have died before it did.
    pub async fn nudge(&self, transfer: &Transfer) -> Result<()> {
        let late = transfer.state == State::Waiting && self.world.env.now().since(transfer.created) >= LATE;
        if late { self.call(transfer).await } else { Ok(()) }
    }

    /// Sends the job of its present turn; the same turn twice is one job.
    pub(crate) async fn call(&self, transfer: &Transfer) -> Result<()> {
        let ticket = Ticket { tenant: transfer.tenant, transfer: transfer.id, turn: transfer.turn };
        let body = serde_json::to_vec(&ticket).map_err(|error| Error::broken("a job cannot be written").because(error))?;
        let mut bits = [0; 16];
        bits.copy_from_slice(&digest::digest(&digest::SHA256, &body).as_ref()[..16]);
        let id = CommitId::shaped(transfer.created, bits);
        // One turn of a tenant at a time, so that those of others are never far.
        let job = Job { id, tenant: transfer.tenant, group: transfer.tenant.to_string(), body: body.into() };
        Ok(self.world.queue.send(QueueName::Transfer, vec![job]).await?)
    }
}

/// Refuses where as many are under way as may be, beside one of whom this is ordered for.
pub(crate) fn room(all: &[Transfer], order: &Order) -> Result<()> {
    let most = if order.owner().is_some() { OWN_OPEN } else { OPEN };
    let under_way = |one: &&Transfer| one.state.is_under_way() && one.order.owner() == order.owner();
    if all.iter().filter(under_way).count() >= most {
        return Err(Error::limit(format!("{most} imports and exports are under way; wait for one, or cancel it")));
    }
    Ok(())
}

/// That nobody has moved it on since it was read.
pub(crate) fn same(transfer: &Transfer) -> When {
    When::Equal(vec![("sp".into(), transfer.step.into()), ("st".into(), transfer.state.number().into())])
}
