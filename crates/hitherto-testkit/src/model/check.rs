//! Runs random operations on a store and on the model, and finds the shortest run on which they differ.

use std::panic::AssertUnwindSafe;

use hitherto::store::Range;
use hitherto::{Scope, Tenant, Window};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::operation::{NAMES, Operation, list, operation};
use super::sessions::Sessions;
use crate::suite::Subject;

/// How often a run that differs is made shorter before it is shown.
const SHORTER: usize = 400;

/// Compares a store with the model in `cases` runs of 1 to 60 operations.
///
/// `HITHERTO_MODEL_SEED` and `HITHERTO_MODEL_CASES` replace the two numbers, to look for longer or elsewhere.
///
/// # Panics
///
/// With the shortest run found on which the two differ, and where.
pub async fn model_check(on: Subject, seed: u64, cases: u32) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let seed: u64 = number("HITHERTO_MODEL_SEED").unwrap_or(seed);
    let cases = number("HITHERTO_MODEL_CASES").map_or(cases, |cases| u32::try_from(cases).unwrap());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let runs = vec(operation(), 1..60);
    for case in 0..cases {
        let mut tree = runs.new_tree(&mut runner).unwrap();
        let mut shortest = (tree.current(), String::new());
        match run(&on, &tree.current(), &format!("{case}")).await {
            Ok(()) => continue,
            Err(difference) => shortest.1 = difference,
        }
        let mut differs = true;
        for attempt in 0..SHORTER {
            if !(if differs { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            let result = run(&on, &tree.current(), &format!("{case}.{attempt}")).await;
            differs = result.is_err();
            if let Err(difference) = result {
                shortest = (tree.current(), difference);
            }
        }
        // Simplifying one operation may have made another one needless, which proptest does not try again.
        for step in (0..shortest.0.len()).rev() {
            let mut fewer = shortest.0.clone();
            fewer.remove(step);
            if let Err(difference) = run(&on, &fewer, &format!("{case}-{step}")).await {
                shortest = (fewer, difference);
            }
        }
        let (operations, difference) = shortest;
        let shown: Vec<_> =
            operations.iter().enumerate().map(|(step, done)| format!("  {step}: {done:?}")).collect();
        panic!("seed {seed}, case {case}:\n{}\n{difference}", shown.join("\n"));
    }
}

/// One run, under a tenant of its own; says where the two differ.
async fn run(on: &Subject, operations: &[Operation], name: &str) -> Result<(), String> {
    let scope = Scope { tenant: Tenant::parse(&format!("run {name}")).unwrap(), ..Scope::default() };
    // A store that panics or fails differs, too, and is worth a shorter run.
    let running = tokio::spawn({
        let (on, operations) = (on.clone(), operations.to_vec());
        async move { compare(&on, &operations, &scope).await }
    });
    match AssertUnwindSafe(running).0.await {
        Ok(result) => result,
        Err(panicked) => {
            let payload = panicked.into_panic();
            let said = payload
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(said.unwrap_or_else(|| "a panic".to_owned()))
        }
    }
}

async fn compare(on: &Subject, operations: &[Operation], scope: &Scope) -> Result<(), String> {
    let mut model = Sessions::default();
    let all = NAMES.iter().enumerate().flat_map(|(session, _)| {
        [
            Operation::Describe { session },
            Operation::Read { session, range: Range::After(0, 10_000) },
            Operation::Read { session, range: Range::Window(Window::Turns(3)) },
        ]
    });
    let end: Vec<Operation> = all.collect();
    for (step, operation) in operations.iter().chain(&end).enumerate() {
        let [answer, expected] = operation.run(on, scope, &mut model, step).await;
        if !answer.agrees(&expected, on.slack()) {
            return Err(format!(
                "step {step}, {operation:?}\n  the store: {answer:?}\n  the model: {expected:?}"
            ));
        }
    }
    let (answer, expected) = (list(on, scope, "", 2, None).await, model.list("", None));
    if !answer.agrees(&expected, on.slack()) {
        return Err(format!("the list at the end\n  the store: {answer:?}\n  the model: {expected:?}"));
    }
    Ok(())
}
