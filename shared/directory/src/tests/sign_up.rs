//! Companies that sign themselves up: whoever is cut off or comes twice, there is one tenant, and one who administers it.

use super::*;

const PASSWORD: &str = "plum cactus orbit";

fn company(domain: &str, network: &str) -> NewSignUp {
    NewSignUp {
        company: "New Ltd".into(),
        address: a(&format!("kim@{domain}")),
        name: "Kim".into(),
        password: PASSWORD.into(),
        by: ProofBy::Dns,
        network: network.into(),
    }
}

fn by_mail(domain: &str) -> NewSignUp {
    NewSignUp { by: ProofBy::Mail(a(&format!("postmaster@{domain}"))), ..company(domain, "n") }
}

async fn tenants(house: &House) -> Vec<TenantInfo> {
    house.neighbour().operator().tenants(None, 100).await.unwrap().items
}

/// Kim signs in and administers the one new tenant, and everything fits.
async fn is_done(house: &House, domain: &str, tenant: TenantId) {
    let directory = house.neighbour();
    let all = tenants(house).await;
    let new: Vec<_> = all.iter().filter(|one| !["One", "Two"].contains(&&*one.name)).collect();
    assert_eq!(new.iter().map(|one| (one.id, one.status)).collect::<Vec<_>>(), [(tenant, TenantStatus::Trial)]);
    let who = directory.sign_in_typed(&format!("kim@{domain}"), PASSWORD, None, HERE).await.unwrap();
    assert_eq!(who.account.tenant, tenant);
    let people = directory.operator().people(tenant, None, 10).await.unwrap().items;
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].roles, [RoleGrant::everywhere(Role::TenantAdministrator)]);
    assert_eq!(directory.domain_owner(&d(domain)).await.unwrap(), Some(tenant));
    assert_eq!(directory.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(directory.operator().verify_audit(tenant).await.unwrap().broken_at, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_before_the_proof() {
    let house = house().await;
    let before = keys(&house);
    let (begun, token) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
    let made: Vec<_> = keys(&house).into_iter().filter(|key| !before.contains(key)).collect();
    assert!(made.iter().all(|key| key.pk().as_str() == "sign-ups" || key.pk().as_str() == "service"), "{made:?}");
    let told = |row: &Row, text: &str| row.encode().windows(text.len()).any(|window| window == text.as_bytes());
    let hash = Cheap.hash(PASSWORD, &[0; 16]).unwrap();
    assert!(!house.partition("sign-ups").iter().any(|(_, row)| told(row, &token[30..]) || told(row, PASSWORD) || told(row, &hash[..4])));
    assert_eq!(house.neighbour().sign_up(begun.id, &token).await.unwrap(), begun);
    let tenant = house.directory.finish_sign_up(&begun).await.unwrap();
    is_done(&house, "new.test", tenant).await;
    assert_eq!(house.neighbour().sign_up(begun.id, &token).await.unwrap().tenant, Some(tenant));
}

#[tokio::test(start_paused = true)]
async fn only_its_own_token_speaks_of_it() {
    let house = house().await;
    let (begun, token) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
    let (other, others) = house.directory.begin_sign_up(&company("other.test", "n")).await.unwrap();
    let mixed = format!("{}{}", &token[..30], &others[30..]);
    for (id, wrong) in
        [(begun.id, &others), (other.id, &token), (begun.id, &mixed), (begun.id, &token[..55].to_owned()), (begun.id, &String::new())]
    {
        assert_eq!(kind(house.directory.sign_up(id, wrong).await), Kind::NotFound, "{wrong}");
    }
    assert_ne!(begun.token(), other.token());
}

#[tokio::test(start_paused = true)]
async fn what_ends_without_a_proof_is_gone() {
    let house = house().await;
    let (waiting, token) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
    let (done, others) = house.directory.begin_sign_up(&company("done.test", "n")).await.unwrap();
    let tenant = house.directory.finish_sign_up(&done).await.unwrap();
    house.sleep(7 * DAY - Duration::from_secs(5)).await;
    house.directory.expire_sign_ups().await.unwrap();
    assert!(house.directory.sign_up(waiting.id, &token).await.is_ok());
    house.sleep(Duration::from_secs(10)).await;
    assert_eq!(kind(house.directory.sign_up(waiting.id, &token).await), Kind::NotFound);
    assert_eq!(house.directory.sign_up(done.id, &others).await.unwrap().tenant, Some(tenant));
    house.directory.expire_sign_ups().await.unwrap();
    assert_eq!(house.partition("sign-ups").len(), 0);
    assert_eq!(kind(house.directory.finish_sign_up(&waiting).await), Kind::NotFound, "nor by whoever still holds it");
    is_done(&house, "done.test", tenant).await;
}

#[tokio::test(start_paused = true)]
async fn one_network_and_one_domain_begin_so_often_a_day_and_use_nothing_up_for_others() {
    let house = house().await;
    let begin = async |domain: String, network: &str| house.directory.begin_sign_up(&company(&domain, network)).await.map(|_| ());
    for number in 0..20 {
        begin(format!("new{number}.test"), "a").await.unwrap();
    }
    for _ in 0..15 {
        assert_eq!(kind(begin("more.test".into(), "a").await), Kind::Limit);
    }
    for number in 0..10 {
        begin("wanted.test".into(), &format!("b{number}")).await.unwrap();
    }
    assert_eq!(kind(begin("wanted.test".into(), "c").await), Kind::Limit);
    begin("more.test".into(), "c").await.unwrap();
    let all = house.partition("sign-ups").into_iter().find(|(key, _)| key.sk().as_bytes().ends_with(b"*")).unwrap();
    assert_eq!(all.1.u64("n"), Some(31), "those that were refused do not count for everybody");
    house.sleep(DAY).await;
    begin("more.test".into(), "a").await.unwrap();
    begin("wanted.test".into(), "c").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn beginnings_at_once_are_all_counted() {
    let house = house().await;
    let (here, there) = (house.directory.clone(), house.neighbour());
    let tasks: Vec<_> = (0..30)
        .map(|number| {
            let directory = if number % 2 == 0 { here.clone() } else { there.clone() };
            tokio::spawn(async move { directory.begin_sign_up(&company(&format!("n{number}.test"), "a")).await.is_ok() })
        })
        .collect();
    let mut begun = 0;
    for task in tasks {
        begun += u32::from(task.await.unwrap());
    }
    assert!((10..=20).contains(&begun), "{begun}");
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_somebody_has_is_begun_alike_and_refused_with_the_proof() {
    let house = house().await;
    let (taken, _) = house.directory.begin_sign_up(&company("one.test", "n")).await.unwrap();
    let (free, _) = house.directory.begin_sign_up(&company("free.test", "n")).await.unwrap();
    assert_eq!((taken.expires.seconds(), taken.token().len()), (free.expires.seconds(), free.token().len()));
    assert_eq!(kind(house.directory.finish_sign_up(&taken).await), Kind::Conflict);
    assert_eq!(tenants(&house).await.len(), 2, "and no tenant is left of it");
    assert!(house.operator.person(&a("kim@one.test")).await.is_err());
    let tenant = house.directory.finish_sign_up(&free).await.unwrap();
    is_done(&house, "free.test", tenant).await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_a_proof_stands_in_nobodys_way() {
    let house = house().await;
    house.operator.claim_domain("Two", &d("new.test")).await.unwrap();
    let (begun, _) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
    let tenant = house.directory.finish_sign_up(&begun).await.unwrap();
    is_done(&house, "new.test", tenant).await;
    let two = house.tenant("Two").await;
    assert!(house.operator.domains("Two").await.unwrap().iter().all(|one| one.domain != "new.test" || !one.proved));
    assert_eq!(kind(house.operator.mark_proved(two, &d("new.test"), "").await), Kind::Conflict);
    assert_eq!(house.operator.verify_audit(two).await.unwrap().broken_at, None);
}

#[tokio::test(start_paused = true)]
async fn two_companies_of_one_name_are_told_apart() {
    let house = house().await;
    let mut names = Vec::new();
    for domain in ["first.test", "second.test"] {
        let (begun, _) = house.directory.begin_sign_up(&company(domain, "n")).await.unwrap();
        let tenant = house.directory.finish_sign_up(&begun).await.unwrap();
        names.push(house.operator.tenant(&tenant.to_string()).await.unwrap().name);
    }
    assert_eq!(names, ["New Ltd", "New Ltd second.test"]);
    let long = NewSignUp { company: "L".repeat(100), ..company("third.test", "n") };
    house.operator.create_tenant(&long.company).await.unwrap();
    let (begun, _) = house.directory.begin_sign_up(&long).await.unwrap();
    assert!(house.directory.finish_sign_up(&begun).await.is_ok(), "a name that has no room for more");
}

/// Cut off after each millisecond, which is between any two of its steps; then it is done again, elsewhere.
#[tokio::test(start_paused = true)]
async fn cut_off_anywhere_and_done_again_it_makes_one_tenant() {
    for (faults, seeds) in [(Faults::NONE, 0), (Faults { lost: 1_500, throttled: 300, ..Faults::NONE }, 1_000)] {
        let mut cut = 0;
        for after in 0.. {
            let house = seeded(seeds + after).await;
            let (begun, token) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
            house.world.faults(faults);
            let first = tokio::time::timeout(Duration::from_millis(after * 3), house.directory.finish_sign_up(&begun)).await;
            house.world.crash();
            house.world.faults(Faults::NONE);
            let there = house.neighbour();
            let found = there.sign_up(begun.id, &token).await.unwrap();
            let tenant = there.finish_sign_up(&found).await.unwrap();
            is_done(&house, "new.test", tenant).await;
            match first {
                Ok(Ok(first)) => {
                    assert_eq!(first, tenant);
                    break;
                }
                _ => cut += 1,
            }
        }
        assert!(cut > 20, "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_finish_it_at_once_make_one_tenant() {
    for seed in 0..15 {
        let house = seeded(seed).await;
        let (begun, _) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
        let there = house.neighbour();
        let (first, second) = tokio::join!(house.directory.finish_sign_up(&begun), there.finish_sign_up(&begun));
        // The slower one may be told to come again.
        assert!(first.is_ok() || second.is_ok(), "seed {seed}: {first:?} {second:?}");
        let tenant = there.finish_sign_up(&begun).await.unwrap();
        assert!([first, second].into_iter().flatten().all(|made| made == tenant));
        is_done(&house, "new.test", tenant).await;
    }
}

#[tokio::test(start_paused = true)]
async fn once_it_is_done_it_gives_nothing_back() {
    let house = house().await;
    let (begun, token) = house.directory.begin_sign_up(&company("new.test", "n")).await.unwrap();
    house.directory.finish_sign_up(&begun).await.unwrap();
    house.operator.create_person(&person("next@new.test")).await.unwrap();
    house.grant("next@new.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    house.grant("kim@new.test", &[]).await;
    house.operator.set_password(&a("kim@new.test"), "walnut river lantern").await.unwrap();
    for stale in [begun.clone(), house.directory.sign_up(begun.id, &token).await.unwrap()] {
        house.neighbour().finish_sign_up(&stale).await.unwrap();
        assert_eq!(house.operator.person(&a("kim@new.test")).await.unwrap().roles, []);
        assert!(house.neighbour().sign_in_typed("kim@new.test", PASSWORD, None, HERE).await.is_err());
    }
    house.operator.delete_person(&a("kim@new.test")).await.unwrap();
    house.neighbour().finish_sign_up(&begun).await.unwrap();
    assert_eq!(kind(house.operator.person(&a("kim@new.test")).await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_guessed_ten_times_in_all() {
    let house = house().await;
    let (begun, token) = house.directory.begin_sign_up(&by_mail("new.test")).await.unwrap();
    let code = begun.token();
    assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let again = house.neighbour().sign_up(begun.id, &token).await.unwrap();
    assert!(house.neighbour().sign_up_code(&again, &format!("{} {}", &code[..4], &code[4..])).await.unwrap());
    let there = house.neighbour();
    for guess in 0..9 {
        let wrong = format!("{guess:08}");
        let directory = if guess % 2 == 0 { &house.directory } else { &there };
        assert!(wrong == code || !directory.sign_up_code(&begun, &wrong).await.unwrap());
    }
    assert_eq!(kind(there.sign_up_code(&begun, &code).await), Kind::Limit, "the right one neither");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_companys_is_refused_before_anything_is_counted() {
    let house = house().await;
    let refused = async |new: NewSignUp| kind(house.directory.begin_sign_up(&new).await);
    for domain in ["gmail.com", "mail.gmail.com", "co.uk", "example.org", "router.local", "xn--80ak6aa92e.com", "com"] {
        assert_eq!(refused(company(domain, "n")).await, Kind::Invalid, "{domain}");
    }
    for password in ["short", "password123", "kim", "newnewnewnew", "1234567890", "kim@new.test"] {
        assert_eq!(refused(NewSignUp { password: password.into(), ..company("new.test", "n") }).await, Kind::Invalid, "{password}");
    }
    assert_eq!(refused(NewSignUp { company: "a/b".into(), ..company("new.test", "n") }).await, Kind::Invalid);
    assert_eq!(refused(NewSignUp { name: " ".into(), ..company("new.test", "n") }).await, Kind::Invalid);
    assert_eq!(house.partition("sign-ups").len(), 0);
    let service = Service { host: "mail.provider.com".into(), ..Service::default() };
    house.directory.set_service(&service).await.unwrap();
    for domain in ["provider.com", "mail.provider.com", "new.test"] {
        assert_eq!(kind(house.neighbour().begin_sign_up(&company(domain, "n")).await), Kind::Invalid, "{domain}");
    }
}
