//! What was measured in one run: a line for people, a line for programs, and a verdict that fails a test.

use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

use super::check::Verdict;
use super::run::Figures;

/// The folder that reports are written to, where somebody wants them.
const FOLDER: &str = "HITHERTO_FAULTS_REPORT";

/// A run's figures and verdict.
#[derive(Debug)]
pub struct Report {
    /// The row of the table, which is the test's name.
    row: String,
    figures: Figures,
    verdict: Verdict,
    notes: Vec<String>,
}

impl Report {
    /// The report of a run.
    pub fn new(row: &str, figures: Figures, verdict: Verdict) -> Self {
        Self { row: row.to_owned(), figures, verdict, notes: Vec::new() }
    }

    /// With something else that was measured.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Prints it, writes it where `HITHERTO_FAULTS_REPORT` says, and fails if anything is wrong.
    ///
    /// # Panics
    /// If something acknowledged is lost, doubled or in disorder, or an append was never acknowledged.
    pub fn conclude(self) {
        println!("{self}");
        if let Some(folder) = std::env::var_os(FOLDER) {
            let file = Path::new(&folder).join(format!("{}.tsv", self.row));
            std::fs::write(&file, self.line()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        assert!(self.verdict.is_good(), "{}:\n{}", self.row, self.verdict.said());
        let given_up = self.figures.given_up;
        assert_eq!(
            given_up, 0,
            "{}: appends that were never acknowledged: {:?}",
            self.row, self.figures.refused
        );
    }

    /// Fields with tabs between them, in the order in which `cargo xtask faults` reads them.
    fn line(&self) -> String {
        let Figures { acknowledged, unavailable, took, .. } = &self.figures;
        let verdict = &self.verdict;
        let [p50, p99, most] = took.map(|took| took.as_millis().to_string());
        let fields = [
            acknowledged.to_string(),
            (verdict.lost.len() + verdict.forgotten).to_string(),
            verdict.doubled.len().to_string(),
            (verdict.disordered.len() + verdict.strange.len()).to_string(),
            self.failures().to_string(),
            unavailable.as_millis().to_string(),
            p50,
            p99,
            most,
            self.notes.join("; "),
        ];
        fields.join("\t") + "\n"
    }

    /// How many tries failed, with an error as the answer or without an answer.
    fn failures(&self) -> u64 {
        self.figures.refused.values().sum::<u64>() + self.figures.broken.values().sum::<u64>()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Figures { acknowledged, refused, broken, unavailable, took, .. } = &self.figures;
        let Verdict { lost, doubled, disordered, strange, forgotten } = &self.verdict;
        let [p50, p99, most] = took.map(shown);
        write!(
            f,
            "{}: {acknowledged} acknowledged, {} lost, {} doubled, {} in disorder; unavailable {}; an append took {p50} \
             (half), {p99} (99 of 100), {most} (all); errors {refused:?}, broken {broken:?}",
            self.row,
            lost.len(),
            doubled.len(),
            disordered.len() + strange.len(),
            shown(*unavailable),
        )?;
        if *forgotten > 0 {
            write!(f, "; {forgotten} went with the store's memory")?;
        }
        for note in &self.notes {
            write!(f, "; {note}")?;
        }
        Ok(())
    }
}

fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
