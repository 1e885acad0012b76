//! One request, from the SDK to a judgement: what became of it, and may it be sent again?
//!
//! The SDK's own retries are off, because it does not say whether an attempt before the last may have been carried out.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use penfold_ports::PortError;
use penfold_types::Env;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// Sendings of one request at most, the first included.
const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What all requests of a process may spend on sending again: a repeat takes some, a success gives one back. When a
/// service is down, this is what keeps many clients from sending everything eight times.
const BUDGET: i64 = 1000;
const REPEAT: i64 = 5;

/// Where requests run: never in the caller's task, so that a caller who goes away tears none apart. A test on virtual
/// time brings one that runs them on real time.
pub trait Runner: Send + Sync {
    fn run(&self, request: Pin<Box<dyn Future<Output = ()> + Send>>);
}

/// Each request is a task.
pub(crate) struct Tasks;

impl Runner for Tasks {
    fn run(&self, request: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(request);
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It never arrived: nothing was done.
    Unsent(String),
    /// Turned away for now: nothing was done.
    Throttled,
    /// The answer was lost: it may have been carried out.
    Lost(String),
    Refused {
        code: String,
        message: String,
    },
}

/// A request that failed for good, with what the service said where it said something.
#[derive(Debug)]
pub(crate) struct Failure<E> {
    pub(crate) fault: Fault,
    pub(crate) said: Option<E>,
    /// The answer to a sending before this one was lost.
    pub(crate) after_loss: bool,
}

/// Whether a request whose answer was lost may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads, or carries a token, or does the same when it is done twice.
    Safe,
    Never,
}

pub(crate) struct Wire {
    pub(crate) env: Env,
    runner: Arc<dyn Runner>,
    budget: AtomicI64,
    repeats: AtomicU64,
}

impl Wire {
    pub(crate) fn new(env: Env, runner: Arc<dyn Runner>) -> Self {
        Self { env, runner, budget: AtomicI64::new(BUDGET), repeats: AtomicU64::new(0) }
    }

    /// Requests sent again so far.
    pub(crate) fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    /// Sends what `request` makes until it is answered, or the attempts or the budget are spent.
    pub(crate) async fn call<T, E, F, Fut>(&self, repeat: Repeat, mut request: F) -> Result<T, Failure<E>>
    where
        T: Send + 'static,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'static,
    {
        let mut pause = FIRST_PAUSE;
        let mut lost = None;
        for attempt in 1.. {
            let mut failure = match self.once(request()).await {
                Ok(answer) => {
                    self.earn();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let again = match &failure.fault {
                Fault::Refused { .. } => {
                    failure.after_loss = lost.is_some();
                    return Err(failure);
                }
                Fault::Unsent(_) | Fault::Throttled => true,
                Fault::Lost(how) => {
                    lost = Some(how.clone());
                    repeat == Repeat::Safe
                }
            };
            if !again || attempt >= ATTEMPTS || !self.afford() {
                // One of those before may have been carried out, though the last was not.
                if let Some(how) = lost {
                    failure.fault = Fault::Lost(how);
                }
                return Err(failure);
            }
            self.env.sleep_jittered(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Failure { fault: Fault::Throttled, said: None, after_loss: false })
    }

    /// Sends it once.
    pub(crate) async fn once<T, E, Fut>(&self, request: Fut) -> Result<T, Failure<E>>
    where
        T: Send + 'static,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.runner.run(Box::pin(async move {
            // Nobody may be waiting any more.
            let _ = answer.send(request.await);
        }));
        match answered.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Failure { fault: judge(&error), said: error.into_service_error_if_any(), after_loss: false }),
            Err(_) => Err(Failure { fault: Fault::Lost("the process is going down".to_owned()), said: None, after_loss: false }),
        }
    }

    fn earn(&self) {
        let _ = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left < BUDGET).then_some(left + 1));
    }

    fn afford(&self) -> bool {
        let paid = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left >= REPEAT).then_some(left - REPEAT));
        if paid.is_ok() {
            self.repeats.fetch_add(1, Ordering::Relaxed);
        }
        paid.is_ok()
    }
}

trait Said<E> {
    fn into_service_error_if_any(self) -> Option<E>;
}

impl<E> Said<E> for SdkError<E, HttpResponse> {
    fn into_service_error_if_any(self) -> Option<E> {
        match self {
            SdkError::ServiceError(said) => Some(said.into_err()),
            _ => None,
        }
    }
}

/// An error and what caused it, each once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

fn refused_connection(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Codes with which the services ask for patience.
const PATIENCE: [&str; 12] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "LimitExceededException",
    "SlowDown",
    "TransactionConflictException",
    "ReplicatedWriteConflictException",
];

fn judge<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => Fault::Unsent(chain(error)),
        SdkError::DispatchFailure(_) if refused_connection(error) => Fault::Unsent(chain(error)),
        SdkError::ServiceError(said) => by_code(said.err().code(), said.err().message(), said.raw().status().as_u16()),
        _ => Fault::Lost(chain(error)),
    }
}

fn by_code(code: Option<&str>, message: Option<&str>, status: u16) -> Fault {
    let code = code.unwrap_or_default();
    // S3 and SQS say 503 where they turn a request away; after any other 5xx nobody knows.
    if PATIENCE.contains(&code) || status == 429 || status == 503 {
        return Fault::Throttled;
    }
    let message = message.unwrap_or_default();
    if status >= 500 {
        return Fault::Lost(format!("{status} {code} {message}"));
    }
    Fault::Refused { code: if code.is_empty() { status.to_string() } else { code.to_owned() }, message: message.to_owned() }
}

impl<E> Failure<E> {
    pub(crate) fn code(&self) -> &str {
        match &self.fault {
            Fault::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// For requests that change something.
    pub(crate) fn of_write(self) -> PortError {
        match self.fault {
            Fault::Unsent(_) | Fault::Throttled => PortError::Throttled,
            Fault::Lost(how) => {
                tracing::warn!(%how, "an answer was lost");
                PortError::Unknown
            }
            Fault::Refused { code, message } => PortError::Broken(format!("{code}: {message}")),
        }
    }

    /// For requests that only read: nothing is unknown about them.
    pub(crate) fn of_read(self) -> PortError {
        match self.of_write() {
            PortError::Unknown => PortError::Throttled,
            error => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    #[test]
    fn what_the_services_say_becomes_what_the_caller_must_do() {
        let fault = |code: &str, status| by_code(Some(code), Some("m"), status);
        assert_eq!(fault("ThrottlingException", 400), Fault::Throttled);
        assert_eq!(fault("SlowDown", 503), Fault::Throttled);
        assert_eq!(fault("ServiceUnavailable", 503), Fault::Throttled);
        assert!(matches!(fault("InternalServerError", 500), Fault::Lost(_)));
        assert!(matches!(by_code(None, None, 502), Fault::Lost(_)));
        assert!(matches!(fault("AccessDeniedException", 400), Fault::Refused { .. }));
        let failure = |fault| Failure::<()> { fault, said: None, after_loss: false };
        assert_eq!(failure(Fault::Lost(String::new())).of_write(), PortError::Unknown);
        assert_eq!(failure(Fault::Lost(String::new())).of_read(), PortError::Throttled);
        assert_eq!(failure(Fault::Unsent(String::new())).of_write(), PortError::Throttled);
        assert!(matches!(failure(fault("ValidationException", 400)).of_write(), PortError::Broken(_)));
    }

    /// Calls with requests that fail one after the other as given, and then succeed. Gives how many were sent.
    #[allow(clippy::result_large_err)]
    async fn call(repeat: Repeat, failures: &[fn() -> SdkError<GetItemError>]) -> (Option<Fault>, usize) {
        let wire = Wire::new(Env::system(), Arc::new(Tasks));
        let mut sent = 0;
        let request = || {
            sent += 1;
            let answer = failures.get(sent - 1).map_or(Ok(()), |failure| Err(failure()));
            async move { answer }
        };
        let fault = wire.call(repeat, request).await.err().map(|failure| failure.fault);
        (fault, sent)
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_done_is_sent_again_only_where_that_is_safe() {
        let lost: fn() -> SdkError<GetItemError> = || SdkError::timeout_error("late");
        let unsent: fn() -> SdkError<GetItemError> = || SdkError::construction_failure("no address");
        let is_lost = |fault: Option<Fault>| matches!(fault, Some(Fault::Lost(_)));
        assert_eq!(call(Repeat::Safe, &[lost, unsent, lost]).await, (None, 4));
        assert_eq!(call(Repeat::Never, &[unsent, unsent]).await, (None, 3));
        let (fault, sent) = call(Repeat::Never, &[unsent, lost]).await;
        assert!(is_lost(fault) && sent == 2);
        let (fault, sent) = call(Repeat::Safe, &[lost; 20]).await;
        assert!(is_lost(fault) && sent == ATTEMPTS as usize);
        let (fault, _) = call(Repeat::Safe, &[&[lost][..], &[unsent; 20]].concat()).await;
        assert!(is_lost(fault), "the first may have been carried out");
    }

    #[test]
    fn repeats_are_bounded_for_the_whole_process() {
        let wire = Wire::new(Env::system(), Arc::new(Tasks));
        let affordable = (0..10_000).take_while(|_| wire.afford()).count() as i64;
        assert_eq!(affordable, BUDGET / REPEAT);
        for _ in 0..REPEAT {
            assert!(!wire.afford());
            wire.earn();
        }
        assert!(wire.afford());
        assert_eq!(wire.repeats(), affordable as u64 + 1);
    }
}
