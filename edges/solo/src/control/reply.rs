use penfold_types::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Response {
    /// Something asked for: as cells of a table for people, and as a value.
    Item { rows: Vec<Vec<String>>, value: Value },
    /// How far a long command is.
    Progress { done: u64, total: Option<u64>, text: String },
    /// Something that was skipped, and why.
    Note { text: String },
    /// The end, all well.
    Done,
    /// The end: it could not be done. The kind is that of [`penfold_types::Kind`].
    Failed { kind: String, text: String },
}

impl Response {
    pub fn failed(error: &Error) -> Self {
        Self::Failed { kind: kind_name(error.kind()).to_owned(), text: error.text().to_owned() }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Retry => "retry",
        Kind::Invalid => "invalid",
        Kind::Conflict => "conflict",
        Kind::NotFound => "not-found",
        Kind::Denied => "denied",
        Kind::Limit => "limit",
        Kind::Broken => "broken",
    }
}

/// Where a handler puts its answer. Each line fails once nobody listens any more, and the handler ends with it.
#[derive(Clone)]
pub struct Reply(mpsc::Sender<Response>);

impl Reply {
    pub fn channel() -> (Self, mpsc::Receiver<Response>) {
        let (sender, receiver) = mpsc::channel(64);
        (Self(sender), receiver)
    }

    async fn send(&self, response: Response) -> Result<()> {
        self.0.send(response).await.map_err(|_| Error::retry("nobody listens any more"))
    }

    /// One line of a list: the cells, and the value.
    pub async fn line<const N: usize>(&self, cells: [String; N], value: impl Serialize) -> Result<()> {
        self.item(vec![cells.to_vec()], value).await
    }

    /// One thing, shown over several lines of name and content.
    pub async fn item(&self, rows: Vec<Vec<String>>, value: impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value).map_err(|error| Error::broken("the answer cannot be written").because(error))?;
        self.send(Response::Item { rows, value }).await
    }

    /// A sentence about what was done, with the values that a program wants to know.
    pub async fn say(&self, text: String, value: impl Serialize) -> Result<()> {
        self.item(vec![vec![text]], value).await
    }

    pub async fn progress(&self, done: u64, total: Option<u64>, text: &str) -> Result<()> {
        self.send(Response::Progress { done, total, text: text.to_owned() }).await
    }

    pub async fn note(&self, text: String) -> Result<()> {
        self.send(Response::Note { text }).await
    }
}
