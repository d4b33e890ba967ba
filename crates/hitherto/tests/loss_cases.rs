//! How other systems lose messages, by name, on every store.

use hitherto_testkit::ServerKind;
use hitherto_testkit::loss::Ground;

/// A new server, or nothing where that kind was not fetched.
fn on(kind: ServerKind) -> Option<std::sync::Arc<Ground>> {
    hitherto_testkit::available().contains(&kind).then(|| Ground::redis(kind))
}

mod embedded {
    use super::*;
    hitherto_testkit::loss_cases!(Some(Ground::embedded()));
}

mod redis_7 {
    use super::*;
    hitherto_testkit::loss_cases!(on(ServerKind::Redis7));
}

mod redis_8 {
    use super::*;
    hitherto_testkit::loss_cases!(on(ServerKind::Redis8));
}

mod valkey_9 {
    use super::*;
    hitherto_testkit::loss_cases!(on(ServerKind::Valkey9));
}
