//! What Penfold asks of the world, as small traits: a table of rows, blobs, queues, wakes, names, relays and secrets.
//! Each trait's comment is its contract, always the narrower of what one embedded store and what DynamoDB, S3 and SQS
//! can do in one request. Adapters implement the traits; everything else uses [`World`], which counts what each request
//! would cost. The suite in [`contract`] runs every rule against every adapter. What a process shares out among tenants is
//! shared out by [`Turns`], [`Seats`] and [`Rates`].

mod blobs;
#[cfg(feature = "contract")]
#[allow(clippy::expect_used, clippy::missing_panics_doc)]
pub mod contract;
mod cost;
mod dns;
mod error;
mod judge;
mod keys;
mod line;
mod queue;
mod rates;
mod relay;
mod retrying;
mod rights;
mod row;
mod seats;
mod secrets;
mod table;
mod turns;
mod wake;
mod watchers;
mod web;
mod world;
mod zones;

pub use blobs::{BlobKey, Blobs};
pub use cost::{Meter, Units, Usage, item_size, read_units, write_units};
pub use dns::{Answer, Dns, DnsError, MailExchange, NoDns, Service, Tlsa};
pub use error::PortError;
pub use judge::{After, Price, judge, repeat_units};
pub use keys::{Account, Ground, Key, Pk, Scope, Sk, TenantScope, shared};
pub use line::{Failure, Handed, Line};
pub use queue::{Dead, Job, JobId, Queue, QueueName, Receipt, Received};
pub use rates::Rates;
pub use relay::{Attempt, Body, ByTime, Fetch, Message, Notify, Outcome, Outgoing, Recipient, Relay, Return, Said};
pub use retrying::Retrying;
pub use rights::{Grantee, Preset, Rights};
pub use row::{Name, Row, RowError, Value};
pub use seats::{Seat, Seats};
pub use secrets::Secrets;
pub use table::{Chain, Commit, Page, Query, Table, When, Write, limits};
pub use turns::{Load, Turn, Turns};
pub use wake::{Signal, Wake, Watch};
pub use watchers::Watchers;
pub use web::{
    Fetched, Found, NoWeb, Page as WebPage, REDIRECTS as WEB_REDIRECTS, SIZE as WEB_SIZE, Validators, Web, WebError, resolve as resolve_url,
};
pub use world::{BlobClient, QueueClient, TableClient, World};
pub use zones::{Change, RecordData, RecordKind, ZoneError, Zones};
