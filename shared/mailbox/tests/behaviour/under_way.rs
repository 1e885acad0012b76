//! DynamoDB may show a part of a commit while it is being carried out. Here rows are put back to how they were before it.

use crate::support::*;
use penfold_ports::{Row, Sk, Write};
use penfold_types::Kind;

async fn row(house: &House, key: &penfold_ports::Key) -> Row {
    house.world.table.get(key).await.unwrap().expect("a row")
}

/// A folder that is older than the head would give a uid twice.
#[tokio::test(start_paused = true)]
async fn an_old_folder_is_not_taken_for_a_new_one() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let key = ann.scope().key(Sk::folder(inbox));
    let old = row(&house, &key).await;
    ann.append(inbox, new_messages(1)).await.unwrap();
    let new = row(&house, &key).await;
    house.world.table.put(Write::put(key.clone(), old)).await.unwrap();
    let opened = house.elsewhere().open(&house.scope(house.ann)).await;
    assert_eq!(kind(opened.map(|_| ())), Kind::Retry);
    house.world.table.put(Write::put(key, new)).await.unwrap();
    let elsewhere = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(numbers(&elsewhere.append(inbox, new_messages(1)).await.unwrap().uids), [2]);
    assert_clean(&ann).await;
}

/// Nor is a log without its last change.
#[tokio::test(start_paused = true)]
async fn a_head_whose_change_is_not_there_yet_is_waited_for() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    let modseq = ann.append(inbox, new_messages(1)).await.unwrap().modseq;
    let key = ann.scope().key(Sk::change(modseq));
    let change = row(&house, &key).await;
    house.world.table.put(Write::delete(key.clone())).await.unwrap();
    let opened = house.elsewhere().open(&house.scope(house.ann)).await;
    assert_eq!(kind(opened.map(|_| ())), Kind::Retry);
    house.world.table.put(Write::put(key, change)).await.unwrap();
    let elsewhere = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(elsewhere.head().await.unwrap().modseq, modseq);
    assert_clean(&ann).await;
}

/// A message whose row is not there yet is in the list all the same: the log says so.
#[tokio::test(start_paused = true)]
async fn a_list_from_rows_holds_what_the_last_commits_brought() {
    let house = house().await;
    let ann = house.open(house.ann).await;
    let inbox = folder(&ann, "INBOX").await;
    ann.append(inbox, new_messages(2)).await.unwrap();
    let item = ann.index(inbox).await.unwrap().iter().last().expect("a message").item;
    let key = ann.scope().key(Sk::state(inbox, item));
    let state = row(&house, &key).await;
    house.world.table.put(Write::delete(key.clone())).await.unwrap();
    let elsewhere = house.elsewhere().open(&house.scope(house.ann)).await.unwrap();
    assert_eq!(listed(&elsewhere, inbox).await, [1, 2]);
    house.world.table.put(Write::put(key, state)).await.unwrap();
    assert_clean(&ann).await;
}
