//! The power fails under the embedded store.
//!
//! A process that is killed leaves the system's cache behind, and everything it wrote is there; a machine that stops
//! does not. So the server writes to a disk that keeps what was synced and tears the rest (`hitherto_testkit::faults`,
//! `disk`): pages missing, torn between sectors, or garbage, at the end of the journal and in the database.

use hitherto_testkit::faults::{Disk, Figures, Hitherto, Run, Verdict, check, straight_from_file};
use hitherto_testkit::loss::Chance;

use crate::{now, on_file, plan, reckoning};

/// How often the power fails under the running server.
const CUTS: u64 = 3;
/// How many other moments of each stretch are looked at: what the disk would have held had it failed then.
const MOMENTS: u64 = 30;

/// The server is killed in the middle of a commit and its disk keeps only what was synced; it starts again on that and
/// goes on. Besides, for moments drawn from everything that was ever written, the file is opened as the disk would
/// have left it, and what had been acknowledged by then must be in it.
#[tokio::test(flavor = "multi_thread")]
async fn power_cut() {
    let disk = Disk::new();
    let mut chance = Chance::new(7, 0);
    let server = Hitherto::start(&disk.equip(on_file(disk.file())));
    let mut plan = plan();
    plan.disk_log = Some(disk.log());
    let run = Run::start(plan, vec![server.address()]);
    let mut moments = Vec::new();
    // Before the first append is acknowledged, the tables are still being made.
    run.acknowledged(1).await;
    let mut from = now(|| std::fs::metadata(disk.log()).unwrap().len());
    for _ in 0..CUTS {
        run.more(run.share(20)).await;
        now(|| {
            server.kill();
            for (number, (at, image)) in disk.moments(from, MOMENTS, &mut chance).into_iter().enumerate() {
                moments.push((at, disk.place(&image, &format!("moment-{}-{number}.db", moments.len()))));
            }
            disk.cut(&mut chance);
            from = std::fs::metadata(disk.log()).unwrap().len();
            server.start_again();
        });
    }
    let figures = run.finish().await;
    let mut verdict = Verdict::default();
    for (at, file) in &moments {
        verdict = verdict.and(at_moment(&figures, *at, file).await);
    }
    let told = reckoning::told(&figures, server.address()).await;
    let note = format!("{CUTS} cuts, and {} other moments at which it might have failed", moments.len());
    hitherto_testkit::faults::Report::new("power_cut", figures, told.and(verdict)).note(note).conclude();
}

/// What was acknowledged by the time that the log of the disk was so long, beside what the file has that the disk
/// would have left.
async fn at_moment(figures: &Figures, at: u64, file: &std::path::Path) -> Verdict {
    let mut sent = figures.sent.clone();
    for sent in &mut sent {
        sent.acknowledged = sent.acknowledged.filter(|acknowledged| acknowledged.logged <= at);
    }
    check(&sent, &straight_from_file(file).await, None)
}
