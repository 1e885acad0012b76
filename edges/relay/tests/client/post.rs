//! Reports to web servers: RFC 8460 §5.4.

use super::net::*;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_relay::HttpsPost;
use penfold_reports::Post as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// A web server with one answer, and what it heard. `None`: it reads, and says nothing.
fn web(certificate: &Certificate, answer: Option<&'static str>, heard: &Arc<Mutex<String>>) -> At {
    let (tls, heard) = (TlsAcceptor::from(certificate.server()), heard.clone());
    At::raw(move |stream, _| {
        let (tls, heard) = (tls.clone(), heard.clone());
        async move {
            let Ok(mut stream) = tls.accept(stream).await else { return };
            let mut request = [0; 4096];
            while !heard.lock().ends_with("report") {
                let read = stream.read(&mut request).await.unwrap();
                assert!(read > 0);
                heard.lock().push_str(&String::from_utf8_lossy(&request[..read]));
            }
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
async fn a_report_is_posted_to_who_proves_its_name() {
    let world = World::new();
    let heard = Arc::new(Mutex::new(String::new()));
    let good = world.authority.certificate("reports.y.test");
    let post = async |url: &str| {
        heard.lock().clear();
        let https = HttpsPost::new(world.env.clone(), Arc::new(world.zone.clone()), world.dialer(), &world.authority.roots());
        https.post(url, "application/tlsrpt+gzip", Bytes::from_static(b"report")).await.map_err(|error| error.to_string())
    };
    let url = "https://reports.y.test/v1/tls?x=1";
    assert!(post(url).await.unwrap_err().contains("no address"));
    let set = |certificate: &Certificate, answer| {
        world.host("reports.y.test", "192.0.2.1", web(certificate, answer, &heard));
    };
    set(&good, Some("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(post(url).await, Ok(()));
    let request = heard.lock().to_lowercase();
    assert!(request.starts_with("post /v1/tls?x=1 http/1.1\r\n") && request.ends_with("\r\n\r\nreport"), "{request}");
    assert!(request.contains("\r\nhost: reports.y.test\r\n") || request.contains("host: reports.y.test\r\n"), "{request}");
    assert!(request.contains("content-type: application/tlsrpt+gzip\r\n") && request.contains("content-length: 6\r\n"), "{request}");
    for refusal in
        ["HTTP/1.1 301 Moved\r\nLocation: https://x.test/\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"]
    {
        set(&good, Some(refusal));
        assert!(post(url).await.unwrap_err().contains("it answers"), "{refusal}");
    }
    set(&world.authority.certificate("y.test"), Some("HTTP/1.1 200 OK\r\n\r\n"));
    assert!(post(url).await.is_err(), "another's certificate");
    set(&good, None);
    let begun = world.env.monotonic();
    assert!(post(url).await.unwrap_err().contains("too slow"));
    assert!(world.env.monotonic() - begun <= Duration::from_secs(61));
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_goes_to_names_and_never_to_this_machine() {
    let world = World::new();
    world.host("reports.y.test", "127.0.0.1", At::Nowhere);
    for url in ["https://reports.y.test/", "http://reports.y.test/", "https://192.0.2.1/", "https://a:b@reports.y.test/", "https:///", "x"]
    {
        let https = HttpsPost::new(world.env.clone(), Arc::new(world.zone.clone()), world.dialer(), &world.authority.roots());
        assert!(https.post(url, "a/b", Bytes::new()).await.is_err(), "{url}");
    }
    assert!(world.dials().is_empty());
}
