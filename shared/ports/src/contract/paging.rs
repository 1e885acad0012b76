use super::{Given, numbered, sized};
use crate::{Page, Query, Sk, World, Write, limits};

impl Given {
    async fn have_all(&self, keys: &[&[u8]]) {
        for keys in keys.chunks(limits::WRITES) {
            let writes = keys.iter().map(|sk| Write::put(self.scope.key(Sk::from_stored(sk)), numbered(1))).collect();
            self.commit(writes).await.expect("a commit");
        }
    }

    fn all(&self) -> Query {
        Query { pk: self.scope.pk().clone(), from: Sk::text(""), to: None, limit: usize::MAX, reverse: false }
    }

    async fn query(&self, query: &Query) -> Page {
        self.world.table.query(query).await.expect("a query")
    }
}

fn keys(page: &Page) -> Vec<&[u8]> {
    page.rows.iter().map(|(sk, _)| sk.as_bytes()).collect()
}

const KEYS: [&[u8]; 7] = [b"\x00", b"a", b"a\x00", b"a\xff", b"b", b"b#1", b"\xff"];

pub async fn order_is_by_bytes(world: World) {
    let given = Given::new(world);
    let mut mixed = KEYS;
    mixed.swap(0, 5);
    mixed.swap(1, 3);
    given.have_all(&mixed).await;
    let page = given.query(&given.all()).await;
    assert_eq!(keys(&page), KEYS);
    assert!(!page.more);
}

pub async fn bounds(world: World) {
    let given = Given::new(world);
    given.have_all(&KEYS).await;
    let between = Query { from: Sk::text("a"), to: Some(Sk::text("b")), ..given.all() };
    assert_eq!(keys(&given.query(&between).await), [&b"a"[..], b"a\x00", b"a\xff"]);
    let prefix = Query::prefix(given.scope.pk().clone(), &Sk::text("b"));
    assert_eq!(keys(&given.query(&prefix).await), [&b"b"[..], b"b#1"]);
    let last = Query::prefix(given.scope.pk().clone(), &Sk::from_stored(b"\xff"));
    assert_eq!(keys(&given.query(&last).await), [&b"\xff"[..]]);
    let after = Query { from: Sk::text("b").successor(), ..given.all() };
    assert_eq!(keys(&given.query(&after).await), [&b"b#1"[..], b"\xff"]);
}

pub async fn limit_and_more(world: World) {
    let given = Given::new(world);
    given.have_all(&KEYS).await;
    let page = given.query(&Query { limit: 3, ..given.all() }).await;
    assert_eq!((keys(&page).len(), page.more), (3, true));
    let page = given.query(&Query { limit: 8, ..given.all() }).await;
    assert_eq!((keys(&page).len(), page.more), (7, false));
    let rows = given.world.table.query_all(Query { limit: 5, ..given.all() }).await.expect("all");
    assert_eq!(rows.len(), 5);
}

pub async fn reverse(world: World) {
    let given = Given::new(world);
    given.have_all(&KEYS).await;
    let page = given.query(&Query { reverse: true, limit: 2, ..given.all() }).await;
    assert_eq!((keys(&page), page.more), (vec![&b"\xff"[..], b"b#1"], true));
    let bounded = Query { reverse: true, from: Sk::text("a"), to: Some(Sk::text("b")), ..given.all() };
    assert_eq!(keys(&given.query(&bounded).await), [&b"a\xff"[..], b"a\x00", b"a"]);
}

async fn have_megabytes(given: &Given) {
    for chunk in 0..6u8 {
        let writes = (0..10u8).map(|n| Write::put(given.scope.key(Sk::from_stored(&[chunk, n])), sized(50_000))).collect();
        given.commit(writes).await.expect("a commit");
    }
}

pub async fn pages_of_one_megabyte(world: World) {
    let given = Given::new(world);
    have_megabytes(&given).await;
    let page = given.query(&given.all()).await;
    assert!(page.more);
    assert_eq!(page.rows.len(), limits::PAGE / 50_100, "as many as fit");
    for reverse in [false, true] {
        let rows = given.world.table.query_all(Query { reverse, ..given.all() }).await.expect("all");
        let mut found: Vec<_> = rows.iter().map(|(sk, _)| sk.clone()).collect();
        assert_eq!(found.is_sorted(), !reverse);
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 60, "each once");
    }
}

/// Where a large row goes over a page's end, small ones behind it would still fit.
pub async fn no_row_falls_between_two_pages(world: World) {
    let given = Given::new(world);
    const ROWS: usize = 480;
    let size = |n: usize| 60 + n * 7_919 % 21_000;
    for first in (0..ROWS).step_by(80) {
        let row = |n: usize| Write::put(given.key(&format!("{n:04}")), sized(size(n)));
        given.commit((first..first + 80).map(row).collect()).await.expect("a commit");
    }
    for reverse in [false, true] {
        let rows = given.world.table.query_all(Query { reverse, ..given.all() }).await.expect("all");
        let mut found: Vec<_> = rows.iter().map(|(sk, _)| String::from_utf8_lossy(sk.as_bytes()).into_owned()).collect();
        found.sort();
        assert_eq!(found, (0..ROWS).map(|n| format!("{n:04}")).collect::<Vec<_>>());
    }
}

pub async fn a_page_has_one_row_at_least(world: World) {
    let given = Given::new(world);
    for sk in ["a", "b", "c"] {
        given.commit(vec![Write::put(given.key(sk), sized(390_000))]).await.expect("a commit");
    }
    let page = given.query(&given.all()).await;
    assert_eq!((page.rows.len(), page.more), (2, true));
    assert_eq!(given.world.table.query_all(given.all()).await.map(|rows| rows.len()), Ok(3));
}

pub async fn inverted_range_is_empty(world: World) {
    let given = Given::new(world);
    given.have_all(&KEYS).await;
    for reverse in [false, true] {
        let query = Query { from: Sk::text("b"), to: Some(Sk::text("a")), reverse, ..given.all() };
        assert_eq!(given.query(&query).await, Page::default());
    }
}
