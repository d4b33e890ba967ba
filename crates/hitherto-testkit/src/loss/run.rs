//! A run of the harness: lives, faults, peace, and the reckoning.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hitherto::store::{At, Range, Reader};
use hitherto::summary::SummaryOptions;
use hitherto::{Error, Scope, Timestamp};

use super::chance::Chance;
use super::check::{due_turns, verify};
use super::chronicle::Chronicle;
use super::count::{Count, add};
use super::fleet::{Fleet, Ground, Server};
use super::life::{Lived, POLICY, World, live};
use super::scribe::Scribe;

/// How much a run does.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// So many sessions are begun, ...
    pub sessions: u64,
    /// ... or as many as there is time for.
    pub time: Option<Duration>,
    /// How many live at once.
    pub writers: usize,
    /// Decides all that is left to chance.
    pub seed: u64,
}

/// How many servers there are.
const SERVERS: usize = 3;
/// How long nothing may get settled before what is left counts as forgotten.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing may get settled before time is made to pass.
const STANDSTILL: Duration = Duration::from_millis(300);
/// How often is looked whether a condition holds for which there is no event.
const LOOK: Duration = Duration::from_millis(50);

/// The seed of `HITHERTO_SEED`, or a new one.
pub fn seed() -> u64 {
    let given = std::env::var("HITHERTO_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 % 1_000_000)
}

/// Runs it, and says what it did.
///
/// # Panics
/// If anything of what must be true is not.
pub async fn run(ground: Arc<Ground>, effort: Effort) -> String {
    let (start, count) = (Instant::now(), Count::new());
    let what = format!("{}, HITHERTO_SEED={}", ground.name(), effort.seed);
    println!("loss harness on {what}");
    let scribe = Arc::new(Scribe::new("scribe", 400, &count).wild(effort.seed));
    let stand_in = Arc::new(Scribe::new("stand-in", 400, &count));
    let fleet = Fleet::start(&ground, SERVERS, options(), scribe.clone(), Some(stand_in));
    let world =
        Arc::new(World { fleet, count: Arc::clone(&count), seed: effort.seed, texts: AtomicU64::new(0) });
    let peace = Arc::new(AtomicBool::new(false));
    let faults = tokio::spawn(faults(Arc::clone(&world), Arc::clone(&peace)));
    let progress = tokio::spawn(progress(Arc::clone(&count), what.clone()));
    let lived = lives(&world, effort).await;
    let lived_in = start.elapsed();
    peace.store(true, Ordering::SeqCst);
    faults.await.expect("faults");
    scribe.calm();
    settle(&world, lived).await;
    progress.abort();
    let done = format!(
        "loss harness on {what}: {count}; {:.1} s of life, {:.1} s in all",
        lived_in.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
    println!("{done}");
    if let Some(server) = ground.server() {
        // Not left to the last who holds on to it: that is a worker which the end of the process may overtake.
        server.kill();
    }
    let wrong = count.all_wrong();
    let shown: Vec<_> = wrong.iter().take(20).map(|what| format!("  {what}\n")).collect();
    assert!(wrong.is_empty(), "{} things are wrong with {what}:\n{}", wrong.len(), shown.concat());
    done
}

/// Small windows and short leases, so that much happens.
fn options() -> SummaryOptions {
    let mut options = SummaryOptions::default();
    options.policy.window = POLICY.0 as u32;
    options.policy.fold_after_turns = POLICY.1 as u32;
    options.policy.summary_tokens = 2_000;
    options.stand_in_after = 3;
    options.retry_first = Duration::from_millis(20);
    options.retry_most = Duration::from_millis(300);
    options.lease = Duration::from_millis(300);
    options.concurrency = 8;
    options.poll = Duration::from_millis(50);
    options
}

/// Lets all sessions live, so many at once.
async fn lives(world: &Arc<World>, effort: Effort) -> Vec<Lived> {
    let (next, end) = (Arc::new(AtomicU64::new(0)), effort.time.map(|time| Instant::now() + time));
    let writers: Vec<_> = (0..effort.writers)
        .map(|_| {
            let (world, next) = (Arc::clone(world), Arc::clone(&next));
            tokio::spawn(async move {
                let mut lived = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let over = match end {
                        Some(end) => Instant::now() >= end,
                        None => index >= effort.sessions,
                    };
                    if over {
                        return lived;
                    }
                    lived.extend(live(&world, index).await);
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for writer in writers {
        all.extend(writer.await.expect("a writer"));
    }
    all
}

/// Kills servers and the store, and lets leases end early, until there is peace.
async fn faults(world: Arc<World>, peace: Arc<AtomicBool>) {
    let mut chance = Chance::new(world.seed, u64::MAX);
    let mut round = 0;
    while !peace.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(chance.between(100, 500))).await;
        round += 1;
        if round % 6 == 5 && world.fleet.ground.server().is_some() {
            let (ground, down) = (Arc::clone(&world.fleet.ground), Duration::from_millis(chance.below(150)));
            let restarted = tokio::task::spawn_blocking(move || {
                if let Some(server) = ground.server() {
                    server.kill();
                    std::thread::sleep(down);
                    server.restart();
                }
            });
            restarted.await.expect("a Redis that starts again");
            add(&world.count.stores);
        } else if round % 10 == 7 {
            // Beyond all leases and claims.
            world.fleet.ground.advance(Duration::from_secs(70));
        } else {
            let (which, skew) = (chance.below(SERVERS as u64) as usize, chance.below(400) as i64 - 200);
            let world = Arc::clone(&world);
            add(&world.count.servers);
            tokio::task::spawn_blocking(move || world.fleet.kill(which, skew)).await.expect("a new server");
        }
    }
}

/// Says how it goes, every ten seconds.
async fn progress(count: Arc<Count>, what: String) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        println!("{what}: {count}");
    }
}

/// What is still to be done for a session, or is wrong with it for good.
enum Finding {
    Settled,
    Unsettled(String),
}

/// Looks at a session once there is peace, and if nothing is left to be done for it, compares it with what its
/// writers were told, and its summary with its messages.
async fn look(server: Server, lived: Lived, count: Arc<Count>) -> Result<Finding, Error> {
    let key = Scope::default().session(&lived.session);
    let at = At { key: &key, now: Timestamp::now() };
    let (slice, state) = server.store.read_with_summary(at, Range::After(0, 100_000), Reader::Folder).await?;
    if let Some((window, turns)) = lived.policy {
        let due = due_turns(&slice, &state, window);
        // Where a maximum removes messages, and where somebody wrote a summary, how many turns it covers is a guess.
        let enough = if lived.trimmed || lived.by_hand { usize::MAX } else { turns };
        if state.stale || due >= enough {
            let what = format!("{} is forgotten: {due} turns are due, stale: {}", lived.session, state.stale);
            return Ok(Finding::Unsettled(what));
        }
    }
    let chronicle: Chronicle = lived.chronicle.lock().expect("no writer has died").clone();
    for found in [verify(&slice, &state), chronicle.check(&slice)] {
        if let Err(what) = found {
            count.wrong(format!("{}: {what}", lived.session));
        }
    }
    Ok(Finding::Settled)
}

/// Waits until the workers have done all that is due, and compares every session.
async fn settle(world: &Arc<World>, lived: Vec<Lived>) {
    let (mut left, mut since) = (lived, Instant::now());
    // Claims and leases of the dead end, and what was put off comes.
    world.fleet.ground.advance(Duration::from_secs(200));
    loop {
        let before = left.len();
        let (still, why) = look_at_all(world, left).await;
        if still.is_empty() {
            return;
        }
        if still.len() < before {
            since = Instant::now();
        } else if since.elapsed() > PATIENCE {
            return why.into_iter().for_each(|what| world.count.wrong(what));
        }
        left = still;
        // Faster, and every lease would end before its fold.
        if since.elapsed() > STANDSTILL {
            world.fleet.ground.advance(Duration::from_secs(100));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks at sessions, many at once, and gives those that are not settled, and why.
async fn look_at_all(world: &Arc<World>, sessions: Vec<Lived>) -> (Vec<Lived>, Vec<String>) {
    let queue = Arc::new(Mutex::new(sessions));
    let lookers: Vec<_> = (0..32)
        .map(|which| {
            let (world, queue) = (Arc::clone(world), Arc::clone(&queue));
            tokio::spawn(async move {
                let mut found = Vec::new();
                loop {
                    let Some(one) = queue.lock().expect("no looker has died").pop() else { return found };
                    let count = Arc::clone(&world.count);
                    let looked = world.fleet.call(which, |server| look(server, one.clone(), count)).await;
                    match looked {
                        Some(Ok(Finding::Settled)) => {}
                        Some(Ok(Finding::Unsettled(what))) => found.push((one, what)),
                        other => {
                            let error = other.and_then(Result::err);
                            let what = format!("{} cannot be read: {error:?}", one.session);
                            found.push((one, what));
                        }
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for looker in lookers {
        all.extend(looker.await.expect("a looker"));
    }
    all.into_iter().unzip()
}
