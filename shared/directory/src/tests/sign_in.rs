use super::*;
use crate::hasher::Hasher;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Counts how often it verifies.
#[derive(Default)]
struct Counting(AtomicU32);

impl Hasher for Counting {
    fn hash(&self, secret: &str, salt: &[u8; 16]) -> penfold_types::Result<String> {
        Cheap.hash(secret, salt)
    }
    fn verify(&self, secret: &str, hash: &str) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        Cheap.verify(secret, hash)
    }
    fn blocking(&self) -> bool {
        false
    }
}

async fn counted() -> (House, Arc<Counting>) {
    let house = house().await;
    let hasher = Arc::new(Counting::default());
    let directory =
        Directory::with_options(house.directory.inner.store.world.clone(), Options { hasher: hasher.clone(), ..Options::default() });
    (House { operator: directory.operator(), directory, world: house.world }, hasher)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_sign_ins_hash_once() {
    let (house, hasher) = counted().await;
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let directory = house.directory.clone();
            tokio::spawn(async move { directory.sign_in("ann@one.test", "secret", [10, 0, 0, 1].into()).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(hasher.0.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    assert_eq!(hasher.0.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    assert_eq!(hasher.0.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_costs_the_same_work_and_gets_the_same_answer() {
    let (house, hasher) = counted().await;
    house.operator.create_shared(&NewShared { address: a("info@one.test"), name: "Info".into(), quota: None }).await.unwrap();
    let mut answers = Vec::new();
    for (number, (address, secret)) in [
        ("ann@one.test", "wrong"),
        ("nobody@one.test", "secret"),
        ("x@elsewhere.test", "secret"),
        ("no address", "secret"),
        ("info@one.test", "nobody"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = house.directory.sign_in(address, secret, [10, 0, 1, number as u8].into()).await;
        answers.push(answer.unwrap_err());
        assert_eq!(hasher.0.load(Ordering::SeqCst), number as u32 + 1, "{address}");
    }
    assert_eq!(answers, vec![SignInError::Refused; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_password_ends_the_old_one_here_at_once_and_elsewhere_within_a_minute() {
    let house = house().await;
    let other = house.neighbour();
    let from = [127, 0, 0, 1].into();
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    assert!(other.sign_in("ann@one.test", "secret", from).await.is_ok());
    house.operator.set_password(&a("ann@one.test"), "changed").await.unwrap();
    assert_eq!(house.sign_in("ann@one.test", "secret").await.unwrap_err(), SignInError::Refused);
    assert!(house.sign_in("ann@one.test", "changed").await.is_ok());
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(other.sign_in("ann@one.test", "secret", from).await.unwrap_err(), SignInError::Refused);
}

#[tokio::test(start_paused = true)]
async fn the_suspended_do_not_enter() {
    let house = house().await;
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    let change = |status| PersonChange { status: Some(status), ..Default::default() };
    house.operator.update_person(&a("ann@one.test"), &change(Status::Suspended)).await.unwrap();
    assert_eq!(house.sign_in("ann@one.test", "secret").await.unwrap_err(), SignInError::Refused);
    house.operator.update_person(&a("ann@one.test"), &change(Status::Active)).await.unwrap();
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    house.operator.set_tenant_status("One", TenantStatus::Closed).await.unwrap();
    assert_eq!(house.sign_in("ann@one.test", "secret").await.unwrap_err(), SignInError::Refused);
    assert!(house.sign_in("eve@two.test", "secret").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_app_password_opens_without_hashing_and_can_be_taken_back() {
    let (house, hasher) = counted().await;
    let (made, secret) = house.operator.create_app_password(&a("ann@one.test"), "phone", &[]).await.unwrap();
    assert!(house.sign_in("ann@one.test", &secret).await.is_ok());
    assert!(house.sign_in("ann@one.test", &secret.replace('-', "").to_uppercase()).await.is_ok());
    assert_eq!(hasher.0.load(Ordering::SeqCst), 0);
    assert_eq!(house.sign_in("bob@one.test", &secret).await.unwrap_err(), SignInError::Refused);
    let listed = house.operator.app_passwords(&a("ann@one.test")).await.unwrap();
    assert_eq!((listed.len(), listed[0].id.clone(), listed[0].used.is_some()), (1, made.id, true));
    house.operator.remove_app_password(&a("ann@one.test"), "phone").await.unwrap();
    assert_eq!(house.sign_in("ann@one.test", &secret).await.unwrap_err(), SignInError::Refused);
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    assert_eq!(kind(house.operator.remove_app_password(&a("ann@one.test"), "phone").await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn failures_slow_down_and_end() {
    let house = house().await;
    let begin = house.directory.env().monotonic();
    for number in 0..20 {
        assert_eq!(house.sign_in("ann@one.test", &format!("guess {number}")).await.unwrap_err(), SignInError::Refused);
    }
    assert!(begin.elapsed() > Duration::from_secs(40), "{:?}", begin.elapsed());
    let far = |last| house.directory.sign_in("ann@one.test", "secret", [192, 0, 2, last].into());
    assert!(matches!(house.sign_in("ann@one.test", "secret").await, Err(SignInError::TooMany(_))));
    assert!(matches!(far(1).await, Err(SignInError::TooMany(_))));
    // The same for an address that does not exist.
    for number in 0..20 {
        let answer = house.directory.sign_in("nobody@one.test", &format!("guess {number}"), [198, 51, 100, number].into()).await;
        assert_eq!(answer.unwrap_err(), SignInError::Refused);
    }
    let answer = house.directory.sign_in("nobody@one.test", "x", [198, 51, 100, 99].into()).await;
    assert!(matches!(answer, Err(SignInError::TooMany(_))));
    tokio::time::advance(Duration::from_secs(601)).await;
    assert!(far(1).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn endless_secrets_and_names_are_refused() {
    let house = house().await;
    assert_eq!(house.sign_in("ann@one.test", &"x".repeat(1_000_000)).await.unwrap_err(), SignInError::Refused);
    assert_eq!(house.sign_in(&"x".repeat(1_000_000), "secret").await.unwrap_err(), SignInError::Refused);
    assert_eq!(house.sign_in("ann@one.test", "").await.unwrap_err(), SignInError::Refused);
    assert_eq!(kind(house.operator.set_password(&a("ann@one.test"), "").await), Kind::Invalid);
}

#[tokio::test]
async fn the_real_hasher_runs_on_a_thread_of_its_own() {
    let house = house().await;
    let directory = Directory::new(house.directory.inner.store.world.clone());
    directory.operator().set_password(&a("ann@one.test"), "grüße").await.unwrap();
    assert!(directory.sign_in("ann@one.test", "grüße", [127, 0, 0, 1].into()).await.is_ok());
    assert!(directory.sign_in("ann@one.test", "grusse", [127, 0, 0, 1].into()).await.is_err());
}

#[test]
fn futures_can_move_between_threads() {
    fn send<T: Send>(_: T) {}
    let _ = |directory: Directory, operator: Operator, address: Address| {
        send(async move { directory.sign_in("", "", [0, 0, 0, 0].into()).await });
        send(async move {
            operator.add_members(&address, &[]).await?;
            operator.delete_person(&address).await
        });
    };
}
