//! A server that knows no command and repeats each with all that came with it, as Redis does with what it does not
//! know. There is no real one that is so careless with every command, so this one is made up.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Starts it, for as long as the test runs; with `greets` it knows `HELLO`, so that connections are made.
pub fn start(greets: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream, greets));
        }
    });
    address
}

/// Until the other side has had enough.
fn serve(stream: TcpStream, greets: bool) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let words = command(&mut stream)?;
        let answer = match words.first()?.to_uppercase().as_str() {
            "HELLO" if greets => "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n".to_owned(),
            "CLIENT" if greets => "+OK\r\n".to_owned(),
            name => {
                let rest: Vec<String> = words.iter().skip(1).map(|word| format!("'{word}'")).collect();
                let rest = rest.join(" ").replace(['\r', '\n'], " ");
                format!("-ERR unknown command '{name}', with args beginning with: {rest}\r\n")
            }
        };
        stream.get_mut().write_all(answer.as_bytes()).ok()?;
    }
}

fn command(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let count = number(stream)?;
    (0..count)
        .map(|_| {
            let mut word = vec![0; number(stream)? + 2];
            stream.read_exact(&mut word).ok()?;
            word.truncate(word.len() - 2);
            Some(String::from_utf8_lossy(&word).into_owned())
        })
        .collect()
}

fn number(stream: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    line.get(1..)?.trim().parse().ok()
}
