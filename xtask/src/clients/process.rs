//! One run of one client's tests, within a time.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::install;
use super::list::{Client, MAIN, Runtime};
use super::outcome::{self, Outcome};
use super::server::{self, Running};
use crate::workspace;

/// How long the tests of a client may take. They take seconds; Python's clients need some to load on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs the tests of a client against a server.
pub(crate) fn test(client: &Client, server: &Running) -> Result<Outcome, String> {
    let mut command = command(client);
    command
        .env("HITHERTO_HTTP", &server.http)
        .env("HITHERTO_REDIS", &server.redis)
        .env("HITHERTO_TLS_CERT", server.certificate_file())
        .env("HITHERTO_TLS_KEY", server.key_file())
        .env("NODE_EXTRA_CA_CERTS", server.certificate_file())
        .env("HITHERTO_REDIS_TOOLS", server::redis_tools())
        .env("HITHERTO_PYTHON", install::python(MAIN))
        .env("HITHERTO_ACROSS", install::folder().join("py/tests/across.py"));
    let log = install::folder().join(format!("logs/{}-{}.log", client.name, server.store.name()));
    let start = Instant::now();
    let (output, trouble) = run(&mut command, &log)?;
    let (passed, failed, skipped) = outcome::counts(&output);
    Ok(Outcome { passed, failed, skipped, trouble, took: start.elapsed(), output, log })
}

fn command(client: &Client) -> Command {
    match client.runtime {
        Runtime::Node(name) => {
            let mut command = Command::new("node");
            // In this process, not in one for each file: there is one file, and one process to end.
            command.args(["--test-reporter=tap", client.file]);
            command.current_dir(install::folder().join("js").join(name));
            command
        }
        Runtime::Python(environment) => {
            let mut command = Command::new(install::python(environment));
            command.args(["-m", "pytest", "-q", "--tb=short", "--color=no", client.file]);
            command.current_dir(install::folder().join("py/tests"));
            command
        }
    }
}

/// Runs it with its output in a file. Answers the output and, if it did not end well or in time, what went wrong.
fn run(command: &mut Command, log: &Path) -> Result<(String, Option<String>), String> {
    let line = workspace::line_of(command);
    let (mut reader, writer) = std::io::pipe().map_err(|e| format!("no pipe for `{line}`: {e}"))?;
    let errors = writer.try_clone().map_err(|e| format!("no pipe for `{line}`: {e}"))?;
    command.stdin(Stdio::null()).stdout(writer).stderr(errors);
    let mut child = command.spawn().map_err(|e| format!("`{line}` cannot be run: {e}"))?;
    // The command holds the other ends of the pipe; as long as they are open here, it does not end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, ended) = mpsc::channel();
    let collector = thread::spawn(move || {
        let mut output = Vec::new();
        let read = reader.read_to_end(&mut output);
        // Nobody waits any more if it took too long.
        let _ = sender.send(());
        read.map(|_| output)
    });
    let in_time = ended.recv_timeout(LIMIT).is_ok();
    if !in_time {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| format!("`{line}` cannot be waited for: {e}"))?;
    let output = match collector.join() {
        Ok(Ok(output)) => String::from_utf8_lossy(&output).into_owned(),
        _ => return Err(format!("the output of `{line}` cannot be read")),
    };
    save(log, &output)?;
    let trouble = match (in_time, status.success()) {
        (false, _) => Some(format!("not done in {LIMIT:?}")),
        (true, false) => Some(format!("ended with {status}")),
        (true, true) => None,
    };
    Ok((output, trouble))
}

fn save(log: &Path, output: &str) -> Result<(), String> {
    fs::write(log, output).map_err(|e| format!("{}: {e}", PathBuf::from(log).display()))
}
