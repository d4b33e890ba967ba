//! Clients that begin a handshake and do not go on.
//!
//! Each costs a place of a bounded number, for a bounded time, and keeps nobody else out for longer than that.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hitherto::ChatMemory;
use hitherto_server::{
    Door, Keyspace, KeyspaceOptions, Listener, Options, RespOptions, Tls, TlsFiles, run, run_resp,
};
use hitherto_testkit::{Certificates, TlsClient};
use tokio::sync::watch;

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// The beginning of a TLS 1.2 record with a handshake of 512 bytes, of which nothing more comes.
const BEGUN: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

/// Both doors in this process, with few places for handshakes.
struct Doors {
    http: SocketAddr,
    redis: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Doors {
    fn open(folder: &Path, certificates: &Certificates, places: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (ready, addresses) = std::sync::mpsc::channel();
        let memory = ChatMemory::embedded(folder.join("h.db")).unwrap();
        let (certificate, key) = (certificates.server_cert(), certificates.server_key());
        let tls = Arc::new(Tls::load(TlsFiles { certificate, key, clients: None }).unwrap());
        let until = |mut stopped: watch::Receiver<bool>| async move {
            drop(stopped.wait_for(|stopped| *stopped).await);
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut listeners = Vec::new();
                for _ in 0..2 {
                    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                    listeners.push(Listener::secured(tcp, Arc::clone(&tls)).with_handshakes(places));
                }
                let (redis, http) = (listeners.pop().unwrap(), listeners.pop().unwrap());
                ready.send((http.local_addr().unwrap(), redis.local_addr().unwrap())).unwrap();
                let door = Arc::new(Door::new(memory.clone(), Options::default()));
                let keyspace = Keyspace::new(memory, KeyspaceOptions::default());
                let redis = run_resp(redis, keyspace, RespOptions::default(), until(stopped.clone()));
                let (http, redis) = tokio::join!(run(http, door, until(stopped)), redis);
                http.and(redis).unwrap();
            });
        });
        let (http, redis) = addresses.recv().unwrap();
        Self { http, redis, stop, thread: Some(thread) }
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A failure in there has been printed already.
            let _ = thread.join();
        }
    }
}

fn half_open(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn half_open_handshakes_hold_their_places_for_a_second_and_no_longer() {
    let (certificates, folder) = (Certificates::new(), tempfile::tempdir().unwrap());
    let doors = Doors::open(folder.path(), &certificates, 4);
    for (address, bytes, expected) in
        [(doors.http, GET, "HTTP/1.1 200"), (doors.redis, &b"PING\r\n"[..], "+PONG\r\n")]
    {
        // Half of them say nothing, half begin.
        let began = Instant::now();
        let mut held: Vec<TcpStream> =
            (0..4).map(|index| half_open(address, if index % 2 == 0 { b"" } else { BEGUN })).collect();
        let answer = TlsClient::new(&certificates).ask(address, bytes, expected.len()).unwrap();
        let waited = began.elapsed();
        assert_eq!(answer, expected);
        assert!(
            waited >= Duration::from_millis(900),
            "a fifth handshake at once with four: after {waited:?}"
        );
        assert!(waited < Duration::from_secs(9), "kept out for {waited:?}");
        for stream in &mut held {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            assert_eq!(rest, b"", "it was answered");
        }
    }
}

/// With places enough each has its ten seconds; a client that says nothing is gone then, and none is kept waiting.
#[test]
fn a_flood_of_half_open_handshakes_ends_by_itself_and_delays_nobody() {
    let (certificates, folder) = (Certificates::new(), tempfile::tempdir().unwrap());
    let doors = Doors::open(folder.path(), &certificates, 1024);
    let began = Instant::now();
    let mut held: Vec<TcpStream> =
        (0..300).map(|index| half_open(doors.http, if index % 2 == 0 { b"" } else { BEGUN })).collect();
    let answered = Instant::now();
    let client = TlsClient::new(&certificates);
    assert_eq!(client.ask(doors.http, GET, 12).unwrap(), "HTTP/1.1 200");
    // Before the first of them is gone.
    assert!(answered.elapsed() < Duration::from_secs(8), "{:?}", answered.elapsed());
    for stream in &mut held {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(20), "{took:?}");
}

/// A server that is told to stop waits for no handshake.
#[test]
fn a_handshake_does_not_keep_the_server() {
    let (certificates, folder) = (Certificates::new(), tempfile::tempdir().unwrap());
    let doors = Doors::open(folder.path(), &certificates, 4);
    let held = [half_open(doors.http, BEGUN), half_open(doors.redis, BEGUN)];
    // Both have been accepted once a later connection is answered.
    let client = TlsClient::new(&certificates);
    client.ask(doors.http, GET, 12).unwrap();
    client.ask(doors.redis, b"PING\r\n", 7).unwrap();
    let told = Instant::now();
    drop(doors);
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    drop(held);
}
