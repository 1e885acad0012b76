use super::{Context, Reply, Response, SOCKET, Service};
use crate::cli::Command;
use crate::serve::{Failure, open_store};
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_types::Env;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// How long a server that has the store, but no socket yet, is waited for.
const STARTING: u32 = 25;
const STEP: Duration = Duration::from_millis(200);

/// How a command ended; its lines have been taken by then.
pub enum Asked {
    Done,
    Failed { kind: String, text: String },
}

/// Has `command` carried out by the server of this data directory, or here where none runs, and hands on each line of the
/// answer. `take` says false when it wants no more.
pub async fn ask(command: Command, data: &Path, mut take: impl FnMut(Response) -> bool) -> Result<Asked, Failure> {
    if let Some(stream) = connect(data).await? {
        return over_socket(stream, &command, take).await;
    }
    if !command.makes_a_store() && !data.join("store").is_dir() {
        return Err(Failure::Usage(format!(
            "there is no data in {}; name its directory with --data, or start penfold serve first",
            data.display()
        )));
    }
    let env = Env::system();
    for _ in 0..STARTING {
        match penfold_embedded_locked(&env, data)? {
            Some(ports) => {
                let answer = in_process(command, data, &env, &ports, &mut take).await;
                ports.close();
                return answer;
            }
            None => env.sleep(STEP).await,
        }
        if let Some(stream) = connect(data).await? {
            return over_socket(stream, &command, take).await;
        }
    }
    Err(Failure::Usage(format!(
        "another process uses {} and does not answer on {SOCKET} there; stop it, or name another directory with --data",
        data.display()
    )))
}

/// The store, or `None` where another process has it: a server may just be starting.
fn penfold_embedded_locked(env: &Env, data: &Path) -> Result<Option<penfold_embedded::Ports>, Failure> {
    match open_store(env, data) {
        Ok(ports) => Ok(Some(ports)),
        Err(Failure::Usage(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

async fn connect(data: &Path) -> Result<Option<UnixStream>, Failure> {
    match UnixStream::connect(data.join(SOCKET)).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            // Nothing there, or what a crash left behind.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput => Ok(None),
            io::ErrorKind::PermissionDenied => {
                Err(Failure::Usage(format!("you may not use the data in {}; run this as the user that runs the server", data.display())))
            }
            _ => Err(Failure::Other(format!("the server of {} cannot be reached: {error}", data.display()))),
        },
    }
}

async fn over_socket(stream: UnixStream, command: &Command, mut take: impl FnMut(Response) -> bool) -> Result<Asked, Failure> {
    let lost = |error: io::Error| Failure::Other(format!("the connection to the server was lost: {error}"));
    let mut line = serde_json::to_vec(command).map_err(|error| Failure::Other(error.to_string()))?;
    line.push(b'\n');
    let (reading, mut writing) = stream.into_split();
    writing.write_all(&line).await.map_err(lost)?;
    let mut lines = BufReader::new(reading).lines();
    while let Some(line) = lines.next_line().await.map_err(lost)? {
        match serde_json::from_str(&line).map_err(|error| Failure::Other(format!("the server's answer cannot be read: {error}")))? {
            Response::Done => return Ok(Asked::Done),
            Response::Failed { kind, text } => return Ok(Asked::Failed { kind, text }),
            response => {
                if !take(response) {
                    return Ok(Asked::Done);
                }
            }
        }
    }
    Err(Failure::Other("the server went away before it was done".to_owned()))
}

async fn in_process(
    command: Command,
    data: &Path,
    env: &Env,
    ports: &penfold_embedded::Ports,
    take: &mut impl FnMut(Response) -> bool,
) -> Result<Asked, Failure> {
    let world = ports.world(env.clone());
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let context = Context { service: Service { world, directory, mailboxes }, data: data.to_owned() };
    let (reply, mut responses) = Reply::channel();
    let work = tokio::spawn(async move { command.carry_out(&context, &reply).await });
    while let Some(response) = responses.recv().await {
        if !take(response) {
            drop(responses);
            break;
        }
    }
    match work.await {
        Ok(Ok(())) => Ok(Asked::Done),
        Ok(Err(error)) => match Response::failed(&error) {
            Response::Failed { kind, text } => Ok(Asked::Failed { kind, text }),
            _ => Ok(Asked::Done),
        },
        Err(error) => Err(Failure::Other(format!("the command ended unexpectedly: {error}"))),
    }
}
