//! What a router leaves of a request's body. An answer that comes before all of the request was read (too large, not allowed, too
//! often) would be lost with the connection, which ends where something is left unread: so a little more is read first.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// Octets that are read although nothing is done with them.
const DRAINED: u64 = 1 << 20;
/// And how long that may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A body that comes back when whoever had it has seen enough.
struct Lent {
    body: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // An error means that the answer is under way already.
            let _ = back.send(body);
        }
    }
}

/// Answers when what is left is read, where that is little.
pub async fn read_on(request: Request, next: Next) -> Response {
    // Who waits to be told to go on has sent nothing yet.
    if request.headers().contains_key(header::EXPECT) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (back, mut left) = oneshot::channel();
    let lent = |body| Body::new(Lent { body: Some(body), back: Some(back) });
    let response = next.run(request.map(lent)).await;
    if let Ok(body) = left.try_recv() {
        // A client that is slow, or gone, has its answer all the same.
        let _ = tokio::time::timeout(PATIENCE, drain(body)).await;
    }
    response
}

async fn drain(mut body: Body) {
    let mut read = 0;
    while !body.is_end_stream() && read + body.size_hint().lower() <= DRAINED {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::{any, put};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    /// One answer's head: these answers have no body.
    async fn head(stream: &mut TcpStream) -> String {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            read.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn an_answer_that_comes_early_is_read_and_the_connection_goes_on() {
        let router = Router::new()
            .route("/refused", any(|| async { StatusCode::FORBIDDEN }))
            .route(
                "/taken",
                put(|body: Bytes| async move { if body.len() == 500_000 { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST } }),
            )
            .layer(from_fn(read_on));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut stream = TcpStream::connect(address).await.unwrap();
        for (path, wanted) in [("/refused", "403"), ("/taken", "204"), ("/refused", "403")] {
            let request = format!("PUT {path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 500000\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.write_all(&vec![b'x'; 500_000]).await.unwrap();
            let said = head(&mut stream).await;
            assert!(said.starts_with(&format!("HTTP/1.1 {wanted}")), "{path}: {said}");
        }
        // What is long is not read to its end, and neither is what waits to be asked for.
        for more in ["Content-Length: 500000000\r\n", "Content-Length: 9\r\nExpect: 100-continue\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("PUT /refused HTTP/1.1\r\nHost: a.test\r\n{more}\r\n").as_bytes()).await.unwrap();
            let said = head(&mut stream).await;
            assert!(said.starts_with("HTTP/1.1 403"), "{said}");
        }
    }
}
