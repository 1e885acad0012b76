//! How many messages a second go from acceptance into mailboxes, durably, without any protocol in front:
//! `cargo run --release -p penfold-tests --example throughput -- MESSAGES MAILBOXES SESSIONS`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use penfold_deliver::Deliver;
use penfold_directory::{Directory, NewPerson};
use penfold_mailbox::{Mailboxes, Role};
use penfold_transport::{Incoming, Origin, Settings, To, Transport};
use penfold_types::{Address, Env};

fn message(number: usize) -> Bytes {
    let mut text = format!(
        "From: Bench <bench@sender.test>\r\nTo: <u@bench.test>\r\nSubject: Message {number}\r\nMessage-ID: <{number}@sender.test>\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n\r\n"
    );
    while text.len() < 4096 {
        text.push_str("The quarterly report and the agenda for the meeting are attached below.\r\n");
    }
    text.into()
}

#[tokio::main]
async fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let [messages, mailboxes, sessions] = [0, 1, 2].map(|at| arguments.get(at).copied().unwrap_or([20_000, 10, 20][at]));
    let dir = tempfile::tempdir().unwrap();
    let env = Env::system();
    let ports = penfold_embedded::open(env.clone(), dir.path(), penfold_embedded::Options::default()).unwrap();
    let world = ports.world(env.clone());
    let directory = Directory::new(world.clone());
    let operator = directory.operator();
    operator.ensure_tenant("Bench").await.unwrap();
    operator.ensure_domain("Bench", &"bench.test".parse().unwrap()).await.unwrap();
    let store = Mailboxes::new(world.clone(), directory.clone());
    let transport = Transport::new(&world, directory.clone(), store.clone(), Settings::default());
    let deliver = Deliver::new(&world, &store, &transport);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(penfold_transport::work::run(deliver, 16, stopped));
    let mut boxes = Vec::new();
    for number in 0..mailboxes {
        let address: Address = format!("u{number}@bench.test").parse().unwrap();
        let (account, _) =
            operator.ensure_person(&NewPerson { address: address.clone(), name: "u".into(), password: None, quota: None }).await.unwrap();
        boxes.push((address, directory.job_scope(account)));
    }
    let start = env.monotonic();
    let mut tasks = tokio::task::JoinSet::new();
    for session in 0..sessions {
        let (transport, env, boxes) = (transport.clone(), env.clone(), boxes.clone());
        tasks.spawn(async move {
            for number in (session..messages).step_by(sessions) {
                let (address, _) = &boxes[number % boxes.len()];
                let target = transport.recipient(None, None, address).await.unwrap();
                let incoming = Incoming {
                    origin: Origin {
                        helo: "client.test".into(),
                        peer: "127.0.0.1".parse().unwrap(),
                        esmtp: true,
                        tls: false,
                        utf8: false,
                        trusted: true,
                        submitter: None,
                    },
                    from_text: "bench@sender.test".into(),
                    from: "bench@sender.test".parse().ok(),
                    envelope: Default::default(),
                    recipients: vec![To::new(target, address.to_string())],
                    message: message(number),
                    received: env.now(),
                };
                transport.accept(incoming).await.unwrap();
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    let accepted = start.elapsed();
    loop {
        let mut total = 0;
        for (_, scope) in &boxes {
            let mailbox = store.open(scope).await.unwrap();
            total += mailbox.folders().await.unwrap().with_role(Role::Inbox).unwrap().total as usize;
        }
        if total == messages {
            break;
        }
        tokio::task::yield_now().await;
    }
    let visible = start.elapsed();
    println!("accepted {:.0}/s, visible {:.0}/s", messages as f64 / accepted.as_secs_f64(), messages as f64 / visible.as_secs_f64());
}
