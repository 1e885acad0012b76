//! The client, against servers that do as they like.

mod contract;

use super::*;
use penfold_simulated::Zone;
use rustls_pki_types::PrivateKeyDer;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a server sends, and then whether it goes on for ever.
#[derive(Clone)]
enum Says {
    Once(String),
    /// The first, and then the second again and again, with a pause in between.
    ForEver(String, String, Duration),
}

impl Says {
    fn file(text: &str) -> Self {
        Self::Once(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: Text/Calendar; charset=utf-8\r\nETag: \"7\"\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ))
    }

    fn moved(to: &str) -> Self {
        Self::Once(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"))
    }
}

#[derive(Clone, Default)]
struct Heard {
    requests: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Heard {
    fn last(&self) -> String {
        self.requests.lock().last().cloned().unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.requests.lock().len()
    }
}

/// `None`: it breaks off.
async fn read_request(stream: &mut impl Stream) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(request).ok()
}

async fn answer(mut stream: impl Stream, says: Says, heard: Heard) {
    let Some(request) = read_request(&mut stream).await else { return };
    let open = heard.open.fetch_add(1, Ordering::SeqCst) + 1;
    heard.most.fetch_max(open, Ordering::SeqCst);
    heard.requests.lock().push(request);
    match says {
        Says::Once(text) => drop(stream.write_all(text.as_bytes()).await),
        Says::ForEver(first, next, pause) => {
            let mut going = stream.write_all(first.as_bytes()).await;
            while going.is_ok() {
                Env::system().sleep(pause).await;
                going = stream.write_all(next.as_bytes()).await;
            }
        }
    }
    heard.open.fetch_sub(1, Ordering::SeqCst);
    let _ = stream.shutdown().await;
}

/// A server on this machine; gives its port.
async fn serve(says: impl Fn(u16) -> Says, tls: Option<TlsAcceptor>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, says) = (Heard::default(), says(port));
    let own = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (says, heard, tls) = (says.clone(), own.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => answer(stream, says, heard).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, says, heard).await;
                        }
                    }
                }
            });
        }
    });
    (port, heard)
}

fn web(allowed: &[&str]) -> (PublicWeb, Zone) {
    web_that_trusts(allowed, RootCertStore::empty())
}

fn web_that_trusts(allowed: &[&str], roots: RootCertStore) -> (PublicWeb, Zone) {
    let zone = Zone::default();
    zone.address("a.test", "127.0.0.1".parse().unwrap()).address("b.test", "127.0.0.1".parse().unwrap());
    let allowed: Vec<Network> = allowed.iter().map(|network| network.parse().unwrap()).collect();
    let mut web = PublicWeb::with_roots(Env::system(), Arc::new(zone.clone()), &allowed, roots).unwrap();
    web.bounds = Bounds { time: Duration::from_secs(2), connect: Duration::from_secs(1), size: 100_000 };
    (web, zone)
}

const HERE: &[&str] = &["127.0.0.0/8"];

async fn get(web: &PublicWeb, url: &str) -> Result<Fetched, WebError> {
    web.get(&WebPage { url: url.to_owned(), ..WebPage::default() }).await
}

/// What one server gives to who asks it by name.
async fn fetched(says: Says) -> Result<Fetched, WebError> {
    let (port, _) = serve(|_| says.clone(), None).await;
    get(&web(HERE).0, &format!("http://a.test:{port}/x")).await
}

#[tokio::test]
async fn a_file_comes_with_its_validators_and_nothing_is_told_of_who_asks() {
    let (port, heard) = serve(|_| Says::file("BEGIN"), None).await;
    let (web, _) = web(HERE);
    let url = format!("http://a.test:{port}/x?k=1");
    let known = Validators { of: url.clone(), etag: Some("\"6\"".to_owned()), last_modified: Some("then".to_owned()) };
    let page = WebPage { url: url.clone(), known: Some(known) };
    let validators = Some(Validators { of: url, etag: Some("\"7\"".to_owned()), last_modified: None });
    let found = Found { bytes: "BEGIN".into(), validators, media: "text/calendar".to_owned() };
    assert_eq!(web.get(&page).await, Ok(Fetched::New(found)));
    let request = heard.last();
    let mut lines: Vec<&str> = request.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "GET /x?k=1 HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: a.test:{port}");
    let wanted = [
        "accept-encoding: identity",
        "accept: text/calendar, */*;q=0.1",
        "connection: close",
        host.as_str(),
        "if-modified-since: then",
        "if-none-match: \"6\"",
        "user-agent: Penfold",
    ];
    assert_eq!(lines, wanted);
    assert!(web.hosts.lock().is_empty());
}

#[tokio::test]
async fn answers_without_a_file() {
    let status = |line: &str, fields: &str| Says::Once(format!("HTTP/1.1 {line}\r\n{fields}Content-Length: 0\r\n\r\n"));
    assert_eq!(fetched(status("410 Gone", "")).await, Ok(Fetched::Not { status: 410, after: None }));
    let after = Some(Duration::from_secs(120));
    assert_eq!(fetched(status("503 Busy", "Retry-After: 120\r\n")).await, Ok(Fetched::Not { status: 503, after }));
    // One that is past: it is read, and asks for nothing.
    let past = status("429 Many", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_eq!(fetched(past).await, Ok(Fetched::Not { status: 429, after: Some(Duration::ZERO) }));
    assert_eq!(fetched(status("200 OK", "Content-Encoding: gzip\r\n")).await, Err(WebError::Answer));
    assert_eq!(fetched(Says::Once("SSH-2.0-x\r\n".to_owned())).await, Err(WebError::Answer));
    assert_eq!(fetched(Says::Once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".to_owned())).await, Err(WebError::Torn));
}

#[tokio::test]
async fn what_is_too_much_is_not_read_to_its_end() {
    let declared = "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n".to_owned();
    assert_eq!(fetched(Says::Once(declared)).await, Err(WebError::Large));
    let endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    assert_eq!(fetched(Says::ForEver(endless, chunk, Duration::ZERO)).await, Err(WebError::Large));
    let until_closed = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    assert_eq!(fetched(Says::ForEver(until_closed.clone(), "x".repeat(4096), Duration::ZERO)).await, Err(WebError::Large));
    assert_eq!(
        fetched(Says::ForEver("HTTP/1.1 200 OK\r\n".to_owned(), format!("X-A: {}\r\n", "x".repeat(4096)), Duration::ZERO)).await,
        Err(WebError::Answer)
    );
    // A drip, in the body and before it.
    let drip = Duration::from_millis(50);
    assert_eq!(fetched(Says::ForEver(until_closed, "x".to_owned(), drip)).await, Err(WebError::Slow));
    assert_eq!(fetched(Says::ForEver("HTTP/1.1 200 OK\r\nX: ".to_owned(), "x".to_owned(), drip)).await, Err(WebError::Slow));
}

#[tokio::test]
async fn redirects_end_and_each_is_judged_anew() {
    let (web, zone) = web(HERE);
    let (target, _) = serve(|_| Says::file("x"), None).await;
    let (port, _) = serve(|_| Says::moved(&format!("http://b.test:{target}/y")), None).await;
    assert!(matches!(get(&web, &format!("http://a.test:{port}/")).await, Ok(Fetched::New(_))));
    let (port, heard) = serve(|port| Says::moved(&format!("http://a.test:{port}/again")), None).await;
    assert_eq!(get(&web, &format!("http://a.test:{port}/")).await, Err(WebError::Redirect));
    assert_eq!(heard.count(), WEB_REDIRECTS + 1);
    // To where it may not: by address, by name, to another service, to a file.
    zone.address("inside.test", "10.0.0.7".parse().unwrap());
    for (to, wanted) in [
        ("http://169.254.169.254/latest/meta-data/", WebError::Forbidden),
        ("http://[::ffff:10.0.0.1]/", WebError::Forbidden),
        ("http://inside.test/", WebError::Forbidden),
        ("http://b.test:25/", WebError::Redirect),
        ("file:///etc/passwd", WebError::Redirect),
    ] {
        let (port, _) = serve(|_| Says::moved(to), None).await;
        assert_eq!(get(&web, &format!("http://a.test:{port}/")).await, Err(wanted), "{to}");
    }
}

#[tokio::test]
async fn nothing_here_is_reached_where_nothing_is_allowed() {
    let (port, heard) = serve(|_| Says::file("x"), None).await;
    let (web, zone) = web(&[]);
    zone.address("six.test", "::1".parse().unwrap()).address("mapped.test", "::ffff:127.0.0.1".parse().unwrap());
    for host in ["a.test", "127.0.0.1", "six.test", "mapped.test", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"] {
        assert_eq!(get(&web, &format!("http://{host}:{port}/")).await, Err(WebError::Forbidden), "{host}");
    }
    assert_eq!(get(&web, "http://nobody.test/").await, Err(WebError::NoName));
    assert_eq!(heard.count(), 0);
}

#[tokio::test]
async fn one_at_a_time_of_a_host() {
    let drip = Says::ForEver("HTTP/1.1 200 OK\r\nX: ".to_owned(), "x".to_owned(), Duration::from_millis(20));
    let (port, heard) = serve(|_| drip.clone(), None).await;
    let (mut web, _) = web(HERE);
    web.bounds.time = Duration::from_millis(500);
    let url = format!("http://a.test:{port}/");
    let both = tokio::join!(get(&web, &url), get(&web, &url), get(&web, &url));
    assert!([both.0, both.1, both.2].iter().all(|one| *one == Err(WebError::Slow)));
    assert_eq!(heard.most.load(Ordering::SeqCst), 1);
    assert!(web.hosts.lock().is_empty());
}

#[tokio::test]
async fn servers_prove_their_names() {
    let made = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let (port, _) = serve(|_| Says::file("x"), Some(TlsAcceptor::from(Arc::new(config)))).await;
    let (web, _) = web_that_trusts(HERE, roots);
    assert!(matches!(get(&web, &format!("https://a.test:{port}/")).await, Ok(Fetched::New(_))));
    assert_eq!(get(&web, &format!("https://b.test:{port}/")).await, Err(WebError::Untrusted));
    let (stranger, _) = web_that_trusts(HERE, RootCertStore::empty());
    assert_eq!(get(&stranger, &format!("https://a.test:{port}/")).await, Err(WebError::Untrusted));
}
