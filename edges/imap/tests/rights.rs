//! Each set of rights by each command (RFC 4314 §4): what it allows is done, what it does not is refused and changes nothing, and a
//! folder that may not be looked up answers like one that is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::{Client, World};
use penfold_ports::{Preset, Rights};

const OWNER: &str = "ada@a.test";
const VIEWER: &str = "bob@a.test";

/// What a command needs, beside the right to look the folder up.
struct Case {
    name: &'static str,
    /// Selects the folder before; `Some(true)`: the viewer's own INBOX.
    selects: Option<bool>,
    command: &'static str,
    /// One of these sets.
    needs: &'static [&'static str],
    /// What nothing but a change shows of it: a line of the answer that comes where it is allowed alone.
    shows: Option<&'static str>,
}

const fn case(name: &'static str, command: &'static str, needs: &'static [&'static str]) -> Case {
    Case { name, selects: None, command, needs, shows: None }
}

const fn inside(name: &'static str, command: &'static str, needs: &'static [&'static str]) -> Case {
    Case { selects: Some(false), ..case(name, command, needs) }
}

const fn from_own(name: &'static str, command: &'static str, needs: &'static [&'static str]) -> Case {
    Case { selects: Some(true), ..case(name, command, needs) }
}

/// `@` is the folder, `K` another one in which the viewer may make folders.
const CASES: &[Case] = &[
    Case { shows: Some("* LIST "), ..case("list", "LIST \"\" @", &[""]) },
    case("select", "SELECT @", &["r"]),
    case("examine", "EXAMINE @", &["r"]),
    case("status", "STATUS @ (MESSAGES)", &["r"]),
    case("append", "APPEND @ {3+}\r\nabc", &["i"]),
    case("append-flags", "APPEND @ (\\Seen \\Deleted \\Flagged x) {3+}\r\nabc", &["i"]),
    case("subscribe", "SUBSCRIBE @", &[""]),
    case("create", "CREATE @/new", &["k"]),
    case("create-deep", "CREATE @/new/below", &["k"]),
    case("delete", "DELETE @", &["x"]),
    case("rename", "RENAME @ \"Other Users/ada@a.test/K/moved\"", &["x"]),
    case("getacl", "GETACL @", &["a"]),
    case("setacl", "SETACL @ bob@a.test lrswikxtea", &["a"]),
    case("deleteacl", "DELETEACL @ bob@a.test", &["a"]),
    case("listrights", "LISTRIGHTS @ anyone", &["a"]),
    Case { shows: Some("* MYRIGHTS "), ..case("myrights", "MYRIGHTS @", &[""]) },
    inside("search", "SEARCH ALL", &["r"]),
    inside("fetch", "FETCH 1:* (FLAGS BODY[])", &["r"]),
    inside("seen", "STORE 1:* +FLAGS (\\Seen)", &["rs"]),
    inside("deleted", "STORE 1:* +FLAGS (\\Deleted)", &["rt"]),
    inside("flagged", "STORE 1:* +FLAGS (\\Flagged)", &["rw"]),
    inside("keyword", "STORE 1:* +FLAGS (mine)", &["rw"]),
    inside("set", "STORE 1:* FLAGS (\\Seen \\Deleted mine)", &["rs", "rt", "rw"]),
    inside("clear", "STORE 1:* FLAGS ()", &["rs", "rt", "rw"]),
    inside("expunge", "EXPUNGE", &["re"]),
    inside("uid-expunge", "UID EXPUNGE 1:*", &["re"]),
    inside("close", "CLOSE", &["r"]),
    inside("copy-out", "COPY 1 INBOX", &["r"]),
    inside("move-out", "MOVE 1 INBOX", &["rte"]),
    from_own("copy-in", "COPY 1 @", &["i"]),
    from_own("move-in", "MOVE 1 @", &["i"]),
];

fn rights(letters: &str) -> Rights {
    Rights::read(letters).unwrap()
}

/// The folder as its owner sees it: uids with flags, and the names below it.
async fn state(world: &World, folder: &str) -> Option<(Vec<(u32, String)>, usize, String)> {
    let mailbox = world.mailbox(OWNER).await;
    let folders = mailbox.folders().await.unwrap();
    let own = folders.find(folder)?;
    let index = mailbox.index(own.id).await.unwrap();
    let flags = |m: &penfold_mailbox::Message<'_>| m.keywords.iter().collect::<Vec<_>>().join(" ");
    let list = mailbox.folder_rights(own.id).await.unwrap().list;
    let list = list.iter().map(|(who, rights)| format!("{} {rights}", who.identifier())).collect::<Vec<_>>().join(", ");
    let below = folders.iter().filter(|(path, _)| path.starts_with(&format!("{folder}/"))).count();
    Some((index.iter().map(|m| (m.uid.get(), flags(&m))).collect(), below, list))
}

/// The tagged line, and all before it.
async fn ask(client: &mut Client, case: &Case, path: &str) -> Vec<String> {
    let path = format!("\"Other Users/{OWNER}/{path}\"");
    if let Some(own) = case.selects {
        let name = if own { "INBOX" } else { &path };
        let selected = client.command("s", &format!("SELECT {name}")).await;
        if !selected.last().unwrap().starts_with("s OK") {
            return selected;
        }
    }
    let command = match case.command.split_once("@/") {
        Some((before, after)) => format!("{before}{}/{after}\"", path.trim_end_matches('"')),
        None => case.command.replacen('@', &path, 1),
    };
    client.command("a", &command).await
}

/// Flags that a set of rights leaves alone are as they were.
fn only_allowed(before: &[(u32, String)], after: &[(u32, String)], rights: Rights) -> bool {
    let of = |list: &[(u32, String)], uid: u32| list.iter().find(|(own, _)| *own == uid).map(|(_, flags)| flags.clone());
    let has = |flags: &Option<String>, name: &str| flags.as_ref().is_some_and(|flags| flags.split(' ').any(|own| own == name));
    after.iter().all(|(uid, flags)| {
        let (was, is) = (of(before, *uid), Some(flags.clone()));
        ["\\Seen", "\\Deleted", "\\Flagged", "mine", "x"].iter().all(|name| {
            let needed = match *name {
                "\\Seen" => Rights::SEEN,
                "\\Deleted" => Rights::DELETE_ITEM,
                _ => Rights::WRITE,
            };
            rights.has(needed) || has(&was, name) == has(&is, name)
        })
    })
}

/// Everything of one set of rights.
async fn play(letters: &str, wrong: &mut Vec<String>) -> usize {
    let given = rights(letters);
    let world = World::new(1, |_| {}).await;
    world.append(OWNER, "K", &[], None, b"Subject: k\r\n\r\nk\r\n".to_vec()).await;
    world.grant(OWNER, "K", VIEWER, "lk").await;
    for n in 0..3 {
        world
            .append(VIEWER, "INBOX", &["\\Seen", "\\Deleted", "\\Flagged"], None, format!("Subject: own {n}\r\n\r\nown\r\n").into_bytes())
            .await;
    }
    let sees = given.has(Rights::LOOKUP);
    for (at, case) in CASES.iter().enumerate() {
        let folder = format!("F{at}");
        world.append(OWNER, &folder, &["\\Deleted"], None, b"Subject: secret\r\n\r\nsecret\r\n".to_vec()).await;
        world.append(OWNER, &folder, &[], None, b"Subject: secret\r\n\r\nsecret\r\n".to_vec()).await;
        world.grant(OWNER, &folder, VIEWER, letters).await;
        let before = state(&world, &folder).await.unwrap();
        let mut client = world.local();
        client.login(VIEWER).await;
        let lines = ask(&mut client, case, &folder).await;
        let last = lines.last().unwrap().clone();
        let allowed = sees && case.needs.iter().any(|needed| given.has(rights(needed)));
        let done = last.contains(" OK") && case.shows.is_none_or(|line| lines.iter().any(|own| own.starts_with(line)));
        let mut fail = |why: &str| wrong.push(format!("{letters}: {}: {why}: {lines:?}", case.name));
        if done != allowed {
            fail("not as it should be");
        }
        if !allowed && case.shows != Some("* LIST ") && !last.contains(" NO [NOPERM]") && sees {
            fail("another refusal");
        }
        if !sees {
            // To the letter what a folder answers that never was.
            let missing = ask(&mut client, case, "Missing").await;
            let as_missing = |lines: &[String]| lines.iter().map(|line| line.replace(&folder, "Missing")).collect::<Vec<_>>();
            if as_missing(&lines) != missing && case.selects != Some(true) {
                fail(&format!("it is told from one that is not there, {missing:?}"));
            }
        }
        if !allowed && lines.iter().any(|line| line.contains("secret")) {
            fail("a leak");
        }
        let after = state(&world, &folder).await;
        match after {
            None if allowed && matches!(case.name, "delete" | "rename") => {}
            None => fail("the folder is gone"),
            Some(after) if !allowed && after != before => fail(&format!("it changed something: {before:?} {after:?}")),
            Some(after) => {
                let added: Vec<_> = after.0.iter().filter(|(uid, _)| before.0.iter().all(|(known, _)| known != uid)).collect();
                if !only_allowed(&before.0, &after.0, given) {
                    fail(&format!("flags changed that may not: {before:?} {after:?}"));
                }
                let gone = after.0.iter().filter(|(uid, _)| before.0.iter().any(|(known, _)| known == uid)).count() < before.0.len();
                let may_go = given.has(Rights::EXPUNGE) && matches!(case.name, "expunge" | "uid-expunge" | "close" | "move-out");
                if gone != (may_go && sees && given.has(Rights::READ) && (case.name != "move-out" || given.has(Rights::DELETE_ITEM))) {
                    fail("messages are gone, or are not");
                }
                if allowed && matches!(case.name, "append" | "append-flags" | "copy-in" | "move-in") != (added.len() == 1) {
                    fail("not one message more");
                }
            }
        }
        let mailbox = world.mailbox(OWNER).await;
        let report = mailbox.check(false).await.unwrap();
        if !report.problems.is_empty() || !report.unfinished.is_empty() {
            fail(&format!("{report:?}"));
        }
    }
    CASES.len()
}

/// Each right alone, with lookup, with lookup and reading; all but one; all of them; none; and the sets that have names.
fn sets() -> Vec<String> {
    let all = Rights::ALL.to_string();
    let mut sets: Vec<String> = vec![String::new(), all.clone()];
    for letter in all.chars() {
        sets.extend([letter.to_string(), format!("l{letter}"), format!("lr{letter}"), all.replace(letter, "")]);
    }
    sets.extend(Preset::ALL.map(|preset| preset.rights().to_string()));
    let mut sets: Vec<String> = sets.into_iter().map(|letters| rights(&letters).to_string()).collect();
    sets.sort();
    sets.dedup();
    sets
}

#[tokio::test(start_paused = true)]
async fn every_right_by_every_command() {
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for letters in sets() {
        asked += play(&letters, &mut wrong).await;
    }
    println!("{asked} commands under {} sets of rights", sets().len());
    assert!(wrong.is_empty(), "{}\n{} of {asked}", wrong.join("\n"), wrong.len());
}
