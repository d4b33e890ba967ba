//! The whole suite in one test, for stores that take long to start: a few of them are used over and over.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use tokio::runtime::Builder;

use super::Subject;

/// One case of the suite.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its module and its name.
    pub name: &'static str,
    /// What it does.
    pub run: fn(Subject) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Runs every case of the suite. Each maker makes the store that it has empty and new, as often as it is called; makers
/// work side by side.
///
/// # Panics
///
/// If a case fails, with the names of all that do, when all have been run.
pub fn together(makers: Vec<Box<dyn Fn() -> Subject + Send>>) {
    let cases: Vec<Case> = crate::store_suite! { @all table () };
    let waiting = Mutex::new(VecDeque::from(cases));
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for make in makers {
            let (waiting, failed) = (&waiting, &failed);
            scope.spawn(move || {
                loop {
                    let Some(case) = waiting.lock().unwrap().pop_front() else { return };
                    println!("{}", case.name);
                    // A runtime of its own, as every other test has: what a store does in the background ends with it,
                    // before the next case finds its servers empty.
                    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
                    if runtime.block_on(async { tokio::spawn((case.run)(make())).await }).is_err() {
                        failed.lock().unwrap().push(case.name);
                    }
                }
            });
        }
    });
    let failed = failed.lock().unwrap();
    assert!(failed.is_empty(), "{} cases failed: {failed:#?}", failed.len());
}
