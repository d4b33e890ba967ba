//! The processes of a measurement: how they are started and ended, and the servers among them.
//!
//! Nothing outlives the bench: a process is killed when its handle goes, when the bench panics, and on Ctrl-C or
//! SIGTERM, which kill all of them, so that whatever is going on fails at its next step.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::check::Shape;
use crate::cpu::Pid;
use crate::http::{self, Client};
use crate::redis_server::Redis;

const START_TIMEOUT: Duration = Duration::from_secs(10);

static CHILDREN: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());
static STOPPED: AtomicBool = AtomicBool::new(false);

/// From now on, Ctrl-C and SIGTERM kill the children.
pub(crate) fn stop_children_on_signal() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        let children = CHILDREN.lock().unwrap();
        STOPPED.store(true, Ordering::SeqCst);
        children.iter().for_each(|child| drop(child.lock().unwrap().kill()));
    });
    Ok(())
}

/// Whether a signal has ended the measurements.
pub(crate) fn stopped_by_signal() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

/// A child process, killed when this goes.
pub(crate) struct Running {
    child: Arc<Mutex<Child>>,
    pub(crate) pid: Pid,
}

impl Running {
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let mut children = CHILDREN.lock().unwrap();
        ensure!(!stopped_by_signal(), "stopped by a signal");
        let child = command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?;
        let pid = child.id();
        let child = Arc::new(Mutex::new(child));
        children.push(Arc::clone(&child));
        Ok(Running { child, pid })
    }

    /// Tries until it succeeds; gives up when the process ends or [`START_TIMEOUT`] is over.
    pub(crate) fn wait_until_ready<T>(
        &self,
        log: &Path,
        mut attempt: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let begin = Instant::now();
        loop {
            let error = match attempt() {
                Ok(ready) => return Ok(ready),
                Err(error) => error,
            };
            let ended = self.child.lock().unwrap().try_wait()?;
            if ended.is_some() || begin.elapsed() > START_TIMEOUT {
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("it did not start ({error:#}); ended: {ended:?}; it said:\n{said}");
            }
            thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        CHILDREN.lock().unwrap().retain(|child| !Arc::ptr_eq(child, &self.child));
        let mut child = self.child.lock().unwrap();
        drop(child.kill());
        drop(child.wait());
    }
}

/// A server that can be measured: where it is, and how it answers.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) shape: Shape,
    /// Whether it summarises, if it can.
    pub(crate) folds: bool,
}

/// Where a server keeps its messages.
pub(crate) enum Store<'a> {
    Redis(&'a Redis),
    File(&'a Path),
}

impl Program {
    /// The yardstick: this very executable.
    pub(crate) fn bare() -> Result<Self> {
        Ok(Program { path: env::current_exe()?, shape: Shape::Bare, folds: false })
    }

    pub(crate) fn hitherto(path: PathBuf) -> Self {
        Program { path, shape: Shape::Hitherto, folds: true }
    }

    fn command(&self, store: &Store, listen: SocketAddr, resp: SocketAddr) -> Command {
        let mut command = Command::new(&self.path);
        // Settings of whoever runs the bench are no part of it.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HITHERTO_")) {
            command.env_remove(name);
        }
        command.arg(if self.shape == Shape::Bare { "bare" } else { "serve" });
        command.arg("--listen").arg(listen.to_string());
        if self.shape == Shape::Hitherto {
            // Several run at a time, so none may take the port that is the default.
            command.arg("--resp-listen").arg(resp.to_string());
            if !self.folds {
                command.args(["--summaries", "off"]);
            }
        }
        match store {
            Store::Redis(redis) => command.arg("--redis").arg(&redis.url),
            Store::File(path) => command.arg("--db").arg(path),
        };
        command
    }
}

impl Program {
    /// Makes a token, so that servers on that store want one.
    pub(crate) fn make_token(&self, store: &Store) -> Result<String> {
        let mut command = Command::new(&self.path);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HITHERTO_")) {
            command.env_remove(name);
        }
        command.args(["token", "create", "--tenant", "default", "--log", "error"]);
        match store {
            Store::Redis(redis) => command.arg("--redis").arg(&redis.url),
            Store::File(path) => command.arg("--db").arg(path),
        };
        let output = command.output().context("making a token")?;
        ensure!(output.status.success(), "no token: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// A server that answers.
pub(crate) struct Server {
    running: Running,
    pub(crate) address: SocketAddr,
    /// Where it speaks the Redis protocol; the yardstick does not.
    pub(crate) resp: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) first_answer: Duration,
    _dir: TempDir,
}

impl Server {
    pub(crate) fn start(program: &Program, store: &Store) -> Result<Self> {
        let dir = TempDir::with_prefix("hitherto-bench-server-")?;
        let log = dir.path().join("log");
        let (address, resp) = (free_address()?, free_address()?);
        let mut command = program.command(store, address, resp);
        let begin = Instant::now();
        let running = Running::spawn(command.current_dir(dir.path()), &log)?;
        let health = http::get("/healthz");
        running
            .wait_until_ready(&log, || Client::connect(address)?.expect(200, &health).map(drop))
            .with_context(|| program.path.display().to_string())?;
        Ok(Server { running, address, resp, first_answer: begin.elapsed(), _dir: dir })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.running.pid
    }
}

/// The build folder that this executable lies in.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let exe = env::current_exe()?;
    let dir = exe.parent().and_then(Path::parent).context("this executable lies in no build folder")?;
    Ok(dir.to_owned())
}

/// Builds the server as a release and returns its path.
pub(crate) fn build_server() -> Result<PathBuf> {
    let target = target_dir()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--package", "hitherto-server", "--target-dir"])
        .arg(&target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "building the server failed");
    Ok(target.join("release/hitherto"))
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
