//! Operations cost the same in a mailbox of 20,000 as in one of 1,000, and with 100 tenants as with one. `make growth` goes to
//! 1,000,000 and to 1,000, and draws it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use penfold_tests::growth::{Growing, KINDS, Point, tenants};
use penfold_tests::{Seconds, on_virtual_time};

/// Its reads are the list's segments, of 4,096 messages each, and the log behind them.
const GROWS: &str = "SELECT, new process";

fn flat(points: &[Point], larger: u64) {
    let of = |operation: &str, size: u64| points.iter().find(|p| p.operation == operation && p.size == size).unwrap().units;
    let (small, large): (Vec<_>, Vec<_>) = points.iter().partition(|p| p.size < larger);
    assert_eq!(small.len(), large.len());
    for point in large {
        let before = of(point.operation, small[0].size);
        println!("{}: {before:?} at {}, {:?} at {larger} ({})", point.operation, small[0].size, point.units, KINDS.join(", "));
        if point.operation == GROWS {
            let segments = (larger as f64 / 4096.0).ceil() + 1.0;
            assert!(point.units[3] <= segments, "{} blobs for {segments} segments", point.units[3]);
            continue;
        }
        for (kind, (small, large)) in KINDS.iter().zip(before.iter().zip(point.units)) {
            // A number of one digit more may be a byte more, and a row then a unit more.
            assert!(large <= small * 1.05 + 1.0, "{}: {small} {kind} units, {large} where it is larger", point.operation);
        }
    }
}

#[test]
fn operations_cost_the_same_in_a_large_mailbox() {
    let _seconds = Seconds::of("growth of a mailbox");
    on_virtual_time(async {
        let mut mailbox = Growing::new().await;
        let mut points = Vec::new();
        for size in [1_000, 20_000] {
            mailbox.grow_to(size).await;
            points.append(&mut mailbox.measure().await);
        }
        flat(&points, 20_000);
    });
}

#[test]
fn operations_cost_the_same_with_many_tenants() {
    let _seconds = Seconds::of("growth of a cell");
    let mut points = on_virtual_time(tenants(1));
    points.append(&mut on_virtual_time(tenants(100)));
    flat(&points, 100);
}
