//! `serve`: opens the store, listens, and serves until it is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use hitherto::{ChatMemory, Severity};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::Call;
use super::call::say;
use crate::http::{Door, Options};
use crate::keyspace::{Keyspace, KeyspaceOptions};
use crate::resp::{RespOptions, run_resp};
use crate::settings::{Backend, LogFormat};
use crate::{demo, server, store, summariser};

/// How long what is being folded may take to finish once everything was answered.
const GRACE: Duration = Duration::from_secs(5);

pub(super) async fn run(call: Call) -> anyhow::Result<ExitCode> {
    let settings = call.settings;
    // Before anything is announced, so that whoever waits for the announcement can stop the server.
    let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let listener = listen("listen", &settings.listen).await?;
    let address = listener.local_addr()?;
    let resp = match &settings.resp_listen {
        Some(address) => Some(listen("resp_listen", address).await?),
        None => None,
    };
    let memory = ChatMemory::new(store::open(&settings, store::Access::Write)?)
        .under(settings.memory_key.clone())
        .with_limits(settings.limits.clone());
    let memory = summariser::folding(memory, &settings.summaries)?;
    let shown = store::shown(&settings.backend);
    say(&format!("Hitherto {} listens on http://{address}", env!("CARGO_PKG_VERSION")));
    if let Some(resp) = &resp {
        say(&format!("Clients of Redis find it at redis://{}", resp.local_addr()?));
    }
    say(&format!("Sessions are in {shown}. What it can do: http://{address}/docs"));
    let summariser = summariser::shown(&settings.summaries);
    say(&format!("Summaries are written by {summariser}."));
    // Before the demo, so that its summary is there soon after it is loaded.
    let worker = memory.start_worker()?;
    if settings.demo {
        match demo::load(&memory).await {
            Ok(()) => say(&demo::lines(address)),
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
    let keyspace = Keyspace::new(memory.clone(), KeyspaceOptions::from(&settings));
    let resp_options = RespOptions::from(&settings);
    let door = Door::new(memory, Options::from(&settings));
    let door = Arc::new(if settings.redis_rest { door.with_keyspace(keyspace.clone()) } else { door });
    let (stop, told) = watch::channel(false);
    let stopping = async {
        stopped(interrupt, terminate).await;
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
    let (served, served_resp, (), ()) =
        tokio::join!(server::run(listener, door, until_told()), resp, stopping, look);
    // What came in until now is folded by whoever is left, or after the next start.
    worker.stop(GRACE).await;
    served?;
    served_resp?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Listens, on loopback only.
async fn listen(name: &str, address: &str) -> anyhow::Result<TcpListener> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host(address)
        .await
        .with_context(|| format!("{name}: {address} is no address of this machine"))?
        .collect();
    if let Some(open) = found.iter().find(|address| !address.ip().is_loopback()) {
        bail!(
            "{name}: {open} can be reached by others, and there are no credentials yet: whoever reaches the server reads \
             and changes every session. Listen on 127.0.0.1 or [::1], and put a proxy that checks who asks before it"
        );
    }
    TcpListener::bind(found.as_slice()).await.map_err(|error| match error.kind() {
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
