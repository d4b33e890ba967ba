//! One thread for the work that summaries cost a processor: counting tokens, choosing sentences.
//!
//! It has the lowest priority that the system gives, so that appends and reads go first where there is not enough
//! processor for all; folding then comes later, and nothing waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{OnceLock, mpsc};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Does some work on the thread and waits for it; `None` if the work panicked, or there is no thread.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Whoever gave up waiting needs no answer.
        let _ = reply.send(catch_unwind(AssertUnwindSafe(work)).ok());
    });
    jobs()?.send(job).ok()?;
    answer.await.ok().flatten()
}

/// The way to the thread, which begins when it is first needed and lives as long as the process.
fn jobs() -> Option<&'static mpsc::Sender<Job>> {
    static JOBS: OnceLock<Option<mpsc::Sender<Job>>> = OnceLock::new();
    JOBS.get_or_init(|| {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new().name("hitherto-folds".to_owned()).spawn(move || {
            #[cfg(target_os = "linux")]
            if let Err(error) = rustix::process::nice(19) {
                tracing::debug!(%error, "summaries are made at the priority of everything else");
            }
            for job in waiting {
                job();
            }
        });
        match thread {
            Ok(_) => Some(jobs),
            Err(error) => {
                tracing::error!(%error, "there is no thread to make summaries on");
                None
            }
        }
    })
    .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn works_on_after_a_panic() {
        assert_eq!(run(|| 6 * 7).await, Some(42));
        assert_eq!(run(|| -> u32 { panic!("on purpose") }).await, None);
        assert_eq!(
            run(|| std::thread::current().name().map(str::to_owned)).await,
            Some(Some("hitherto-folds".to_owned()))
        );
    }
}
