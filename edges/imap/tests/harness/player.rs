//! Plays tests/dialogs/imap/*.txt: what clients say and what they must hear, several connections in one file.
//!
//! ```text
//! # a comment
//! @append ada@a.test INBOX (\Seen) "17-Jul-1996 02:44:25 -0700"     then the message, each line after `| `
//! @fill ada@a.test INBOX 3           so many small messages
//! @shared team@a.test ada@a.test bob@a.test       @unshare team@a.test bob@a.test
//! @quota ada@a.test 1000            @person joe@a.test
//! @group all@a.test bob@a.test      @remove all@a.test bob@a.test      @remove bob@a.test
//! @grant ada@a.test Work bob@a.test lrs      by the owner; `none` takes it back
//! @login A ada@a.test               connects and signs in
//! @remote A                         connects from far away
//! @wait 600                         seconds pass
//! A C: a1 NOOP                      A sends a line (`C~` without its end; \r \n \0 are escapes there)
//! A S: a1 OK {{}}                   A hears a line: {{}} is anything, {{x}} is kept and must be the same again
//! A S.                              A hears nothing
//! A closed                          the server has closed the connection
//! ```
//! Without a name in front, A is meant.
#![allow(clippy::disallowed_methods)]

use super::{Client, PASSWORD, World};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Play {
    clients: BTreeMap<String, Client>,
    names: BTreeMap<String, String>,
    appending: Option<(Vec<String>, Vec<u8>)>,
}

/// Each file of `dir`, or those whose name holds $DIALOG, in a world of its own, which lasts as long as what `world` gives beside it.
pub fn play_all<Keep>(dir: &str, world: impl AsyncFn() -> (World, Keep)) {
    let started = Instant::now();
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    if let Ok(only) = std::env::var("DIALOG") {
        files.retain(|path| path.to_string_lossy().contains(&only));
    }
    files.sort();
    let mut failed = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let played = runtime.block_on(async {
            let (world, _keep) = world().await;
            play(&world, &text).await
        });
        if let Err(why) = played {
            failed.push(format!("{}: {why}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    println!("{} dialogues in {:.1} s", files.len(), started.elapsed().as_secs_f32());
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
    assert!(!files.is_empty());
}

async fn play(world: &World, text: &str) -> Result<(), String> {
    let mut play = Play::default();
    for (at, line) in text.lines().enumerate() {
        play.line(world, line).await.map_err(|why| format!("line {}: {line}\n    {why}", at + 1))?;
    }
    play.append(world).await;
    Ok(())
}

impl Play {
    async fn line(&mut self, world: &World, line: &str) -> Result<(), String> {
        if let Some(text) = line.strip_prefix('|') {
            let (_, bytes) = self.appending.as_mut().ok_or("a message without @append")?;
            bytes.extend_from_slice(text.strip_prefix(' ').unwrap_or(text).as_bytes());
            bytes.extend_from_slice(b"\r\n");
            return Ok(());
        }
        self.append(world).await;
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(action) = line.strip_prefix('@') {
            return self.act(world, action).await;
        }
        let (who, rest) = match line.split_once(' ') {
            Some((who, rest)) if who.len() < 4 && who.chars().all(|c| c.is_ascii_uppercase()) => (who, rest),
            _ => ("A", line),
        };
        if !self.clients.contains_key(who) {
            let mut client = world.local();
            if !rest.starts_with("S:") {
                client.line().await;
            }
            self.clients.insert(who.to_owned(), client);
        }
        let client = self.clients.get_mut(who).ok_or("no client")?;
        if let Some(said) = rest.strip_prefix("C:") {
            let said = fill(said.strip_prefix(' ').unwrap_or(said), &self.names);
            client.send(format!("{said}\r\n").as_bytes()).await;
        } else if let Some(said) = rest.strip_prefix("C~ ") {
            let said = fill(said, &self.names).replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
            client.send(said.as_bytes()).await;
        } else if let Some(wanted) = rest.strip_prefix("S:") {
            let wanted = wanted.strip_prefix(' ').unwrap_or(wanted);
            let heard = client.line().await.ok_or("the server has closed the connection")?;
            matches(wanted, &heard, &mut self.names).then_some(()).ok_or(format!("heard: {heard}"))?;
        } else if rest.starts_with("S.") {
            if !client.silent().await {
                return Err("something came".into());
            }
        } else if rest == "closed" {
            if let Some(heard) = client.line().await {
                return Err(format!("heard: {heard}"));
            }
        } else {
            return Err("not understood".into());
        }
        Ok(())
    }

    async fn act(&mut self, world: &World, action: &str) -> Result<(), String> {
        let words: Vec<&str> = action.split(' ').collect();
        match words.as_slice() {
            ["append", ..] => self.appending = Some((words.iter().map(|w| (*w).to_owned()).collect(), Vec::new())),
            ["fill", who, folder, count] => {
                for n in 1..=count.parse::<u32>().map_err(|e| e.to_string())? {
                    let message = format!(
                        "From: sender{n}@b.test\r\nTo: {who}\r\nSubject: message {n}\r\nMessage-ID: <{n}@b.test>\r\n\r\nbody {n}\r\n"
                    );
                    world.append(who, folder, &[], Some((820_000_000 + i64::from(n) * 60, 0)), message.into_bytes()).await;
                }
            }
            ["person", who] => world.person(who).await,
            ["quota", who, bytes] => world.quota(who, bytes.parse().map_err(|_| "not a number")?).await,
            ["shared", of, members @ ..] => world.shared(of, members).await,
            ["group", of, members @ ..] => world.group(of, members).await,
            ["remove", of] => world.remove(of, None).await,
            ["remove", of, member] => world.remove(of, Some(member)).await,
            ["grant", of, folder, to, letters] => world.grant(of, folder, to, letters.strip_prefix("none").unwrap_or(letters)).await,
            ["unshare", of, member] => world.unshare(of, member).await,
            ["wait", seconds] => tokio::time::sleep(Duration::from_secs(seconds.parse().map_err(|_| "not a number")?)).await,
            ["login", who, address] => {
                let mut client = world.local();
                client.line().await;
                let lines = client.command("login", &format!("LOGIN {address} {PASSWORD}")).await;
                if !lines.last().is_some_and(|line| line.starts_with("login OK")) {
                    return Err(format!("heard: {lines:?}"));
                }
                self.clients.insert((*who).to_owned(), client);
            }
            ["remote", who] => {
                self.clients.insert((*who).to_owned(), world.connect(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1 << 20));
            }
            ["stop"] => world.stop(),
            _ => return Err("not understood".into()),
        }
        Ok(())
    }

    /// `@append WHO FOLDER [(FLAGS)] ["DATE"]`, now that its message is whole.
    async fn append(&mut self, world: &World) {
        let Some((words, bytes)) = self.appending.take() else { return };
        let line = words.join(" ");
        let flags = line.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(flags, _)| flags);
        let flags: Vec<&str> = flags.split(' ').filter(|flag| !flag.is_empty()).collect();
        let received = line.split('"').nth(1).map(|date| seconds(date).expect("a date"));
        world.append(&words[1], &words[2], &flags, received, bytes).await;
    }
}

/// `17-Jul-1996 02:44:25 -0700`, by counting days.
fn seconds(text: &str) -> Option<(i64, i16)> {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split(' ');
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let (day, month, year): (i64, &str, i64) = (date.next()?.parse().ok()?, date.next()?, date.next()?.parse().ok()?);
    let month = months.iter().position(|m| *m == month)?;
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum::<i64>() + lengths[..month].iter().sum::<i64>() + day - 1;
    let clock: Vec<i64> = time.split(':').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let hhmm: i64 = zone.get(1..)?.parse().ok()?;
    let minutes = (hhmm / 100 * 60 + hhmm % 100) * if zone.starts_with('-') { -1 } else { 1 };
    Some((days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2] - minutes * 60, minutes as i16))
}

/// Puts kept values into what a client says.
fn fill(text: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

fn matches(wanted: &str, heard: &str, names: &mut BTreeMap<String, String>) -> bool {
    let wanted = fill(wanted, names);
    let Some((before, rest)) = wanted.split_once("{{") else { return wanted == heard };
    let (Some((name, after)), Some(heard)) = (rest.split_once("}}"), heard.strip_prefix(before)) else { return false };
    // Every end that the rest of the line allows, the nearest first.
    for end in (0..=heard.len()).filter(|end| heard.is_char_boundary(*end)) {
        let mut kept = names.clone();
        if !name.is_empty() {
            kept.insert(name.to_owned(), heard[..end].to_owned());
        }
        if matches(after, &heard[end..], &mut kept) {
            *names = kept;
            return true;
        }
    }
    false
}
