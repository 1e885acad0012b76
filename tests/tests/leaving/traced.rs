//! What an administrator asks the trace.

use crate::house::{Deed, House, Peers, address, letter};
use penfold_directory::Recipient;
use penfold_transport::Refusal;
use penfold_transport::trace::{Entry, Hop, Search, forget_old, search};
use penfold_types::{AcceptanceId, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn ask(house: &House, change: impl FnOnce(&mut Search)) -> Vec<Entry> {
    let now = house.world.env.now();
    let mut wanted = Search { from: None, to: None, principal: None, since: Timestamp::from_seconds(0), until: now.plus(DAY), limit: 1000 };
    change(&mut wanted);
    if let Some(Ok(to)) = wanted.to.as_ref().map(|to| to.parse())
        && let Recipient::Mailbox(account) = house.directory.resolve_now(&to).await.unwrap()
    {
        wanted.principal = Some(account.principal);
    }
    let grant = |tenant| house.directory.tenant_scope(tenant);
    house.transport.tracer().flush(&grant).await;
    search(&house.world, &house.directory.tenant_scope(house.ann.account.tenant), &wanted).await.unwrap().entries
}

fn messages(entries: &[Entry]) -> BTreeSet<AcceptanceId> {
    entries.iter().map(|entry| entry.acceptance).collect()
}

#[tokio::test(start_paused = true)]
async fn by_sender_recipient_and_time() {
    let house = House::new(80, Peers::of(|to, _| if to.starts_with("nobody") { Deed::Never } else { Deed::Take })).await;
    let one = house.submit(&["bob@x.test", "f@out.test"], &letter("one")).await.unwrap();
    let two = house.submit(&["team@x.test"], &letter("two")).await.unwrap();
    house.world.env.sleep(DAY * 3).await;
    let three = house.arrive("stranger@y.test", "bob@x.test", &letter("three")).await.unwrap();
    let four = house.submit(&["nobody@out.test"], &letter("four")).await.unwrap();
    house.quiet().await;
    let found = |ids: &[AcceptanceId]| ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(messages(&ask(&house, |s| s.to = Some("bob@x.test".into())).await), found(&[one, three]));
    assert_eq!(messages(&ask(&house, |s| s.to = Some("@out.test".into())).await), found(&[one, four]));
    assert_eq!(messages(&ask(&house, |s| s.from = Some("Stranger@Y.test".into())).await), found(&[three]));
    let both = |s: &mut Search| (s.from, s.to) = (Some("ann@x.test".into()), Some("f@out.test".into()));
    assert_eq!(messages(&ask(&house, both).await), found(&[one]));
    // Cid is a member of the group, and was not written to.
    assert_eq!(messages(&ask(&house, |s| s.to = Some("cid@x.test".into())).await), found(&[two]));
    let recent = house.world.env.now().plus(Duration::ZERO);
    let since = Timestamp::from_seconds(recent.seconds() - 86_400);
    let lately = ask(&house, |s| s.since = since).await;
    assert!(messages(&lately).is_superset(&found(&[three, four])) && !messages(&lately).contains(&one));
    // And with each message all that is known of it, decisions and reasons too.
    let all = ask(&house, |s| s.to = Some("nobody@out.test".into())).await;
    assert!(all.iter().any(|e| matches!(&e.hop, Hop::Refused { text, .. } if text.contains("550"))), "{all:?}");
    assert!(all.iter().any(|e| matches!(&e.hop, Hop::Told { what, .. } if what == "failed")), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_turned_away_is_there_too_and_cannot_be_made_to_fill_it() {
    let house = House::new(81, Peers::default()).await;
    let (from, to) = (address("spam@y.test"), address("nobody@x.test"));
    for _ in 0..500 {
        house.transport.turned_away(Some(&from), &to, [192, 0, 2, 7].into(), &Refusal::Unknown).await;
    }
    let found = ask(&house, |s| s.to = Some("nobody@x.test".into())).await;
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|e| matches!(&e.hop, Hop::Turned { why, .. } if why.contains("nobody"))), "{found:?}");
    house.world.env.sleep(Duration::from_secs(60)).await;
    house.transport.turned_away(Some(&from), &to, [192, 0, 2, 7].into(), &Refusal::Unknown).await;
    assert_eq!(ask(&house, |s| s.from = Some("y.test".into())).await.len(), 101, "a minute later it is noted again");
}

#[tokio::test(start_paused = true)]
async fn ninety_days_and_no_more() {
    let house = House::new(82, Peers::default()).await;
    let old = house.submit(&["bob@x.test"], &letter("old")).await.unwrap();
    house.quiet().await;
    let scope = house.directory.tenant_scope(house.ann.account.tenant);
    house.trace(old).await;
    // Nobody has anything to do meanwhile.
    house.kill().await;
    house.world.env.sleep(DAY * 89).await;
    forget_old(&house.world, &scope).await.unwrap();
    assert_eq!(messages(&ask(&house, |s| s.to = Some("bob@x.test".into())).await).len(), 1);
    house.world.env.sleep(DAY * 4).await;
    assert_eq!(ask(&house, |s| s.to = Some("bob@x.test".into())).await.len(), 0);
    assert!(!house.trace(old).await.is_empty(), "its rows are there still");
    forget_old(&house.world, &scope).await.unwrap();
    assert!(house.trace(old).await.is_empty());
}
