//! Policies over HTTPS: RFC 8461 §3.3.

use super::net::*;
use penfold_relay::{FetchError, Https, PolicyFetcher as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// A web server with one answer. `None`: it reads, and says nothing.
fn web(certificate: &Certificate, answer: Option<String>) -> At {
    let tls = TlsAcceptor::from(certificate.server());
    At::raw(move |stream, _| {
        let (tls, answer) = (tls.clone(), answer.clone());
        async move {
            let Ok(mut stream) = tls.accept(stream).await else { return };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            assert!(request.starts_with("get /.well-known/mta-sts.txt http/1.1\r\n") && request.contains("host: mta-sts.y.test\r\n"));
            match answer {
                Some(answer) => {
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
                None => std::future::pending().await,
            }
        }
    })
}

#[tokio::test(start_paused = true)]
async fn what_a_policy_host_may_answer() {
    let world = World::new();
    let good = world.authority.certificate("mta-sts.y.test");
    let fetch = || {
        let https = Https::new(world.env.clone(), Arc::new(world.zone.clone()), world.dialer(), &world.authority.roots());
        async move { https.fetch("y.test").await }
    };
    assert!(matches!(fetch().await, Err(FetchError::Unreachable(_))));
    let text = "version: STSv1\r\n";
    let length = text.len();
    let set = |at| {
        world.host("mta-sts.y.test", "192.0.2.1", at);
    };
    for head in [
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{text}"),
        format!("HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}"),
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{text}\r\n0\r\n\r\n"),
    ] {
        set(web(&good, Some(head.clone())));
        assert_eq!(fetch().await.as_deref(), Ok(text), "{head}");
    }
    assert_eq!(world.net.dials.lock()[0].0.port(), 443);
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    for (answer, invalid) in [
        ("HTTP/1.1 301 Moved\r\nLocation: https://x.test/\r\nContent-Length: 0\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_owned(), false),
        ("220 mx\r\n".to_owned(), false),
        (format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{text}"), true),
        (format!("{ok}Content-Length: 70000\r\n\r\n{}", "x".repeat(70_000)), true),
        (format!("{ok}Content-Length: 70000\r\n\r\nshort"), true),
    ] {
        set(web(&good, Some(answer.clone())));
        let error = fetch().await.unwrap_err();
        assert_eq!(matches!(error, FetchError::Invalid(_)), invalid, "{error}: {answer:.80}");
    }
    // RFC 8461 §3.3: for that name, by somebody who is trusted.
    for certificate in [world.authority.certificate("y.test"), Authority::new().certificate("mta-sts.y.test")] {
        set(web(&certificate, Some(format!("{ok}\r\n{text}"))));
        assert_eq!(fetch().await, Err(FetchError::Untrusted));
    }
    set(web(&good, None));
    let begun = world.env.monotonic();
    assert!(matches!(fetch().await, Err(FetchError::Unreachable(_))));
    assert!(world.env.monotonic() - begun <= Duration::from_secs(61));
}

#[tokio::test(start_paused = true)]
async fn a_policy_host_is_never_this_machine() {
    let world = World::new();
    world.host("mta-sts.y.test", "127.0.0.1", At::Nowhere);
    let https = Https::new(world.env.clone(), Arc::new(world.zone.clone()), world.dialer(), &world.authority.roots());
    assert!(matches!(https.fetch("y.test").await, Err(FetchError::Unreachable(_))));
    assert!(world.dials().is_empty());
}
