//! Long work goes on when a store or server is away for a moment: what failed so is done again, a few times.
//!
//! Only for calls that may be made twice: reads, and appends with an idempotency key.

use std::time::Duration;

use crate::target::TargetError;

/// How long is waited before each repetition: a restart takes a second or two.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
];

/// Makes the call, and again while it fails in a way that may pass.
pub(crate) async fn again<T>(call: impl AsyncFn() -> Result<T, TargetError>) -> Result<T, TargetError> {
    for pause in PAUSES {
        match call().await {
            Err(error) if error.is_retryable() => tokio::time::sleep(pause).await,
            done => return done,
        }
    }
    call().await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use hitherto::StoreError;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn gives_up_at_once_or_after_a_while() {
        let check = async |error: TargetError, fails, expected_calls, succeeds: bool| {
            let calls = AtomicU32::new(0);
            let done = again(async || match calls.fetch_add(1, Ordering::Relaxed) {
                call if call < fails => Err(error.clone()),
                _ => Ok(()),
            })
            .await;
            assert_eq!((calls.load(Ordering::Relaxed), done.is_ok()), (expected_calls, succeeds));
        };
        let loading = TargetError::Memory(StoreError::Loading { store: "Redis".to_owned() }.into());
        check(loading.clone(), 0, 1, true).await;
        check(loading.clone(), 4, 5, true).await;
        check(loading, 9, 5, false).await;
        check(TargetError::NotInHeaders, 9, 1, false).await;
    }
}
