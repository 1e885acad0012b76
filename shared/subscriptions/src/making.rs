//! How one begins and ends. The row is first: it says what folder is to be made, so whoever finds it can go on, and nothing is left
//! that nobody fills.

use crate::subscription::{Kept, Make, Subscription};
use crate::subscriptions::Subscriptions;
use crate::wish::{New, check_refresh, color, read_url};
use penfold_directory::Operator;
use penfold_mailbox::{Kind, Mailbox, NewCollection};
use penfold_ports::{Account, PortError, QueueName, When, Write};
use penfold_transport::outbound::due;
use penfold_types::{Error, FolderId, Kind as Why, Result};

/// Of one person.
pub const MOST: usize = 20;
/// Of one tenant: about as many as its one fetch at a time brings in the four hours that are usual.
pub const MOST_OF_TENANT: u64 = 10_000;
/// Each time somebody else of the tenant was faster.
const TRIES: usize = 40;

impl Subscriptions {
    /// Writes the row and makes the folder; the first fetch is due at once.
    pub async fn add(&self, operator: &Operator, mailbox: &Mailbox, new: &New) -> Result<Subscription> {
        let account = mailbox.account();
        let (url, refresh) = (read_url(&new.url)?, check_refresh(new.refresh)?);
        new.color.as_deref().map(color).transpose()?;
        let mut one = Subscription::new(account, FolderId::new(&self.world.env), &url, refresh, self.world.env.now());
        one.kept.make = Some(Make { name: new.name.clone(), color: new.color.clone() });
        self.begin(operator, mailbox, &one).await?;
        if operator.rehearses() {
            return Ok(one);
        }
        let first = self.job(&one)?;
        match self.make_folder(mailbox, &one).await {
            // Whoever fetches it makes the folder.
            Err(error) if error.kind() == Why::Retry => {}
            Err(error) => {
                drop_folder(mailbox, one.folder).await?;
                self.end(&one).await?;
                return Err(error);
            }
            Ok(()) => match self.note_made(mailbox, &mut one).await {
                Ok(true) => {}
                Ok(false) => return Err(Error::conflict("it was removed while it was made")),
                // The folder is there: that is noted by whoever fetches it.
                Err(error) => tracing::debug!(%error, "the folder of a subscription is to be noted later"),
            },
        }
        self.send(first).await;
        Ok(one)
    }

    async fn begin(&self, operator: &Operator, mailbox: &Mailbox, one: &Subscription) -> Result<()> {
        let Account { tenant, principal } = one.account;
        if !operator.rehearses() {
            self.end_those_without(mailbox).await?;
        }
        let job = self.job(one)?;
        for _ in 0..TRIES {
            // First the count that the commit is conditional on, then what it holds for.
            let count = self.count(tenant).await?;
            if self.of(one.account).await?.len() >= MOST {
                return Err(Error::limit(format!("there are {MOST} subscriptions already; remove one first")));
            }
            if count.there >= MOST_OF_TENANT {
                return Err(Error::limit("the organisation has as many subscriptions as it may have"));
            }
            let row = Write::put_new(self.key(one.account, one.folder), self.row(one).await?);
            let writes = vec![row, due(one.due, QueueName::Subscribe, &job), self.counted(tenant, &count, count.there + 1)];
            match operator.carry_out(tenant, writes, "subscription.create", &principal.to_string(), &one.folder.to_string()).await {
                Err(error) if error.kind() == Why::Conflict => {}
                done => return done,
            }
        }
        Err(Error::retry("many are subscribing now; try again"))
    }

    /// A calendar that somebody deleted counts no more, whether its turn has come since or never will. Rows are read before
    /// folders: of what is made meanwhile, the row is not looked at.
    async fn end_those_without(&self, mailbox: &Mailbox) -> Result<()> {
        let all = self.of(mailbox.account()).await?;
        let folders = mailbox.folders().await?;
        for one in all.iter().filter(|one| one.kept.make.is_none() && folders.get(one.folder).is_none()) {
            self.end(one).await?;
        }
        Ok(())
    }

    /// Makes the folder where that is still to be done; twice is once. `one` is as its row is then. `false`: it was removed
    /// meanwhile, and no folder is left of it.
    pub async fn make(&self, mailbox: &Mailbox, one: &mut Subscription) -> Result<bool> {
        if one.kept.make.is_none() {
            return Ok(true);
        }
        self.make_folder(mailbox, one).await?;
        self.note_made(mailbox, one).await
    }

    async fn make_folder(&self, mailbox: &Mailbox, one: &Subscription) -> Result<()> {
        let Some(make) = one.kept.make.clone() else { return Ok(()) };
        let properties = make.color.as_deref().map(color).transpose()?.into_iter().collect();
        let segment = format!("subscribed-{}", one.folder);
        let new = NewCollection { kind: Kind::Events, parent: None, segment, name: make.name, properties };
        mailbox.create_fed(one.folder, &new).await
    }

    /// Writes down that the folder is made. The revision moves, so that nobody who read the row before writes back that it is
    /// still to be made.
    async fn note_made(&self, mailbox: &Mailbox, one: &mut Subscription) -> Result<bool> {
        for _ in 0..TRIES {
            if one.kept.make.is_none() {
                return Ok(true);
            }
            let mut made = one.clone();
            made.kept.make = None;
            let write = self.moved(one, &mut made).await?;
            match self.table().put(write).await {
                Err(PortError::Condition { .. }) => {}
                done => {
                    done?;
                    *one = made;
                    return Ok(true);
                }
            }
            // Others noted it, changed something else, or removed it.
            *one = match self.find(one.account, one.folder).await {
                Err(error) if error.kind() == Why::NotFound => {
                    // Who removed it may have looked for the folder before it was there.
                    drop_folder(mailbox, one.folder).await?;
                    return Ok(false);
                }
                found => found?,
            };
        }
        Err(Error::retry("it is being changed; try again"))
    }

    /// Takes the folder with it.
    pub async fn remove(&self, operator: &Operator, mailbox: &Mailbox, one: &Subscription) -> Result<()> {
        let (tenant, target) = (one.account.tenant, one.account.principal.to_string());
        let key = self.key(one.account, one.folder);
        for _ in 0..TRIES {
            let count = self.count(tenant).await?;
            let Some(revision) = self.table().get(&key).await?.map(|row| row.u64("rv").unwrap_or_default()) else {
                // The worker was faster.
                return Ok(());
            };
            // The folder first: whoever dies in between leaves a row whose folder is gone, and that is dropped when it is due. The
            // row goes as it was before that, so that a folder which is noted meanwhile is seen at the next try.
            if !operator.rehearses() {
                drop_folder(mailbox, one.folder).await?;
            }
            let gone = Write::Delete { key: key.clone(), when: When::Equal(vec![("rv".into(), revision.into())]) };
            let writes = vec![gone, self.counted(tenant, &count, count.there.saturating_sub(1))];
            match operator.carry_out(tenant, writes, "subscription.remove", &target, &one.folder.to_string()).await {
                Err(error) if error.kind() == Why::Conflict => {}
                done => return done,
            }
        }
        Err(Error::retry("others are being added or removed now; try again"))
    }

    /// Its folder is gone.
    pub async fn end(&self, one: &Subscription) -> Result<()> {
        let key = self.key(one.account, one.folder);
        let when = When::Equal(vec![("rv".into(), one.revision.into())]);
        for _ in 0..TRIES {
            let count = self.count(one.account.tenant).await?;
            let gone = Write::Delete { key: key.clone(), when: when.clone() };
            let writes = vec![gone, self.counted(one.account.tenant, &count, count.there.saturating_sub(1))];
            match self.table().commit(writes).await {
                Err(PortError::Condition { .. }) => {}
                done => return Ok(done?),
            }
            if self.table().get(&key).await?.is_none_or(|row| row.u64("rv") != Some(one.revision)) {
                return Ok(());
            }
        }
        Err(Error::retry("others are being added or removed now"))
    }
}

/// With all that is in it; where there is none, that is as well.
async fn drop_folder(mailbox: &Mailbox, folder: FolderId) -> Result<()> {
    match mailbox.delete_collection(folder).await {
        Err(error) if error.kind() == Why::NotFound => Ok(()),
        done => done,
    }
}

impl Kept {
    /// What its folder is to be called, while there is none.
    pub fn to_be_called(&self) -> Option<&str> {
        self.make.as_ref().map(|make| make.name.as_str())
    }
}
