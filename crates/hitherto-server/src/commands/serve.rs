//! `serve`: opens the store, listens, and serves until it is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hitherto::{ChatMemory, Severity};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::Call;
use super::call::say;
use crate::access::exposure;
use crate::http::{Door, Options};
use crate::keyspace::{Keyspace, KeyspaceOptions};
use crate::limits::Limiter;
use crate::resp::{RespOptions, run_resp};
use crate::settings::{Backend, LogFormat};
use crate::tls::{Listener, Tls, keep, warn_of_plain};
use crate::{demo, server, store, summariser, systemd};

/// How long what is being folded may take to finish once everything was answered.
const GRACE: Duration = Duration::from_secs(5);

pub(super) async fn run(call: Call) -> anyhow::Result<ExitCode> {
    let settings = call.settings;
    // Before anything is announced, so that whoever waits for the announcement can stop the server.
    let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let hangup = signal(SignalKind::hangup())?;
    let tls = settings.tls.as_ref().map(|tls| Tls::load(tls.files.clone())).transpose()?.map(Arc::new);
    let http_at = addresses("listen", &settings.listen).await?;
    let resp_at = match &settings.resp_listen {
        Some(address) => addresses("resp_listen", address).await?,
        None => Vec::new(),
    };
    let exposed = http_at.iter().chain(&resp_at).find(|address| !address.ip().is_loopback()).copied();
    exposure::check(&settings, exposed)?;
    let listener = listen("listen", &settings.listen, &http_at).await?;
    let listener = secured(listener, &tls, settings.tls.as_ref().is_some_and(|tls| tls.http));
    let address = listener.local_addr()?;
    let url = format!("{}://{address}", if listener.has_tls() { "https" } else { "http" });
    let resp = match &settings.resp_listen {
        Some(address) => {
            let listener = listen("resp_listen", address, &resp_at).await?;
            Some(secured(listener, &tls, settings.tls.as_ref().is_some_and(|tls| tls.redis)))
        }
        None => None,
    };
    let watched = match &settings.metrics_listen {
        Some(address) => {
            Some(listen("metrics_listen", address, &addresses("metrics_listen", address).await?).await?)
        }
        None => None,
    };
    let store = store::open(&settings, store::Access::Write)?;
    let gate = exposure::gate(&settings, &store, exposed).await?;
    let memory =
        ChatMemory::new(store).under(settings.memory_key.clone()).with_limits(settings.limits.clone());
    let memory = summariser::folding(memory, &settings.summaries)?;
    let limiter = Limiter::new(settings.tenant_limits.clone());
    let memory = limiter.guard(memory);
    let shown = store::shown(&settings.backend);
    say(&format!("Hitherto {} listens on {url}", env!("CARGO_PKG_VERSION")));
    if let Some(resp) = &resp {
        let scheme = if resp.has_tls() { "rediss" } else { "redis" };
        say(&format!("Clients of Redis find it at {scheme}://{}", resp.local_addr()?));
    }
    if let Some(watched) = &watched {
        say(&format!("Metrics are at http://{}/metrics", watched.local_addr()?));
    }
    say(&format!("Sessions are in {shown}. What it can do: {url}/docs"));
    let summariser = summariser::shown(&settings.summaries);
    say(&format!("Summaries are written by {summariser}."));
    // Before the demo, so that its summary is there soon after it is loaded.
    let worker = memory.start_worker()?;
    if settings.demo {
        match demo::load(&memory).await {
            Ok(()) => say(&demo::lines(&url)),
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "the demo conversation is not loaded")
            }
            Err(error) => return Err(error).context("the demo conversation cannot be stored"),
        }
    }
    if settings.log_format == LogFormat::Json {
        // People read it above; whoever reads JSON lines reads only those.
        tracing::info!(%address, store = shown, summariser, "listening");
    }
    let look = look(memory.clone(), matches!(settings.backend, Backend::Redis(_)));
    let mut keyspace_options = KeyspaceOptions::from(&settings);
    keyspace_options.limiter = limiter.clone();
    let keyspace = Keyspace::new(memory.clone(), keyspace_options).with_gate(gate.clone());
    let resp_options = RespOptions::from(&settings);
    let mut door_options = Options::from(&settings);
    door_options.limiter = limiter;
    let door = Door::new(memory, door_options).with_gate(gate);
    let door = door.counting(Arc::clone(keyspace.metrics()));
    let door = Arc::new(if settings.redis_rest { door.with_keyspace(keyspace.clone()) } else { door });
    let (stop, told) = watch::channel(false);
    for listener in
        std::iter::once(("listen", &listener)).chain(resp.as_ref().map(|resp| ("resp_listen", resp)))
    {
        warn_of_plain(listener.0, listener.1);
    }
    systemd::notify("READY=1");
    let stopping = async {
        stopped(interrupt, terminate).await;
        systemd::notify("STOPPING=1");
        door.drain();
        stop.send_replace(true);
    };
    let until_told = || {
        let mut told = told.clone();
        async move { drop(told.wait_for(|told| *told).await) }
    };
    let resp = async {
        match resp {
            Some(resp) => run_resp(resp, keyspace, resp_options, until_told()).await,
            None => Ok(()),
        }
    };
    let (over, all_over) = oneshot::channel::<()>();
    let serving = async {
        let keeping = keep(tls, hangup, until_told());
        let (served, served_resp, (), (), ()) = tokio::join!(
            server::run(listener, Arc::clone(&door), until_told()),
            resp,
            stopping,
            look,
            keeping
        );
        // What came in until now is folded by whoever is left, or after the next start.
        worker.stop(GRACE).await;
        drop(over);
        served.and(served_resp)
    };
    // Whoever watches sees the end, too.
    let watching = async {
        match watched {
            Some(watched) => {
                server::run_metrics(watched, Arc::clone(&door), async { drop(all_over.await) }).await
            }
            None => Ok(()),
        }
    };
    let (served, watched) = tokio::join!(serving, watching);
    served?;
    watched?;
    crate::logs::stop();
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The port with TLS, where it is to have it.
fn secured(listener: TcpListener, tls: &Option<Arc<Tls>>, wanted: bool) -> Listener {
    match tls {
        Some(tls) if wanted => Listener::secured(listener, Arc::clone(tls)),
        _ => listener.into(),
    }
}

/// What an address of the settings means on this machine.
async fn addresses(name: &str, address: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host(address)
        .await
        .with_context(|| format!("{name}: {address} is no address of this machine"))?;
    Ok(found.collect())
}

async fn listen(name: &str, address: &str, found: &[SocketAddr]) -> anyhow::Result<TcpListener> {
    TcpListener::bind(found).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{name}: {address} is in use, by another server perhaps; stop that, or choose another with --{}",
            name.replace('_', "-")
        ),
        _ => anyhow::Error::new(error).context(format!("{name}: {address} cannot be used")),
    })
}

/// Says whether the store answers, while the server serves already: a silent one takes its whole deadline to
/// find out. Of a Redis that does it says what `doctor` would: what could lose what people say, first of all.
async fn look(memory: ChatMemory, is_redis: bool) {
    if let Err(error) = memory.ping().await {
        tracing::warn!(%error, "the store does not answer; serving all the same, and /readyz says so");
        return;
    }
    if !is_redis {
        return;
    }
    match memory.inspect().await {
        Ok(findings) => {
            for finding in findings.iter().filter(|finding| finding.severity != Severity::Fine) {
                let (subject, found) = (finding.subject, &finding.found);
                tracing::warn!(subject, found, advice = finding.advice, "the store is not as it should be");
            }
        }
        Err(error) => tracing::warn!(%error, "the store could not be looked at"),
    }
}

async fn stopped(mut interrupt: Signal, mut terminate: Signal) {
    let name = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    };
    tracing::info!(signal = name, "finishing what was accepted");
}
