//! Two thousand clients at once, many of whom behave badly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use hitherto_testkit::faults::{Figures, Hitherto, Http, Run, Setup, sockets_of};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::{durable_redis, now, on_file, on_redis, plan, reckoning};

/// Clients that append over HTTP, each on a connection of its own.
const WRITERS: u32 = 1_000;
/// Clients that push to lists of their own through the Redis port, and so many messages each.
const PUSHERS: usize = 200;
const PUSHES: usize = 5;
/// Of each way to behave badly, over each protocol.
const BAD: usize = 100;
/// By when the server has to be rid of the bad ones once nobody else is there.
const RID_OF: Duration = Duration::from_secs(60);
/// What the server may take at most for all of them, in KiB.
const MEMORY_KIB: u64 = 512 << 10;

/// On a file.
#[tokio::test(flavor = "multi_thread")]
async fn crowd_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let server = Hitherto::start(&impatient(on_file(&file)));
    let (figures, note) = crowd(&server).await;
    let report = reckoning::told(&figures, server.address()).await;
    hitherto_testkit::faults::Report::new("crowd_embedded", figures, report).note(note).conclude();
}

/// On a Redis.
#[tokio::test(flavor = "multi_thread")]
async fn crowd_redis() {
    let redis = durable_redis();
    let server = Hitherto::start(&impatient(on_redis(&redis.url())));
    let (figures, note) = crowd(&server).await;
    let report = reckoning::told(&figures, server.address()).await;
    hitherto_testkit::faults::Report::new("crowd_redis", figures, report).note(note).conclude();
}

/// Short time-outs of clients, so that the test sees them at work; a long one of the store, since a build for tests
/// on a small machine has work for seconds here, and a push that fails for that cannot be sent again blindly.
fn impatient(setup: Setup) -> Setup {
    setup
        .variable("HITHERTO_DEADLINE_MS", "20000")
        .variable("HITHERTO_IDLE_TIMEOUT", "10")
        .variable("HITHERTO_BODY_TIMEOUT", "10")
        .variable("HITHERTO_RESP_IDLE_TIMEOUT", "10")
}

/// A thousand writers and two hundred pushers go about their business, while eight hundred others send a request a
/// byte at a time, ask for much and never read it, or begin something and fall silent without ever closing (which is
/// all that a server sees of a client whose machine is gone). The business gets done, the server's memory stays
/// bounded, and in the end it is rid of the others by itself.
async fn crowd(server: &Hitherto) -> (Figures, String) {
    let (http, resp) = (server.address(), server.resp_address());
    let long = long_session(http).await;
    let before = server.connections();
    let mut bad = JoinSet::new();
    for _ in 0..BAD {
        bad.spawn(trickles(http, post("slow")));
        bad.spawn(trickles(resp, b"*3\r\n$5\r\nRPUSH\r\n$4\r\nslow\r\n$100\r\n".to_vec()));
        bad.spawn(never_reads(http, get(&long).repeat(200)));
        bad.spawn(never_reads(resp, b"LRANGE pushed-0 0 -1\r\nCOMMAND\r\n".repeat(200)));
        bad.spawn(falls_silent(http, b"GET / HT".to_vec()));
        bad.spawn(falls_silent(http, post("half")));
        bad.spawn(falls_silent(resp, Vec::new()));
        bad.spawn(falls_silent(resp, b"*3\r\n$5\r\nRPU".to_vec()));
    }
    let mut plan = plan();
    plan.writers = WRITERS;
    plan.sessions = 100;
    plan.pause = Some(Duration::from_secs(1));
    plan.appends = plan.appends.max(u64::from(WRITERS) * 2);
    let run = Run::start(plan, vec![http]);
    let most = Arc::new(AtomicUsize::new(0));
    bad.spawn(counts(server.pid(), Arc::clone(&most)));
    let mut pushers = JoinSet::new();
    for number in 0..PUSHERS {
        pushers.spawn(pushes(resp, number));
    }
    while let Some(pushed) = pushers.join_next().await {
        pushed.expect("a pusher");
    }
    let figures = run.finish().await;
    let peak = server.peak_kib();
    assert!(peak < MEMORY_KIB, "the server took {peak} KiB");
    now(|| server.until_connections(before + 10, RID_OF));
    drop(bad);
    let note = format!("{} connections at once, {} MiB at the most", most.load(SeqCst), peak >> 10);
    (figures, note)
}

/// Notes the most connections that a server has at a time, for as long as it lives.
async fn counts(server: u32, most: Arc<AtomicUsize>) {
    loop {
        most.fetch_max(now(|| sockets_of(server)), SeqCst);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// A session whose page is large, and its path.
async fn long_session(http: SocketAddr) -> String {
    let message = format!(r#"{{"role":"user","content":"{}"}}"#, "x".repeat(1_000));
    let body = format!(r#"{{"messages":[{}]}}"#, vec![message; 1_000].join(","));
    let line = "POST /v1/sessions/long/messages";
    let limit = Duration::from_secs(20);
    let answer = Http::default().call(http, line, &[], body.as_bytes(), limit).await.unwrap();
    assert_eq!(answer.status, 201);
    "/v1/sessions/long/messages?after=0&limit=1000".to_owned()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// The head of a request whose body never comes whole.
fn post(session: &str) -> Vec<u8> {
    format!(
        "POST /v1/sessions/{session}/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n"
    )
    .into_bytes()
}

/// Sends that, and then a byte every fifth of a second for as long as anybody listens.
async fn trickles(to: SocketAddr, begins: Vec<u8>) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let mut next = begins;
    while stream.write_all(&next).await.is_ok() {
        next = b"x".to_vec();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Asks for much through a small window, and takes nothing of it.
async fn never_reads(to: SocketAddr, asks: Vec<u8>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    // The server may stop reading, or close, before all of it is sent.
    let _ = stream.write_all(&asks).await;
    std::future::pending::<()>().await;
    drop(stream);
}

/// Sends that and never anything again, not even an end.
async fn falls_silent(to: SocketAddr, begins: Vec<u8>) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(&begins).await.unwrap();
    std::future::pending::<()>().await;
    drop(stream);
}

/// Pushes to a list of its own, and reads it back.
async fn pushes(to: SocketAddr, number: usize) {
    let mut stream = BufReader::new(TcpStream::connect(to).await.unwrap());
    let key = format!("pushed-{number}");
    for push in 1..=PUSHES {
        let answer = talk(&mut stream, &format!("RPUSH {key} message-{push}\r\n"), 1).await;
        assert_eq!(answer, [format!(":{push}")]);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let answer = talk(&mut stream, &format!("LRANGE {key} 0 -1\r\n"), 1 + 2 * PUSHES).await;
    let texts: Vec<&String> = answer.iter().skip(2).step_by(2).collect();
    let expected: Vec<String> = (1..=PUSHES).map(|push| format!("message-{push}")).collect();
    assert!(texts.iter().copied().eq(&expected), "{answer:?}");
}

/// Sends a command and reads so many lines.
async fn talk(stream: &mut BufReader<TcpStream>, command: &str, lines: usize) -> Vec<String> {
    stream.get_mut().write_all(command.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    for _ in 0..lines {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        answer.push(line.trim_end().to_owned());
        assert!(!line.starts_with('-') && !line.is_empty(), "{command:?}: {answer:?}");
    }
    answer
}
