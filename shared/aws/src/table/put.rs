use super::DynamoTable;
use crate::expression::Expression;
use crate::ledger::{Of, consumed, local_units};
use crate::values::{Item, key_item, read_item, row_item};
use crate::wire::{Failure, Repeat};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use penfold_ports::{PortError, Price, Row, Table, Units, Write, judge};

/// How a single write ended: what was consumed, or the row that stood against it.
type Ended = Result<Option<ConsumedCapacity>, Stopped>;

enum Stopped {
    Condition(Option<Item>),
    Other(PortError),
}

/// What DynamoDB says of a row that would grow too large.
pub(super) fn is_size(message: &str) -> bool {
    message.contains("Item size")
}

pub(super) fn too_large() -> PortError {
    PortError::Limit("a row has at most 400 KB, a commit 4 MB")
}

impl<E> Failure<E> {
    fn stopped(self, item: impl FnOnce(E) -> Option<Item>) -> Stopped {
        match &self.fault {
            crate::wire::Fault::Refused { code, .. } if code == "ConditionalCheckFailedException" => {
                Stopped::Condition(self.said.and_then(item))
            }
            crate::wire::Fault::Refused { message, .. } if is_size(message) => Stopped::Other(too_large()),
            _ => Stopped::Other(self.of_write()),
        }
    }
}

impl DynamoTable {
    pub(super) async fn put_one(&self, write: &Write, spent: &mut Units) -> Result<(), PortError> {
        if let Write::Check { key, when } = write {
            let row = self.get(key, spent).await?;
            return if when.holds(row.as_ref()) { Ok(()) } else { Err(PortError::Condition { write: 0 }) };
        }
        let before = self.rows_before(std::slice::from_ref(write)).await?;
        let table = self.cells.table(write.key().pk(), spent).await?;
        match self.send_one(table, write).await {
            Ok(reported) => {
                self.account(Of::Request, std::slice::from_ref(write), before, consumed(&reported, true), spent);
                Ok(())
            }
            Err(Stopped::Condition(item)) => {
                // Billed by the row that is there.
                let row = item.map(read_item).transpose()?.map(|(_, row)| row);
                let _ = judge(std::slice::from_ref(write), |_| Ok(row.clone()), Price::Single, spent);
                Err(PortError::Condition { write: 0 })
            }
            Err(Stopped::Other(error)) => Err(error),
        }
    }

    async fn send_one(&self, table: &str, write: &Write) -> Ended {
        let mut expression = Expression::default();
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let total = ReturnConsumedCapacity::Total;
        match write {
            Write::Put { key, row, when } => {
                let request = self
                    .client
                    .put_item()
                    .table_name(table)
                    .set_item(Some(row_item(key, row)))
                    .set_condition_expression(expression.condition(when))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .return_values_on_condition_check_failure(old)
                    .return_consumed_capacity(total);
                let answer = self.wire.call(Repeat::Never, || request.clone().send()).await;
                answer.map(|answer| answer.consumed_capacity).map_err(|failure| failure.stopped(put_item))
            }
            Write::Update { key, set, remove, when } => {
                let update = expression.update(set, remove);
                let request = self
                    .client
                    .update_item()
                    .table_name(table)
                    .set_key(Some(key_item(key)))
                    .update_expression(update)
                    .set_condition_expression(expression.condition(when))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .return_values_on_condition_check_failure(old)
                    .return_consumed_capacity(total);
                let answer = self.wire.call(Repeat::Never, || request.clone().send()).await;
                answer.map(|answer| answer.consumed_capacity).map_err(|failure| failure.stopped(update_item))
            }
            Write::Delete { key, when } | Write::Check { key, when } => {
                let request = self
                    .client
                    .delete_item()
                    .table_name(table)
                    .set_key(Some(key_item(key)))
                    .set_condition_expression(expression.condition(when))
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .return_values_on_condition_check_failure(old)
                    .return_consumed_capacity(total);
                let answer = self.wire.call(Repeat::Never, || request.clone().send()).await;
                answer.map(|answer| answer.consumed_capacity).map_err(|failure| failure.stopped(delete_item))
            }
        }
    }

    /// Counts what writes cost. DynamoDB bills the larger of the row before and after, and only it knows both, so where
    /// the rows before were not read, what it reports stands; the count by what was sent is the least that it can be.
    pub(super) fn account(&self, of: Of, writes: &[Write], before: Option<Vec<Option<Row>>>, reported: Option<Units>, spent: &mut Units) {
        let price = if of == Of::Request { Price::Single } else { Price::Transaction };
        let mut counted = Units::default();
        let exact = before.is_some();
        let local = before.as_ref().map_or(0, |rows| local_units(writes, rows));
        let mut rows = before.unwrap_or_default().into_iter();
        // The conditions held, or it would not have been carried out.
        let plain: Vec<Write> = writes.iter().map(unconditional).collect();
        let _ = judge(&plain, |_| Ok(rows.next().flatten()), price, &mut counted);
        match of {
            _ if !exact => {}
            Of::Request => self.ledger.compare("put", counted, reported),
            Of::Commit => self.ledger.compare_commit(writes.len(), counted.write, local, reported),
        }
        *spent += reported.filter(|_| !exact).unwrap_or(counted);
    }
}

fn unconditional(write: &Write) -> Write {
    let mut write = write.clone();
    match &mut write {
        Write::Put { when, .. } | Write::Update { when, .. } | Write::Delete { when, .. } | Write::Check { when, .. } => {
            *when = penfold_ports::When::Always;
        }
    }
    write
}

macro_rules! item_of {
    ($name:ident, $error:ident) => {
        fn $name(error: $error) -> Option<Item> {
            match error {
                $error::ConditionalCheckFailedException(failed) => failed.item,
                _ => None,
            }
        }
    };
}

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

item_of!(put_item, PutItemError);
item_of!(update_item, UpdateItemError);
item_of!(delete_item, DeleteItemError);
