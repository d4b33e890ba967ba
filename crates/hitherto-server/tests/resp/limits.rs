//! What a client may send and the door survives: malformed bytes, too much of something, too slowly.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use hitherto::ChatMemory;
use hitherto_server::{KeyspaceOptions, RespOptions};
use hitherto_testkit::Reply;

use crate::listening::{Listening, call};

fn door(change: impl FnOnce(&mut KeyspaceOptions, &mut RespOptions)) -> (Listening, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (mut keys, mut options) = (KeyspaceOptions::default(), RespOptions::default());
    change(&mut keys, &mut options);
    let memory = ChatMemory::embedded(folder.path().join("h.db")).unwrap();
    (Listening::with(memory, keys, options), folder)
}

/// Sends bytes and reads until the door closes.
fn until_closed(door: &Listening, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(door.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut out = Vec::new();
    // A reset after the answer ends the connection, too.
    let _ = stream.read_to_end(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn malformed_bytes_get_an_error_and_a_close() {
    let (door, _folder) = door(|keys, _| keys.command_limit = 1000);
    for (bytes, expected) in [
        (&b"*1\r\n:1\r\n"[..], "-ERR Protocol error: expected '$', got ':'\r\n"),
        (b"*-5x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (
            b"PING\r\n*3\r\n$9999999\r\n",
            "+PONG\r\n-ERR Protocol error: a command has at most 1000 bytes here\r\n",
        ),
    ] {
        let got = until_closed(&door, bytes);
        assert!(got.ends_with(expected), "{got}");
    }
    assert_eq!(call(&mut door.client(), "PING").text(), "PONG");
}

#[test]
fn a_pipeline_is_answered_in_order() {
    let (door, _folder) = door(|_, _| {});
    let mut bytes = String::from("*3\r\n$5\r\nRPUSH\r\n$1\r\ns\r\n$1\r\na\r\n").repeat(3_000);
    bytes.push_str("LLEN s\r\nLRANGE s 0 1\r\nSET x y\r\nQUIT\r\nPING\r\n");
    let got = until_closed(&door, bytes.as_bytes());
    let mut expected: String = (1..=3_000).map(|length| format!(":{length}\r\n")).collect();
    expected.push_str(":3000\r\n*2\r\n$1\r\na\r\n$1\r\na\r\n-ERR unknown command 'SET'");
    assert!(got.starts_with(&expected), "{}", &got[got.len() - 200..]);
    assert!(got.ends_with("COMMAND LIST says what it answers\r\n+OK\r\n"), "nothing follows QUIT");
}

#[test]
fn too_much_is_refused_by_name() {
    let (door, _folder) = door(|keys, _| keys.reply_limit = 1000);
    let mut client = door.client();
    let long = "x".repeat((1 << 20) + 1);
    let refused = client.command(&["LPUSH", "s", &long]).unwrap();
    assert_eq!(
        refused,
        Reply::Error("ERR the message is too large: 1048577 bytes; at most 1048576 are allowed".to_owned())
    );
    let key = "k".repeat(600);
    assert!(
        matches!(client.command(&["LLEN", &key]).unwrap(), Reply::Error(why) if why.contains("at most 512"))
    );
    assert!(
        matches!(client.command(&["LLEN", ""]).unwrap(), Reply::Error(why) if why.contains("session id"))
    );
    let many: Vec<&str> = ["RPUSH", "s"].into_iter().chain(std::iter::repeat_n("a", 1001)).collect();
    assert!(matches!(client.command(&many).unwrap(), Reply::Error(why) if why.contains("at most 1000")));
    // A list that is longer than a reply may be is read in parts.
    let words: Vec<&str> = ["RPUSH", "s"].into_iter().chain(std::iter::repeat_n("0123456789", 200)).collect();
    assert_eq!(client.command(&words).unwrap(), Reply::Integer(200));
    assert!(
        matches!(call(&mut client, "LRANGE s 0 -1"), Reply::Error(why) if why.contains("ask for a part"))
    );
    assert_eq!(call(&mut client, "LRANGE s 0 9").texts().len(), 10);
}

#[test]
fn too_many_connections_are_told_so() {
    let (door, _folder) = door(|_, options| options.max_connections = 1);
    let mut one = door.client();
    call(&mut one, "PING");
    assert_eq!(until_closed(&door, b""), "-ERR max number of clients reached\r\n");
    assert_eq!(call(&mut one, "PING").text(), "PONG");
}

#[test]
fn a_command_that_never_ends_is_not_waited_for() {
    let (door, _folder) = door(|_, options| options.command_timeout = Duration::from_millis(50));
    let got = until_closed(&door, b"*2\r\n$4\r\nLLEN\r\n");
    assert_eq!(got, "-ERR the command did not arrive in time\r\n");
}

#[test]
fn an_idle_connection_is_closed_where_that_is_wanted() {
    let (door, _folder) = door(|_, options| options.idle_timeout = Some(Duration::from_millis(500)));
    assert_eq!(until_closed(&door, b"PING\r\n"), "+PONG\r\n");
}

/// A pipeline about many sessions is carried out side by side; each session's commands stay in their order, and so do
/// the replies.
#[test]
fn a_pipeline_about_many_sessions_is_answered_in_order() {
    let (door, _folder) = door(|_, _| {});
    let mut bytes = String::new();
    let mut expected = String::new();
    for round in 1..=5 {
        for session in 0..40 {
            bytes.push_str(&format!("RPUSH s{session} {round}\r\n"));
            expected.push_str(&format!(":{round}\r\n"));
        }
        bytes.push_str("PING\r\n");
        expected.push_str("+PONG\r\n");
    }
    for session in 0..40 {
        bytes.push_str(&format!(
            "LINDEX s{session} -1\r\nLPUSH s{session} x y\r\nLLEN s{session}\r\nLRANGE s{session} x 1\r\n"
        ));
        expected.push_str("$1\r\n5\r\n:7\r\n:7\r\n-ERR value is not an integer or out of range\r\n");
    }
    bytes.push_str("QUIT\r\n");
    expected.push_str("+OK\r\n");
    assert_eq!(until_closed(&door, bytes.as_bytes()), expected);
}

/// The time is the whole command's: a client that sends a byte now and then would hold its connection for ever.
#[test]
fn a_command_that_comes_byte_by_byte_has_no_more_time_than_another() {
    let (door, _folder) = door(|_, options| options.command_timeout = Duration::from_millis(300));
    let mut stream = TcpStream::connect(door.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"*2\r\n$4\r\nLLEN\r\n$200\r\n").unwrap();
    let mut sent = 0;
    while sent < 40 && stream.write_all(b"k").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
        sent += 1;
    }
    assert!(sent < 40, "it was waited for to the end");
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "-ERR the command did not arrive in time\r\n");
}

/// What a read took to the last byte of its buffer was taken for the beginning of another command, and the idle
/// connection was told that this one was late.
#[test]
fn a_connection_is_idle_after_a_command_of_any_length() {
    let limit = Duration::from_millis(500);
    let (door, _folder) = door(|_, options| options.command_timeout = limit);
    let ask = |length: usize| {
        let mut stream = TcpStream::connect(door.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut line = vec![b' '; length];
        line[..4].copy_from_slice(b"PING");
        line[length - 2..].copy_from_slice(b"\r\n");
        stream.write_all(&line).unwrap();
        stream.read_exact(&mut [0; 7]).unwrap();
        (length, stream)
    };
    let idle = [8_191, 8_192, 8_193, 16_384].map(ask);
    std::thread::sleep(limit * 2);
    for (length, mut stream) in idle {
        let mut pong = [0; 7];
        stream.write_all(b"PING\r\n").unwrap();
        stream.read_exact(&mut pong).unwrap();
        assert_eq!(&pong, b"+PONG\r\n", "after {length} bytes");
    }
}

/// A page in a browser may have any text sent to a port of this machine, as the body of a request.
#[test]
fn the_body_of_a_request_of_a_browser_is_not_carried_out() {
    let (door, _folder) = door(|_, _| {});
    let mut client = door.client();
    for head in
        ["POST / HTTP/1.1\r\n", "PUT / HTTP/1.1\r\nHost: 127.0.0.1:8701\r\nContent-Length: 14\r\n\r\n"]
    {
        call(&mut client, "RPUSH s a");
        let got = until_closed(&door, format!("{head}DEL s\r\nQUIT\r\n").as_bytes());
        assert!(got.ends_with("-ERR Protocol error: this is no HTTP port\r\n"), "{got}");
    }
    assert_eq!(call(&mut client, "LLEN s"), Reply::Integer(2));
}
