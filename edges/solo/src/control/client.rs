use super::{Context, Reply, Response, SOCKET, Service};
use crate::cli::Command;
use crate::failure::Failure;
use crate::store::Store;
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::World;
use penfold_runtime::SystemDns;
use penfold_types::Env;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// How long a server that has the store, but no socket yet, is waited for.
const STARTING: u32 = 25;
const STEP: Duration = Duration::from_millis(200);

/// What a command works on.
pub enum Place<'a> {
    Directory(&'a Path),
    /// What the environment names.
    #[cfg(feature = "cloud")]
    Cloud,
}

/// How a command ended; its lines have been taken by then.
pub enum Asked {
    Done,
    Failed { kind: String, text: String },
}

/// Has `command` carried out and hands on each line of the answer. `take` says false when it wants no more.
pub async fn ask(command: Command, place: Place<'_>, take: impl FnMut(Response) -> bool) -> Result<Asked, Failure> {
    match place {
        Place::Directory(data) => in_directory(command, data, take).await,
        #[cfg(feature = "cloud")]
        Place::Cloud => in_cloud(command, take).await,
    }
}

#[cfg(feature = "cloud")]
async fn in_cloud(command: Command, mut take: impl FnMut(Response) -> bool) -> Result<Asked, Failure> {
    let env = Env::system();
    let store = Store::cloud(&env, false).await?;
    let answer = in_process(command, Path::new("."), &env, &store, &mut take).await;
    store.close().await;
    answer
}

/// By the server of this data directory, or here where none runs.
async fn in_directory(command: Command, data: &Path, mut take: impl FnMut(Response) -> bool) -> Result<Asked, Failure> {
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
        match unless_locked(&env, data)? {
            Some(store) => {
                let answer = in_process(command, data, &env, &store, &mut take).await;
                store.close().await;
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
fn unless_locked(env: &Env, data: &Path) -> Result<Option<Store>, Failure> {
    match Store::local(env, data) {
        Ok(store) => Ok(Some(store)),
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

/// Names resolve as this machine resolves them; where it cannot, a command that asks says so.
fn resolving(world: World) -> World {
    match SystemDns::new(&[], None, world.env.clone()) {
        Ok(dns) => world.with_dns(Arc::new(dns)),
        Err(_) => world,
    }
}

async fn in_process(
    command: Command,
    data: &Path,
    env: &Env,
    store: &Store,
    take: &mut impl FnMut(Response) -> bool,
) -> Result<Asked, Failure> {
    let world = resolving(store.world(env));
    let directory = Directory::new(world.clone());
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let context = Context { service: Service { world, directory, mailboxes, primary: None }, data: data.to_owned() };
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
