//! The certificate in use, and taking over a new one.
//!
//! Invariant: what is in use was made from files that stood still for a moment and belong together; whatever else is in
//! their place is logged once and passed over.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hitherto::{Severity, Timestamp};
use rustls::ServerConfig;
use tokio::signal::unix::Signal;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::files::{Configs, Contents, TlsError, TlsFiles};
use super::listener::Protocol;

/// How often the files are looked at. They are read whole: a file system's times do not tell two changes in one second
/// apart, and a link that is turned to another folder changes none.
const LOOK: Duration = Duration::from_secs(2);
/// How often the end of a certificate is spoken of.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// The certificate in use.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<Configs>>,
    watch: std::sync::Mutex<Watch>,
}

/// What the files held when they were looked at.
struct Watch {
    /// What is in use, or was refused.
    judged: Option<Contents>,
    /// What they held last: it is judged when they hold the same once more, for whoever writes two files writes one
    /// after the other.
    seen: Option<Contents>,
    /// The last error of reading, so that it is said once.
    unreadable: Option<String>,
}

/// What came of looking at the files.
#[derive(Debug)]
pub(super) enum Looked {
    /// There is nothing new.
    Same,
    /// They have changed just now.
    Changing,
    /// A new certificate is in use.
    Taken,
    /// What is there cannot be used.
    Refused(TlsError),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Loads the certificate.
    ///
    /// # Errors
    /// If the files cannot be read, or do not hold what they should.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = files.read()?;
        let current = RwLock::new(Arc::new(files.configs(&contents)?));
        let watch = Watch { judged: Some(contents.clone()), seen: Some(contents), unreadable: None };
        Ok(Self { files, current, watch: watch.into() })
    }

    /// What a handshake that begins now needs.
    pub(super) fn config(&self, protocol: Protocol) -> Arc<ServerConfig> {
        let current = self.configs();
        Arc::clone(match protocol {
            Protocol::Http => &current.http,
            Protocol::Redis => &current.redis,
        })
    }

    fn configs(&self) -> Arc<Configs> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files, and takes over what is new in them; `at_once` also where they may still be changing, and
    /// whatever was thought of them before.
    pub(super) fn look(&self, at_once: bool) -> Looked {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = match self.files.read() {
            Ok(contents) => contents,
            Err(error) => {
                let said = error.to_string();
                let new = at_once || watch.unreadable.as_ref() != Some(&said);
                watch.unreadable = Some(said);
                return if new { Looked::Refused(error) } else { Looked::Same };
            }
        };
        watch.unreadable = None;
        if !at_once {
            if watch.judged.as_ref() == Some(&contents) {
                watch.seen = Some(contents);
                return Looked::Same;
            }
            if watch.seen.as_ref() != Some(&contents) {
                watch.seen = Some(contents);
                return Looked::Changing;
            }
        }
        let made = self.files.configs(&contents);
        watch.seen = None;
        watch.judged = Some(contents);
        match made {
            Ok(configs) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(configs);
                Looked::Taken
            }
            Err(error) => Looked::Refused(error),
        }
    }

    fn say_when_it_ends(&self) {
        let finding = self.configs().expiry.finding(Timestamp::now());
        let file = self.files.certificate.display();
        match finding.severity {
            Severity::Fine => {}
            Severity::Warning => {
                tracing::warn!(%file, "the certificate {}: {}", finding.found, finding.advice)
            }
            Severity::Failure => {
                tracing::error!(%file, "the certificate {}: {}", finding.found, finding.advice)
            }
        }
    }
}

/// Keeps the certificate up to date until `told` ends: looks at its files, at once when the process is told to (SIGHUP),
/// and warns daily of one that ends soon. Without a certificate it only hears the signal, which would end the process.
pub(crate) async fn keep(tls: Option<Arc<Tls>>, mut hangup: Signal, told: impl Future<Output = ()>) {
    tokio::pin!(told);
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut warned: Option<Instant> = None;
    loop {
        let at_once = tokio::select! {
            biased;
            () = &mut told => return,
            _ = hangup.recv() => true,
            _ = ticks.tick(), if tls.is_some() => false,
        };
        let Some(tls) = &tls else {
            tracing::info!(signal = "SIGHUP", "there is no certificate to load again");
            continue;
        };
        let looking = Arc::clone(tls);
        // A file may lie on a disk that is slow, or gone.
        let looked = tokio::task::spawn_blocking(move || looking.look(at_once)).await;
        let file = tls.files.certificate.display();
        match looked {
            Ok(Looked::Taken) => {
                let until = tls.configs().expiry.until();
                tracing::info!(%file, until, "a new certificate is in use");
                warned = None;
            }
            Ok(Looked::Refused(error)) => {
                tracing::error!(%error, "a new certificate cannot be used; the old one stays in use");
            }
            Ok(Looked::Same | Looked::Changing) => {}
            Err(error) => tracing::error!(%error, "the certificate could not be looked at"),
        }
        if warned.is_none_or(|last| last.elapsed() >= DAILY) {
            warned = Some(Instant::now());
            tls.say_when_it_ends();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use hitherto_testkit::Certificates;

    use super::*;

    fn copy(from: &Certificates, to: &Path) {
        fs::copy(from.server_cert(), to.join("tls.crt")).unwrap();
        fs::copy(from.server_key(), to.join("tls.key")).unwrap();
    }

    fn files(folder: &Path) -> TlsFiles {
        TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key"), clients: None }
    }

    fn in_use(tls: &Tls) -> *const ServerConfig {
        Arc::as_ptr(&tls.config(Protocol::Http))
    }

    /// Kubernetes writes a folder beside the old one and turns a link.
    #[test]
    fn a_link_that_is_turned_is_a_new_certificate() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            copy(&Certificates::new(), &folder.path().join(name));
        }
        let data = folder.path().join("..data");
        symlink("one", &data).unwrap();
        let tls = Tls::load(files(&data)).unwrap();
        let before = in_use(&tls);
        assert!(matches!(tls.look(false), Looked::Same));
        symlink("two", folder.path().join("..new")).unwrap();
        fs::rename(folder.path().join("..new"), &data).unwrap();
        assert!(matches!(tls.look(false), Looked::Changing));
        assert_eq!(in_use(&tls), before);
        assert!(matches!(tls.look(false), Looked::Taken));
        assert_ne!(in_use(&tls), before);
        assert!(matches!(tls.look(false), Looked::Same));
    }

    /// A certificate and its key are two files; between writing one and the other they do not belong together.
    #[test]
    fn what_is_half_written_is_said_once_and_the_whole_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (Certificates::new(), Certificates::new());
        copy(&old, folder.path());
        let tls = Tls::load(files(folder.path())).unwrap();
        let before = in_use(&tls);
        fs::copy(new.server_cert(), folder.path().join("tls.crt")).unwrap();
        assert!(matches!(tls.look(false), Looked::Changing));
        assert!(matches!(tls.look(false), Looked::Refused(TlsError::Unusable { option: "tls_key", .. })));
        assert!(matches!(tls.look(false), Looked::Same));
        fs::remove_file(folder.path().join("tls.key")).unwrap();
        assert!(matches!(tls.look(false), Looked::Refused(TlsError::Unreadable { option: "tls_key", .. })));
        assert!(matches!(tls.look(false), Looked::Same));
        assert_eq!(in_use(&tls), before);
        // Told to, it says again what is wrong, and takes at once what is right.
        assert!(matches!(tls.look(true), Looked::Refused(_)));
        fs::copy(new.server_key(), folder.path().join("tls.key")).unwrap();
        assert!(matches!(tls.look(true), Looked::Taken));
        assert!(matches!(tls.look(false), Looked::Same));
    }
}
