//! What Lambda gives a function that works on a queue, and what it wants back.

use crate::Incoming;
use penfold_types::Timestamp;
use serde::{Deserialize, Serialize};

/// Messages of an SQS event, in order. One that cannot be read is left out, and so comes again.
#[derive(Debug, Deserialize)]
#[serde(from = "Records")]
pub struct Event {
    pub messages: Vec<Incoming>,
}

#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
    attributes: Attributes,
}

/// Numbers come as text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    message_group_id: String,
    approximate_receive_count: String,
    sequence_number: String,
    sent_timestamp: String,
}

impl From<Records> for Event {
    fn from(event: Records) -> Self {
        let read = |record: Record| {
            let told = record.attributes;
            Some(Incoming {
                id: record.message_id,
                handle: record.receipt_handle,
                group: told.message_group_id,
                count: told.approximate_receive_count.parse().ok()?,
                sequence: told.sequence_number.parse().ok()?,
                sent: Timestamp::from_millis(told.sent_timestamp.parse().ok()?),
                text: record.body,
            })
        };
        Self { messages: event.records.into_iter().filter_map(read).collect() }
    }
}

/// The messages that must come again (ReportBatchItemFailures).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Failures {
    pub fn of(ids: Vec<String>) -> Self {
        Self { batch_item_failures: ids.into_iter().map(|item_identifier| Failure { item_identifier }).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_and_answered() {
        let event = r#"{"Records":[{"messageId":"m1","receiptHandle":"h1","body":"x","attributes":{"ApproximateReceiveCount":"2",
            "SentTimestamp":"1764093600123","SequenceNumber":"18849496460467696128","MessageGroupId":"t/a","SenderId":"s",
            "MessageDeduplicationId":"d","ApproximateFirstReceiveTimestamp":"1"},"messageAttributes":{},"md5OfBody":"","eventSource":"aws:sqs",
            "eventSourceARN":"arn:aws:sqs:eu-central-1:0:q.fifo","awsRegion":"eu-central-1"}]}"#;
        let event: Event = serde_json::from_str(event).unwrap();
        assert_eq!(event.messages.len(), 1);
        let first = &event.messages[0];
        assert_eq!((first.id.as_str(), first.group.as_str(), first.count, first.sequence), ("m1", "t/a", 2, 18_849_496_460_467_696_128));
        assert_eq!(first.sent.millis(), 1_764_093_600_123);
        let answer = serde_json::to_string(&Failures::of(vec!["m1".to_owned()])).unwrap();
        assert_eq!(answer, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
