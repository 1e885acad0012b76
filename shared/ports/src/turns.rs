//! Whose turn it is, where work costs and many want it done at once. A piece of work takes a place; places are few; those who
//! wait for one are served tenant by tenant, and within a tenant account by account. So a tenant with a thousand busy
//! connections waits for itself, and another's one command waits for at most one piece of work of each tenant before it.
//!
//! Where nobody waits a place costs a lock and nothing else. One tenant never holds the last quarter of the places: work that
//! hangs in a slow store must not stop the others. Nobody who holds a place waits for another one: before that, or before
//! waiting for a peer, [`Turn::rest`] gives it back. A wait that is dropped leaves the line.

use crate::Account;
use parking_lot::Mutex;
use penfold_types::{PrincipalId, TenantId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The places of one kind of work in this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Mutex<Line>>);

/// What a line looks like from outside.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Load {
    pub working: usize,
    pub waiting: usize,
    /// Of all places ever given: those that were waited for.
    pub waited: u64,
}

#[derive(Debug)]
struct Line {
    free: usize,
    /// What one tenant may hold.
    most: usize,
    load: Load,
    /// Tenants that wait and may be given a place, in the order of their turns; empty while a place is free.
    turns: VecDeque<TenantId>,
    /// Those that hold a place or wait for one.
    tenants: BTreeMap<TenantId, Tenant>,
    tickets: u64,
}

#[derive(Default, Debug)]
struct Tenant {
    held: usize,
    waiting: usize,
    turns: VecDeque<PrincipalId>,
    accounts: BTreeMap<PrincipalId, VecDeque<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    called: oneshot::Sender<()>,
}

impl Turns {
    /// 0 places: as many as are asked for.
    pub fn new(places: usize) -> Self {
        let free = if places == 0 { usize::MAX } else { places };
        let (turns, tenants) = (VecDeque::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(Line { free, most: free - free / 4, load: Load::default(), turns, tenants, tickets: 0 })))
    }

    /// Work of this account; it has no place yet.
    pub fn of(&self, account: Account) -> Turn {
        Turn { of: Some((self.clone(), account)), holds: false }
    }

    /// How many pieces of a tenant's work wait.
    pub fn waiting_of(&self, tenant: TenantId) -> usize {
        self.0.lock().tenants.get(&tenant).map_or(0, |tenant| tenant.waiting)
    }

    pub fn load(&self) -> Load {
        self.0.lock().load
    }

    async fn take(&self, account: Account) {
        let entered = self.0.lock().enter(account);
        if let Err((ticket, called)) = entered {
            let mut waiting = Waiting { turns: self, account, ticket, served: false };
            // The other end is kept until it has called.
            let _ = called.await;
            waiting.served = true;
        }
    }
}

/// Somebody in line; where it is dropped they leave it.
struct Waiting<'a> {
    turns: &'a Turns,
    account: Account,
    ticket: u64,
    served: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.served {
            let mut line = self.turns.0.lock();
            // Not in line any more: the place was given, and nobody took it.
            if !line.leave(self.account, self.ticket) {
                line.give_back(self.account.tenant);
            }
        }
    }
}

impl Line {
    /// A place at once, or one in line.
    fn enter(&mut self, account: Account) -> Result<(), (u64, oneshot::Receiver<()>)> {
        if self.take_free(account.tenant) {
            return Ok(());
        }
        self.tickets += 1;
        let (called, call) = oneshot::channel();
        let tenant = self.tenants.entry(account.tenant).or_default();
        if tenant.waiting == 0 && tenant.held < self.most {
            self.turns.push_back(account.tenant);
        }
        tenant.waiting += 1;
        self.load.waiting += 1;
        let waiters = tenant.accounts.entry(account.principal).or_default();
        if waiters.is_empty() {
            tenant.turns.push_back(account.principal);
        }
        waiters.push_back(Waiter { ticket: self.tickets, called });
        Err((self.tickets, call))
    }

    /// A free place is nobody else's turn: who waits then may have no more.
    fn take_free(&mut self, tenant: TenantId) -> bool {
        if self.free == 0 {
            return false;
        }
        let tenant = self.tenants.entry(tenant).or_default();
        if tenant.held >= self.most {
            return false;
        }
        tenant.held += 1;
        self.free -= 1;
        self.load.working += 1;
        true
    }

    fn give_back(&mut self, of: TenantId) {
        self.free += 1;
        self.load.working -= 1;
        if let Some(tenant) = self.tenants.get_mut(&of) {
            // It had as many as it may have, and so was not in line.
            if tenant.held == self.most && tenant.waiting > 0 {
                self.turns.push_back(of);
            }
            tenant.held -= 1;
            if tenant.held == 0 && tenant.waiting == 0 {
                self.tenants.remove(&of);
            }
        }
        if self.free > 0
            && let Some(next) = self.turns.pop_front()
        {
            self.serve(next);
        }
    }

    /// Gives a free place to the tenant whose turn it is.
    fn serve(&mut self, next: TenantId) {
        let Some(tenant) = self.tenants.get_mut(&next) else { return };
        let Some(account) = tenant.turns.pop_front() else { return };
        let Some(waiters) = tenant.accounts.get_mut(&account) else { return };
        let Some(waiter) = waiters.pop_front() else { return };
        if waiters.is_empty() {
            tenant.accounts.remove(&account);
        } else {
            tenant.turns.push_back(account);
        }
        tenant.waiting -= 1;
        tenant.held += 1;
        if tenant.waiting > 0 && tenant.held < self.most {
            self.turns.push_back(next);
        }
        self.free -= 1;
        self.load = Load { working: self.load.working + 1, waiting: self.load.waiting - 1, waited: self.load.waited + 1 };
        // Who is gone gives it back.
        let _ = waiter.called.send(());
    }

    /// False where this ticket is not in line.
    fn leave(&mut self, account: Account, ticket: u64) -> bool {
        let Some(tenant) = self.tenants.get_mut(&account.tenant) else { return false };
        let Some(waiters) = tenant.accounts.get_mut(&account.principal) else { return false };
        let Some(at) = waiters.iter().position(|waiter| waiter.ticket == ticket) else { return false };
        waiters.remove(at);
        if waiters.is_empty() {
            tenant.accounts.remove(&account.principal);
            tenant.turns.retain(|other| *other != account.principal);
        }
        tenant.waiting -= 1;
        self.load.waiting -= 1;
        if tenant.waiting == 0 {
            self.turns.retain(|other| *other != account.tenant);
            if tenant.held == 0 {
                self.tenants.remove(&account.tenant);
            }
        }
        true
    }
}

/// Work of one account, with its place or without.
#[derive(Default, Debug)]
pub struct Turn {
    of: Option<(Turns, Account)>,
    holds: bool,
}

impl Turn {
    /// Work that needs no place.
    pub const fn free() -> Self {
        Self { of: None, holds: false }
    }

    /// More work of the same account, which takes its own place.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { of: self.of.clone(), holds: false }
    }

    pub fn holds(&self) -> bool {
        self.holds
    }

    /// Waits for a place, where it has none.
    pub async fn take(&mut self) {
        if let Some((turns, account)) = self.of.as_ref().filter(|_| !self.holds) {
            turns.take(*account).await;
            self.holds = true;
        }
    }

    /// Takes a place only if that makes nobody wait.
    pub fn take_spare(&mut self) -> bool {
        if let Some((turns, account)) = self.of.as_ref().filter(|_| !self.holds) {
            self.holds = turns.0.lock().take_free(account.tenant);
            return self.holds;
        }
        true
    }

    /// Gives the place back: before waiting for a peer, or for other work of its own.
    pub fn rest(&mut self) {
        if let Some((turns, account)) = self.of.as_ref().filter(|_| self.holds) {
            turns.0.lock().give_back(account.tenant);
            self.holds = false;
        }
    }

    /// Between two pieces of long work: whoever waits goes first.
    pub async fn pass(&mut self) {
        let wanted = self.of.as_ref().is_some_and(|(turns, _)| self.holds && turns.load().waiting > 0);
        if wanted {
            self.rest();
            self.take().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.rest();
    }
}

#[cfg(test)]
mod tests;
