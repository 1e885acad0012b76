//! The one file that reads and writes sockets: it moves bytes between a connection and its [`Session`], keeps the time,
//! and does the handshakes.

use crate::config::{Config, Timeouts};
use crate::dial::{Dial, Stream};
use crate::facts::ResultType;
use crate::said::{lost, ours};
use crate::session::{Cause, Session, SignIn, Starttls, Step, Terms, Wait};
use crate::tls::{Connector, Demand, result_type};
use parking_lot::Mutex;
use penfold_ports::Said;
use penfold_types::Env;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

/// What is read at once.
const READ: usize = 4 * 1024;
/// After a failed write: the host's last words may be there already.
const LAST_WORDS: Duration = Duration::from_secs(1);
const LAST_OCTETS: usize = 16 * 1024;

/// How long things may take, and until when all of it.
#[derive(Clone)]
pub(crate) struct Pace {
    pub env: Env,
    pub timeouts: Timeouts,
    pub until: Instant,
    pub patience: Patience,
}

/// Of one attempt: how long it may still wait for hosts as everybody may, and its place among those who wait for longer.
#[derive(Clone)]
pub(crate) struct Patience {
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
    own: Arc<Mutex<(Duration, Option<OwnedSemaphorePermit>)>>,
}

impl Patience {
    pub fn new(quick: Duration, places: Arc<Semaphore>, stop: watch::Receiver<bool>) -> Self {
        Self { places, stop, own: Arc::new(Mutex::new((quick, None))) }
    }

    fn left(&self) -> Duration {
        self.own.lock().0
    }

    fn waited(&self, span: Duration) {
        let left = &mut self.own.lock().0;
        *left = left.saturating_sub(span);
    }

    fn lasts(&self) -> bool {
        let place = &mut self.own.lock().1;
        if place.is_none() {
            *place = self.places.clone().try_acquire_owned().ok();
        }
        place.is_some()
    }
}

impl Pace {
    /// `span` from now, or what is left of the whole.
    fn left(&self, span: Duration) -> Duration {
        span.min(self.until.saturating_duration_since(self.env.monotonic()))
    }

    pub fn is_over(&self) -> bool {
        self.env.monotonic() >= self.until
    }

    /// Bounded by the whole.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.limited(Duration::MAX, work).await
    }

    pub async fn limited<T>(&self, span: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.env.sleep(self.left(span)) => None,
        }
    }

    /// For what a host that never answers could hold up.
    async fn patiently<T>(&self, span: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.patience.stop.clone();
        tokio::select! {
            biased;
            done = self.quick_or_patient(span, work) => done,
            // Where whoever stops is gone, nobody stops.
            Ok(_) = stop.wait_for(|stop| *stop) => None,
        }
    }

    async fn quick_or_patient<T>(&self, span: Duration, work: impl Future<Output = T>) -> Option<T> {
        let (span, begun) = (self.left(span), self.env.monotonic());
        let quick = span.min(self.patience.left());
        let mut work = std::pin::pin!(work);
        let done = self.limited(quick, &mut work).await;
        self.patience.waited(self.env.monotonic().saturating_duration_since(begun));
        match done {
            None if quick < span && self.patience.lasts() => self.limited(span - quick, work).await,
            done => done,
        }
    }

    fn of(&self, wait: Wait) -> Duration {
        let timeouts = &self.timeouts;
        match wait {
            Wait::Greeting => timeouts.greeting,
            Wait::Hello => timeouts.hello,
            Wait::Mail => timeouts.mail,
            Wait::Rcpt => timeouts.rcpt,
            Wait::Data => timeouts.data,
            Wait::End => timeouts.end,
            Wait::Quit => timeouts.quit,
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) struct Unopened {
    pub why: Why,
    pub said: Said,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    Network,
    Refused,
    Loop,
    /// There is no TLS, or it does not prove what it must.
    Tls(ResultType),
}

/// Whom to connect to, and how.
pub(crate) struct Target<'a> {
    pub host: &'a str,
    pub address: SocketAddr,
    pub source: Option<IpAddr>,
    pub demand: &'a Demand,
    pub implicit_tls: bool,
    pub sign_in: Option<SignIn>,
}

pub(crate) struct Connection {
    stream: Stream,
    pub session: Session,
    pub host: String,
    /// TLS version, and what proved the certificate.
    pub tls: Option<(String, Option<&'static str>)>,
    /// What a check that is not enforced found wrong.
    pub found: Option<ResultType>,
    /// Handed over or tried so far.
    pub messages: u32,
}

impl Connection {
    /// Connects, and goes on until the session is ready.
    pub async fn open(dial: &dyn Dial, tls: &Connector, config: &Config, target: &Target<'_>, pace: &Pace) -> Result<Self, Unopened> {
        let network = |said| Unopened { why: Why::Network, said };
        let stream = match pace.patiently(pace.timeouts.connect, dial.dial(target.address, target.source)).await {
            Some(Ok(stream)) => stream,
            Some(Err(error)) => return Err(network(unreachable(target, &error))),
            None => return Err(network(unreachable(target, &"it does not answer"))),
        };
        let terms = Terms {
            name: config.hostname.clone(),
            own: config.names(),
            host: target.host.to_owned(),
            starttls: match target.demand {
                Demand::Clear => Starttls::Never,
                Demand::May | Demand::Observe => Starttls::WhereOffered,
                _ => Starttls::Always,
            },
            tls: target.implicit_tls,
            sign_in: target.sign_in.clone(),
            recipients: config.recipients,
        };
        let (host, session) = (target.host.to_owned(), Session::new(terms));
        let mut connection = Self { stream, session, host, tls: None, found: None, messages: 0 };
        if target.implicit_tls {
            connection.secure(tls, target, pace).await?;
        }
        loop {
            match connection.go(pace).await {
                Step::Ready => return Ok(connection),
                Step::StartTls => {
                    connection.secure(tls, target, pace).await?;
                    connection.session.tls_started();
                }
                Step::Failed(failure) => {
                    let why = match failure.cause {
                        Cause::Network => Why::Network,
                        Cause::Refused => Why::Refused,
                        Cause::Loop => Why::Loop,
                        Cause::NoTls => Why::Tls(ResultType::StarttlsNotSupported),
                    };
                    return Err(Unopened { why, said: failure.said });
                }
                _ => return Err(network(lost("it ended early"))),
            }
        }
    }

    async fn secure(&mut self, tls: &Connector, target: &Target<'_>, pace: &Pace) -> Result<(), Unopened> {
        let stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let handshake = tls.handshake(stream, target.host, target.address.ip(), target.demand);
        let failed = |result, what: &dyn std::fmt::Display| {
            let said = ours(451, (4, 7, 5), format!("TLS with {} failed: {what}", target.host));
            Unopened { why: Why::Tls(result), said }
        };
        match pace.patiently(pace.timeouts.handshake, handshake).await {
            Some(Ok(secured)) => {
                (self.stream, self.found) = (secured.stream, secured.found);
                self.tls = Some((secured.version.to_owned(), target.demand.proof()));
                Ok(())
            }
            Some(Err(error)) => Err(failed(result_type(&error), &error)),
            None => Err(failed(ResultType::ValidationFailure, &"it takes too long")),
        }
    }

    /// Reads and writes until the session has something to tell.
    pub async fn go(&mut self, pace: &Pace) -> Step {
        let (mut heard, mut since) = (self.session.heard(), pace.env.monotonic());
        loop {
            let step = self.session.next();
            // A whole answer begins the wait anew; an answer that comes letter by letter does not.
            if self.session.heard() != heard {
                (heard, since) = (self.session.heard(), pace.env.monotonic());
            }
            match step {
                Step::Write => {
                    self.write(pace).await;
                    since = pace.env.monotonic();
                }
                Step::Read(wait) => {
                    if !self.session.output.is_empty() {
                        self.write(pace).await;
                        since = pace.env.monotonic();
                        continue;
                    }
                    self.read(since + pace.of(wait), wait, pace).await;
                }
                told => return told,
            }
        }
    }

    async fn write(&mut self, pace: &Pace) {
        let output = std::mem::take(&mut self.session.output);
        let written = async {
            self.stream.write_all(&output).await?;
            self.stream.flush().await
        };
        let said = match pace.limited(pace.timeouts.block, written).await {
            Some(Ok(())) => {
                self.session.output = output;
                return self.session.output.clear();
            }
            Some(Err(error)) => lost(error),
            None => too_slow(),
        };
        self.last_words(pace).await;
        self.session.lost(said);
    }

    async fn read(&mut self, until: Instant, wait: Wait, pace: &Pace) {
        let left = until.saturating_duration_since(pace.env.monotonic());
        self.session.input.reserve(READ);
        let reading = self.stream.read_buf(&mut self.session.input);
        let read = match wait {
            // What was handed over may be taken: who hangs up now sends it twice. And a goodbye is short.
            Wait::End | Wait::Quit => pace.limited(left, reading).await,
            _ => pace.patiently(left, reading).await,
        };
        match read {
            Some(Ok(0)) => self.session.closed(),
            Some(Ok(_)) => {}
            Some(Err(error)) => self.session.lost(lost(error)),
            None => self.session.lost(too_slow()),
        }
    }

    /// A host that refuses a message in the middle says why before it hangs up.
    async fn last_words(&mut self, pace: &Pace) {
        let input = &mut self.session.input;
        let listening = async { while input.len() < LAST_OCTETS && matches!(self.stream.read_buf(input).await, Ok(read) if read > 0) {} };
        pace.limited(LAST_WORDS, listening).await;
    }

    /// RSET on a connection that was kept; false where it is gone.
    pub async fn is_alive(&mut self, pace: &Pace) -> bool {
        self.session.probe();
        let probe = Pace { until: pace.until.min(pace.env.monotonic() + pace.timeouts.probe), ..pace.clone() };
        matches!(self.go(&probe).await, Step::Ready)
    }

    /// Says goodbye where that makes sense.
    pub async fn quit(mut self, pace: &Pace) {
        self.session.quit();
        let pace = Pace { until: pace.env.monotonic() + pace.timeouts.quit, ..pace.clone() };
        if self.session.output.is_empty() {
            return;
        }
        while !matches!(self.go(&pace).await, Step::Closed) {}
        pace.within(self.stream.shutdown()).await;
    }
}

fn unreachable(target: &Target<'_>, why: &dyn std::fmt::Display) -> Said {
    ours(451, (4, 4, 1), format!("{} at {} cannot be reached: {why}", target.host, target.address.ip()))
}

fn too_slow() -> Said {
    ours(451, (4, 4, 2), "the host is too slow")
}
