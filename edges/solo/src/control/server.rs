use super::{Context, Reply, Response, SOCKET, Service};
use crate::cli::Command;
use penfold_types::Error;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Commands at the same time; more wait for their turn.
const COMMANDS: usize = 16;
/// Bytes of one request: a list of some 100,000 members.
const REQUEST: u64 = 16 * 1024 * 1024;
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Makes the socket at `path`; what is given back serves it until the shutdown. The data directory is the one it lies in.
pub fn listen(service: Service, path: &Path, mut stopped: watch::Receiver<bool>) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let listener = bind(path)?;
    let path = path.to_owned();
    let owner = fs::metadata(&path)?.uid();
    let data = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let context = Context { service, data };
    Ok(async move {
        let turns = Arc::new(Semaphore::new(COMMANDS));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = shutdown(&mut stopped) => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (context, turns) = (context.clone(), turns.clone());
                        connections.spawn(async move {
                            let Ok(_turn) = turns.acquire().await else { return };
                            if let Err(error) = serve(stream, context, owner).await {
                                tracing::debug!(%error, "a control connection ended early");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the control socket accepts nobody");
                        context.service.world.env.sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        }
        // It may be another server's by now only if somebody took the lock away; removing it is then harmless too.
        if let Err(error) = fs::remove_file(&path) {
            tracing::debug!(%error, "the control socket stays");
        }
    })
}

/// Without holding on to what it waited for.
async fn shutdown(stopped: &mut watch::Receiver<bool>) {
    // An error: whoever would say so is gone, which says it too.
    let _ = stopped.wait_for(|stopped| *stopped).await.is_ok();
}

/// The socket is made in a directory that only we can enter, given its mode there, and moved into place: there is no
/// moment at which others could connect, and one that a crash left behind is replaced.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let aside = path.with_file_name(".control");
    match fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::DirBuilder::new().mode(0o700).create(&aside)?;
    let made = aside.join("s");
    let listener = UnixListener::bind(&made).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => {
            io::Error::other(format!("the path of the data directory is too long for a socket named {SOCKET} in it"))
        }
        _ => error,
    })?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    fs::rename(&made, path)?;
    fs::remove_dir(&aside)?;
    Ok(listener)
}

async fn serve(stream: UnixStream, context: Context, owner: u32) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != owner && peer != 0 {
        return Err(io::Error::other(format!("user {peer} may not")));
    }
    let (reading, writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let mut line = Vec::new();
    let mut bounded = (&mut reading).take(REQUEST);
    tokio::time::timeout(REQUEST_TIME, bounded.read_until(b'\n', &mut line)).await??;
    let mut writing = BufWriter::new(writing);
    match serde_json::from_slice::<Command>(&line) {
        Ok(command) => answer(command, context, &mut reading, &mut writing).await,
        Err(error) => {
            let wrong = Error::invalid(format!("the server does not know this request; is it of the same version? ({error})"));
            write(&mut writing, &Response::failed(&wrong)).await?;
            writing.flush().await
        }
    }
}

async fn answer(
    command: Command,
    context: Context,
    reading: &mut BufReader<OwnedReadHalf>,
    writing: &mut BufWriter<OwnedWriteHalf>,
) -> io::Result<()> {
    let (reply, mut responses) = Reply::channel();
    let mut work = JoinSet::new();
    // Dropped with this function, and the work ends: the client went away.
    work.spawn(async move { command.carry_out(&context, &reply).await });
    let mut gone = [0; 1];
    loop {
        let response = tokio::select! {
            biased;
            response = responses.recv() => response,
            read = reading.read(&mut gone) => match read {
                Ok(1) => continue,
                _ => return Err(io::Error::from(io::ErrorKind::BrokenPipe)),
            },
        };
        let Some(response) = response else { break };
        write(writing, &response).await?;
        if responses.is_empty() {
            writing.flush().await?;
        }
    }
    let last = match work.join_next().await {
        Some(Ok(Ok(()))) => Response::Done,
        Some(Ok(Err(error))) => {
            tracing::debug!(%error, "a command failed");
            Response::failed(&error)
        }
        Some(Err(error)) => Response::failed(&Error::broken("the command ended unexpectedly; the log says more").because(error)),
        None => Response::Done,
    };
    write(writing, &last).await?;
    writing.flush().await
}

async fn write(writing: &mut BufWriter<OwnedWriteHalf>, response: &Response) -> io::Result<()> {
    let mut line = serde_json::to_vec(response).map_err(io::Error::other)?;
    line.push(b'\n');
    writing.write_all(&line).await
}
