use super::*;
use crate::control::{Asked, Place, ask, listen};
use std::os::unix::fs::PermissionsExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;

async fn asked(office: &Office, line: &str) -> Answer {
    let mut answer = Answer::default();
    let asked = ask(parse(line), Place::Directory(office.dir.path()), |response| {
        answer.take(response);
        true
    })
    .await;
    match asked {
        Ok(Asked::Done) => {}
        Ok(Asked::Failed { kind, text }) => answer.failed = Some((kind, text)),
        Err(_) => answer.failed = Some(("failure".to_owned(), String::new())),
    }
    answer
}

#[tokio::test]
async fn a_running_server_answers_on_its_socket() {
    let office = office().await;
    let path = office.dir.path().join("control.sock");
    // What a crash left behind.
    std::fs::create_dir(office.dir.path().join(".control")).unwrap();
    std::fs::write(&path, "").unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(listen(office.context.service.clone(), &path, stopped).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(asked(&office, "person list").await.good().values.len(), 2);
    assert_eq!(asked(&office, "person show nobody@one.test").await.kind(), "not-found");
    let many: Vec<_> = (0..40).map(|_| asked(&office, "tenant show One")).collect();
    for one in many {
        one.await.good();
    }
    stop.send_replace(true);
    serving.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn nonsense_on_the_socket_harms_nobody() {
    let office = office().await;
    let path = office.dir.path().join("control.sock");
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(listen(office.context.service.clone(), &path, stopped).unwrap());
    for nonsense in [&b"\n"[..], b"{}\n", b"\xff\xfe\n", b"{\"tenant\":{}}\n"] {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("\"failed\""), "{answer}");
    }
    drop(UnixStream::connect(&path).await.unwrap());
    asked(&office, "tenant list").await.good();
}

#[tokio::test]
async fn without_a_server_the_store_is_opened_here() {
    let dir = {
        let office = office().await;
        office.ports.close();
        office.dir.path().to_owned()
    };
    // The directory went with the office.
    assert!(!dir.exists());
    let mut lines = 0;
    let asked = ask(parse("tenant list"), Place::Directory(&dir), |_| true).await;
    assert!(matches!(asked, Err(crate::failure::Failure::Usage(text)) if text.contains("no data")));
    let kept = tempfile::tempdir().unwrap();
    for line in ["tenant add One --domain one.test", "person add ann@one.test --password secret", "person list"] {
        let asked = ask(parse(line), Place::Directory(kept.path()), |response| {
            lines += u32::from(matches!(response, Response::Item { .. }));
            true
        });
        assert!(matches!(asked.await, Ok(Asked::Done)), "{line}");
    }
    assert_eq!(lines, 3);
}
