//! Opens the store that the settings name.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use hitherto::Store;
use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::store::redis::{RedisOptions, RedisStore};
use secrecy::ExposeSecret as _;

use crate::settings::{Backend, Settings};

/// What a command does with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads: an embedded file must be there, and is not changed.
    Read,
    /// It changes what is there: an embedded file must be there.
    Change,
    /// It writes: an embedded file is made if it is not there.
    Write,
}

/// Opens the store. A Redis that is down is no error here: the first call finds out.
///
/// # Errors
/// If the file or the address cannot be used, and for a server, which is no store.
pub fn open(settings: &Settings, access: Access) -> anyhow::Result<Arc<dyn Store>> {
    match &settings.backend {
        Backend::Embedded(path) => {
            let mut options = EmbeddedOptions::new(path);
            options.deadline = settings.deadline;
            options.read_only = access == Access::Read;
            if access != Access::Write && !path.exists() {
                bail!(
                    "there is no embedded store {}; say where the sessions are with --db, --redis or --server",
                    path.display()
                );
            }
            let store = EmbeddedStore::open(options)
                .with_context(|| format!("the embedded store {} cannot be opened", path.display()))?;
            Ok(Arc::new(store))
        }
        Backend::Redis(url) => {
            let mut options = RedisOptions::new(url.expose_secret());
            options.deadline = settings.deadline;
            options.ca.clone_from(&settings.redis_ca);
            options.client_certificate.clone_from(&settings.redis_client);
            options.acknowledge_replicas = settings.acknowledge_replicas;
            options.acknowledge_timeout = settings.acknowledge_timeout;
            let store = RedisStore::new(options)
                .with_context(|| format!("{} cannot be used", shown(&settings.backend)))?;
            Ok(Arc::new(store))
        }
        Backend::Server(url) => bail!("{url} is a server, and this command works on a store"),
    }
}

/// The store in words, without user, password or parameters.
pub fn shown(backend: &Backend) -> String {
    match backend {
        Backend::Embedded(path) => format!("the embedded store {}", path.display()),
        Backend::Redis(url) => format!("Redis at {}", without_secrets(url.expose_secret())),
        Backend::Server(url) => format!("the server {}", without_secrets(url)),
    }
}

/// Everything up to the last `@` may be a password that somebody forgot to encode; a unix socket takes
/// its password as a parameter.
pub(crate) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_secrets() {
        let check = |url: &str, expected: &str| {
            assert_eq!(shown(&Backend::Redis(url.into())), format!("Redis at {expected}"));
        };
        check("redis://h:6379/2", "redis://h:6379/2");
        check("rediss://user:pass@h:6379/2", "rediss://h:6379/2");
        check("redis://user:p@ss/w:rd@h", "redis://h");
        check("unix:///run/redis.sock?db=1&pass=secret", "unix:///run/redis.sock");
        check("redis://u:a?b#c@h", "redis://h");
        check("redis+sentinel://u:p@h,i:1/m?sentinel_password=s", "redis+sentinel://h,i:1/m");
    }
}
