//! Tokens: for how long, of whom, and what ends them.

use super::*;
use penfold_ports::Rights;

async fn opens(directory: &Directory, token: &str) -> bool {
    match directory.authenticate(token).await {
        Ok(_) => true,
        Err(SignInError::Refused) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_revoked_is_revoked_at_once_in_another_process() {
    let house = house().await;
    let (there, account) = (house.neighbour(), house.account("ann@one.test").await);
    let (made, token) = house.directory.open_session(account, &session(SessionKind::Session)).await.unwrap();
    let (kept, other) = house.directory.open_session(account, &session(SessionKind::Session)).await.unwrap();
    let (_, program) = house.directory.open_session(account, &session(SessionKind::Token)).await.unwrap();
    assert!(opens(&there, &token).await);
    house.directory.close_session(account, made.id).await.unwrap();
    assert!(!opens(&there, &token).await && opens(&there, &other).await);
    assert_eq!(kind(house.directory.close_session(account, made.id).await), Kind::NotFound);
    let more = house.token("ann@one.test").await;
    assert_eq!(house.directory.close_sessions(account, Some(kept.id)).await.unwrap(), 1);
    assert!(!opens(&there, &more).await && opens(&there, &other).await && opens(&there, &program).await, "programs go on");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_nobody_uses_it_and_in_any_case_some_day() {
    let house = house().await;
    let account = house.account("ann@one.test").await;
    let idle = house.token("ann@one.test").await;
    let used = house.token("ann@one.test").await;
    let program = house.directory.open_session(account, &session(SessionKind::Token)).await.unwrap().1;
    for days in (0..90).step_by(9) {
        assert!(opens(&house.neighbour(), &used).await, "day {days}");
        house.sleep(9 * DAY - Duration::from_secs(1)).await;
    }
    assert!(opens(&house.directory, &program).await, "a token is not idle");
    assert!(!opens(&house.directory, &idle).await);
    house.sleep(Duration::from_secs(20)).await;
    assert!(!opens(&house.directory, &used).await && !opens(&house.directory, &program).await, "ninety days are over");
    assert_eq!(house.directory.sessions(account).await.unwrap().len(), 0);
    assert_eq!(
        house.partition("p#").iter().filter(|(key, _)| key.sk().as_bytes().starts_with(b"session#")).count(),
        0,
        "their rows go too"
    );

    let fresh = house.token("ann@one.test").await;
    house.sleep(14 * DAY).await;
    assert!(opens(&house.directory, &fresh).await, "fourteen days are not too many");
    house.sleep(14 * DAY + HOUR).await;
    assert!(!opens(&house.directory, &fresh).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_quite_right_opens_nothing() {
    let house = house().await;
    let token = house.token("ann@one.test").await;
    let other = house.token("bob@one.test").await;
    for at in 0..token.len() {
        let mut wrong = token.clone().into_bytes();
        wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
        assert!(!opens(&house.directory, std::str::from_utf8(&wrong).unwrap()).await, "{at}");
    }
    let rest = &token[4..];
    for wrong in [
        format!("pft_{rest}"),
        format!("pfr_{rest}"),
        format!("pfo_{rest}"),
        rest.to_owned(),
        format!("{token}0"),
        token[..107].to_owned(),
        // Somebody else's, with this one's secret.
        format!("{}{}", &other[..82], &token[82..]),
        format!("{}{}", &token[..82], &other[82..]),
        String::new(),
        "pfs_".to_owned(),
        format!("pfs_{}", "é".repeat(52)),
    ] {
        assert!(!opens(&house.directory, &wrong).await, "{wrong}");
    }
    assert!(opens(&house.directory, &token).await);
    let secret = token[82..].to_owned();
    let told = |row: &Row| row.encode().windows(26).any(|window| window == secret.as_bytes());
    assert!(!house.world.rows().iter().any(|(_, row)| told(row)), "what opens is not in the rows");
}

#[tokio::test(start_paused = true)]
async fn the_operators_tokens_open_until_they_are_removed() {
    let house = house().await;
    let token = house.operator.make_token("deploy").await.unwrap();
    let there = house.neighbour();
    let caller = there.authenticate(&token).await.unwrap();
    assert!(caller.is_operator() && caller.actor() == "operator deploy");
    let mut wrong = token.clone();
    wrong.replace_range(token.len() - 5..token.len() - 4, if token.as_bytes()[token.len() - 5] == b'0' { "1" } else { "0" });
    assert!(!opens(&there, &wrong).await);
    let id = there.operator_tokens().await.unwrap().remove(0).0;
    house.directory.remove_operator_token(&id).await.unwrap();
    assert!(!opens(&there, &token).await);
    assert_eq!(kind(house.directory.remove_operator_token(&id).await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn tokens_end_with_the_person_and_the_tenant() {
    let house = house().await;
    house.grant("bob@one.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    let (ann, bob) = (house.token("ann@one.test").await, house.token("bob@one.test").await);
    let status = async |status| {
        house.operator.set_tenant_status("One", status).await.unwrap();
        house.sleep(Duration::from_secs(61)).await;
        (opens(&house.neighbour(), &ann).await, opens(&house.directory, &bob).await)
    };
    let rights = async || house.directory.authenticate(&ann).await.unwrap().signed_in().unwrap().0.scope.rights();
    assert!(rights().await.has(Rights::ALL));
    assert_eq!(status(TenantStatus::Suspended).await, (true, true));
    assert!(rights().await.has(Rights::READ) && !rights().await.has(Rights::INSERT), "of a suspended tenant all is read, nothing changed");
    assert_eq!(status(TenantStatus::Closed).await, (false, true), "of a closed one administrators enter");
    assert_eq!(status(TenantStatus::Active).await, (true, true));

    let change = |status| PersonChange { status: Some(status), ..Default::default() };
    house.operator.update_person(&a("ann@one.test"), &change(Status::Suspended)).await.unwrap();
    assert!(!opens(&house.neighbour(), &ann).await, "at once");
    house.operator.update_person(&a("ann@one.test"), &change(Status::Active)).await.unwrap();
    assert!(opens(&house.neighbour(), &ann).await);
    let account = house.account("ann@one.test").await;
    house.operator.delete_person(&a("ann@one.test")).await.unwrap();
    assert!(!opens(&house.neighbour(), &ann).await);
    house.operator.restore(account.tenant, account.principal).await.unwrap();
    assert!(!opens(&house.neighbour(), &ann).await, "restored without what opened before");
    assert!(house.directory.open_session(account, &session(SessionKind::Session)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_at_most_and_the_one_that_was_not_used_for_longest_makes_room() {
    let house = house().await;
    let account = house.account("ann@one.test").await;
    let mut tokens = Vec::new();
    for _ in 0..60 {
        tokens.push(house.token("ann@one.test").await);
        house.sleep(Duration::from_secs(60)).await;
    }
    for _ in 0..40 {
        house.directory.open_session(account, &session(SessionKind::Token)).await.unwrap();
    }
    house.sleep(2 * HOUR).await;
    assert!(opens(&house.directory, &tokens[0]).await, "now this one is the last that was used");
    let one_more = house.token("ann@one.test").await;
    assert_eq!(house.directory.sessions(account).await.unwrap().len(), 100);
    assert!(opens(&house.directory, &tokens[0]).await && opens(&house.directory, &one_more).await);
    assert!(!opens(&house.directory, &tokens[1]).await && opens(&house.directory, &tokens[2]).await);
    let programs = house.directory.sessions(account).await.unwrap().into_iter().filter(|one| one.kind == SessionKind::Token).count();
    assert_eq!(programs, 40, "a program's token makes no room");
    assert_eq!(kind(house.directory.open_session(account, &session(SessionKind::Token)).await), Kind::Limit);
    assert!(house.directory.sessions(house.account("bob@one.test").await).await.unwrap().is_empty(), "each person for themselves");
}

#[tokio::test(start_paused = true)]
async fn a_reset_opens_nothing_else_and_works_once() {
    let house = house().await;
    let (there, account) = (house.neighbour(), house.account("ann@one.test").await);
    let reset = async || {
        let new = NewSession { lasts: HOUR, ..session(SessionKind::Reset) };
        house.directory.open_session(account, &new).await.unwrap().1
    };
    let token = reset().await;
    assert!(!opens(&house.directory, &token).await && !opens(&house.directory, &token.replacen("pfr_", "pfs_", 1)).await);
    let ordinary = house.token("ann@one.test").await;
    for wrong in [ordinary.clone(), ordinary.replacen("pfs_", "pfr_", 1), token.replacen("pfr_", "pft_", 1)] {
        assert_eq!(house.directory.take_reset(&wrong).await.unwrap_err(), SignInError::Refused);
    }
    let (here, elsewhere) = tokio::join!(house.directory.take_reset(&token), there.take_reset(&token));
    assert_eq!([here.is_ok(), elsewhere.is_ok()].iter().filter(|ok| **ok).count(), 1, "of two at once one gets it");
    assert_eq!(here.or(elsewhere).unwrap(), account);
    assert_eq!(house.directory.take_reset(&token).await.unwrap_err(), SignInError::Refused);
    let late = reset().await;
    house.sleep(HOUR).await;
    assert_eq!(there.take_reset(&late).await.unwrap_err(), SignInError::Refused);
}

#[tokio::test(start_paused = true)]
async fn a_reset_whose_answer_was_lost_is_taken_all_the_same() {
    let house = house().await;
    let account = house.account("ann@one.test").await;
    for _ in 0..40 {
        let token = house.directory.open_session(account, &session(SessionKind::Reset)).await.unwrap().1;
        house.world.faults(Faults { lost: 4_000, ..Faults::NONE });
        let taken = house.directory.take_reset(&token).await;
        house.world.faults(Faults::NONE);
        assert_eq!(taken, Ok(account));
    }
}
