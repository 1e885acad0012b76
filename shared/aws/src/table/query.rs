use super::{DynamoTable, reading};
use crate::ledger::consumed;
use crate::values::{PK, SK, read_item, sort_key};
use crate::wire::Repeat;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use penfold_ports::{Page, PortError, Query, Row, Sk, Units, item_size, limits, read_units};

/// A range of sort keys in DynamoDB's words, which know no end that is not included beside a beginning.
#[derive(PartialEq, Eq, Debug)]
enum Range {
    Empty,
    All,
    From(Vec<u8>),
    Before(Vec<u8>),
    BeginsWith(Vec<u8>),
    Between(Vec<u8>, Vec<u8>),
}

/// The last key before `key` that can exist; `None` where there is none.
fn last_before(key: &[u8]) -> Option<Vec<u8>> {
    let (last, rest) = key.split_last()?;
    let mut before = rest.to_vec();
    if *last > 0 {
        before.push(last - 1);
        before.resize(limits::SK, 0xff);
    }
    (!before.is_empty()).then_some(before)
}

/// The first key from `key` on that can exist: no stored key is longer than the limit, but the first after one may be.
fn first_from(key: &[u8]) -> Option<Vec<u8>> {
    if key.len() <= limits::SK {
        return Some(key.to_vec());
    }
    let mut next = key[..limits::SK].to_vec();
    while let Some(last) = next.pop() {
        if last < 0xff {
            next.push(last + 1);
            return Some(next);
        }
    }
    None
}

fn range(query: &Query) -> Range {
    let Some(from) = first_from(query.from.as_bytes()) else { return Range::Empty };
    let Some(to) = &query.to else {
        return if from.is_empty() { Range::All } else { Range::From(from) };
    };
    let to_bytes = to.as_bytes();
    if to_bytes <= from.as_slice() {
        Range::Empty
    } else if from.is_empty() {
        // A key that can be no bound is longer than any: its beginning will do.
        Range::Before(first_from(to_bytes).unwrap_or_else(|| vec![0xff; limits::SK]))
    } else if query.from.after_prefix() == *to {
        Range::BeginsWith(from)
    } else {
        match last_before(to_bytes) {
            Some(last) if last >= from => Range::Between(from, last),
            _ => Range::Empty,
        }
    }
}

/// The contract's page is never larger than its limit; DynamoDB may add the row that goes over, and others behind it.
fn page(rows: Vec<(Sk, Row, usize)>, more: bool) -> Page {
    let (mut kept, found) = (0, rows.len());
    let fits = |(_, _, size): &(Sk, Row, usize)| {
        kept += size;
        kept <= limits::PAGE || kept == *size
    };
    // Up to the first that does not fit: what comes behind it comes with the next page.
    let rows: Vec<_> = rows.into_iter().take_while(fits).map(|(sk, row, _)| (sk, row)).collect();
    Page { more: more || rows.len() < found, rows }
}

impl DynamoTable {
    pub(super) async fn run_query(&self, query: &Query, spent: &mut Units) -> Result<Page, PortError> {
        let (condition, bounds) = match range(query) {
            Range::All => ("", vec![]),
            Range::From(from) => (" AND sk >= :a", vec![from]),
            Range::Before(to) => (" AND sk < :a", vec![to]),
            Range::BeginsWith(prefix) => (" AND begins_with(sk, :a)", vec![prefix]),
            Range::Between(from, to) => (" AND sk BETWEEN :a AND :b", vec![from, to]),
            Range::Empty => return Ok(Page::default()),
        };
        if query.limit == 0 {
            return Ok(Page::default());
        }
        let mut request = self
            .client
            .query()
            .table_name(self.cells.table(&query.pk, spent).await?)
            .key_condition_expression(format!("{PK} = :p{condition}"))
            .expression_attribute_values(":p", AttributeValue::S(query.pk.as_str().to_owned()))
            .consistent_read(true)
            .scan_index_forward(!query.reverse)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_limit(i32::try_from(query.limit).ok());
        for (name, bound) in [":a", ":b"].into_iter().zip(bounds) {
            request = request.expression_attribute_values(name, sort_key(&bound));
        }
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        let reported = consumed(answer.consumed_capacity(), false);
        let more = answer.last_evaluated_key.as_ref().is_some_and(|key| key.contains_key(SK));
        let (mut rows, mut read) = (Vec::with_capacity(answer.items().len()), 0);
        for item in answer.items.unwrap_or_default() {
            let (key, row) = read_item(item)?;
            let size = item_size(&key, &row);
            read += size;
            rows.push((key.sk().clone(), row, size));
        }
        let page = page(rows, more);
        let counted = read_units(read);
        self.ledger.compare("query", reading(counted), reported.filter(|units| units.read > 0));
        spent.read += counted;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_ports::Pk;

    fn query(from: &[u8], to: Option<&[u8]>) -> Query {
        Query { pk: Pk::from_stored("a"), from: Sk::from_stored(from), to: to.map(Sk::from_stored), limit: 1, reverse: false }
    }

    #[test]
    fn ranges_in_the_words_of_dynamodb() {
        assert_eq!(range(&query(b"", None)), Range::All);
        assert_eq!(range(&query(b"a", None)), Range::From(b"a".to_vec()));
        assert_eq!(range(&query(b"", Some(b"b"))), Range::Before(b"b".to_vec()));
        assert_eq!(range(&query(b"b", Some(b"a"))), Range::Empty);
        assert_eq!(range(&query(b"a", Some(b"a"))), Range::Empty);
        assert_eq!(range(&Query::prefix(Pk::from_stored("a"), &Sk::text("s#"))), Range::BeginsWith(b"s#".to_vec()));
        let mut padded = b"s#".to_vec();
        padded.resize(limits::SK, 0xff);
        assert_eq!(range(&query(b"s#1", Some(b"s$"))), Range::Between(b"s#1".to_vec(), padded));
        assert_eq!(range(&query(b"a", Some(b"b\0"))), Range::Between(b"a".to_vec(), b"b".to_vec()));
    }

    #[test]
    fn a_page_has_no_hole() {
        let rows =
            |sizes: &[usize]| sizes.iter().enumerate().map(|(n, size)| (Sk::text(&n.to_string()), Row::new(), *size)).collect::<Vec<_>>();
        let taken = |sizes: &[usize], more| {
            let page = page(rows(sizes), more);
            (page.rows.len(), page.more)
        };
        assert_eq!(taken(&[limits::PAGE - 10, 20, 5, 5], false), (1, true), "a small one behind a large one waits with it");
        assert_eq!(taken(&[limits::PAGE - 10, 10], false), (2, false));
        assert_eq!(taken(&[limits::PAGE - 10, 10], true), (2, true));
        assert_eq!(taken(&[limits::PAGE + 10, 1], false), (1, true), "one at least");
        assert_eq!(taken(&[], false), (0, false));
    }

    #[test]
    fn after_the_longest_key() {
        let mut longest = vec![b'k'; limits::SK];
        let after = Sk::from_stored(&longest).successor();
        longest[limits::SK - 1] = b'l';
        assert_eq!(range(&query(after.as_bytes(), None)), Range::From(longest));
        let last = Sk::from_stored(&[0xff; limits::SK]).successor();
        assert_eq!(range(&query(last.as_bytes(), None)), Range::Empty);
    }
}
