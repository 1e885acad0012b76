//! How long the common commands take over a folder of 10,000 messages of 4 KB, on a real disk and a real socket. Prints,
//! judges nothing: `cargo nextest run -p penfold-imap --run-ignored only --no-capture speed`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use penfold_directory::{Cheap, Directory, NewPerson, Options as DirectoryOptions};
use penfold_imap::{Options, Server, serve};
use penfold_mailbox::{APPEND_LIMIT, Keywords, Mailboxes, NewMessage};
use penfold_types::Env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

const COUNT: u32 = 10_000;

fn message(n: u32) -> Vec<u8> {
    let words = ["project", "meeting", "budget", "invoice", "schedule", "review", "quarterly", "customer", "delivery", "server"];
    let mut text = format!(
        "From: Bench Sender <bench@sender.test>\r\nTo: <ada@a.test>\r\nSubject: {} {} {n}\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
         Message-ID: <bench-{n}@sender.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
        words[n as usize % 10],
        words[(n as usize * 7) % 10]
    );
    let mut state = u64::from(n) + 1;
    while text.len() < 4096 {
        for _ in 0..10 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[(state >> 33) as usize % 10]);
            text.push(' ');
        }
        text.push_str("\r\n");
    }
    if n % 1000 == 7 {
        text.push_str("zebracrossing\r\n");
    }
    text.into_bytes()
}

struct Client(BufReader<TcpStream>);

impl Client {
    /// Seconds and octets of an answer.
    fn command(&mut self, command: &str) -> (f64, usize) {
        let started = Instant::now();
        self.0.get_mut().write_all(format!("t {command}\r\n").as_bytes()).unwrap();
        let mut octets = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            octets += self.0.read_until(b'\n', &mut line).unwrap();
            if line.starts_with(b"t ") {
                assert!(line.starts_with(b"t OK"), "{}", String::from_utf8_lossy(&line));
                return (started.elapsed().as_secs_f64() * 1e3, octets);
            }
            if line.ends_with(b"}\r\n")
                && let Some(open) = line.iter().rposition(|b| *b == b'{')
            {
                let len: u64 = String::from_utf8_lossy(&line[open + 1..line.len() - 3]).parse().unwrap();
                octets += std::io::copy(&mut (&mut self.0).take(len), &mut std::io::sink()).unwrap() as usize;
            }
        }
    }
}

#[test]
#[ignore = "measures"]
fn speed() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let env = Env::system();
    let ports = penfold_embedded::open(env.clone(), dir.path(), penfold_embedded::Options::default()).unwrap();
    let world = ports.world(env.clone());
    let options = DirectoryOptions { hasher: Arc::new(Cheap), ..DirectoryOptions::default() };
    let directory = Directory::with_options(world.clone(), options);
    let mailboxes = Mailboxes::new(world, directory.clone());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    runtime.block_on(async {
        let operator = directory.operator();
        operator.create_tenant("a").await.unwrap();
        operator.create_domain("a", &"a.test".parse().unwrap()).await.unwrap();
        let address: penfold_types::Address = "ada@a.test".parse().unwrap();
        let person = NewPerson { address: address.clone(), name: "Ada".into(), password: Some("secret".into()), quota: None };
        operator.create_person(&person).await.unwrap();
        let scope = operator.open_mailbox(&address, "a test").await.unwrap();
        let mailbox = mailboxes.open(&scope).await.unwrap();
        let folder = mailbox.create_folder("Bench", None).await.unwrap();
        let started = Instant::now();
        for from in (0..COUNT).step_by(APPEND_LIMIT) {
            let new = |n| NewMessage { bytes: message(n).into(), keywords: Keywords::NONE, received: None };
            let messages = (from..(from + APPEND_LIMIT as u32).min(COUNT)).map(new).collect();
            mailbox.append(folder, messages).await.unwrap();
        }
        println!("filled in {:.1} s", started.elapsed().as_secs_f64());
    });
    let server = Server::new(env, directory, mailboxes, Options::default());
    runtime.spawn(async move {
        serve(server, tokio::net::TcpListener::from_std(listener).unwrap(), false, penfold_runtime::Front::new(&[]), stopped).await
    });
    let stream = TcpStream::connect(place).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut client = Client(BufReader::with_capacity(1 << 20, stream));
    let mut greeting = String::new();
    client.0.read_line(&mut greeting).unwrap();
    client.command("LOGIN ada@a.test secret");
    for command in [
        "SELECT Bench",
        "FETCH 1:* (FLAGS UID)",
        "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
        "FETCH 1:* (UID BODY.PEEK[])",
        "UID SEARCH TEXT zebracrossing",
        "UID SEARCH SUBJECT \"invoice\"",
        "UID SEARCH UNSEEN",
        "UID SEARCH SINCE 1-Jan-2020",
        "STORE 1:1000 +FLAGS.SILENT (\\Seen)",
        "STORE 1:1000 -FLAGS.SILENT (\\Seen)",
        "NOOP",
    ] {
        let mut times: Vec<f64> = Vec::new();
        let mut octets = 0;
        for _ in 0..5 {
            let (time, size) = client.command(command);
            times.push(time);
            octets = size;
        }
        let first = times[0];
        times.sort_by(f64::total_cmp);
        println!("{command:60} first {first:8.2} ms, median {:8.2} ms, {octets} octets", times[2]);
    }
}
