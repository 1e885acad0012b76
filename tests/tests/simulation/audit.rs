//! Whether the store kept its word.

use crate::actors::{Observer, Process};
use crate::{Play, Sabotage};
use penfold_mailbox::{Delta, Event, Keywords, Mailbox};
use penfold_metering::usage::{self, Period, Used};
use penfold_ports::Account;
use penfold_tests::letters;
use penfold_types::{FolderId, ItemId, Modseq, PrincipalId, Uid};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// All that ever happened in a folder.
#[derive(Default)]
struct History {
    added: BTreeMap<Uid, Modseq>,
    vanished: BTreeMap<Uid, Modseq>,
    keywords: BTreeMap<(Uid, Modseq), Keywords>,
}

pub async fn accounts(play: &Play, process: &Process, observers: &[Arc<Mutex<Observer>>]) {
    let mut live: BTreeMap<(Account, String), i64> = BTreeMap::new();
    for account in &play.people {
        let mailbox = process.open(*account).await.unwrap();
        check(play, &mailbox).await;
        let floor = mailbox.head().await.unwrap().floor;
        let histories = histories(&mailbox, floor).await;
        told(play, *account, floor, &histories);
        note(play, &mailbox).await;
        items(play, &mailbox, &mut live).await;
        for observer in observers {
            let mut observer = observer.lock().await;
            if observer.account == *account {
                converges(play, &mailbox, &mut observer).await;
            }
        }
    }
    let ledger = play.ledger.lock().unwrap();
    ledger.doubled.iter().for_each(|text| play.problem(text.clone()));
    for (key, bound) in &ledger.bounds() {
        let there = live.remove(key).unwrap_or(0);
        if there < bound.least || there > bound.most {
            play.problem(format!("{} is in its mailbox {there} times, and should be {} to {}", key.1, bound.least, bound.most));
        }
    }
    for ((_, token), there) in live {
        play.problem(format!("{token} is there {there} times and was never sent"));
    }
}

async fn check(play: &Play, mailbox: &Mailbox) {
    let mut report = mailbox.check(false).await.unwrap();
    report.problems.drain(..).for_each(|problem| play.problem(format!("check: {problem}")));
    if !report.unfinished.is_empty() {
        // A crash in the middle of emptying a folder.
        mailbox.check(true).await.unwrap();
        let again = mailbox.check(false).await.unwrap();
        again.problems.into_iter().chain(again.unfinished).for_each(|problem| play.problem(format!("check after repair: {problem}")));
    }
}

/// From the floor on, which is 0 where nothing was trimmed.
async fn histories(mailbox: &Mailbox, floor: Modseq) -> BTreeMap<FolderId, History> {
    let mut out = BTreeMap::new();
    for (_, folder) in mailbox.folders().await.unwrap().iter() {
        let mut history = History::default();
        if let Delta::Events { events, .. } = mailbox.changes(folder.id, floor).await.unwrap() {
            for (modseq, event) in events {
                match event {
                    Event::Added { uid, keywords } => {
                        history.added.insert(uid, modseq);
                        history.keywords.insert((uid, modseq), keywords);
                    }
                    Event::Keywords { uid, keywords } => drop(history.keywords.insert((uid, modseq), keywords)),
                    Event::Vanished { uid } => drop(history.vanished.insert(uid, modseq)),
                }
            }
        }
        out.insert(folder.id, history);
    }
    out
}

/// Every answer is in the history.
fn told(play: &Play, account: Account, floor: Modseq, histories: &BTreeMap<FolderId, History>) {
    let ledger = play.ledger.lock().unwrap();
    for told in ledger.told.iter().filter(|told| told.account == account && told.modseq > floor) {
        let Some(history) = histories.get(&told.folder) else { continue };
        match history.keywords.get(&(told.uid, told.modseq)) {
            Some(keywords) if *keywords == told.keywords => {}
            other => play.problem(format!("uid {} was said to be {:?} at {}, and was {other:?}", told.uid, told.keywords, told.modseq)),
        }
    }
    if floor > Modseq(0) {
        return;
    }
    let missing = |list: &BTreeMap<(Account, FolderId, Uid), &'static str>, which: fn(&History) -> &BTreeMap<Uid, Modseq>| {
        for ((_, folder, uid), by) in list.iter().filter(|((own, ..), _)| *own == account) {
            match histories.get(folder) {
                Some(history) if !which(history).contains_key(uid) => {
                    play.problem(format!("uid {uid}: {by} was answered and did not happen"))
                }
                None if !ledger.gone.contains(&(account, *folder)) && !ledger.may_be_gone(*folder) => {
                    play.problem(format!("a folder with answered messages ({by}) is gone"));
                }
                _ => {}
            }
        }
    };
    missing(&ledger.created, |history| &history.added);
    missing(&ledger.destroyed, |history| &history.vanished);
    for (_, folder, uid) in ledger.moved_away.iter().filter(|(own, ..)| *own == account) {
        if histories.get(folder).is_some_and(|history| !history.vanished.contains_key(uid)) {
            play.problem(format!("uid {uid} was moved to another account and is still here"));
        }
    }
}

/// Notes what every item holds that a list has shown so far.
async fn note(play: &Play, mailbox: &Mailbox) {
    let account = mailbox.account();
    let mut wanted: Vec<ItemId> = {
        let ledger = play.ledger.lock().unwrap();
        let shown = ledger.items.iter().filter(|((own, ..), _)| *own == account).map(|(_, item)| *item);
        shown.filter(|item| !ledger.tokens.contains_key(&(account, *item))).collect()
    };
    for (_, folder) in mailbox.folders().await.unwrap().iter() {
        wanted.extend(mailbox.index(folder.id).await.unwrap().iter().map(|m| m.item));
    }
    wanted.sort_unstable();
    wanted.dedup();
    let contents = mailbox.contents(&wanted).await.unwrap();
    for (item, content) in wanted.iter().zip(contents) {
        let Some(content) = content else {
            play.problem(format!("item {item} has no content"));
            continue;
        };
        let subject = content.summary.envelope.subject.as_deref().unwrap_or_default();
        play.ledger.lock().unwrap().tokens.insert((account, *item), String::from_utf8_lossy(subject).into_owned());
    }
}

/// What was counted is what is stored, and in fine weather a round leaves nothing over.
pub async fn usage(play: &Play, process: &Process) {
    let round = process.usage(play).round().await.unwrap();
    if round.left > 0 || round.differing > 0 {
        play.problem(format!("the meter: {round:?}"));
    }
    let organisation = process.directory.tenant_scope(play.people[0].tenant);
    let held = usage::held(&play.world, &organisation).await.unwrap();
    let mut totals: BTreeMap<PrincipalId, Used> = BTreeMap::new();
    let to = play.world.env.now().seconds() / 3_600 + 1;
    let period = Period { from: to - 48, to };
    usage::each_hour(&play.world, &organisation, period, |whose, _, used| totals.entry(whose).or_default().then(&used)).await.unwrap();
    for account in &play.people {
        let head = process.open(*account).await.unwrap().head().await.unwrap();
        let (held, total) =
            (held.get(&account.principal).copied().unwrap_or_default(), totals.remove(&account.principal).unwrap_or_default());
        let sum = (total.delivered + total.added - total.removed, total.delivered_bytes + total.added_bytes - total.removed_bytes);
        if (held.items, held.bytes, total.bytes) != (head.items, head.used, head.used) || sum != (head.items, head.used) {
            play.problem(format!("usage: {held:?} and {total:?} instead of {} items, {} bytes", head.items, head.used));
        }
    }
}

/// Drops the history of every account.
pub async fn trim(play: &Play, process: &Process) {
    for account in &play.people {
        let mailbox = process.open(*account).await.unwrap();
        note(play, &mailbox).await;
        if let Err(error) = mailbox.trim(std::time::Duration::ZERO).await {
            play.problem(format!("trim: {error}"));
        }
    }
}

pub async fn sabotage(play: &Play, process: &Process, how: Sabotage) {
    for account in &play.people {
        let mailbox = process.open(*account).await.unwrap();
        let folders = mailbox.folders().await.unwrap();
        let Some((_, folder)) = folders.iter().find(|(_, folder)| folder.total > 0) else { continue };
        let index = mailbox.index(folder.id).await.unwrap();
        let first = index.iter().next().unwrap();
        match how {
            Sabotage::None => {}
            Sabotage::Lose => drop(mailbox.expunge(folder.id, Some(&std::iter::once(first.uid).collect()), false).await.unwrap()),
            Sabotage::Double => drop(mailbox.copy(folder.id, &std::iter::once(first.uid).collect(), &mailbox, folder.id).await.unwrap()),
            Sabotage::OtherBytes => {
                for message in index.iter() {
                    let content = mailbox.contents(&[message.item]).await.unwrap().remove(0).unwrap();
                    let other = mailbox.scope().blob(content.blob.acceptance);
                    play.world.blobs.put(&other, vec![bytes::Bytes::from_static(b"P\x01 other bytes")]).await.unwrap();
                }
                // Durable with the next commit.
                mailbox.subscribe(folder.id, !folder.subscribed).await.unwrap();
            }
        }
        return;
    }
}

/// What is there, by the tokens of the messages, each with the bytes that were sent.
async fn items(play: &Play, mailbox: &Mailbox, live: &mut BTreeMap<(Account, String), i64>) {
    let account = mailbox.account();
    let token = |item: ItemId| play.ledger.lock().unwrap().tokens.get(&(account, item)).cloned().unwrap_or_default();
    let mut present: Vec<ItemId> = Vec::new();
    for (_, folder) in mailbox.folders().await.unwrap().iter() {
        let index = mailbox.index(folder.id).await.unwrap();
        if index.len() != folder.total {
            play.problem(format!("{} lists {} of {} messages", folder.name, index.len(), folder.total));
        }
        present.extend(index.iter().map(|m| m.item));
    }
    for item in &present {
        *live.entry((account, token(*item))).or_default() += 1;
    }
    // Reading every byte of every message of every seed would be most of the time: a sample.
    for item in present.iter().step_by(5) {
        let Some(content) = mailbox.contents(&[*item]).await.unwrap().remove(0) else { continue };
        let token = token(*item);
        match mailbox.bytes(&content, content.prefix.len() as u64..u64::MAX).await {
            Ok(bytes) => {
                let sent = [letters::short(&token, "Sender <sender@example.test>"), letters::short(&token, "Me <me@acme.test>")];
                if !sent.contains(&bytes) {
                    play.problem(format!("{token} came back as other bytes"));
                }
            }
            Err(error) => play.problem(format!("{token} cannot be read: {error}")),
        }
    }
}

async fn converges(play: &Play, mailbox: &Mailbox, observer: &mut Observer) {
    observer.poll(mailbox).await.unwrap().into_iter().for_each(|fault| play.problem(format!("observer at the end: {fault}")));
    for (path, folder) in mailbox.folders().await.unwrap().iter() {
        let index = mailbox.index(folder.id).await.unwrap();
        let truth: BTreeMap<Uid, Keywords> = index.iter().map(|m| (m.uid, m.keywords.clone())).collect();
        let view = observer.views.get(&folder.id).map(|(_, view)| view.clone()).unwrap_or_default();
        if view != truth {
            play.problem(format!("an observer's {path} is not the truth: {} of {} messages", view.len(), truth.len()));
        }
    }
}
