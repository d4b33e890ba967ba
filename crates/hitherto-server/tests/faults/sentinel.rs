//! A primary with replicas and three Sentinels, where a write is acknowledged once a replica has it
//! (`acknowledge = replicas:1`): a primary that goes takes nothing along that anybody was told.

use hitherto_testkit::faults::{Figures, Hitherto, Report, Run, Setup, check, straight_from_redis};
use hitherto_testkit::{RedisSettings, Sentinels, ServerKind};

use crate::{binary, now, plan, reckoning};

fn start(replicas: usize) -> (Sentinels, Hitherto) {
    let all = Sentinels::start_with(
        &RedisSettings::new(ServerKind::Redis7).append_only(),
        &RedisSettings::new(ServerKind::Redis7),
        replicas,
    );
    let setup = Setup::new(&binary(), &["--redis", &all.url(), "--acknowledge", "replicas:1"]);
    let server = Hitherto::start(&setup);
    (all, server)
}

/// An operator makes the replica the primary (`SENTINEL FAILOVER`), and back. The old primary takes writes for some
/// seconds after its replica has left it; none of them is acknowledged, since nobody else has it. (There is one replica:
/// a second one would follow the old primary for a while and count, and what it alone has is lost.)
#[tokio::test(flavor = "multi_thread")]
async fn sentinel_failover() {
    let (all, server) = now(|| start(1));
    let run = Run::start(plan(), vec![server.address()]);
    for _ in 0..2 {
        run.more(run.share(30)).await;
        now(|| all.fail_over());
    }
    conclude("sentinel_failover", run.finish().await, &all, &server).await;
}

/// The primary is killed; the Sentinels notice after a second and agree on another. What had been acknowledged is on
/// it, since a replica that has more of the primary's writes is preferred; the killed one comes back as a replica.
#[tokio::test(flavor = "multi_thread")]
async fn sentinel_primary_killed() {
    let (all, server) = now(|| start(2));
    let run = Run::start(plan(), vec![server.address()]);
    run.more(run.share(40)).await;
    let killed = now(|| {
        let killed = all.kill_primary();
        all.await_another(killed);
        killed
    });
    run.more(run.share(10)).await;
    now(|| all.restart(killed));
    conclude("sentinel_primary_killed", run.finish().await, &all, &server).await;
}

async fn conclude(row: &str, figures: Figures, all: &Sentinels, server: &Hitherto) {
    let told = reckoning::told(&figures, server.address()).await;
    let primary = now(|| all.servers()[all.primary()].connect());
    let lies = check(&figures.sent, &straight_from_redis(&mut [primary]), None);
    Report::new(row, figures, told.and(lies)).note("acknowledge = replicas:1").conclude();
}
