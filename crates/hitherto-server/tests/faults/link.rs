//! The link between a server and its Redis: cut, silent, slow; and a Redis that stands still.

use std::time::Duration;

use hitherto_testkit::faults::{Figures, Hitherto, Run};
use hitherto_testkit::{Break, FaultProxy, Mode, RedisServer};

use crate::{durable_redis, now, on_redis, plan, reckoning};

/// A server whose way to Redis is a proxy.
struct Way {
    redis: RedisServer,
    proxy: FaultProxy,
    server: Hitherto,
}

fn way() -> Way {
    let redis = durable_redis();
    let proxy = FaultProxy::start(redis.addr());
    let server = Hitherto::start(&on_redis(&redis.url_via(proxy.addr())));
    Way { redis, proxy, server }
}

impl Way {
    fn run(&self) -> Run {
        Run::start(plan(), vec![self.server.address()])
    }

    async fn conclude(&self, row: &str, note: &str, figures: Figures) {
        let report = reckoning::on_redis(row, figures, self.server.address(), &self.redis).await;
        report.note(note).conclude();
    }
}

/// The link is closed in every way in which a reply can fail to come: before the request has arrived, after it was
/// carried out, in the middle of the reply, right after it, in one direction only; or the request arrives twice. The
/// server cannot know which of these it was, and what it sends again must not be stored again.
#[tokio::test(flavor = "multi_thread")]
async fn link_cut() {
    let way = way();
    let run = way.run();
    let mut cuts = 0;
    for round in 0..3 {
        for how in [
            None,
            Some(Break::BeforeRequest),
            Some(Break::DuringReply),
            Some(Break::AfterReply),
            Some(Break::HalfClose),
            Some(Break::Twice),
        ] {
            run.more(run.share(5)).await;
            // In a row, too, so that what is sent again by itself meets another cut.
            let times = 1 + round;
            match how {
                None => way.proxy.cut_before_reply(times),
                Some(how) => way.proxy.break_links(how, times),
            }
            cuts += times as u64;
            way.proxy.until(|stats| stats.cuts >= cuts).await;
        }
    }
    let figures = run.finish().await;
    way.conclude("link_cut", &format!("{cuts} cuts, in six ways"), figures).await;
}

/// Redis stands still for ten seconds (SIGSTOP: a machine that swaps, a disk that hangs), with requests in its buffers
/// that it carries out when it goes on, long after the server has given them up.
#[tokio::test(flavor = "multi_thread")]
async fn redis_paused() {
    let way = way();
    let run = way.run();
    run.acknowledged(run.share(25)).await;
    now(|| way.redis.pause());
    tokio::time::sleep(Duration::from_secs(10)).await;
    now(|| way.redis.resume());
    let figures = run.finish().await;
    way.conclude("redis_paused", "10 s", figures).await;
}

/// The link swallows everything, as one does whose other end has lost its power: no error, no answer. Links that were
/// made meanwhile stay silent for good, so the server has to leave them.
#[tokio::test(flavor = "multi_thread")]
async fn redis_silent() {
    let way = way();
    let run = way.run();
    run.acknowledged(run.share(25)).await;
    way.proxy.set(Mode::Silent);
    tokio::time::sleep(Duration::from_secs(5)).await;
    way.proxy.set(Mode::Pass);
    let figures = run.finish().await;
    way.conclude("redis_silent", "5 s", figures).await;
}

/// Every round trip takes 200 ms longer, as over a continent.
#[tokio::test(flavor = "multi_thread")]
async fn redis_slow() {
    let way = way();
    let run = way.run();
    run.acknowledged(run.share(25)).await;
    way.proxy.set(Mode::Delay(Duration::from_millis(200)));
    run.more(run.share(20)).await;
    way.proxy.set(Mode::Pass);
    let figures = run.finish().await;
    way.conclude("redis_slow", "200 ms more a round trip", figures).await;
}
