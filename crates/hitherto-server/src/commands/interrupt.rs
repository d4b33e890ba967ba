//! Ctrl-C and SIGTERM during long work: the first asks it to stop where it can be taken up again, the second
//! ends the process at once.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The exit code of a command that was interrupted: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// Whether somebody asked the work to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// From the signals of this process.
    ///
    /// # Errors
    /// If signals cannot be received.
    pub(crate) fn on_signals() -> std::io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (ask, asked) = watch::channel(false);
        tokio::spawn(async move {
            for _ in 0..2 {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if ask.send_replace(true) {
                    std::process::exit(i32::from(INTERRUPTED));
                }
            }
        });
        Ok(Self(asked))
    }

    /// From a channel.
    #[cfg(test)]
    pub(crate) fn from_channel(asked: watch::Receiver<bool>) -> Self {
        Self(asked)
    }

    /// Whether it was asked.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub(crate) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The exit code of a command that stopped because of it.
    pub(crate) fn exit_code() -> ExitCode {
        ExitCode::from(INTERRUPTED)
    }
}
