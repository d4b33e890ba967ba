//! Many servers on one store.

use hitherto_testkit::faults::{Hitherto, Run};

use crate::{durable_redis, now, on_redis, plan, reckoning};

/// How many.
const SERVERS: usize = 10;

/// An upgrade: one server after the other is told to end (SIGTERM) and started again, while clients behind a balancer
/// go on writing, several of them into one session through different servers.
#[tokio::test(flavor = "multi_thread")]
async fn rolling_restart() {
    let redis = durable_redis();
    let setup = on_redis(&redis.url());
    let servers: Vec<Hitherto> = now(|| (0..SERVERS).map(|_| Hitherto::start(&setup)).collect());
    let mut plan = plan();
    plan.writers = 30;
    let run = Run::start(plan, servers.iter().map(Hitherto::address).collect());
    for server in &servers {
        run.more(run.share(7)).await;
        now(|| {
            server.stop();
            server.start_again();
        });
    }
    let figures = run.finish().await;
    let report = reckoning::on_redis("rolling_restart", figures, servers[0].address(), &redis).await;
    report.note(format!("{SERVERS} servers, one after the other")).conclude();
}
