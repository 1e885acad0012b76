//! What whole requests cost, as DynamoDB and S3 would bill it: budgets, and that they are the same in a large calendar.

use super::*;
use penfold_ports::Units;

impl House {
    pub async fn spent<T>(&self, work: impl Future<Output = T>) -> (T, Units) {
        let before = self.world.meter.total("dav");
        let out = work.await;
        (out, self.world.meter.total("dav") - before)
    }

    /// Events of half an hour, four a day around 2026-03-10, each with its own UID.
    async fn fill(&self, from: usize, to: usize) {
        for n in from..to {
            let day = 1 + (n / 4) % 28;
            let (month, year) = (1 + (n / 112) % 12, 2000 + n / 1344);
            let text = event(&format!("fill{n}"), 9 + (n % 4) as u32, "").replace("20260310T", &format!("{year}{month:02}{day:02}T"));
            let put = self.put("ann@one.test", &format!("{}f{n}.ics", self.calendar(self.ann)), &text).await;
            assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
        }
    }
}

fn tell(what: &str, number: f64, budget: f64) {
    println!("{what}: {number:.1} (budget {budget})");
    assert!(number <= budget, "{what}: {number:.1} units, {budget} allowed");
}

const MONTH: &str = "<d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'>\
                     <c:time-range start='20260310T000000Z' end='20260410T000000Z'/></c:comp-filter></c:comp-filter></c:filter>";

fn sync(token: &str) -> String {
    format!("<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop>")
}

#[tokio::test(start_paused = true)]
async fn requests_keep_to_their_budgets_however_large_the_calendar_is() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let mut seen: Vec<[f64; 6]> = Vec::new();
    for size in [100, 3000] {
        house.fill(if seen.is_empty() { 0 } else { 100 }, size).await;
        for n in 0..20 {
            let text = event(&format!("march{size}-{n}"), 10, "").replace("20260310T", &format!("202603{}T", 10 + n));
            house.put("ann@one.test", &format!("{calendar}m{size}-{n}.ics"), &text).await;
        }
        // Sign-in and keys are remembered for minutes; the first use is not the request's.
        let first = house.report("ann@one.test", &calendar, "d:sync-collection", &sync("")).await;
        let mut token = first.within("sync-token").to_owned();
        while token.contains('/') {
            token = house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token)).await.within("sync-token").to_owned();
        }
        let (_, idle) = house.spent(house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token))).await;
        let path = format!("{calendar}new{size}.ics");
        let (_, put) = house.spent(house.put("ann@one.test", &path, &event(&format!("new{size}"), 12, ""))).await;
        let (changed, one) = house.spent(house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token))).await;
        assert_eq!(changed.hrefs(), [path.as_str()]);
        let (_, again) = house.spent(house.put("ann@one.test", &path, &event(&format!("new{size}"), 13, ""))).await;
        let (_, get) = house.spent(house.get("ann@one.test", &path)).await;
        let (month, query) = house.spent(house.report("ann@one.test", &calendar, "c:calendar-query", MONTH)).await;
        let each = query.read as f64 / month.hrefs().len() as f64;
        assert!(put.blob_put + again.blob_put + query.blob_get == 0, "a small event is in its row");
        seen.push([put.write as f64, again.write as f64, get.read as f64, idle.read as f64, one.read as f64, each]);
    }
    let names = [
        "PUT of a new event, write units",
        "PUT of another version, write units",
        "GET, read units",
        "sync of nothing, read units",
        "sync of one change, read units",
        "month query, read units for each event that it finds",
    ];
    let budgets = [14.0, 16.0, 4.0, 3.0, 4.0, 3.0];
    for numbers in &seen {
        for ((name, number), budget) in names.iter().zip(numbers).zip(budgets) {
            tell(name, *number, budget);
        }
    }
    for (at, name) in names.iter().enumerate() {
        assert!(seen[1][at] <= seen[0][at] * 1.2 + 0.5, "{name} grows: {} and {}", seen[0][at], seen[1][at]);
    }
}
