//! One connection: read, carry out, answer, until either side ends it.
//!
//! Invariant: a connection that waits holds no buffer; what is read and written is bounded, and in time.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::RespOptions;
use super::parse::{self, Malformed, Next};
use super::write::write;
use crate::keyspace::{Client, Command, Keyspace, Reply};

/// How much is read at a time at least.
const READ: usize = 8 << 10;
/// How many commands are looked at together.
const TOGETHER: usize = 1_024;
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
    mut stream: TcpStream,
    keyspace: &Keyspace,
    options: &RespOptions,
    mut stop: watch::Receiver<bool>,
) {
    let mut client = keyspace.connect();
    let end = talk(&mut stream, &mut client, keyspace, options, &mut stop).await;
    keyspace.disconnect(client, end == End::Broken);
}

async fn talk(
    stream: &mut TcpStream,
    client: &mut Client,
    keyspace: &Keyspace,
    options: &RespOptions,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let mut buffer = BytesMut::new();
    loop {
        if buffer.is_empty() {
            // Whoever is idle takes no memory.
            buffer = BytesMut::new();
            if let Some(end) = idle(stream, options.idle_timeout, stop).await {
                return end;
            }
        }
        buffer.reserve(READ);
        match timeout(options.command_timeout, stream.read_buf(&mut buffer)).await {
            Err(_) => {
                let late = Reply::error("ERR the command did not arrive in time");
                return match answer(stream, &[late], client, options.write_timeout).await {
                    Ok(()) => End::Closed,
                    Err(_) => End::Broken,
                };
            }
            // A client that went before its reply came leaves an error behind, one that has read it does not.
            Ok(Ok(0)) => {
                return match stream.take_error() {
                    Ok(None) => End::Closed,
                    _ => End::Broken,
                };
            }
            Ok(Ok(_)) => client.heard(),
            Ok(Err(_)) => return End::Broken,
        }
        // Boxed, so that a connection that waits is small.
        let carried_out = Box::pin(carry_out(&mut buffer, stream, client, keyspace, options)).await;
        match carried_out {
            Err(_) => return End::Broken,
            Ok(false) => {
                // The reply to the last command comes before the end.
                let _ = timeout(options.write_timeout, stream.shutdown()).await;
                return End::Closed;
            }
            Ok(true) if *stop.borrow() => return End::Closed,
            Ok(true) => {}
        }
    }
}

/// Waits for the next bytes without a buffer; tells how the connection ended, if it did.
async fn idle(stream: &TcpStream, limit: Option<Duration>, stop: &mut watch::Receiver<bool>) -> Option<End> {
    let readable = async {
        match limit {
            None => stream.readable().await.map(|()| true),
            Some(limit) => {
                timeout(limit, stream.readable()).await.map_or(Ok(false), |ready| ready.map(|()| true))
            }
        }
    };
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => Some(End::Closed),
        ready = readable => match ready {
            Ok(true) => None,
            Ok(false) => Some(End::Closed),
            Err(_) => Some(End::Broken),
        },
    }
}

/// Carries out what has arrived whole, and says whether the connection goes on.
async fn carry_out(
    buffer: &mut BytesMut,
    stream: &mut TcpStream,
    client: &mut Client,
    keyspace: &Keyspace,
    options: &RespOptions,
) -> io::Result<bool> {
    loop {
        let (commands, malformed) = commands(buffer, keyspace.options().command_limit);
        let more = commands.len() == TOGETHER;
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
fn commands(buffer: &mut BytesMut, limit: usize) -> (Vec<Command>, Option<Malformed>) {
    let mut commands = Vec::new();
    while commands.len() < TOGETHER {
        match parse::next(buffer, limit) {
            Ok(Next::Command(command)) => commands.push(command),
            Ok(Next::Incomplete) => break,
            Err(malformed) => return (commands, Some(malformed)),
        }
    }
    (commands, None)
}

async fn answer(
    stream: &mut TcpStream,
    replies: &[Reply],
    client: &Client,
    limit: Duration,
) -> io::Result<()> {
    let mut out = Vec::new();
    for reply in replies {
        write(&mut out, reply, client.protocol());
    }
    send(stream, &out, limit).await
}

async fn send(stream: &mut TcpStream, out: &[u8], limit: Duration) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    match timeout(limit, stream.write_all(out)).await {
        Ok(sent) => sent,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
