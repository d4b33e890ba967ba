//! What came of one client on one store, and the table of all.

use std::path::PathBuf;
use std::time::Duration;

use super::list::Client;
use super::server::Store;

/// How many lines of a failed client are shown; the rest is in its log.
const SHOWN_LINES: usize = 120;

/// What a run said of its tests.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Why it counts as failed whatever its tests say: it did not end well, or not in time.
    pub(crate) trouble: Option<String>,
    pub(crate) took: Duration,
    pub(crate) output: String,
    pub(crate) log: PathBuf,
}

impl Outcome {
    /// All tests ran and were right, and there was at least one.
    pub(crate) fn passed(&self) -> bool {
        self.trouble.is_none() && self.failed == 0 && self.skipped == 0 && self.passed > 0
    }

    fn cell(&self) -> String {
        match (&self.trouble, self.passed()) {
            (_, true) => format!("{} passed", self.passed),
            (Some(trouble), _) if self.failed == 0 => format!("FAILED: {trouble}"),
            _ if self.skipped > 0 => format!("FAILED: {} were skipped", self.skipped),
            _ => format!("FAILED {} of {}", self.failed, self.failed + self.passed),
        }
    }

    /// Says how it went as soon as it is known, with the output where that explains a failure.
    pub(crate) fn tell(&self, client: &Client, store: Store) {
        println!(
            "  {:<24} {:<9} {:<16} {:>5.1} s",
            client.name,
            store.name(),
            self.cell(),
            self.took.as_secs_f64()
        );
        for line in self.output.lines().filter(|line| line.contains("requests per second")) {
            println!("      {}", line.trim_start_matches(['#', ' ']));
        }
        if !self.passed() {
            let lines: Vec<_> = self.output.lines().collect();
            for line in lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default() {
                println!("      | {line}");
            }
            println!("      the whole of it: {}", self.log.display());
        }
    }
}

/// How many tests passed, failed and were skipped, from node's TAP or pytest's last line.
pub(crate) fn counts(output: &str) -> (usize, usize, usize) {
    let tap = |word: &str| {
        let start = format!("# {word} ");
        output.lines().rev().find_map(|line| line.strip_prefix(&start)?.trim().parse::<usize>().ok())
    };
    if let (Some(passed), Some(failed)) = (tap("pass"), tap("fail")) {
        let others = ["skipped", "todo"].into_iter().filter_map(tap).sum();
        return (passed, failed + tap("cancelled").unwrap_or(0), others);
    }
    let last =
        output.lines().rev().find(|line| line.contains(" in ") && line.ends_with('s')).unwrap_or_default();
    let words: Vec<_> = last.split([' ', ',', '=']).filter(|word| !word.is_empty()).collect();
    let count = |names: &[&str]| {
        let named = |pair: &&[&str]| pair.get(1).is_some_and(|word| names.contains(word));
        words.windows(2).filter(named).filter_map(|pair| pair.first()?.parse::<usize>().ok()).sum()
    };
    (count(&["passed"]), count(&["failed", "error", "errors"]), count(&["skipped", "xfailed", "xpassed"]))
}

/// Prints all of them, a line a client and a column a store.
pub(crate) fn table(clients: &[&Client], stores: &[Store], outcomes: &[(&str, Store, Outcome)]) {
    print!("\n{:<26}", "client");
    for store in stores {
        print!("{:<24}", store.name());
    }
    println!();
    for client in clients {
        print!("{:<26}", client.name);
        for store in stores {
            let found = outcomes.iter().find(|(name, on, _)| *name == client.name && on == store);
            print!("{:<24}", found.map_or_else(|| "not run".to_owned(), |(_, _, outcome)| outcome.cell()));
        }
        println!();
    }
    println!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_as_node_and_pytest_print_them() {
        for (output, expected) in [
            ("ok 1 - a\n# tests 3\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n", (2, 1, 0)),
            ("# pass 2\n# fail 0\n# cancelled 1\n# skipped 1\n# todo 1\n", (2, 1, 2)),
            ("24 passed, 5 warnings in 12.56s\n", (24, 0, 0)),
            ("FAILED test_zep.py::a - b\n1 failed, 5 passed in 4.40s", (5, 1, 0)),
            ("2 passed, 1 skipped, 1 error in 1.00s", (2, 1, 1)),
            ("no tests ran in 0.01s", (0, 0, 0)),
            ("SyntaxError: nonsense", (0, 0, 0)),
        ] {
            assert_eq!(counts(output), expected, "{output}");
        }
    }

    #[test]
    fn nothing_that_ran_is_no_success() {
        let outcome = |passed, failed, skipped, trouble: Option<&str>| Outcome {
            passed,
            failed,
            skipped,
            trouble: trouble.map(str::to_owned),
            took: Duration::ZERO,
            output: String::new(),
            log: PathBuf::new(),
        };
        assert!(outcome(1, 0, 0, None).passed());
        for bad in [
            outcome(0, 0, 0, None),
            outcome(5, 1, 0, None),
            outcome(5, 0, 1, None),
            outcome(5, 0, 0, Some("ended with 1")),
        ] {
            assert!(!bad.passed(), "{bad:?}");
        }
    }
}
