//! Every session, whole: as the server tells it, and as it lies in the store.

use std::net::SocketAddr;
use std::path::Path;

use hitherto_testkit::RedisServer;
use hitherto_testkit::faults::{
    Figures, Report, Verdict, check, over_http, straight_from_file, straight_from_redis,
};

/// What is stored, beside what was acknowledged.
pub async fn on_redis(row: &str, figures: Figures, server: SocketAddr, redis: &RedisServer) -> Report {
    let told = told(&figures, server).await;
    let lies = check(&figures.sent, &straight_from_redis(&mut [redis.connect()]), None);
    Report::new(row, figures, told.and(lies))
}

/// The same for a file.
pub async fn on_file(row: &str, figures: Figures, server: SocketAddr, file: &Path) -> Report {
    let told = told(&figures, server).await;
    let lies = check(&figures.sent, &straight_from_file(file).await, None);
    Report::new(row, figures, told.and(lies))
}

/// What a server tells, beside what was acknowledged.
pub async fn told(figures: &Figures, server: SocketAddr) -> Verdict {
    check(&figures.sent, &over_http(server, figures.sessions()).await, None)
}
