//! The contract of `Web`, over sockets of this machine.

use super::*;
use penfold_ports::contract::web::{Given, Host, Known, Says, Site};
use std::fmt::Write as _;

#[derive(Default)]
struct Pages {
    says: Mutex<HashMap<String, Says>>,
    heard: Mutex<HashMap<String, Known>>,
}

struct Server {
    port: u16,
    pages: Arc<Pages>,
}

impl Site for Server {
    fn url(&self, host: Host, path: &str) -> String {
        let name = match host {
            Host::First => "a.test",
            Host::Second => "b.test",
            Host::Inside => "inside.test",
            Host::Nobody => "nobody.test",
        };
        format!("http://{name}:{}{path}", self.port)
    }

    fn says(&self, url: &str, says: Says) {
        self.pages.says.lock().insert(url.to_owned(), says);
    }

    fn heard(&self, url: &str) -> Known {
        self.pages.heard.lock().get(url).cloned().unwrap_or_default()
    }
}

impl Pages {
    fn answer(&self, request: &str) -> Vec<u8> {
        let path = request.split(' ').nth(1).unwrap();
        let field = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let url = format!("http://{}{path}", field("host: ").unwrap());
        let known = (field("if-none-match: "), field("if-modified-since: "));
        self.heard.lock().entry(url.clone()).or_default().push(known.clone());
        let (mut head, mut body) = (String::new(), Vec::new());
        match self.says.lock().get(&url) {
            None => head.push_str("HTTP/1.1 404 Not Found\r\n"),
            Some(Says::Moved(location)) => write!(head, "HTTP/1.1 302 Found\r\nLocation: {location}\r\n").unwrap(),
            Some(Says::Status(status, after)) => {
                write!(head, "HTTP/1.1 {status} So\r\n").unwrap();
                if let Some(after) = after {
                    write!(head, "Retry-After: {}\r\n", after.as_secs()).unwrap();
                }
            }
            Some(Says::File { bytes, etag, last_modified, media }) => {
                let same = match (&known.0, &known.1) {
                    (Some(known), _) => Some(known.as_str()) == *etag,
                    (None, known) => known.is_some() && known.as_deref() == *last_modified,
                };
                head.push_str(if same { "HTTP/1.1 304 Not Modified\r\n" } else { "HTTP/1.1 200 OK\r\n" });
                for (name, value) in [("ETag", *etag), ("Last-Modified", *last_modified), ("Content-Type", Some(*media))] {
                    if let Some(value) = value {
                        write!(head, "{name}: {value}\r\n").unwrap();
                    }
                }
                if !same {
                    body = bytes.to_vec();
                }
            }
        }
        // RFC 9110 §8.6: not with 204, and with 304 it would be that of the file.
        if !head.contains(" 204 ") && !head.contains(" 304 ") {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        [head.as_bytes(), b"\r\n", &body].concat()
    }
}

async fn fixture() -> Given {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let pages = Arc::new(Pages::default());
    let own = pages.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let pages = own.clone();
            tokio::spawn(async move {
                let request = read_request(&mut stream).await.unwrap();
                // Whoever does not want all of it goes away.
                let _ = stream.write_all(&pages.answer(&request)).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let (mut web, zone) = web(HERE);
    zone.address("inside.test", "10.0.0.7".parse().unwrap());
    web.bounds = Bounds { time: TIME, connect: CONNECT, size: WEB_SIZE };
    Given { web: Arc::new(web), site: Arc::new(Server { port, pages }) }
}

penfold_ports::web_suite!(fixture);
