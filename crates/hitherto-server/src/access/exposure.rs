//! Where others can reach the server, its gate is closed, unless somebody has said that it shall be open.
//!
//! Invariant: beyond loopback nothing that happens later opens a gate that was closed at the start.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::bail;
use hitherto::Store;

use super::{Gate, GateOptions};
use crate::settings::{Backend, Settings};

/// Looks whether the server may listen at an address that others can reach, before anything is made: a store that is not
/// there yet has no tokens.
///
/// # Errors
/// If it may not.
pub(crate) fn check(settings: &Settings, exposed: Option<SocketAddr>) -> anyhow::Result<()> {
    match (exposed, &settings.backend) {
        (Some(address), Backend::Embedded(path)) if !is_decided(settings) && !path.exists() => {
            bail!(open_to_all(address))
        }
        _ => Ok(()),
    }
}

/// The gate of a server that listens there.
///
/// # Errors
/// If it would stand open to others without anybody having said so, or the keys of signed tokens are none.
pub(crate) async fn gate(
    settings: &Settings,
    store: &Arc<dyn Store>,
    exposed: Option<SocketAddr>,
) -> anyhow::Result<Gate> {
    let mut options = GateOptions::from(settings);
    // Asked only where it matters; a store that does not answer may have tokens.
    let has_none = async || matches!(store.any_credential().await, Ok(false));
    match exposed {
        Some(address) if settings.insecure_no_auth && !options.is_closed() => tracing::warn!(
            %address,
            "insecure_no_auth: as long as there is no token, whoever reaches this server reads and changes everything"
        ),
        Some(address) if !settings.insecure_no_auth => {
            if !options.is_closed() && has_none().await {
                bail!(open_to_all(address));
            }
            options.require = true;
        }
        Some(_) => {}
        // A page of another site can reach this machine by a name of its own that leads here.
        None => options.local = !settings.insecure_no_auth,
    }
    if options.require && options.jwt.is_none() && has_none().await {
        tracing::warn!("there is no token yet, so nobody is let in; `hitherto token create` makes one");
    }
    let from_file = options.jwt.as_ref().is_some_and(|jwt| !jwt.keys.contains("://"));
    let gate = Gate::new(Arc::clone(store), options);
    match gate.load_keys().await {
        Ok(()) => {}
        Err(why) if from_file => bail!("jwt_keys: {why}"),
        // It is tried again when a signed token comes.
        Err(why) => tracing::warn!(why, "the keys of signed tokens cannot be read yet"),
    }
    Ok(gate)
}

/// Whether it was said who is let in.
fn is_decided(settings: &Settings) -> bool {
    settings.insecure_no_auth || GateOptions::from(settings).is_closed()
}

fn open_to_all(address: SocketAddr) -> String {
    format!(
        "{address} can be reached by others, and there are no tokens yet: whoever reached the server would read and change \
         every session. Make one with `hitherto token create`, or give --require-tokens; or listen on 127.0.0.1 or [::1]; \
         or say --insecure-no-auth, where something else checks who asks"
    )
}
