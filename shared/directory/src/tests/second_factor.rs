//! Codes beside the password, and what they close.

use super::*;
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

/// RFC 6238 as an app computes it.
fn totp(secret: &str, seconds: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &BASE32_NOPAD.decode(secret.as_bytes()).unwrap());
    let tag = hmac::sign(&key, &(seconds / 30).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

fn code(house: &House, secret: &str, later: i64) -> String {
    totp(secret, house.directory.now().seconds() + later)
}

/// Ann's, with its secret and its recovery codes; a step later, so that the code of now was not used.
async fn with_factor(house: &House) -> (String, Vec<String>) {
    let account = house.account("ann@one.test").await;
    let secret = house.directory.begin_second_factor(account).await.unwrap().secret;
    let first = code(house, &secret, 0);
    let codes = house.directory.confirm_second_factor(&house.operator, account, &first).await.unwrap();
    house.sleep(Duration::from_secs(60)).await;
    (secret, codes)
}

async fn typed(directory: &Directory, code: Option<&str>) -> Option<SignInError> {
    directory.sign_in_typed("ann@one.test", "secret", code, HERE).await.err()
}

#[tokio::test(start_paused = true)]
async fn it_counts_once_its_first_code_was_given() {
    let house = house().await;
    let account = house.account("ann@one.test").await;
    let first = house.directory.begin_second_factor(account).await.unwrap();
    assert!(first.uri.starts_with("otpauth://totp/Penfold:ann@one.test?secret=") && first.uri.contains(&first.secret));
    assert_eq!(typed(&house.directory, None).await, None, "not yet");
    let second = house.directory.begin_second_factor(account).await.unwrap();
    let confirm = async |code: &str| house.directory.confirm_second_factor(&house.operator, account, code).await;
    let stale = code(&house, &first.secret, 0);
    assert_eq!(kind(confirm(&stale).await), Kind::Invalid, "of the one that was replaced");
    let right = code(&house, &second.secret, 0);
    assert_eq!(confirm(&right).await.unwrap().len(), 10);
    assert_eq!(kind(confirm(&right).await), Kind::NotFound);
    assert_eq!(typed(&house.directory, None).await, Some(SignInError::NeedsCode));
    assert_eq!(typed(&house.directory, Some(&right)).await, Some(SignInError::Refused), "it was used for confirming");
    assert!(house.operator.person(&a("ann@one.test")).await.unwrap().two_factor);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_good_for_its_half_minute_and_its_neighbours_and_once() {
    let house = house().await;
    let (secret, _) = with_factor(&house).await;
    for (later, right) in [(-60, false), (60, false), (-30, true)] {
        let code = code(&house, &secret, later);
        assert_eq!(typed(&house.directory, Some(&code)).await.is_none(), right, "{later}");
    }
    let next = code(&house, &secret, 30);
    assert_eq!(typed(&house.directory, Some(&format!("{} {}", &next[..3], &next[3..]))).await, None, "as apps show it");
    house.sleep(Duration::from_secs(601)).await;
    assert_eq!(typed(&house.neighbour(), Some(&next)).await, Some(SignInError::Refused), "not again, later and elsewhere");
    let now = code(&house, &secret, 0);
    assert_eq!(typed(&house.directory, Some(&now)).await, None);
    let before = code(&house, &secret, -30);
    assert_eq!(typed(&house.neighbour(), Some(&before)).await, Some(SignInError::Refused), "nor one before it");
    assert_eq!(house.directory.sign_in_typed("ann@one.test", "wrong", Some(&now), HERE).await.unwrap_err(), SignInError::Refused);
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_with_one_code_one_enters() {
    let house = house().await;
    let (secret, recovery) = with_factor(&house).await;
    let there = house.neighbour();
    for code in [code(&house, &secret, 0), recovery[3].clone()] {
        let (first, second) = tokio::join!(typed(&house.directory, Some(&code)), typed(&there, Some(&code)));
        assert_eq!([first, second].iter().filter(|refused| refused.is_none()).count(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovery_code_opens_once() {
    let house = house().await;
    let (_, codes) = with_factor(&house).await;
    for (number, code) in codes.iter().enumerate() {
        let shown = match number % 3 {
            0 => code.clone(),
            1 => code.replace('-', "").to_uppercase(),
            _ => format!(" {} ", code.replace('-', " ")),
        };
        assert_eq!(typed(&house.directory, Some(&shown)).await, None, "{shown}");
        assert_eq!(typed(&house.neighbour(), Some(&shown)).await, Some(SignInError::Refused));
        if number == 4 {
            house.operator.rotate_data_key("One").await.unwrap();
        }
        house.sleep(Duration::from_secs(700)).await;
    }
    let text: Vec<String> = codes.iter().map(|code| code.replace('-', "")).collect();
    let told = |row: &Row| text.iter().any(|code| row.encode().windows(10).any(|window| window == code.as_bytes()));
    assert!(!house.world.rows().iter().any(|(_, row)| told(row)));
}

#[tokio::test(start_paused = true)]
async fn a_code_whose_answer_was_lost_opens_all_the_same() {
    let house = house().await;
    let (secret, recovery) = with_factor(&house).await;
    for recovery in recovery {
        house.sleep(Duration::from_secs(90)).await;
        for code in [code(&house, &secret, 0), recovery] {
            house.world.faults(Faults { lost: 4_000, ..Faults::NONE });
            let refused = typed(&house.directory, Some(&code)).await;
            house.world.faults(Faults::NONE);
            assert_eq!(refused, None, "{code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_typed_password_opens_no_mailbox_any_more_and_an_app_password_what_it_was_made_for() {
    let house = house().await;
    let there = house.neighbour();
    let opens =
        async |directory: &Directory, purpose, secret: &str| directory.sign_in_for(purpose, "ann@one.test", secret, HERE).await.is_ok();
    for purpose in Use::ALL {
        assert!(opens(&house.directory, purpose, "secret").await && opens(&there, purpose, "secret").await, "{purpose:?}");
    }
    let account = house.account("ann@one.test").await;
    let secret = house.directory.begin_second_factor(account).await.unwrap().secret;
    let first = code(&house, &secret, 0);
    house.directory.confirm_second_factor(&house.operator, account, &first).await.unwrap();
    for purpose in Use::ALL {
        assert!(!opens(&house.directory, purpose, "secret").await, "{purpose:?}, though it was right a moment ago");
    }
    house.sleep(Duration::from_secs(61)).await;
    for purpose in Use::ALL {
        assert!(!opens(&there, purpose, "secret").await, "{purpose:?}, elsewhere within a minute");
    }
    house.sleep(Duration::from_secs(700)).await;
    let (_, reads) = house.operator.create_app_password(&a("ann@one.test"), "phone", &[Use::Imap]).await.unwrap();
    let (_, all) = house.operator.create_app_password(&a("ann@one.test"), "old", &[]).await.unwrap();
    for purpose in Use::ALL {
        assert_eq!(opens(&there, purpose, &reads).await, purpose == Use::Imap, "{purpose:?}");
        assert!(opens(&there, purpose, &all).await, "{purpose:?}");
        house.sleep(Duration::from_secs(700)).await;
    }
    let now = code(&house, &secret, 0);
    assert!(house.directory.sign_in_typed("ann@one.test", &all, Some(&now), HERE).await.is_err(), "an app password is not typed");
    house.directory.end_second_factor(&house.operator, account).await.unwrap();
    assert!(opens(&house.directory, Use::Imap, "secret").await);
    assert_eq!(typed(&house.directory, None).await, None);
    assert_eq!(house.partition("p#").iter().filter(|(key, _)| key.sk().as_bytes().starts_with(b"secret#totp")).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn codes_are_not_guessed() {
    let house = house().await;
    let (secret, _) = with_factor(&house).await;
    let mut answers = Vec::new();
    for guess in 0..40 {
        let right = [-30, 0, 30].map(|later| code(&house, &secret, later));
        let wrong = (guess * 1_000..).map(|number| format!("{number:06}")).find(|code| !right.contains(code)).unwrap();
        answers.extend(typed(&house.directory, Some(&wrong)).await);
    }
    let stopped = answers.iter().filter(|answer| matches!(answer, SignInError::TooMany(_))).count();
    assert!(stopped >= 15, "{answers:?}");
    let now = code(&house, &secret, 0);
    assert!(matches!(typed(&house.directory, Some(&now)).await, Some(SignInError::TooMany(_))), "the right one neither, for now");
}
