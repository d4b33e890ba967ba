//! Finding out that a client's machine is gone: it says nothing, not even goodbye, and a connection that may be idle
//! for as long as it likes would stay for ever.
//!
//! The system asks a silent client whether it is still there, and ends the connection of one that does not answer
//! within two minutes; a client that is merely idle does not notice.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// After how long a silence is asked about.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is asked again.
const AGAIN: Duration = Duration::from_secs(15);
/// How often in all.
const TIMES: u32 = 4;

/// Lets the system watch the other end.
pub(crate) fn watch(stream: &TcpStream) -> io::Result<()> {
    let watched = TcpKeepalive::new().with_time(SILENCE).with_interval(AGAIN).with_retries(TIMES);
    SockRef::from(stream).set_tcp_keepalive(&watched)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_watches() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, accepted) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (accepted, _client) = (accepted.unwrap().0, client.unwrap());
        assert!(!SockRef::from(&accepted).keepalive().unwrap());
        watch(&accepted).unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), SILENCE);
        assert_eq!(
            (socket.tcp_keepalive_interval().unwrap(), socket.tcp_keepalive_retries().unwrap()),
            (AGAIN, TIMES)
        );
    }
}
