//! Request units of operations on mailboxes of 1,000 to 1,000,000 messages and with 1 to 1,000 tenants, as CSV:
//! `cargo run --release -p penfold-tests --example growth -- LARGEST > docs/growth.csv`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use penfold_tests::growth::{Growing, KINDS, Point, tenants};
use penfold_tests::on_virtual_time;
use penfold_types::Env;

fn print(points: &[Point]) {
    for point in points {
        let units = point.units.map(|units| format!("{units:.1}"));
        println!("{},{},\"{}\",{}", point.axis, point.size, point.operation, units.join(","));
    }
}

fn main() {
    let largest: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let since = Env::system().monotonic();
    let so_far = || Env::system().monotonic().duration_since(since).as_secs();
    println!("axis,size,operation,{}", KINDS.join(","));
    for count in [1, 10, 100, 1_000] {
        print(&on_virtual_time(tenants(count)));
        eprintln!("{count} tenants: {} s so far", so_far());
    }
    on_virtual_time(async {
        let mut mailbox = Growing::new().await;
        for size in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|size| *size <= largest) {
            mailbox.grow_to(size).await;
            print(&mailbox.measure().await);
            eprintln!("{size} messages");
        }
    });
    eprintln!("growth: {} s", so_far());
}
