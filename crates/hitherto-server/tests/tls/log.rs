//! A server with TLS, and the lines of its log, which a test can wait for.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStderr, Stdio};

use hitherto_testkit::Certificates;

use crate::process::{Process, hitherto};

/// A server whose log is read.
pub struct Server {
    pub process: Process,
    pub folder: tempfile::TempDir,
    log: BufReader<ChildStderr>,
}

impl Server {
    /// A server with the certificate of that authority.
    pub fn of(certificates: &Certificates, arguments: &[&str]) -> Self {
        Self::with(&certificates.server_cert(), &certificates.server_key(), arguments)
    }

    /// A server with this certificate.
    pub fn with(certificate: &Path, key: &Path, arguments: &[&str]) -> Self {
        let mut all =
            vec!["--tls-certificate", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        all.extend(arguments);
        Self::start(&all)
    }

    /// A server with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = hitherto(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--resp-listen", "127.0.0.1:0"]).args(arguments);
        command.args(["--log-format", "json"]).stderr(Stdio::piped());
        let mut process = Process::launch(command);
        let log = BufReader::new(process.child.stderr.take().unwrap());
        Self { process, folder, log }
    }

    /// The next line of the log that has this in it; those before it are printed.
    pub fn until_logged(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the log ended without {part:?}");
            eprint!("{line}");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// The address for HTTPS, by name.
    pub fn https(&self) -> String {
        format!("https://localhost:{}", self.process.address.port())
    }
}
