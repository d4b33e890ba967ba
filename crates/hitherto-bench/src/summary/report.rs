//! The table: the share of the facts that each method keeps.

use std::fmt::Write;

use super::{BUDGETS, ConversationFigures, Figures, MethodFigures};

pub(super) const AT_ONCE: &str = "ours, at once";
pub(super) const IN_STEPS: &str = "ours, in steps of 20 turns";
/// How many times what the best other method keeps.
const TO_REACH: f64 = 1.5;
/// How much of what folding at once keeps.
const STEPS_TO_REACH: f64 = 0.95;

/// All of it as text, in Markdown that also reads well in a terminal.
pub(super) fn render(figures: &Figures) -> String {
    let mut out = String::new();
    for conversation in &figures.conversations {
        writeln!(
            out,
            "{}: {} messages, {} facts; 20 turns are folded in {:.2} ms (median; longest {:.2} ms)\n",
            conversation.name,
            conversation.messages,
            conversation.facts,
            conversation.fold_ms,
            conversation.longest_fold_ms
        )
        .unwrap();
        table(&conversation.methods, conversation.facts, &mut out);
    }
    if let [_, _, ..] = figures.conversations.as_slice() {
        let facts = figures.conversations.iter().map(|conversation| conversation.facts).sum();
        writeln!(out, "all of them: {facts} facts\n").unwrap();
        table(&together(&figures.conversations), facts, &mut out);
    }
    out
}

/// What each method keeps of all conversations.
fn together(conversations: &[ConversationFigures]) -> Vec<MethodFigures> {
    let methods = conversations.first().map_or(&[][..], |first| &first.methods);
    let kept = |method: &str, at: usize| {
        let all = conversations.iter().flat_map(|conversation| &conversation.methods);
        all.filter(|other| other.method == method).map(|other| other.kept[at]).sum()
    };
    let sum = |method: &MethodFigures| MethodFigures {
        method: method.method,
        kept: (0..BUDGETS.len()).map(|at| kept(method.method, at)).collect(),
    };
    methods.iter().map(sum).collect()
}

fn table(methods: &[MethodFigures], facts: usize, out: &mut String) {
    let mut line = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:<18} |")).collect();
        writeln!(out, "| {name:<27} |{cells}").unwrap();
    };
    line("facts kept at", BUDGETS.map(|budget| format!("{budget} tokens")).into());
    line(&"-".repeat(27), BUDGETS.map(|_| "-".repeat(18)).into());
    for MethodFigures { method, kept } in methods {
        let cell = |kept: &f64| format!("{:5.1} % ({})", kept / facts as f64 * 100.0, count(*kept));
        line(method, kept.iter().map(cell).collect());
    }
    let of = |name: &str, at: usize| {
        methods.iter().find(|method| method.method == name).map_or(0.0, |method| method.kept[at])
    };
    let best = |at: usize| {
        let others = methods.iter().filter(|method| ![AT_ONCE, IN_STEPS].contains(&method.method));
        others.map(|method| method.kept[at]).fold(0.0, f64::max)
    };
    let goal = |ratio: f64, least: f64| format!("{ratio:.2} {}", if ratio >= least { "yes" } else { "NO" });
    for name in [AT_ONCE, IN_STEPS] {
        let cells = (0..BUDGETS.len()).map(|at| goal(of(name, at) / best(at), TO_REACH)).collect();
        let short = name.trim_end_matches(" of 20 turns");
        line(&format!("{short} ≥ {TO_REACH} × best"), cells);
    }
    let cells =
        (0..BUDGETS.len()).map(|at| goal(of(IN_STEPS, at) / of(AT_ONCE, at), STEPS_TO_REACH)).collect();
    line(&format!("in steps ≥ {STEPS_TO_REACH} × at once"), cells);
    out.push('\n');
}

/// 12 as `12`, the mean 3.45 as `3.5`.
fn count(kept: f64) -> String {
    if kept.fract() == 0.0 { format!("{kept:.0}") } else { format!("{kept:.1}") }
}
