use super::DynamoTable;
use super::put::{is_size, too_large};
use crate::expression::Expression;
use crate::ledger::{Of, consumed};
use crate::values::{key_item, read_item, row_item};
use crate::wire::{Fault, Repeat};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use penfold_ports::{Commit, PortError, Price, Row, Units, Write, judge, limits, repeat_units};
use std::time::Duration;

/// How often a transaction is sent again that met others on its way: they hold a row for milliseconds only.
const CONFLICTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a transaction was not carried out.
#[derive(PartialEq, Debug)]
enum Cancelled {
    /// A condition did not hold, and no write before it is in doubt.
    Condition(usize),
    /// Others were at the same rows, or there were too many requests: to be sent again.
    Busy,
    TooLarge,
    Other(String),
}

fn why(reasons: &[CancellationReason]) -> Cancelled {
    let mut other = None;
    for (index, reason) in reasons.iter().enumerate() {
        match reason.code().unwrap_or("None") {
            "None" => {}
            "ConditionalCheckFailed" => return Cancelled::Condition(index),
            "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => return Cancelled::Busy,
            "ValidationError" if is_size(reason.message().unwrap_or_default()) => other = Some(Cancelled::TooLarge),
            code => other = Some(Cancelled::Other(format!("write {index}: {code}: {}", reason.message().unwrap_or_default()))),
        }
    }
    other.unwrap_or_else(|| Cancelled::Other("a transaction was cancelled without a reason".to_owned()))
}

impl DynamoTable {
    pub(super) async fn transact(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError> {
        let placing = self.cells.placing(&commit.writes);
        let mut items = Vec::with_capacity(commit.writes.len() + 1);
        // One transaction, also where it is of several tables: a tenant's own and the home cell's.
        for write in commit.writes.iter().chain(&placing) {
            let table = self.cells.table(write.key().pk(), spent).await?;
            items.push(Self::item(table, write).map_err(|error| PortError::Broken(error.to_string()))?);
        }
        let before = self.rows_before(&commit.writes).await?;
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            // 26 characters; the token may have 36.
            .client_request_token(commit.id.to_string())
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pause = FIRST_PAUSE;
        let mut in_doubt = false;
        for _ in 0..CONFLICTS {
            let failure = match self.wire.call(Repeat::Safe, || request.clone().send()).await {
                Ok(answer) => {
                    self.account_commit(commit, before, consumed(answer.consumed_capacity(), true), spent);
                    return Ok(());
                }
                Err(failure) => failure,
            };
            in_doubt |= failure.after_loss;
            match (&failure.fault, &failure.said) {
                (_, Some(TransactWriteItemsError::TransactionCanceledException(cancelled))) => {
                    match why(cancelled.cancellation_reasons()) {
                        Cancelled::Condition(write) => {
                            count_failed(&commit.writes, before, cancelled.cancellation_reasons(), spent);
                            return Err(PortError::Condition { write });
                        }
                        Cancelled::TooLarge => return Err(too_large()),
                        Cancelled::Other(text) => return Err(PortError::Broken(text)),
                        Cancelled::Busy => {}
                    }
                }
                // The first sending is still at it.
                (_, Some(TransactWriteItemsError::TransactionInProgressException(_))) => in_doubt = true,
                (Fault::Refused { code, .. }, _) if code == "IdempotentParameterMismatchException" => {
                    return Err(PortError::Broken("one commit id was given to two different commits".to_owned()));
                }
                (Fault::Refused { message, .. }, _) if is_size(message) || message.contains("exceed") => return Err(too_large()),
                _ => return Err(failure.of_write()),
            }
            self.wire.env.sleep_jittered(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(if in_doubt { PortError::Unknown } else { PortError::Throttled })
    }

    fn item(table: &str, write: &Write) -> Result<TransactWriteItem, BuildError> {
        let mut expression = Expression::default();
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let item = TransactWriteItem::builder();
        Ok(match write {
            Write::Put { key, row, when } => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(row_item(key, row)))
                    .set_condition_expression(expression.condition(when))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .return_values_on_condition_check_failure(old)
                    .build()?,
            ),
            Write::Update { key, set, remove, when } => {
                let update = expression.update(set, remove);
                item.update(
                    Update::builder()
                        .table_name(table)
                        .set_key(Some(key_item(key)))
                        .update_expression(update)
                        .set_condition_expression(expression.condition(when))
                        .set_expression_attribute_names(expression.names())
                        .set_expression_attribute_values(expression.values())
                        .return_values_on_condition_check_failure(old)
                        .build()?,
                )
            }
            Write::Delete { key, when } => item.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(key_item(key)))
                    .set_condition_expression(expression.condition(when))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .return_values_on_condition_check_failure(old)
                    .build()?,
            ),
            Write::Check { key, when } => {
                let check = expression.check(when);
                item.condition_check(
                    ConditionCheck::builder()
                        .table_name(table)
                        .set_key(Some(key_item(key)))
                        .condition_expression(check)
                        .set_expression_attribute_names(expression.names())
                        .set_expression_attribute_values(expression.values())
                        .return_values_on_condition_check_failure(old)
                        .build()?,
                )
            }
        }
        .build())
    }

    /// A commit that was known already is billed for reading, and that is how it is recognised.
    fn account_commit(&self, commit: &Commit, before: Option<Vec<Option<Row>>>, reported: Option<Units>, spent: &mut Units) {
        match reported {
            Some(units) if units.write == 0 && units.read > 0 => {
                spent.read += if self.verify { repeat_units(&commit.writes) } else { units.read };
            }
            _ => self.account(Of::Commit, &commit.writes, before, reported, spent),
        }
    }

    /// Only where counts are compared: the rows that writes will meet, unbilled.
    pub(super) async fn rows_before(&self, writes: &[Write]) -> Result<Option<Vec<Option<Row>>>, PortError> {
        if !self.verify {
            return Ok(None);
        }
        debug_assert!(writes.len() <= limits::BATCH, "a commit's keys fit into a batch");
        let rows = self.batch_map(writes.iter().map(|write| write.key().clone()).collect(), &mut Units::default()).await?;
        Ok(Some(writes.iter().map(|write| rows.get(write.key()).cloned()).collect()))
    }
}

/// A cancelled transaction is billed as if it had been carried out, and reports nothing: counted by the rows that it named
/// and by what was sent.
fn count_failed(writes: &[Write], before: Option<Vec<Option<Row>>>, reasons: &[CancellationReason], spent: &mut Units) {
    let named = |reason: &CancellationReason| reason.item.clone().and_then(|item| read_item(item).ok()).map(|(_, row)| row);
    let mut stood = before.unwrap_or_else(|| reasons.iter().map(named).collect()).into_iter();
    let _ = judge(writes, |_| Ok(stood.next().flatten()), Price::Transaction, spent);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn the_first_write_that_failed_is_named() {
        assert_eq!(why(&reasons(&["None", "ConditionalCheckFailed", "ConditionalCheckFailed"])), Cancelled::Condition(1));
        assert_eq!(why(&reasons(&["ConditionalCheckFailed", "TransactionConflict"])), Cancelled::Condition(0));
        assert_eq!(why(&reasons(&["TransactionConflict", "ConditionalCheckFailed"])), Cancelled::Busy, "the first is in doubt");
        assert_eq!(why(&reasons(&["None", "ThrottlingError"])), Cancelled::Busy);
        assert!(matches!(why(&reasons(&["AccessDenied"])), Cancelled::Other(_)));
        let large =
            CancellationReason::builder().code("ValidationError").message("Item size to update has exceeded the maximum allowed size");
        assert_eq!(why(&[large.build()]), Cancelled::TooLarge);
    }
}
