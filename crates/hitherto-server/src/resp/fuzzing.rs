//! Bytes at the Redis port, for `crate::fuzzing`.

use bytes::BytesMut;

use super::parse::{self, Begun, Malformed, Next};
use crate::keyspace::Command;

/// The most bytes of a command here.
const LIMIT: usize = 64 << 10;

/// The first byte says in pieces of which length the others arrive: what they say is the same as if they came at once.
pub fn resp(data: &[u8]) {
    let [piece, bytes @ ..] = data else { return };
    let at_once = commands(&[bytes]);
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(*piece).max(1)).collect();
    assert_eq!(commands(&pieces), at_once, "it matters how the bytes arrive");
}

/// The commands in bytes that arrive so, and why there is none after them, if that is an error.
fn commands(pieces: &[&[u8]]) -> (Vec<Command>, Option<Malformed>) {
    let (mut buffer, mut begun, mut commands) = (BytesMut::new(), Begun::default(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match parse::next(&mut buffer, &mut begun, LIMIT) {
                Ok(Next::Command(command)) => commands.push(command),
                Ok(Next::Incomplete) => break,
                Err(malformed) => return (commands, Some(malformed)),
            }
        }
    }
    (commands, None)
}
