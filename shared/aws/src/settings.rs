//! Where a cell lies, from environment variables. Credentials are not here: the SDK finds them by itself.

use crate::cells::Place;
use std::time::Duration;

/// Which variable is missing or wrong, and what it should hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// Where a service answers that is not at Amazon's own address.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Endpoints {
    pub dynamodb: Option<String>,
    pub s3: Option<String>,
    pub sqs: Option<String>,
    pub kms: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    pub cell: String,
    pub region: String,
    pub table: String,
    pub bucket: String,
    /// The URLs of the queues.
    pub deliver: String,
    pub send: String,
    pub relay: String,
    pub transfer: String,
    pub subscribe: String,
    /// The bucket with the tenants' secrets.
    pub secrets: String,
    /// Id, ARN or alias of the key that encrypts the tenants' secrets.
    pub key: String,
    /// The name of a process that lives long enough to be woken; a function has none.
    pub edge: Option<String>,
    /// The other cells, where there are any.
    pub cells: Vec<Place>,
    /// The cell with the rows that belong to no tenant.
    pub home: String,
    /// The cell of tenants that are made from now on.
    pub new_tenants: String,
    pub endpoints: Endpoints,
    pub options: Options,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Compare what each request to the table is counted to cost with what DynamoDB says. Rows are read before they are
    /// written for that, so it is for tests.
    pub verify_units: bool,
    /// How long a request for jobs or wakes waits for some to come; whole seconds, at most 20.
    pub wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { verify_units: false, wait: Duration::from_secs(20) }
    }
}

/// What an edge's name may have, so that its queue's name is allowed (80 characters).
fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl Settings {
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from(|name| std::env::var(name).ok())
    }

    /// The same from any source of variables.
    pub fn from(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let optional = |name: &str| variable(name).filter(|value| !value.is_empty());
        let needed = |name: &str, what: &str| optional(name).ok_or_else(|| SettingsError(format!("please set {name} to {what}")));
        let cell = optional("PENFOLD_CELL").unwrap_or_else(|| "dev".to_owned());
        // Tasks of one service are started alike; each needs a queue of its own for wakes.
        let task = optional("ECS_CONTAINER_METADATA_URI_V4")
            .map(|uri| uri.rsplit('/').next().unwrap_or_default().chars().take(12).collect::<String>());
        let edge = optional("PENFOLD_EDGE").map(|edge| task.map_or(edge.clone(), |task| format!("{edge}-{task}")));
        for (name, value) in [("PENFOLD_CELL", Some(&cell)), ("PENFOLD_EDGE", edge.as_ref())] {
            if value.is_some_and(|value| !is_name(value)) {
                return Err(SettingsError(format!("{name} may have 1 to 32 letters, digits, - and _")));
            }
        }
        let cells: Vec<Place> = optional("PENFOLD_CELLS").map_or(Ok(Vec::new()), |text| serde_json::from_str(&text)).map_err(|error| {
            SettingsError(format!(
                "PENFOLD_CELLS is to be a JSON list of {{cell, table, bucket, deliver, send, relay, transfer, subscribe, secrets, key}}: {error}"
            ))
        })?;
        let named = |name: &str| {
            let named = optional(name).unwrap_or_else(|| cell.clone());
            let known = named == cell || cells.iter().any(|place| place.cell == named);
            known.then_some(named.clone()).ok_or_else(|| SettingsError(format!("{name} names cell {named}, which PENFOLD_CELLS does not")))
        };
        let home = named("PENFOLD_HOME")?;
        let new_tenants = optional("PENFOLD_NEW_TENANTS").map_or(Ok(home.clone()), |_| named("PENFOLD_NEW_TENANTS"))?;
        let endpoint = |service: &str| optional(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| optional("AWS_ENDPOINT_URL"));
        Ok(Self {
            region: optional("AWS_REGION")
                .or_else(|| optional("AWS_DEFAULT_REGION"))
                .ok_or_else(|| SettingsError("please set AWS_REGION to the region of the cell".to_owned()))?,
            table: needed("PENFOLD_TABLE", "the name of the cell's DynamoDB table")?,
            bucket: needed("PENFOLD_BUCKET", "the name of the cell's bucket")?,
            deliver: needed("PENFOLD_QUEUE_DELIVER", "the URL of the cell's queue for deliveries")?,
            send: needed("PENFOLD_QUEUE_SEND", "the URL of the cell's queue for submissions")?,
            relay: needed("PENFOLD_QUEUE_RELAY", "the URL of the cell's queue for mail to other hosts")?,
            transfer: needed("PENFOLD_QUEUE_TRANSFER", "the URL of the cell's queue for imports and exports")?,
            subscribe: needed("PENFOLD_QUEUE_SUBSCRIBE", "the URL of the cell's queue for calendars from elsewhere")?,
            secrets: needed("PENFOLD_SECRETS", "the name of the cell's bucket for the tenants' secrets")?,
            key: needed("PENFOLD_KEY", "the id or alias of the cell's KMS key")?,
            endpoints: Endpoints { dynamodb: endpoint("DYNAMODB"), s3: endpoint("S3"), sqs: endpoint("SQS"), kms: endpoint("KMS") },
            options: Options { verify_units: optional("PENFOLD_VERIFY_UNITS").is_some(), ..Options::default() },
            cells,
            home,
            new_tenants,
            cell,
            edge,
        })
    }

    /// This process's own cell, then the others.
    pub(crate) fn places(&self) -> Vec<Place> {
        let Self { cell, table, bucket, deliver, send, relay, transfer, subscribe, secrets, key, .. } = self.clone();
        let mut places = vec![Place { cell, table, bucket, deliver, send, relay, transfer, subscribe, secrets, key }];
        places.extend(self.cells.iter().filter(|place| place.cell != self.cell).cloned());
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(without: &str) -> impl Fn(&str) -> Option<String> {
        move |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-central-1",
                "PENFOLD_TABLE" => "penfold-dev",
                "PENFOLD_BUCKET" => "penfold-dev",
                "PENFOLD_QUEUE_DELIVER" => "http://q/deliver.fifo",
                "PENFOLD_QUEUE_SEND" => "http://q/send.fifo",
                "PENFOLD_QUEUE_RELAY" => "http://q/relay.fifo",
                "PENFOLD_QUEUE_TRANSFER" => "http://q/transfer.fifo",
                "PENFOLD_QUEUE_SUBSCRIBE" => "http://q/subscribe.fifo",
                "PENFOLD_SECRETS" => "penfold-dev-secrets",
                "PENFOLD_KEY" => "alias/penfold-dev",
                "AWS_ENDPOINT_URL_S3" => "http://127.0.0.1:4566",
                _ => return None,
            };
            (name != without).then(|| value.to_owned())
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for name in [
            "AWS_REGION",
            "PENFOLD_TABLE",
            "PENFOLD_BUCKET",
            "PENFOLD_QUEUE_DELIVER",
            "PENFOLD_QUEUE_SEND",
            "PENFOLD_QUEUE_RELAY",
            "PENFOLD_QUEUE_TRANSFER",
            "PENFOLD_SECRETS",
            "PENFOLD_KEY",
        ] {
            let error = Settings::from(variables(name)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("please set {name} to ")), "{error}");
        }
        let settings = Settings::from(variables("")).unwrap();
        assert_eq!((settings.cell.as_str(), settings.edge, settings.endpoints.s3.is_some()), ("dev", None, true));
        assert_eq!(settings.endpoints.kms, None);
    }

    #[test]
    fn tasks_of_one_service_have_names_of_their_own() {
        let on_ecs = |name: &str| match name {
            "PENFOLD_EDGE" => Some("imap".to_owned()),
            "ECS_CONTAINER_METADATA_URI_V4" => Some("http://169.254.170.2/v4/0206b271-b33f-47ab-86c6-a0ba208a70a9".to_owned()),
            _ => variables("")(name),
        };
        assert_eq!(Settings::from(on_ecs).unwrap().edge.as_deref(), Some("imap-0206b271-b33"));
    }

    #[test]
    fn names_that_no_queue_may_have() {
        let with = |edge: &'static str| move |name: &str| if name == "PENFOLD_EDGE" { Some(edge.to_owned()) } else { variables("")(name) };
        assert!(Settings::from(with("imap-1")).is_ok());
        assert!(Settings::from(with("imap 1")).is_err());
        assert!(Settings::from(with("an-edge-with-a-name-that-never-ends")).is_err());
    }
}
