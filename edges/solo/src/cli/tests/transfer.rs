use super::*;
use penfold_mailbox::{Keywords, Mailbox, NewMessage};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folder path -> (bytes, flags, received), in order of uids.
type Contents = BTreeMap<String, Vec<(String, Vec<String>, i64)>>;

async fn mailbox(office: &Office, address: &str) -> Mailbox {
    let operator = office.context.service.directory.operator();
    let scope = operator.open_mailbox(&address.parse().unwrap(), "test").await.unwrap();
    office.context.service.mailboxes.open(&scope).await.unwrap()
}

async fn contents(office: &Office, address: &str) -> Contents {
    let mailbox = mailbox(office, address).await;
    let mut out = Contents::new();
    for (path, folder) in mailbox.folders().await.unwrap().iter() {
        for message in mailbox.index(folder.id).await.unwrap().iter() {
            let content = mailbox.contents(&[message.item]).await.unwrap().remove(0).unwrap();
            let bytes = mailbox.bytes(&content, 0..content.size()).await.unwrap();
            let flags = message.keywords.iter().map(str::to_owned).collect();
            out.entry(path.to_owned()).or_default().push((String::from_utf8_lossy(&bytes).into_owned(), flags, message.received));
        }
    }
    out
}

fn message(number: u32) -> String {
    format!("From: <x@outside.test>\nSubject: number {number}\n\nFrom here on: text {number}\n>From quoted\n\nend\n")
}

fn maildir(root: &Path) {
    for folder in ["", ".Sent", ".Lists.B&APw-cher", "Nested/Deep"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(root.join(folder).join(part)).unwrap();
        }
    }
    fs::write(root.join("cur/100.a.host:2,FS"), message(1)).unwrap();
    fs::write(root.join("cur/101.b.host:2,RPa"), message(2)).unwrap();
    fs::write(root.join("new/102.c.host"), message(3)).unwrap();
    fs::write(root.join("dovecot-keywords"), "0 Work\n").unwrap();
    fs::write(root.join(".Sent/cur/103.d.host:2,S"), message(4).replace('\n', "\r\n")).unwrap();
    fs::write(root.join(".Lists.B&APw-cher/cur/104.e.host:2,T"), message(5)).unwrap();
    fs::write(root.join("Nested/Deep/cur/105.f.host:2,D"), message(6)).unwrap();
    fs::write(root.join("cur/106.broken.host:2,"), "").unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    fs::File::options().write(true).open(root.join("cur/100.a.host:2,FS")).unwrap().set_modified(time).unwrap();
}

#[tokio::test]
async fn a_maildir_comes_over_whole_and_once() {
    let office = office().await;
    let root = office.dir.path().join("source");
    maildir(&root);
    let line = format!("import maildir {} --to ann@one.test", root.display());
    let first = office.run(&line).await.good();
    assert_eq!((first.last()["imported"].as_u64(), first.last()["broken"].as_u64()), (Some(6), Some(1)));
    assert!(first.notes[0].contains("106.broken") && first.notes[0].contains("is empty"), "{:?}", first.notes);
    let there = contents(&office, "ann@one.test").await;
    assert_eq!(there.keys().map(String::as_str).collect::<Vec<_>>(), ["INBOX", "Lists/Bücher", "Nested/Deep", "Sent"]);
    let inbox = &there["INBOX"];
    assert_eq!(inbox[0], (message(1).replace('\n', "\r\n"), vec!["\\Seen".to_owned(), "\\Flagged".to_owned()], 1_700_000_000));
    assert_eq!(inbox[1].1, ["\\Answered", "$Forwarded", "Work"]);
    assert!(inbox[2].1.is_empty());
    assert_eq!(there["Sent"][0].0, message(4).replace('\n', "\r\n"));

    // Again: only what is new, whatever its flags are by now.
    fs::rename(root.join("cur/100.a.host:2,FS"), root.join("cur/100.a.host:2,S")).unwrap();
    fs::write(root.join("new/107.g.host"), message(7)).unwrap();
    let second = office.run(&line).await.good();
    assert_eq!((second.last()["imported"].as_u64(), second.last()["known"].as_u64()), (Some(1), Some(6)));
    let third = office.run(&format!("{line} --folder Old --seen")).await.good();
    assert_eq!(third.last()["imported"], 7);
    let there = contents(&office, "ann@one.test").await;
    assert!(there["Old/Lists/Bücher"][0].1.contains(&"\\Seen".to_owned()));
    assert_eq!(office.run("check").await.good().last()["problems"], 0);
}

/// The state as a crash between the append and the note about it leaves it.
#[tokio::test]
async fn a_batch_that_a_crash_left_in_doubt_is_taken_once() {
    let office = office().await;
    let root = office.dir.path().join("source");
    maildir(&root);
    let line = format!("import maildir {} --to ann@one.test", root.display());
    office.run(&line).await.good();
    let before = contents(&office, "ann@one.test").await;
    let state = fs::read_dir(office.dir.path().join("imports")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&state).unwrap();
    let begun = text.rfind("! ").unwrap();
    let end = begun + text[begun..].find('\n').unwrap() + 1;
    fs::write(&state, &text[..end]).unwrap();
    let again = office.run(&line).await.good();
    assert_eq!((again.last()["imported"].as_u64(), again.last()["known"].as_u64()), (Some(0), Some(6)));
    assert_eq!(contents(&office, "ann@one.test").await, before);
    // The same with a batch that never came in: its line names a uid that does not exist yet.
    let torn: String = text.lines().filter(|line| !line.starts_with('!')).take(3).map(|line| format!("{line}\n")).collect();
    fs::write(&state, format!("{torn}! torn")).unwrap();
    assert!(office.run(&line).await.good().last()["imported"].as_u64() >= Some(3));
}

#[tokio::test]
async fn an_mbox_comes_over_with_its_flags_dates_and_quotes() {
    let office = office().await;
    let file = office.dir.path().join("old.mbox");
    let text = "\
From x@outside.test Tue Nov 14 22:13:20 2023\n\
Subject: one\nStatus: RO\nX-Status: AF\nX-Keywords: Work $Junk\n\nbody\n\nFrom now on this is text\n>From quoted\n>>From twice\n\n\
From - Tue Nov 14 22:13:21 2023\n\
Subject: gone\nX-Mozilla-Status: 0009\n\nbody\n\n\
From y@outside.test\n\
Subject: three\nX-Mozilla-Status: 1001\nDate: Tue, 14 Nov 2023 23:13:22 +0100\n\nno end";
    fs::write(&file, text).unwrap();
    let line = format!("import mbox {} --to ann@one.test --folder Old", file.display());
    let first = office.run(&line).await.good();
    assert_eq!((first.last()["imported"].as_u64(), first.notes.len()), (Some(2), 0));
    let there = contents(&office, "ann@one.test").await;
    let body = "Subject: one\r\n\r\nbody\r\n\r\nFrom now on this is text\r\nFrom quoted\r\n>From twice\r\n";
    let flags: Vec<String> = ["\\Seen", "\\Answered", "\\Flagged", "$Junk", "Work"].map(str::to_owned).to_vec();
    assert_eq!(there["Old"][0], (body.to_owned(), flags, 1_700_000_000));
    assert_eq!((there["Old"][1].1.clone(), there["Old"][1].2), (vec!["\\Seen".to_owned(), "$Forwarded".to_owned()], 1_700_000_002));
    fs::write(&file, format!("{text}\n\nFrom z@outside.test Tue Nov 14 22:13:24 2023\nSubject: four\n\nx\n")).unwrap();
    // The third one has an end now, so it is another message.
    assert!(office.run(&line).await.good().last()["imported"].as_u64() <= Some(2));
    fs::write(&file, "no mbox at all\n\nreally").unwrap();
    assert_eq!(office.run(&line).await.good().last()["broken"], 1);
}

#[tokio::test]
async fn single_files_and_a_directory_of_them() {
    let office = office().await;
    let root = office.dir.path().join("eml");
    fs::create_dir_all(root.join("Below")).unwrap();
    fs::write(root.join("a.eml"), format!("Date: Tue, 14 Nov 2023 22:13:20 +0000\n{}", message(1))).unwrap();
    fs::write(root.join("Below/b.EML"), message(2)).unwrap();
    fs::write(root.join("ignored.txt"), "x").unwrap();
    let done = office.run(&format!("import eml {} --to ann@one.test", root.display())).await.good();
    assert_eq!(done.last()["imported"], 2);
    let there = contents(&office, "ann@one.test").await;
    assert_eq!((there["INBOX"][0].2, there["Below"].len()), (1_700_000_000, 1));
    let wrong = office.run(&format!("import maildir {} --to ann@one.test", root.display())).await;
    assert_eq!(wrong.kind(), "invalid");
    let wrong = office.run(&format!("import eml {} --to nobody@one.test", root.display())).await;
    assert_eq!(wrong.kind(), "not-found");
}

/// Fills ann's mailbox with what is easily lost on the way.
async fn fill(office: &Office) {
    let mailbox = mailbox(office, "ann@one.test").await;
    let deep = mailbox.create_folder("Über A.B/Deep & wide", None).await.unwrap();
    let inbox = mailbox.folders().await.unwrap().find("INBOX").unwrap().id;
    let flags = Keywords::parse(["\\Seen", "\\Flagged", "Work", "$Forwarded"]).unwrap();
    let texts = [
        "Subject: a\r\n\r\nFrom x\r\n>From y\r\n\r\n",
        "Subject: b\r\n\r\n\r\n\r\n",
        "Subject: c\r\n\r\nbare\nfeed\r\n",
        "Subject: d\r\n\r\ndouble\r\r\nreturn\r\n",
        "Subject: e\r\nStatusless: yes\r\n\r\nFrom the end\r\n",
    ];
    for folder in [inbox, deep] {
        let messages = texts.iter().map(|text| NewMessage {
            bytes: text.as_bytes().to_vec().into(),
            keywords: flags.clone(),
            received: Some((1_700_000_000, 0)),
        });
        mailbox.append(folder, messages.collect()).await.unwrap();
    }
}

#[tokio::test]
async fn a_maildir_export_is_imported_again_byte_for_byte() {
    let office = office().await;
    fill(&office).await;
    let out = office.dir.path().join("out");
    let line = format!("export maildir ann@one.test {}", out.display());
    assert_eq!(office.run(&line).await.good().last()["exported"], 10);
    let again = office.run(&line).await.good();
    assert_eq!((again.last()["exported"].as_u64(), again.last()["known"].as_u64()), (Some(0), Some(10)));
    office.run(&format!("import maildir {} --to bob@one.test", out.display())).await.good();
    let (mut ann, mut bob) = (contents(&office, "ann@one.test").await, contents(&office, "bob@one.test").await);
    for messages in ann.values_mut().chain(bob.values_mut()) {
        messages.sort();
    }
    assert_eq!(ann, bob);
}

#[tokio::test]
async fn an_mbox_export_is_imported_again_and_gone_on_with() {
    let office = office().await;
    fill(&office).await;
    let out = office.dir.path().join("out");
    let line = format!("export mbox ann@one.test {}", out.display());
    assert_eq!(office.run(&line).await.good().last()["exported"], 10);
    // Cut off in the middle of a later run: what the mark does not cover is written anew.
    let file = out.join("INBOX.mbox");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, [&whole[..], b"From torn"].concat()).unwrap();
    assert_eq!(office.run(&line).await.good().last()["known"], 10);
    assert_eq!(fs::read(&file).unwrap(), whole);
    office.run(&format!("import mbox {} --to bob@one.test", out.display())).await.good();
    let (ann, bob) = (contents(&office, "ann@one.test").await, contents(&office, "bob@one.test").await);
    let count = |all: &Contents| all.values().map(Vec::len).sum::<usize>();
    assert_eq!(count(&ann), count(&bob));
    let first = |all: &Contents| all.values().flatten().filter(|one| one.0.starts_with("Subject: a")).cloned().collect::<Vec<_>>();
    assert_eq!(first(&ann), first(&bob));
}
