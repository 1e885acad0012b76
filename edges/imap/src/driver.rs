//! The only file that owns sockets, TLS and clocks. A connection is one task. While it waits it holds no buffer: bytes are
//! read onto the stack, a command's work is boxed and gone when it ends, and one timer serves every limit.

use crate::commands::idle;
use crate::grammar::framer::{Framer, Step};
use crate::session::{Next, Output, Server, Session};
use penfold_runtime::{Front, settle};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

/// Octets read at once, onto the stack.
const READ: usize = 16 << 10;
/// A command that has begun must go on, and an answer must be taken, within this.
const STALLED: Duration = Duration::from_secs(5 * 60);
/// KB of literals that need no reservation.
const SMALL_UPLOAD: u32 = 256;

/// Accepts connections until `stop` turns true. With `tls` each begins with a handshake (RFC 8314 §3.2), after the header of
/// the load balancer in `front` that it comes from.
pub async fn serve(server: Arc<Server>, listener: TcpListener, tls: bool, front: Front, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((mut socket, peer)) => {
                settle(&socket);
                let (server, stop) = (server.clone(), stop.clone());
                if !front.covers(peer.ip()) {
                    tokio::spawn(connection(server, socket, peer.ip(), tls, stop));
                    continue;
                }
                let front = front.clone();
                tokio::spawn(async move {
                    match front.client(&mut socket, peer.ip()).await {
                        // A task of its own: this one is larger by what the header took.
                        Ok(client) => drop(tokio::spawn(connection(server, socket, client, tls, stop))),
                        Err(error) => tracing::debug!(balancer = %peer.ip(), %error, "a connection was closed"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                server.env.sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    // Every connection says BYE once its command is done; whoever stops us decides how long that may take.
    while server.connections() > 0 {
        server.env.sleep(Duration::from_millis(20)).await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop us.
        std::future::pending::<()>().await;
    }
}

/// Serves one connection to its end.
pub async fn connection<S>(server: Arc<Server>, socket: S, peer: IpAddr, tls: bool, stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut wire = Wire::Plain(socket);
    let Some(_admitted) = server.admit() else {
        let _ = wire.write_all(b"* BYE [UNAVAILABLE] too many connections\r\n").await;
        return;
    };
    let Some(stranger) = server.stranger(peer) else {
        let _ = wire.write_all(b"* BYE [LIMIT] too many connections from there on which nobody has signed in\r\n").await;
        return;
    };
    let started = server.env.monotonic();
    if tls && !Box::pin(wire.handshake(&server)).await {
        return;
    }
    let mut session = Session::new(server, peer, tls);
    session.stranger = Some(stranger);
    let mut connection =
        Connection { wire, session, framer: Framer::default(), out: Vec::new(), stop, started, heard: started, upload: None };
    // Whatever ended it: there is nobody to tell.
    let _ = connection.talk().await;
    let _ = connection.wire.shutdown().await;
}

/// The socket, in the clear or inside TLS.
enum Wire<S> {
    Plain(S),
    Tls(Box<TlsStream<S>>),
    Closed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Turns a plain wire into one inside TLS.
    async fn handshake(&mut self, server: &Server) -> bool {
        let (Self::Plain(socket), Some(acceptor)) = (std::mem::replace(self, Self::Closed), &server.options.tls) else { return false };
        match tokio::time::timeout(server.options.before_login, acceptor.accept(socket)).await {
            Ok(Ok(stream)) => {
                *self = Self::Tls(Box::new(stream));
                true
            }
            _ => false,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Closed => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }
}

struct Connection<S> {
    wire: Wire<S>,
    session: Session,
    framer: Framer,
    /// Answers that have not been written yet; empty and without memory while the connection waits.
    out: Vec<u8>,
    stop: watch::Receiver<bool>,
    started: Instant,
    /// When the peer last sent something.
    heard: Instant,
    /// Room for the large literals of the command that is being read.
    upload: Option<OwnedSemaphorePermit>,
}

/// What a waiting connection was woken by.
enum Event {
    Heard,
    Closed,
    /// The selected mailbox may have changed.
    Look,
    TimeOut,
    Stop,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    async fn talk(&mut self) -> io::Result<()> {
        let mut greeting = Output::memory();
        self.session.greet(&mut greeting);
        self.out = greeting.buf;
        loop {
            let next = match self.framer.next(&self.session.limits(), self.session.wants_line()) {
                Step::More => {
                    self.flush().await?;
                    self.reserve().await?;
                    match self.wait().await {
                        Event::Heard => Next::Go,
                        Event::Closed => return Ok(()),
                        Event::Look => self.work(Task::Look).await?,
                        Event::TimeOut => self.bye("* BYE [UNAVAILABLE] nothing heard for too long\r\n"),
                        Event::Stop => self.bye("* BYE [UNAVAILABLE] shutting down, come back soon\r\n"),
                    }
                }
                Step::Continue => {
                    self.out.extend_from_slice(b"+ go on\r\n");
                    Next::Go
                }
                Step::Command(raw) => {
                    let next = self.work(Task::Command(raw)).await?;
                    self.upload = None;
                    next
                }
                Step::Line(line) => self.work(Task::Line(line)).await?,
                Step::Refused { tag, why } => {
                    let mut output = self.output();
                    let next = self.session.refused(&tag, why, &mut output);
                    self.out = output.buf;
                    next
                }
                Step::Fatal(why) => {
                    tracing::debug!(why, "a connection is ended");
                    self.bye("* BYE [TOOBIG] too large\r\n")
                }
            };
            match next {
                Next::Go => {}
                Next::StartTls => {
                    self.flush().await?;
                    // RFC 9051 §6.2.1: what was sent in the clear before the handshake means nothing.
                    self.framer.clear();
                    let server = self.session.server.clone();
                    if !Box::pin(self.wire.handshake(&server)).await {
                        return Ok(());
                    }
                    self.session.tls = true;
                }
                Next::Close => return self.flush().await,
            }
        }
    }

    /// A large literal is read on only while there is room for it; until then it waits in the peer's socket.
    async fn reserve(&mut self) -> io::Result<()> {
        let wanted = u32::try_from(self.framer.announced() >> 10).unwrap_or(u32::MAX);
        if wanted <= SMALL_UPLOAD || self.upload.as_ref().is_some_and(|held| held.num_permits() >= wanted as usize) {
            return Ok(());
        }
        // Nobody waits for more while holding some: two who do could wait for each other.
        self.upload = None;
        let uploads = self.session.server.uploads.clone();
        let waiting = Box::pin(tokio::time::timeout(STALLED, uploads.acquire_many_owned(wanted)));
        match waiting.await {
            Ok(Ok(permit)) => {
                self.upload = Some(permit);
                self.heard = self.session.server.env.monotonic();
                Ok(())
            }
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn output(&mut self) -> Output {
        let mut output = Output::memory();
        output.buf = std::mem::take(&mut self.out);
        output
    }

    fn bye(&mut self, text: &str) -> Next {
        self.out.extend_from_slice(text.as_bytes());
        Next::Close
    }

    /// Until when what is going on may go on without a word.
    fn deadline(&self) -> Instant {
        let options = &self.session.server.options;
        if self.session.user.is_none() {
            return self.started + options.before_login;
        }
        self.heard + if self.framer.is_idle() { options.autologout } else { STALLED }
    }

    /// Waits for the peer, a wake or the clock.
    async fn wait(&mut self) -> Event {
        let end = self.deadline();
        let now = self.session.server.env.monotonic();
        let idling = self.session.is_idling();
        let look = now + self.session.server.options.recheck;
        let until = if idling { end.min(look) } else { end };
        let (wire, framer, session, stop) = (&mut self.wire, &mut self.framer, &mut self.session, &mut self.stop);
        let Session { watch, server, .. } = session;
        let woken = async {
            match watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            biased;
            event = poll_fn(|cx| read(wire, framer, cx)) => event,
            _ = woken => Event::Look,
            () = server.env.sleep(until.saturating_duration_since(now)) => if until < end { Event::Look } else { Event::TimeOut },
            () = stopped(stop) => Event::Stop,
        };
        if matches!(event, Event::Heard) {
            self.heard = self.session.server.env.monotonic();
        }
        event
    }

    /// Does one thing for the session. What it writes beyond a buffer goes out meanwhile, as fast as the peer takes it.
    async fn work(&mut self, task: Task) -> io::Result<Next> {
        let (pipe, mut pieces) = mpsc::channel(1);
        let mut output = Output::new(std::mem::take(&mut self.out), pipe);
        let wire = &mut self.wire;
        let session = &mut self.session;
        let mut piece: Vec<u8> = Vec::new();
        let mut at = 0;
        let next = {
            // Boxed: an idle connection must not carry the room that the largest command needs.
            let mut work = Box::pin(perform(session, task, &mut output));
            loop {
                tokio::select! {
                    biased;
                    next = &mut work => break next,
                    next = pieces.recv(), if at >= piece.len() => {
                        if let Some(next) = next {
                            piece = next;
                            at = 0;
                        }
                    }
                    written = write_some(wire, piece.get(at..).unwrap_or_default()), if at < piece.len() => at += written?,
                }
            }
        };
        let server = &session.server;
        let rest = async {
            wire.write_all(piece.get(at..).unwrap_or_default()).await?;
            while let Ok(piece) = pieces.try_recv() {
                wire.write_all(&piece).await?;
            }
            Ok::<(), io::Error>(())
        };
        stalling(server, rest).await?;
        self.out = output.buf;
        Ok(next)
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::take(&mut self.out);
        let wire = &mut self.wire;
        stalling(&self.session.server, async {
            wire.write_all(&out).await?;
            wire.flush().await
        })
        .await
    }
}

/// One piece of work of a session.
enum Task {
    Command(crate::grammar::framer::Raw),
    Line(Vec<u8>),
    Look,
}

async fn perform(session: &mut Session, task: Task, out: &mut Output) -> Next {
    let next = match task {
        // Its turn comes once it is known that it takes one.
        Task::Command(raw) => session.command(raw, out).await,
        Task::Line(line) => {
            session.take_turn(out).await;
            session.line(&line, out).await
        }
        Task::Look => {
            session.take_turn(out).await;
            match idle::look(session, out).await {
                Err(crate::session::Stop::Gone) => Next::Close,
                // The store is out of reach: the next look tells what this one missed.
                _ => Next::Go,
            }
        }
    };
    // What is left to be written waits for the peer.
    out.turn.rest();
    next
}

/// Reads what there is into the framer; the buffer lives on the stack, and only while there is something.
fn read<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, framer: &mut Framer, cx: &mut Context<'_>) -> Poll<Event> {
    let mut space = [MaybeUninit::<u8>::uninit(); READ];
    let mut buf = ReadBuf::uninit(&mut space);
    match ready!(Pin::new(wire).poll_read(cx, &mut buf)) {
        Ok(()) if !buf.filled().is_empty() => {
            framer.push(buf.filled());
            Poll::Ready(Event::Heard)
        }
        _ => Poll::Ready(Event::Closed),
    }
}

async fn write_some<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, bytes: &[u8]) -> io::Result<usize> {
    match wire.write(bytes).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

/// A peer that takes nothing for a long time is gone.
async fn stalling(server: &Server, work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let work = pin!(work);
    tokio::select! {
        biased;
        done = work => done,
        () = server.env.sleep(STALLED) => Err(io::ErrorKind::TimedOut.into()),
    }
}
