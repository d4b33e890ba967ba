//! Nothing is lost (I4): sessions that are summarised while servers and stores are killed under them and the model
//! fails and lies. What was published of other systems stands in `loss_cases.rs`, by name.

use std::time::Duration;

use hitherto_testkit::ServerKind;
use hitherto_testkit::loss::{Effort, Ground, run, seed};

/// Together at least ten thousand.
const ON_REDIS: u64 = 7_500;
const ON_EMBEDDED: u64 = 2_600;

fn effort(sessions: u64) -> Effort {
    Effort {
        sessions,
        time: soak_minutes().map(|minutes| Duration::from_secs(minutes * 60)),
        writers: 32,
        seed: seed(),
    }
}

/// How long `cargo xtask soak` lets it go on.
fn soak_minutes() -> Option<u64> {
    std::env::var("HITHERTO_SOAK_MINUTES").ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_redis() {
    run(Ground::redis(ServerKind::Redis7), effort(ON_REDIS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_the_embedded_store() {
    run(Ground::embedded(), effort(ON_EMBEDDED)).await;
}
