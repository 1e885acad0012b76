//! Rows as items: each attribute under its own name, numbers as N, text as S, bytes as B. An item describes itself, so a
//! row of format 1 carries no format byte; a later format would.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use penfold_ports::{Key, Name, Pk, PortError, Row, Sk, Value};
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";

pub(crate) fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::U(number) => AttributeValue::N(number.to_string()),
        Value::S(text) => AttributeValue::S(text.clone()),
        Value::B(bytes) => AttributeValue::B(Blob::new(bytes.to_vec())),
    }
}

pub(crate) fn sort_key(sk: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(sk))
}

pub(crate) fn key_item(key: &Key) -> Item {
    Item::from([(PK.to_owned(), AttributeValue::S(key.pk().as_str().to_owned())), (SK.to_owned(), sort_key(key.sk().as_bytes()))])
}

pub(crate) fn row_item(key: &Key, row: &Row) -> Item {
    let mut item = key_item(key);
    item.extend(row.iter().map(|(name, value)| (name.as_str().to_owned(), attribute(value))));
    item
}

fn damaged(what: &str) -> PortError {
    PortError::Broken(format!("a stored item has {what}"))
}

fn value(attribute: AttributeValue) -> Result<Value, PortError> {
    match attribute {
        AttributeValue::N(number) => number.parse().map(Value::U).map_err(|_| damaged("a number that is not ours")),
        AttributeValue::S(text) => Ok(Value::S(text)),
        AttributeValue::B(bytes) => Ok(Value::B(Bytes::from(bytes.into_inner()))),
        _ => Err(damaged("an attribute of another type")),
    }
}

/// A row and its key.
pub(crate) fn read_item(mut item: Item) -> Result<(Key, Row), PortError> {
    let (Some(AttributeValue::S(pk)), Some(AttributeValue::B(sk))) = (item.remove(PK), item.remove(SK)) else {
        return Err(damaged("no key"));
    };
    let mut row = Row::new();
    for (name, attribute) in item {
        let name = Name::from_stored(&name).ok_or_else(|| damaged("a name that is not ours"))?;
        row.set(name, value(attribute)?);
    }
    Ok((Key::from_stored(Pk::from_stored(&pk), Sk::from_stored(sk.as_ref())), row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive_a_round_trip() {
        let key = Key::from_stored(Pk::from_stored("a#1"), Sk::from_stored(&[0, 255, 1]));
        let row = Row::new().with("n", u64::MAX).with("zero", 0u64).with("text", "Entwürfe\0").with("empty", "").with("b", vec![0, 255]);
        assert_eq!(read_item(row_item(&key, &row)), Ok((key, row)));
    }

    #[test]
    fn strange_items_are_errors() {
        let key = Key::from_stored(Pk::from_stored("a#1"), Sk::text("x"));
        assert!(read_item(Item::new()).is_err());
        for (name, attribute) in [
            ("n", AttributeValue::N("-1".into())),
            ("n", AttributeValue::N("1.5".into())),
            ("l", AttributeValue::Bool(true)),
            ("far too long", AttributeValue::S("x".into())),
        ] {
            let mut item = key_item(&key);
            item.insert(name.to_owned(), attribute);
            assert!(read_item(item).is_err());
        }
    }
}
