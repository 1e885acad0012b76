use super::*;
use penfold_types::Env;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;

fn account(tenant: u8, account: u16) -> Account {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&account.to_be_bytes());
    Account { tenant: TenantId::from_bytes([tenant; 16]), principal: PrincipalId::from_bytes(id) }
}

fn at_rest(turns: &Turns) {
    let line = turns.0.lock();
    assert!(line.tenants.is_empty() && line.turns.is_empty(), "{line:?}");
    assert_eq!((line.load.working, line.load.waiting), (0, 0));
}

/// Puts work in line, in this order, behind one that holds the place; then lets it go on, and tells who was served when.
async fn served(turns: &Turns, line: Vec<Account>) -> Vec<Account> {
    let mut first = turns.of(account(255, 0));
    first.take().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    for who in line {
        let (mut turn, order) = (turns.of(who), order.clone());
        let before = turns.load().waiting;
        tasks.spawn(async move {
            turn.take().await;
            order.lock().push(who);
            tokio::task::yield_now().await;
        });
        while turns.load().waiting == before {
            tokio::task::yield_now().await;
        }
    }
    drop(first);
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    at_rest(turns);
    let order = order.lock();
    order.clone()
}

/// A thousand pieces of one tenant's work wait already; each of 50 others is served within 51 turns.
#[tokio::test(start_paused = true)]
async fn a_flood_of_one_tenant_waits_for_itself() {
    let turns = Turns::new(1);
    let noisy = (0..1000).map(|n| account(0, n % 100));
    let quiet = (1..=50).map(|tenant| account(tenant, 0));
    let order = served(&turns, noisy.chain(quiet).collect()).await;
    assert_eq!(order.len(), 1050);
    let late: BTreeSet<TenantId> = order.iter().skip(51).map(|who| who.tenant).collect();
    assert_eq!(late, [account(0, 0).tenant].into(), "after a round only the noisy one is left");
}

#[tokio::test(start_paused = true)]
async fn within_a_tenant_accounts_take_turns() {
    let order = served(&Turns::new(1), (0..20).map(|_| account(0, 0)).chain([account(0, 1), account(0, 2)]).collect()).await;
    assert!(order.iter().take(3).any(|who| *who == account(0, 1)) && order.iter().take(3).any(|who| *who == account(0, 2)));
}

/// Long work that passes between its pieces: one command of another waits for one piece of each tenant before it.
#[tokio::test(start_paused = true)]
async fn who_passes_lets_one_of_each_go_first() {
    let turns = Turns::new(1);
    let (env, pieces) = (Env::system(), Arc::new(Mutex::new(0)));
    let mut tasks = JoinSet::new();
    for n in 0..30 {
        let (mut turn, pieces, env) = (turns.of(account(0, n)), pieces.clone(), env.clone());
        tasks.spawn(async move {
            turn.take().await;
            loop {
                env.sleep(Duration::from_millis(1)).await;
                *pieces.lock() += 1;
                turn.pass().await;
            }
        });
    }
    for n in 1..=50 {
        env.sleep(Duration::from_millis(7)).await;
        let before = *pieces.lock();
        let mut quiet = turns.of(account(1, n));
        quiet.take().await;
        assert!(*pieces.lock() - before <= 1, "one piece of the one tenant that waited too");
    }
    tasks.shutdown().await;
    at_rest(&turns);
}

#[tokio::test(start_paused = true)]
async fn the_last_quarter_is_for_others() {
    let turns = Turns::new(8);
    let mut noisy: Vec<Turn> = (0..8).map(|n| turns.of(account(0, n))).collect();
    let held = noisy.iter_mut().filter_map(|turn| turn.take_spare().then_some(())).count();
    assert_eq!(held, 6);
    let mut quiet = turns.of(account(1, 0));
    quiet.take().await;
    let mut another = quiet.another();
    assert!(another.take_spare());
    assert_eq!(turns.load(), Load { working: 8, waiting: 0, waited: 0 });
    // A tenant at its most stands in no line, and comes back into it with its next place.
    let mut seventh = noisy.pop().unwrap();
    let mut waiting = Box::pin(seventh.take());
    assert!(poll(&mut waiting).is_none());
    drop((quiet, another));
    assert!(poll(&mut waiting).is_none());
    noisy.remove(0);
    assert!(poll(&mut waiting).is_some());
    drop(waiting);
    drop((seventh, noisy));
    at_rest(&turns);
}

fn poll<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => Some(done),
        std::task::Poll::Pending => None,
    }
}

/// Waits are dropped at every moment: in line, called and not yet awake, and while their place is given on.
#[tokio::test(start_paused = true)]
async fn places_of_dropped_waits_come_back() {
    let turns = Turns::new(2);
    let mut state = 7u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..1000 {
        let mut holders: Vec<Turn> = (0..2).map(|n| turns.of(account(9 + n, 0))).collect();
        assert!(holders.iter_mut().all(Turn::take_spare));
        let mut line: Vec<Turn> = (0..next(12) + 1).map(|_| turns.of(account(next(4) as u8, next(3) as u16))).collect();
        let mut waits: Vec<_> = line.iter_mut().map(|turn| Box::pin(turn.take())).collect();
        for _ in 0..next(40) {
            if waits.is_empty() {
                break;
            }
            let at = next(waits.len() as u64) as usize;
            match next(4) {
                0 => drop(waits.swap_remove(at)),
                1 => drop(holders.pop()),
                _ if poll(&mut waits[at]).is_some() => drop(waits.swap_remove(at)),
                _ => {}
            }
        }
        drop(waits);
        assert_eq!(turns.load().waiting, 0);
        drop((line, holders));
        at_rest(&turns);
    }
}

#[tokio::test(start_paused = true)]
async fn no_limit_is_no_line() {
    let turns = Turns::new(0);
    let mut all: Vec<Turn> = (0..10_000).map(|n| turns.of(account(0, n))).collect();
    for turn in &mut all {
        turn.take().await;
        turn.pass().await;
    }
    assert_eq!(turns.load(), Load { working: 10_000, waiting: 0, waited: 0 });
    let mut free = Turn::free();
    free.take().await;
    assert!(free.take_spare() && !free.holds());
}
