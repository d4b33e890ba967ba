//! The installed service, started as its unit says: by the same line, as an unprivileged user, ready when it says so.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{of_file, read, write};
use crate::workspace;

/// A user who owns nothing.
pub(super) const USER: &str = "65534:65534";
/// By when something that the service does is done.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where systemd puts what a service alone may read.
const CREDENTIALS: &str = "run/credentials/hitherto.service";

/// A running service; killed when this is dropped.
pub(super) struct Service {
    child: Child,
    address: String,
    notified: UnixDatagram,
}

impl Service {
    /// Starts what the unit starts, in that root.
    pub(super) fn start(root: &Path, unit: &str) -> Result<Self, String> {
        let line = value(unit, "ExecStart")?.replace("%d", &format!("/{CREDENTIALS}"));
        credentials(root, unit)?;
        let socket = root.join("run/notify");
        if socket.exists() {
            fs::remove_file(&socket).map_err(of_file(&socket))?;
        }
        let notified = UnixDatagram::bind(&socket).map_err(of_file(&socket))?;
        notified.set_read_timeout(Some(PATIENCE)).map_err(of_file(&socket))?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).map_err(of_file(&socket))?;
        let mut command = Command::new(workspace::on_path("chroot").ok_or("there is no chroot on PATH")?);
        command.args(["--userspec", USER, "--groups", ""]).arg(root);
        command.args(line.split_whitespace());
        command.env_clear().env("NOTIFY_SOCKET", "/run/notify");
        // As a line in /etc/default/hitherto: the ports of the settings may be in use here.
        command.env("HITHERTO_LISTEN", "127.0.0.1:0").env("HITHERTO_RESP_LISTEN", "127.0.0.1:0");
        println!("  starting {line}");
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("chroot: {error}"))?;
        let out = child.stdout.take().ok_or("the service has no output")?;
        let mut service = Self { child, address: String::new(), notified };
        let mut first = String::new();
        BufReader::new(out).read_line(&mut first).map_err(|error| format!("its first line: {error}"))?;
        let (_, address) = first
            .trim()
            .rsplit_once("http://")
            .ok_or_else(|| format!("it does not say where it listens: {first:?}"))?;
        service.address = address.to_owned();
        service.told("READY=1")?;
        Ok(service)
    }

    /// Appends a message.
    pub(super) fn append(&self, session: &str, text: &str) -> Result<(), String> {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}]}}"#);
        let answer = self.call(&format!(
            "POST /v1/sessions/{session}/messages HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ))?;
        if answer.starts_with("HTTP/1.1 201 ") {
            Ok(())
        } else {
            Err(format!("an append was answered {answer}"))
        }
    }

    /// How many messages a session has.
    pub(super) fn count(&self, session: &str) -> Result<u64, String> {
        let answer = self
            .call(&format!("GET /v1/sessions/{session} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"))?;
        let (_, rest) =
            answer.split_once("\"messages\":").ok_or_else(|| format!("a session was answered {answer}"))?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().map_err(|_| format!("a session was answered {answer}"))
    }

    /// What `systemctl reload` sends.
    pub(super) fn reload(&self) -> Result<(), String> {
        self.signal("HUP")
    }

    /// What `systemctl stop` sends; the service says that it stops, and ends well.
    pub(super) fn stop(mut self) -> Result<(), String> {
        self.signal("TERM")?;
        self.told("STOPPING=1")?;
        let status = self.child.wait().map_err(|error| format!("the service: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("the service ended with {status}")) }
    }

    fn signal(&self, name: &str) -> Result<(), String> {
        workspace::run(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()))
    }

    fn told(&self, expected: &str) -> Result<(), String> {
        let mut line = [0; 256];
        let length =
            self.notified.recv(&mut line).map_err(|error| format!("it does not say {expected}: {error}"))?;
        let said = String::from_utf8_lossy(line.get(..length).unwrap_or_default());
        if said == expected { Ok(()) } else { Err(format!("it says {said} and not {expected}")) }
    }

    fn call(&self, request: &str) -> Result<String, String> {
        let of = |error: std::io::Error| format!("{}: {error}", self.address);
        let mut stream = TcpStream::connect(&self.address).map_err(of)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(of)?;
        stream.write_all(request.as_bytes()).map_err(of)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(of)?;
        Ok(answer)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of a key that a unit has once.
fn value<'a>(unit: &'a str, key: &str) -> Result<&'a str, String> {
    let found = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    found.ok_or_else(|| format!("the unit has no {key}"))
}

/// Copies what the unit hands over, for the user to read.
fn credentials(root: &Path, unit: &str) -> Result<(), String> {
    let (name, path) =
        value(unit, "LoadCredential")?.split_once(':').ok_or("LoadCredential names no file")?;
    let folder = root.join(CREDENTIALS);
    write(&folder.join(name), read(&root.join(path.trim_start_matches('/')))?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read() {
        let unit = "[Service]\nExecStart=/usr/bin/x serve\nExecReload=/bin/kill\n";
        assert_eq!(value(unit, "ExecStart"), Ok("/usr/bin/x serve"));
        assert!(value(unit, "ExecStop").is_err());
    }
}
