//! AWS list prices, us-east-1, without the free tier; what counted units come to in dollars.

use penfold_ports::Units;

const MILLION: f64 = 1e6;
const GB: f64 = (1u64 << 30) as f64;

/// DynamoDB on demand: units of 1 KB written and of 4 KB read; a byte for a month, and the same for point-in-time recovery.
pub const WRITE: f64 = 0.625 / MILLION;
pub const READ: f64 = 0.125 / MILLION;
pub const TABLE_BYTE: f64 = 0.25 / GB;
pub const RECOVERY_BYTE: f64 = 0.20 / GB;
/// What DynamoDB stores for each row beside its names and values (developer guide, "Item sizes and formats").
pub const ROW_OVERHEAD: usize = 100;
/// S3 Standard.
pub const BLOB_PUT: f64 = 5.0 / MILLION;
pub const BLOB_GET: f64 = 0.4 / MILLION;
pub const BLOB_BYTE: f64 = 0.023 / GB;
/// SQS requests: of FIFO queues, and of the edges' own.
pub const FIFO: f64 = 0.50 / MILLION;
pub const SQS: f64 = 0.40 / MILLION;
pub const KMS: f64 = 3.0 / MILLION;
/// Lambda on arm64.
pub const CALL: f64 = 0.20 / MILLION;
pub const GB_SECOND: f64 = 0.000_013_333_4;
/// Fargate on arm64, an hour of a core and of a GB; a network load balancer's hour.
pub const CORE_HOUR: f64 = 0.032_38;
pub const MEMORY_HOUR: f64 = 0.003_56;
pub const BALANCER_HOUR: f64 = 0.0225;
pub const HOURS: f64 = 730.0;
/// Outside of this service: SES, and bytes to the internet.
pub const SES: f64 = 0.10 / 1000.0;
pub const EGRESS_BYTE: f64 = 0.09 / GB;

/// Dollars by part, in the order in which they were added.
#[derive(Default)]
pub struct Bill(Vec<(String, f64, f64)>);

impl Bill {
    pub fn add(&mut self, part: &str, amount: f64, price: f64) {
        self.0.push((part.to_owned(), amount, price));
    }

    /// Requests to table, blobs and the job queue.
    pub fn units(&mut self, units: Units) {
        self.add("table, write units", units.write as f64, WRITE);
        self.add("table, read units", units.read as f64, READ);
        self.add("blobs, PUT and LIST", units.blob_put as f64, BLOB_PUT);
        self.add("blobs, GET", units.blob_get as f64, BLOB_GET);
        self.add("job queue, requests", units.queue as f64, FIFO);
    }

    pub fn total(&self) -> f64 {
        self.0.iter().map(|(_, amount, price)| amount * price).sum()
    }

    /// As a table of docs/benchmarks.md.
    pub fn print(&self) {
        println!("| part | amount | dollars |\n|---|---|---|");
        for (part, amount, price) in &self.0 {
            println!("| {part} | {} | {:.4} |", thousands(*amount), amount * price);
        }
        println!("| **in all** | | **{:.4}** |", self.total());
    }
}

pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
