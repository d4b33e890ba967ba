//! One connection: read, carry out, answer, until either side ends it.
//!
//! Invariant: a connection that waits holds no buffer; what is read and written is bounded, and in time.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::RespOptions;
use super::parse::{self, Begun, Malformed, Next};
use super::write::write;
use crate::keyspace::{Client, Command, Keyspace, Reply};
use crate::metrics::{DoorName, unread_command};
use crate::origin::Origin;
use crate::tls::Stream;

/// How much is read at a time at least.
const READ: usize = 8 << 10;
/// How many commands are looked at together.
const TOGETHER: usize = 1_024;
/// How large a command may be as long as nothing was shown and something has to be: a signed token has room in it.
const STRANGERS: usize = 64 << 10;
/// When replies are sent although more are coming.
const FLUSH: usize = 256 << 10;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// One side closed it.
    Closed,
    /// It broke: the client may not have seen what was sent last.
    Broken,
}

/// Serves a connection until it ends.
pub(super) async fn serve(
    mut stream: Stream,
    keyspace: &Keyspace,
    options: &RespOptions,
    mut stop: watch::Receiver<bool>,
) {
    let _connected = keyspace.metrics().connected(DoorName::Resp);
    let mut client = keyspace.connect(DoorName::Resp);
    let origin = Origin::connection(client.id());
    let end = origin.of(talk(&mut stream, &mut client, keyspace, options, &mut stop)).await;
    Keyspace::disconnect(client, end == End::Broken);
}

async fn talk(
    stream: &mut Stream,
    client: &mut Client,
    keyspace: &Keyspace,
    options: &RespOptions,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let (mut buffer, mut begun) = (BytesMut::new(), Begun::default());
    // By when the command that has begun to arrive must have arrived.
    let mut due: Option<Instant> = None;
    loop {
        let read = match due {
            None => {
                // Whoever is idle takes no memory.
                buffer = BytesMut::new();
                match begin(stream, &mut buffer, patience(client, keyspace, options), stop).await {
                    Some(read) => read,
                    None => return End::Closed,
                }
            }
            Some(due) => {
                buffer.reserve(READ);
                match timeout_at(due, stream.read_buf(&mut buffer)).await {
                    Ok(read) => read,
                    Err(_) => {
                        let late = Reply::error("ERR the command did not arrive in time");
                        let mut out = Vec::new();
                        write(&mut out, &late, client.protocol());
                        return match send(stream, &out, options.write_timeout).await {
                            Ok(()) => End::Closed,
                            Err(_) => End::Broken,
                        };
                    }
                }
            }
        };
        match read {
            // A client that went before its reply came leaves an error behind, one that has read it does not.
            Ok(0) => {
                return match stream.take_error() {
                    Ok(None) => End::Closed,
                    _ => End::Broken,
                };
            }
            Ok(_) => client.heard(),
            Err(_) => return End::Broken,
        }
        let arrived = buffer.len();
        // Boxed, so that a connection that waits is small.
        let carried_out =
            Box::pin(carry_out(&mut buffer, &mut begun, stream, client, keyspace, options)).await;
        match carried_out {
            Err(_) => return End::Broken,
            Ok(false) => {
                // The reply to the last command comes before the end.
                let _ = timeout(options.write_timeout, stream.shutdown()).await;
                return End::Closed;
            }
            Ok(true) if *stop.borrow() => return End::Closed,
            Ok(true) if buffer.is_empty() => due = None,
            // Each command has its own time.
            Ok(true) if due.is_none() || buffer.len() < arrived => {
                due = Some(Instant::now() + options.command_timeout);
            }
            Ok(true) => {}
        }
    }
}

/// How long a client may say nothing: one that has yet to show who it is no longer than a command may take.
fn patience(client: &Client, keyspace: &Keyspace, options: &RespOptions) -> Option<Duration> {
    let limit = options.command_timeout;
    match options.idle_timeout {
        idle if !keyspace.is_stranger(client) => idle,
        idle => Some(idle.map_or(limit, |idle| idle.min(limit))),
    }
}

/// Waits for the first bytes of a command without a buffer, and reads them; nothing where the connection is to end.
async fn begin(
    stream: &mut Stream,
    buffer: &mut BytesMut,
    limit: Option<Duration>,
    stop: &mut watch::Receiver<bool>,
) -> Option<io::Result<usize>> {
    let first = stream.begin(buffer, READ);
    let first = async {
        match limit {
            None => Some(first.await),
            Some(limit) => timeout(limit, first).await.ok(),
        }
    };
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => None,
        read = first => read,
    }
}

/// Carries out what has arrived whole, and says whether the connection goes on.
async fn carry_out(
    buffer: &mut BytesMut,
    begun: &mut Begun,
    stream: &mut Stream,
    client: &mut Client,
    keyspace: &Keyspace,
    options: &RespOptions,
) -> io::Result<bool> {
    loop {
        let limit = keyspace.options().command_limit;
        // What it shows decides how large the next one may be, so one at a time.
        let (together, limit) =
            if keyspace.is_stranger(client) { (1, limit.min(STRANGERS)) } else { (TOGETHER, limit) };
        let (commands, malformed) = commands(buffer, begun, together, limit);
        let more = commands.len() == together;
        let mut rest = commands.as_slice();
        let mut out = Vec::new();
        let mut replies = Vec::new();
        while !rest.is_empty() && !client.is_closing() {
            let used = match keyspace.side_by_side(client, rest, &mut replies).await {
                0 => keyspace.advance(client, rest, &mut replies).await,
                used => used,
            };
            rest = rest.get(used..).unwrap_or_default();
            for reply in replies.drain(..) {
                write(&mut out, &reply, client.protocol());
            }
            if out.len() >= FLUSH {
                send(stream, &out, options.write_timeout).await?;
                out = Vec::new();
            }
        }
        if let (Some(Malformed(why)), false) = (&malformed, client.is_closing()) {
            keyspace.metrics().command(DoorName::Resp, unread_command(), Duration::ZERO, Some(why));
            write(&mut out, &Reply::error(why.clone()), client.protocol());
        }
        send(stream, &out, options.write_timeout).await?;
        if malformed.is_some() || client.is_closing() {
            return Ok(false);
        }
        if !more {
            return Ok(true);
        }
    }
}

/// The whole commands that the bytes begin with, and why there is none after them, if that is an error.
fn commands(
    buffer: &mut BytesMut,
    begun: &mut Begun,
    most: usize,
    limit: usize,
) -> (Vec<Command>, Option<Malformed>) {
    let mut commands = Vec::new();
    while commands.len() < most {
        match parse::next(buffer, begun, limit) {
            Ok(Next::Command(command)) => commands.push(command),
            Ok(Next::Incomplete) => break,
            Err(malformed) => return (commands, Some(malformed)),
        }
    }
    (commands, None)
}

async fn send(stream: &mut Stream, out: &[u8], limit: Duration) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let sending = async {
        stream.write_all(out).await?;
        // With TLS what was written may still stand before the socket.
        stream.flush().await
    };
    match timeout(limit, sending).await {
        Ok(sent) => sent,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
