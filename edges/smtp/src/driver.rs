//! The one file that reads and writes sockets: it moves bytes between a connection and its [`Session`], keeps the time,
//! does the handshakes, and asks transport what the session wants to know.

use crate::answers;
use crate::config::{Config, Port, Role};
use crate::envelope::envelope;
use crate::grammar::parameters::Hold;
use crate::grammar::times::LONGEST;
use crate::reply::{self, Reply};
use crate::session::{Answer, Ask, Recipient, Session, Step, Transaction};
use crate::share::{Received, Shares};
use bytes::BytesMut;
use penfold_directory::{SignedIn, Use};
use penfold_ports::Seat;
use penfold_transport::{Incoming, Origin, Refusal, Target, To, Transport};
use penfold_types::{Address, Env, PrincipalId, Result, Timestamp};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What is read at once: a command, or a piece of a message.
const COMMAND: usize = 2 * 1024;
const MESSAGE: usize = 16 * 1024;
/// A buffer that has grown past this is given back once it is empty.
const KEPT: usize = 4 * 1024;

/// The SMTP edge. Cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    pub(crate) env: Env,
    pub(crate) config: Arc<Config>,
    transport: Transport,
    tls: Option<TlsAcceptor>,
    pub(crate) connections: crate::listen::Connections,
    shares: Shares,
}

impl Smtp {
    /// `tls`: the certificate, for STARTTLS and implicit TLS.
    pub fn new(mut config: Config, env: Env, transport: Transport, tls: Option<Arc<ServerConfig>>) -> Self {
        config.tls = tls.is_some();
        let connections = crate::listen::Connections::new(config.connections, config.connections_per_peer);
        let shares = Shares::new(&config, &env);
        Self { env, config: Arc::new(config), transport, tls: tls.map(TlsAcceptor::from), connections, shares }
    }

    /// Serves one connection to its end. Returns once nothing of it is left.
    pub async fn converse<S>(&self, stream: S, peer: IpAddr, port: Port, shutdown: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let peer = peer.to_canonical();
        let session = Session::new(self.config.clone(), port.role, peer.is_loopback(), port.implicit_tls);
        let now = self.env.monotonic();
        let mut talk = Talk {
            smtp: self,
            peer,
            role: port.role,
            session,
            submitter: None,
            seat: None,
            received: Received::default(),
            shutdown,
            since: now,
            transaction: None,
            drain: None,
        };
        if let Err(error) = talk.connection(stream, port.implicit_tls).await {
            tracing::debug!(%peer, %error, "connection lost");
        }
    }
}

/// One connection.
struct Talk<'a> {
    smtp: &'a Smtp,
    peer: IpAddr,
    role: Role,
    session: Session<Target>,
    submitter: Option<SignedIn>,
    /// Of the submitter.
    seat: Option<Seat<PrincipalId>>,
    /// On an MX: whose recipients the transaction has.
    received: Received,
    shutdown: watch::Receiver<bool>,
    /// Since when the peer owes us something.
    since: Instant,
    /// Since when a transaction is open.
    transaction: Option<Instant>,
    /// Until when a transaction may go on after the shutdown began.
    drain: Option<Instant>,
}

enum End {
    Closed,
    StartTls,
}

impl Talk<'_> {
    async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send>(&mut self, mut stream: S, implicit: bool) -> io::Result<()> {
        if !implicit {
            match self.run(&mut stream).await? {
                End::Closed => return Ok(()),
                // What came behind STARTTLS in the clear is thrown away here, before anything of the handshake is read.
                End::StartTls => self.session.tls_started(),
            }
            (self.submitter, self.seat) = (None, None);
        }
        let mut stream = self.handshake(stream).await?;
        self.run(&mut stream).await?;
        Ok(())
    }

    async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<tokio_rustls::server::TlsStream<S>> {
        let Some(tls) = &self.smtp.tls else { return Err(io::Error::other("there is no certificate")) };
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            biased;
            stream = tls.accept(stream) => stream,
            _ = shutdown.wait_for(|down| *down) => Err(io::ErrorKind::ConnectionAborted.into()),
            () = self.smtp.env.sleep(self.smtp.config.handshake) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> io::Result<End> {
        loop {
            match self.session.next() {
                Step::Ask(ask) => {
                    // Boxed, so that a connection that waits does not carry the room that answering takes.
                    let answer = Box::pin(self.answer(ask)).await;
                    self.session.answer(answer);
                }
                Step::Write => self.write(stream).await?,
                Step::Read => {
                    self.write(stream).await?;
                    self.read(stream).await?;
                }
                Step::StartTls => {
                    self.write(stream).await?;
                    return Ok(End::StartTls);
                }
                Step::Close => {
                    self.write(stream).await?;
                    // TLS says goodbye too, which a peer that reads nothing could hold up.
                    tokio::select! {
                        biased;
                        done = stream.shutdown() => done?,
                        () = self.smtp.env.sleep(self.smtp.config.handshake) => {}
                    }
                    return Ok(End::Closed);
                }
            }
        }
    }

    async fn write<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        if self.session.output.is_empty() {
            return Ok(());
        }
        let config = &self.smtp.config;
        let written = async {
            stream.write_all(&self.session.output).await?;
            stream.flush().await
        };
        tokio::select! {
            biased;
            done = written => done?,
            () = self.smtp.env.sleep(config.idle) => return Err(io::ErrorKind::TimedOut.into()),
        }
        self.session.output.clear();
        self.session.output.shrink_to(KEPT);
        Ok(())
    }

    /// Reads once, or closes the session because its time is over.
    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        let now = self.smtp.env.monotonic();
        self.look_at_the_clock(now);
        let Some((left, why)) = self.time_left(now) else {
            self.session.close(&reply::SHUTTING_DOWN);
            return Ok(());
        };
        let receiving = self.session.is_receiving();
        let input = &mut self.session.input;
        if input.is_empty() && input.capacity() > KEPT && !receiving {
            *input = BytesMut::new();
        }
        input.reserve(if receiving { MESSAGE } else { COMMAND });
        let (env, shutdown) = (&self.smtp.env, &mut self.shutdown);
        tokio::select! {
            biased;
            read = stream.read_buf(input) => {
                if read? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            // Looked at again at the next turn.
            _ = shutdown.wait_for(|down| *down), if self.drain.is_none() => self.drain = Some(now + self.smtp.config.grace),
            () = env.sleep(left) => self.session.close(&why),
        }
        Ok(())
    }

    fn look_at_the_clock(&mut self, now: Instant) {
        // A line that comes letter by letter does not buy time; message bytes do, up to the limit of the transaction.
        if self.session.is_receiving() || self.session.input.is_empty() {
            self.since = now;
        }
        self.transaction = match (self.session.in_transaction() || self.session.is_receiving(), self.transaction) {
            (true, None) => Some(now),
            (true, begun) => begun,
            (false, _) => {
                self.received.clear();
                None
            }
        };
        if self.drain.is_none() && *self.shutdown.borrow() {
            self.drain = Some(now + self.smtp.config.grace);
        }
    }

    /// How long to wait for the peer, and what to say then; `None`: close at once, we are shutting down.
    fn time_left(&self, now: Instant) -> Option<(Duration, Reply)> {
        let config = &self.smtp.config;
        let mut until = (self.since + config.idle, reply::IDLE);
        if let Some(begun) = self.transaction {
            until = until.min_by_time((begun + config.transaction, reply::TRANSACTION_SLOW));
        }
        if let Some(drain) = self.drain {
            if self.transaction.is_none() || drain <= now {
                return None;
            }
            until = until.min_by_time((drain, reply::SHUTTING_DOWN));
        }
        Some((until.0.saturating_duration_since(now), until.1))
    }

    async fn answer(&mut self, ask: Ask<Target>) -> Answer<Target> {
        match ask {
            Ask::SignIn { identity, secret } => self.sign_in(&identity, &secret).await,
            Ask::Mail { hold: Some(Hold::Until(until)), .. } if until > self.longest_hold() => Answer::No(reply::HELD_TOO_LONG),
            Ask::Mail { from, .. } => {
                self.received.clear();
                match self.may_begin(from.is_null(), from.address.as_ref()).await {
                    Ok(()) => Answer::Yes,
                    Err(refusal) => self.no(&refusal, false),
                }
            }
            Ask::Rcpt { from, to } => {
                // An address literal names a host, never one of our domains.
                let Some(to) = to.address else {
                    return if self.role == Role::Mx { self.no(&Refusal::Outside, false) } else { Answer::No(answers::NO_LITERAL) };
                };
                let transport = &self.smtp.transport;
                match transport.recipient(self.submitter.as_ref(), from.address.as_ref(), &to).await {
                    Ok(target) => match self.admit(&target) {
                        Ok(()) => Answer::Recipient(target),
                        Err(reply) => Answer::No(reply),
                    },
                    Err(refusal) => {
                        transport.turned_away(from.address.as_ref(), &to, self.peer, &refusal).await;
                        self.no(&refusal, false)
                    }
                }
            }
            Ask::Accept(transaction) => {
                self.received.spend(&self.smtp.shares);
                let answer = self.accept(*transaction).await;
                self.received.clear();
                answer
            }
        }
    }

    /// Whether the recipient's tenant still takes mail of other hosts at this moment.
    fn admit(&mut self, target: &Target) -> Result<(), Reply> {
        if self.role == Role::Mx { self.received.admit(target.tenant(), &self.smtp.shares) } else { Ok(()) }
    }

    fn longest_hold(&self) -> Timestamp {
        self.smtp.env.now().plus(Duration::from_secs(LONGEST.into()))
    }

    fn no(&self, refusal: &Refusal, at_data: bool) -> Answer<Target> {
        if let Refusal::Later(error) = refusal {
            tracing::warn!(peer = %self.peer, %error, "mail put off");
        }
        Answer::No(answers::refusal(refusal, self.role, at_data))
    }

    async fn sign_in(&mut self, identity: &str, secret: &str) -> Answer<Target> {
        match self.smtp.transport.directory().sign_in_for(Use::Submission, identity, secret, self.peer).await {
            Ok(signed_in) => {
                self.seat = self.smtp.shares.people.take(signed_in.account.principal);
                if self.seat.is_none() {
                    return Answer::No(answers::TOO_MANY_CONNECTIONS);
                }
                self.submitter = Some(signed_in);
                Answer::Yes
            }
            Err(error) => {
                tracing::info!(peer = %self.peer, %error, "sign-in refused");
                Answer::No(answers::sign_in(error))
            }
        }
    }

    /// RFC 6409 §6.1: on submission the sender is one of the person's own addresses. The null reverse-path is nobody's
    /// and names nobody, so reports of clients may have it.
    async fn may_begin(&self, null: bool, from: Option<&Address>) -> Result<(), Refusal> {
        self.smtp.transport.ready().await?;
        if self.role == Role::Mx || null {
            return Ok(());
        }
        let (Some(submitter), Some(from)) = (&self.submitter, from) else { return Err(Refusal::NotYours) };
        if self.smtp.transport.directory().send_right(submitter, from).await?.is_some() { Ok(()) } else { Err(Refusal::NotYours) }
    }

    async fn accept(&self, transaction: Transaction<Target>) -> Answer<Target> {
        let Transaction { from, parameters, recipients, message, lease } = transaction;
        let origin = Origin {
            helo: self.session.peer_name().to_owned(),
            peer: self.peer,
            esmtp: self.session.is_extended(),
            tls: self.session.is_tls(),
            utf8: parameters.utf8,
            trusted: self.smtp.config.trusted.iter().any(|network| network.contains(self.peer)),
            submitter: self.submitter.clone(),
        };
        let to =
            |r: Recipient<Target>| To { target: r.resolved, original: r.path.text, notify: r.parameters.notify, orcpt: r.parameters.orcpt };
        let recipients = recipients.into_iter().map(to).collect();
        let received = self.smtp.env.now();
        let envelope = envelope(parameters, received);
        let incoming = Incoming { origin, from_text: from.text, from: from.address, envelope, recipients, message, received };
        let answer = self.smtp.transport.accept(incoming).await;
        // Its memory counts until here.
        drop(lease);
        match answer {
            Ok(acceptance) => Answer::Accepted(acceptance.to_string()),
            Err(refusal) => self.no(&refusal, true),
        }
    }
}

trait Earlier {
    fn min_by_time(self, other: Self) -> Self;
}

impl Earlier for (Instant, Reply) {
    fn min_by_time(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
}
