//! The requests of SQS that a queue is made of, each counted.

use super::Shared;
use super::message::Incoming;
use crate::wire::{Failure, Repeat};
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use penfold_ports::{PortError, Units};
use penfold_types::CommitId;
use std::time::Duration;

/// Entries of one request.
pub(super) const BATCH: usize = 10;
/// What SQS allows.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Sendings of entries that SQS did not take, though it took others of the same request.
const PARTLY: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

fn seconds(span: Duration) -> i32 {
    // Rounded up: a job hidden for less than a second is hidden for one.
    i32::try_from(span.min(LONGEST).as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

fn built<T>(entry: Result<T, aws_sdk_sqs::error::BuildError>) -> Result<T, PortError> {
    entry.map_err(|error| PortError::Broken(error.to_string()))
}

/// The request as a whole succeeded, but not these; the receipts are too old, or the messages gone.
fn refused(failed: &[BatchResultErrorEntry]) -> bool {
    for entry in failed {
        tracing::debug!(code = entry.code(), text = entry.message(), "an entry was refused");
    }
    !failed.is_empty()
}

impl Shared {
    /// In order; what SQS refused by itself is sent again.
    pub(super) async fn send_batch(&self, mut entries: Vec<SendMessageBatchRequestEntry>, spent: &mut Units) -> Result<(), PortError> {
        for _ in 0..PARTLY {
            spent.queue += 1;
            let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries.clone()));
            // A message has an id, under which SQS takes it once in five minutes.
            let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(Failure::of_write)?;
            if let Some(failed) = answer.failed().iter().find(|failed| failed.sender_fault()) {
                return Err(PortError::Broken(format!("a job was refused: {}: {}", failed.code(), failed.message().unwrap_or_default())));
            }
            entries.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
            if entries.is_empty() {
                return Ok(());
            }
            self.wire.env.sleep_jittered(PAUSE).await;
        }
        Err(PortError::Throttled)
    }

    /// Up to ten messages of any groups, hidden from others for `hidden`.
    pub(super) async fn receive_some(&self, wait: Duration, hidden: Duration, spent: &mut Units) -> Result<Vec<Incoming>, PortError> {
        spent.queue += 1;
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(BATCH as i32)
            .wait_time_seconds(i32::try_from(wait.as_secs().min(20)).unwrap_or(20))
            .visibility_timeout(seconds(hidden))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            // Where an answer is lost, the same request gives the same messages once more.
            .receive_request_attempt_id(CommitId::new(&self.wire.env).to_string());
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(Failure::<ReceiveMessageError>::of_read)?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(Incoming::read).collect())
    }

    /// Hides messages for so long from now, or gives them back with zero. False where SQS refused some of them.
    pub(super) async fn hide(&self, handles: Vec<String>, hidden: Duration, spent: &mut Units) -> Result<bool, PortError> {
        let mut all = true;
        for handles in handles.chunks(BATCH) {
            spent.queue += 1;
            let entry = |(at, handle): (usize, &String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string()).receipt_handle(handle);
                built(entry.visibility_timeout(seconds(hidden)).build())
            };
            let entries = handles.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let request = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(Failure::of_write)?;
            all &= !refused(answer.failed());
        }
        Ok(all)
    }

    /// A message that SQS will not delete has been given to somebody else, who does it again.
    pub(super) async fn delete(&self, handles: Vec<String>, spent: &mut Units) -> Result<(), PortError> {
        for handles in handles.chunks(BATCH) {
            spent.queue += 1;
            let entry = |(at, handle): (usize, &String)| {
                built(DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(handle).build())
            };
            let entries = handles.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(Failure::of_write)?;
            refused(answer.failed());
            if let Some(deleted) = self.deleted.lock().as_mut() {
                deleted.extend(handles.iter().cloned());
            }
        }
        Ok(())
    }

    /// About how many messages wait.
    pub(super) async fn count_visible(&self) -> Result<u64, PortError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(Failure::of_read)?;
        Ok(answer.attributes().and_then(|attributes| attributes.get(&name)?.parse().ok()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_whole_seconds_and_never_too_long() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(60)), 60);
        assert_eq!(seconds(Duration::from_secs(100_000)), 43_200);
    }
}
