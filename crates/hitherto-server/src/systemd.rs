//! Telling systemd how far the server is, where systemd started it (`Type=notify`).
//!
//! Invariant: it is one datagram that nobody waits for; where it cannot be sent, the server serves all the same.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends a line such as `READY=1` to whoever started the server, if that wants to know.
pub(crate) fn notify(line: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) else { return };
    if let Err(error) = send(socket.as_bytes(), line) {
        tracing::warn!(%error, line, "systemd could not be told");
    }
}

/// A name that begins with `@` is one of the kernel's, and no file.
fn send(socket: &[u8], line: &str) -> io::Result<()> {
    let address = match socket.split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket))?,
    };
    let own = UnixDatagram::unbound()?;
    own.set_nonblocking(true)?;
    own.send_to_addr(line.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_files_and_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("hitherto-test-{}", std::process::id());
        let there = [
            (path.as_os_str().as_bytes().to_vec(), UnixDatagram::bind(&path).unwrap()),
            (
                format!("@{name}").into_bytes(),
                UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(),
            ),
        ];
        for (socket, hears) in there {
            send(&socket, "READY=1").unwrap();
            let mut line = [0; 32];
            let length = hears.recv(&mut line).unwrap();
            assert_eq!(&line[..length], b"READY=1");
        }
        assert!(send(b"/nowhere/at/all", "READY=1").is_err());
    }
}
