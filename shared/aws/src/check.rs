//! One cheap request to each service, and one sentence where something is wrong.

use crate::open::Ports;
use crate::settings::Settings;
use crate::values::{PK, SK, sort_key};
use crate::wire::{Failure, Fault};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_sqs::types::QueueAttributeName;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct CheckError(String);

/// What is asked for, and which variables say where it is.
struct Asked<'a> {
    service: &'a str,
    /// `table x`
    thing: String,
    variable: &'a str,
    endpoint: Option<&'a str>,
    endpoint_variable: &'a str,
    region: &'a str,
}

const MISSING: [&str; 8] = [
    "ResourceNotFoundException",
    "NoSuchBucket",
    "404",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "NonExistentQueue",
    "NotFoundException",
    "InvalidAddress",
];
const UNKNOWN_CREDENTIALS: [&str; 11] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "ExpiredTokenException",
    "ExpiredToken",
    "AuthFailure",
];
const FORBIDDEN: [&str; 4] = ["AccessDenied", "AccessDeniedException", "403", "AWS.SimpleQueueService.AccessDenied"];
const ELSEWHERE: [&str; 5] = ["PermanentRedirect", "AuthorizationHeaderMalformed", "301", "400", "IllegalLocationConstraintException"];

impl Asked<'_> {
    fn place(&self) -> String {
        self.endpoint.map_or_else(|| format!("region {}", self.region), |endpoint| format!("{} (region {})", endpoint, self.region))
    }

    fn sentence(&self, fault: &Fault) -> String {
        let Self { service, thing, variable, endpoint_variable, .. } = self;
        let place = self.place();
        // What the SDK says of credentials has many lines.
        let first_line = |how: &str| how.lines().next().unwrap_or_default().to_owned();
        match fault {
            Fault::Unsent(how) | Fault::Lost(how) if how.to_lowercase().contains("credential") => {
                format!(
                    "{service} was not asked, because no credentials were found: please set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this process a role ({})",
                    first_line(how)
                )
            }
            Fault::Unsent(how) | Fault::Lost(how) => {
                format!("{service} does not answer in {place}: please check AWS_REGION and {endpoint_variable} ({})", first_line(how))
            }
            Fault::Throttled => format!("{service} turns requests away in {place}: please try again later"),
            Fault::Refused { code, .. } if MISSING.contains(&code.as_str()) => {
                format!("there is no {thing} in {place}: please check {variable} and AWS_REGION, or make it with infra/")
            }
            Fault::Refused { code, .. } if UNKNOWN_CREDENTIALS.contains(&code.as_str()) => {
                format!(
                    "{service} does not accept the credentials ({code}): please check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role"
                )
            }
            Fault::Refused { code, .. } if FORBIDDEN.contains(&code.as_str()) => {
                format!("these credentials may not use {thing} in {place}: please give them the rights that infra/ names")
            }
            Fault::Refused { code, .. } if ELSEWHERE.contains(&code.as_str()) => {
                format!("{thing} is not in {place} ({code}): please check AWS_REGION and {variable}")
            }
            Fault::Refused { code, message } if code == "ValidationException" && *service == "DynamoDB" => {
                format!("{thing} in {place} has other keys than a text {PK} and bytes {SK}: please make it with infra/ ({message})")
            }
            Fault::Refused { code, message } => {
                format!("{service} refuses to use {thing} in {place} ({code}: {message}): please check {variable}")
            }
        }
    }

    fn judge<T, E>(&self, answer: Result<T, Failure<E>>) -> Result<T, CheckError> {
        answer.map_err(|failure| CheckError(self.sentence(&failure.fault)))
    }
}

fn asked<'a>(settings: &'a Settings, service: &'a str) -> Asked<'a> {
    let Settings { endpoints, .. } = settings;
    let (thing, variable, endpoint, endpoint_variable) = match service {
        "DynamoDB" => (format!("table {}", settings.table), "PENFOLD_TABLE", &endpoints.dynamodb, "AWS_ENDPOINT_URL_DYNAMODB"),
        "S3" => (format!("bucket {}", settings.bucket), "PENFOLD_BUCKET", &endpoints.s3, "AWS_ENDPOINT_URL_S3"),
        "SQS" => (format!("queue {}", settings.deliver), "PENFOLD_QUEUE_DELIVER", &endpoints.sqs, "AWS_ENDPOINT_URL_SQS"),
        _ => (format!("key {}", settings.key), "PENFOLD_KEY", &endpoints.kms, "AWS_ENDPOINT_URL_KMS"),
    };
    Asked { service, thing, variable, endpoint: endpoint.as_deref(), endpoint_variable, region: &settings.region }
}

/// The other bucket.
fn asked_for_secrets(settings: &Settings) -> Asked<'_> {
    Asked { thing: format!("bucket {}", settings.secrets), variable: "PENFOLD_SECRETS", ..asked(settings, "S3") }
}

impl Ports {
    /// Whether everything is there and may be used. Only requests that the service makes anyway, so no right is needed
    /// for this alone.
    pub async fn check(&self) -> Result<(), CheckError> {
        let (settings, wire, clients) = (&self.inner.settings, &self.inner.wire, &self.inner.clients);
        let get = clients
            .dynamodb
            .get_item()
            .table_name(&settings.table)
            .key(PK, AttributeValue::S("check".to_owned()))
            .key(SK, sort_key(b"check"));
        asked(settings, "DynamoDB").judge(wire.once(get.send()).await)?;
        let list = clients.s3.list_objects_v2().bucket(&settings.bucket).prefix("check/").max_keys(1);
        asked(settings, "S3").judge(wire.once(list.send()).await)?;
        let list = clients.s3.list_objects_v2().bucket(&settings.secrets).prefix("check/").max_keys(1);
        asked_for_secrets(settings).judge(wire.once(list.send()).await)?;
        let attributes = clients.sqs.get_queue_attributes().queue_url(&settings.deliver).attribute_names(QueueAttributeName::FifoQueue);
        let found = asked(settings, "SQS").judge(wire.once(attributes.send()).await)?;
        let fifo = found.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::FifoQueue));
        if fifo.map(String::as_str) != Some("true") {
            return Err(CheckError(format!("queue {} is not a FIFO queue: please check PENFOLD_QUEUE_DELIVER", settings.deliver)));
        }
        let encrypt = clients.kms.encrypt().key_id(&settings.key).plaintext(Blob::new([0; 32])).encryption_context("check", "check");
        asked(settings, "KMS").judge(wire.once(encrypt.send()).await)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_has_its_sentence() {
        let settings = Settings::from(|name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ENDPOINT_URL_KMS" => Some("http://127.0.0.1:1".to_owned()),
            "PENFOLD_CELLS" | "PENFOLD_HOME" | "PENFOLD_NEW_TENANTS" => None,
            _ => Some("x".to_owned()).filter(|_| name.starts_with("PENFOLD_")),
        });
        let settings = settings.unwrap();
        let refused = |code: &str| Fault::Refused { code: code.to_owned(), message: "m".to_owned() };
        let table = |fault: Fault| asked(&settings, "DynamoDB").sentence(&fault);
        for (fault, words) in [
            (refused("ResourceNotFoundException"), ["there is no table x in region eu-central-1", "PENFOLD_TABLE"]),
            (refused("UnrecognizedClientException"), ["does not accept the credentials", "AWS_ACCESS_KEY_ID"]),
            (refused("AccessDeniedException"), ["may not use table x", "rights"]),
            (refused("ValidationException"), ["has other keys", "infra/"]),
            (Fault::Lost("dns error".to_owned()), ["does not answer in region eu-central-1", "AWS_ENDPOINT_URL_DYNAMODB"]),
            (Fault::Lost("no credentials in the chain".to_owned()), ["no credentials were found", "AWS_ACCESS_KEY_ID"]),
            (Fault::Throttled, ["turns requests away", "later"]),
        ] {
            let sentence = table(fault);
            assert!(words.iter().all(|word| sentence.contains(word)) && !sentence.contains('\n'), "{sentence}");
        }
        let bucket = asked(&settings, "S3").sentence(&refused("PermanentRedirect"));
        assert!(bucket.starts_with("bucket x is not in region eu-central-1"), "{bucket}");
        let key = asked(&settings, "KMS").sentence(&Fault::Unsent("connection refused".to_owned()));
        assert!(key.contains("http://127.0.0.1:1 (region eu-central-1)"), "{key}");
    }
}
