//! Processes that are killed (SIGKILL) while they are written to.

use hitherto_testkit::faults::{Hitherto, Run};

use crate::{durable_redis, now, on_file, on_redis, plan, reckoning};

/// How often.
const KILLS: u64 = 5;

/// The server dies in the middle of commits, with requests half read and answers half written, and starts again on the
/// same file. Clients see broken connections and send again, under the same keys.
#[tokio::test(flavor = "multi_thread")]
async fn server_killed_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let server = Hitherto::start(&on_file(&file));
    let figures = with_kills(&server).await;
    let report = reckoning::on_file("server_killed_embedded", figures, server.address(), &file).await;
    report.note(format!("{KILLS} kills")).conclude();
}

/// The same server on a Redis: scripts that it has sent are carried out without it.
#[tokio::test(flavor = "multi_thread")]
async fn server_killed_redis() {
    let redis = durable_redis();
    let server = Hitherto::start(&on_redis(&redis.url()));
    let figures = with_kills(&server).await;
    let report = reckoning::on_redis("server_killed_redis", figures, server.address(), &redis).await;
    report.note(format!("{KILLS} kills")).conclude();
}

async fn with_kills(server: &Hitherto) -> hitherto_testkit::faults::Figures {
    let run = Run::start(plan(), vec![server.address()]);
    for _ in 0..KILLS {
        run.more(run.share(15)).await;
        now(|| {
            server.kill();
            server.start_again();
        });
    }
    run.finish().await
}

/// Redis dies and starts again with its append-only file, which it synced before every answer (`appendfsync always`).
/// What it had stored and not answered is found when it is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn redis_killed() {
    let redis = durable_redis();
    let server = Hitherto::start(&on_redis(&redis.url()));
    let run = Run::start(plan(), vec![server.address()]);
    for _ in 0..KILLS {
        run.more(run.share(15)).await;
        now(|| redis.restart());
    }
    let figures = run.finish().await;
    let report = reckoning::on_redis("redis_killed", figures, server.address(), &redis).await;
    report.note(format!("{KILLS} kills")).conclude();
}
