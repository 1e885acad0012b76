use super::{HELLO, Home, address};
use penfold_directory::{
    Attribute, Condition, Filter, GroupChange, How, NewGroup, PersonChange, PostPolicy, ProfileChange, Rule, Subject, Test,
};
use penfold_ports::{Account, QueueName};
use penfold_transport::Refusal;
use penfold_transport::outbound::Submission;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn groups_in_a_circle_reach_everybody_once() {
    let home = Home::new(11).await;
    let (ann, bob, cid) = (home.person("ann@x.test").await, home.person("bob@x.test").await, home.person("cid@x.test").await);
    home.group("one@x.test", &["ann@x.test"]).await;
    home.group("two@x.test", &["bob@x.test", "one@x.test"]).await;
    home.group("three@x.test", &["cid@x.test", "two@x.test", "one@x.test"]).await;
    // A group that holds itself through others: where the directory forbids it, it cannot come to it.
    let circle = home.directory.operator().add_members(&address("one@x.test"), &[address("three@x.test")]).await;
    home.send(&["one@x.test", "three@x.test"], HELLO).await.unwrap();
    home.settle().await;
    for account in [ann, bob, cid] {
        assert_eq!(home.inbox(account).await.len(), 1, "circle: {circle:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_members_get_one_blob_and_a_copy_each() {
    let home = Home::new(12).await;
    let mut names = Vec::new();
    let mut people: Vec<Account> = Vec::new();
    for number in 0..10_000 {
        names.push(format!("p{number}@x.test"));
    }
    for name in &names {
        people.push(home.person(name).await);
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    home.group("all@x.test", &[]).await;
    for some in all.chunks(100) {
        home.members("all@x.test", some).await;
    }
    home.send(&["all@x.test"], HELLO).await.unwrap();
    home.settle().await;
    // A sample, and the counters of all.
    for account in people.iter().step_by(997) {
        assert_eq!(home.inbox(*account).await.len(), 1);
    }
    let delivered = home.world.meter.total("deliver");
    let blobs = home.world.meter.total("accept").blob_put + home.world.meter.total("other").blob_put;
    assert_eq!(blobs + delivered.blob_put, 1);
    for account in people {
        assert_eq!(home.open(account).await.head().await.unwrap().items, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn members_elsewhere_are_handed_to_the_sending_side() {
    let home = Home::new(13).await;
    let ann = home.person("ann@x.test").await;
    home.group("team@x.test", &["ann@x.test", "friend@elsewhere.test", "other@elsewhere.test"]).await;
    let id = home.send(&["team@x.test"], HELLO).await.unwrap();
    home.settle().await;
    assert_eq!(home.inbox(ann).await.len(), 1);
    let handed = home.world.queue.receive(QueueName::Send, 10, Duration::from_secs(60)).await.unwrap();
    let submissions: Vec<_> = handed.iter().map(|one| Submission::decode(&one.job.body).unwrap()).collect();
    let [one] = submissions.as_slice() else { panic!("{submissions:?}") };
    let mut names: Vec<_> = one.recipients.iter().map(|one| one.path.as_str()).collect();
    names.sort_unstable();
    assert_eq!((one.mail.acceptance, names.as_slice()), (id, ["friend@elsewhere.test", "other@elsewhere.test"].as_slice()));
}

#[tokio::test(start_paused = true)]
async fn a_group_takes_mail_from_those_it_may() {
    let home = Home::new(14).await;
    home.person("ann@x.test").await;
    home.group("board@x.test", &["ann@x.test"]).await;
    let change = GroupChange { who_may_post: Some(PostPolicy::Members), ..GroupChange::default() };
    home.directory.operator().update_group(&address("board@x.test"), &change).await.unwrap();
    assert!(matches!(home.send(&["board@x.test"], HELLO).await, Err(Refusal::MayNotPost)));
}

/// Also where few of many fit, and the group is inside another one.
#[tokio::test(start_paused = true)]
async fn a_dynamic_group_reaches_those_who_fit_when_the_mail_comes() {
    let home = Home::new(15).await;
    let operator = home.directory.operator();
    let mut chosen = Vec::new();
    for number in 0..1_200 {
        let account = home.person(&format!("p{number}@x.test")).await;
        if number % 400 == 7 {
            chosen.push(account);
            let profile = ProfileChange { texts: [(Attribute::City, Some("Rome".to_owned()))].into(), manager: None };
            let change = PersonChange { profile, ..PersonChange::default() };
            operator.update_person(&address(&format!("p{number}@x.test")), &change).await.unwrap();
        }
    }
    let rome = Rule::One(Condition { of: Subject::Attribute(Attribute::City), test: Test::Is("rome".into()) });
    let filter = Some(Filter { how: How::Any, rules: vec![rome], shared_mailboxes: false });
    let new = NewGroup { address: address("rome@x.test"), name: "Rome".to_owned(), who_may_post: PostPolicy::Anyone };
    operator.create_group_with(&new, &GroupChange { filter, ..GroupChange::default() }).await.unwrap();
    home.group("all@x.test", &["rome@x.test", "p0@x.test"]).await;
    home.send(&["all@x.test"], HELLO).await.unwrap();
    home.settle().await;
    for account in &chosen {
        assert_eq!(home.inbox(*account).await.len(), 1);
    }
    let delivered = home.directory.every_account(chosen[0].tenant).await.unwrap();
    let mut mails = 0;
    for scope in delivered {
        mails += home.open(scope.account()).await.head().await.unwrap().items;
    }
    assert_eq!(mails, 4);
}
