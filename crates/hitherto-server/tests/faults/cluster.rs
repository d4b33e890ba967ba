//! A Redis Cluster of three primaries whose parts die, move, come and go.

use hitherto_testkit::faults::{Figures, Hitherto, Report, Run, Setup, check, straight_from_redis};
use hitherto_testkit::{Client, Cluster, ClusterSettings, RedisSettings, ServerKind, slot_of};

use crate::{binary, now, plan, reckoning};

const PRIMARIES: u16 = 3;

fn start(replicas: u16, flags: &[&str]) -> (Cluster, Hitherto) {
    let node = RedisSettings::new(ServerKind::Redis7).append_only();
    let cluster = ClusterSettings::new(node, PRIMARIES, replicas).start();
    let url = cluster.url();
    let setup = Setup::new(&binary(), &[&["--redis", url.as_str()], flags].concat());
    (cluster, Hitherto::start(&setup))
}

/// A primary is killed, and its replica takes over, which has all that was acknowledged (`acknowledge = replicas:1`).
#[tokio::test(flavor = "multi_thread")]
async fn cluster_primary_killed() {
    let (cluster, server) = now(|| start(1, &["--acknowledge", "replicas:1"]));
    let run = Run::start(plan(), vec![server.address()]);
    run.more(run.share(30)).await;
    now(|| {
        let killed = cluster.primary_of(&log(0));
        cluster.kill(killed);
        cluster.await_ok();
        cluster.restart(killed);
    });
    conclude("cluster_primary_killed", "acknowledge = replicas:1", run.finish().await, &cluster, &server)
        .await;
}

/// The slots of the sessions that are being written to move to the next node, and the next, with their keys: between
/// the two, a slot's keys are in part here and in part there.
#[tokio::test(flavor = "multi_thread")]
async fn cluster_slots_moved() {
    let (cluster, server) = now(|| start(0, &[]));
    let plan = plan();
    let sessions = plan.sessions;
    let run = Run::start(plan, vec![server.address()]);
    run.more(run.share(20)).await;
    for _ in 0..2 {
        for session in 0..sessions {
            now(|| {
                let slot = slot_of(&log(session));
                let from = cluster.primary_of_slot(slot);
                cluster.move_slots(&[slot], from, (from + 1) % usize::from(PRIMARIES));
            });
            run.more(run.share(2)).await;
        }
    }
    let note = format!("{} slots", 2 * sessions);
    conclude("cluster_slots_moved", &note, run.finish().await, &cluster, &server).await;
}

/// A fourth node comes and takes over sessions; then one of the first three gives its slots to the others and goes.
#[tokio::test(flavor = "multi_thread")]
async fn cluster_node_comes_and_goes() {
    let (cluster, server) = now(|| start(0, &[]));
    let run = Run::start(plan(), vec![server.address()]);
    run.more(run.share(20)).await;
    now(|| {
        let new = cluster.add_node();
        for session in 0..2 {
            let slot = slot_of(&log(session));
            cluster.move_slots(&[slot], cluster.primary_of_slot(slot), new);
        }
    });
    run.more(run.share(20)).await;
    now(|| cluster.remove_node(cluster.primary_of(&log(2))));
    let note = "one added, one removed";
    conclude("cluster_node_comes_and_goes", note, run.finish().await, &cluster, &server).await;
}

/// The key of a session's log.
fn log(session: u32) -> String {
    let name = format!("s{session}");
    format!("hitherto:{{7:default:12:chat_history:{}:{name}}}:log", name.len())
}

async fn conclude(row: &str, note: &str, figures: Figures, cluster: &Cluster, server: &Hitherto) {
    let told = reckoning::told(&figures, server.address()).await;
    let mut primaries: Vec<Client> = now(|| cluster.primaries().iter().map(|node| node.connect()).collect());
    let lies = check(&figures.sent, &straight_from_redis(&mut primaries), None);
    Report::new(row, figures, told.and(lies)).note(note).conclude();
}
