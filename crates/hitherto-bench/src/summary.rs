//! `bench summary`: how much of a conversation its summary keeps.
//!
//! Facts were written down from the conversations beforehand (`facts/*.tsv`). A summary keeps a fact if all of its
//! terms stand in one entry of the summary; that is the same rule for every method, and every method has the same
//! budget of tokens.
//!
//! * [`conversation`] is what is summarised, [`facts`] what should be kept of it
//! * [`methods`] are the usual ways of choosing, [`textrank`] the best known of them, [`ours`] is the project's
//! * [`report`] prints the table

mod conversation;
mod facts;
mod methods;
mod ours;
mod report;
mod textrank;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hitherto::Encoding;
use serde::Serialize;

use conversation::Conversation;
use facts::Fact;

/// The budgets of the table, in tokens.
const BUDGETS: [usize; 3] = [300, 600, 1_200];
const ENCODING: Encoding = Encoding::O200k;
/// How many turns are folded at a time where it goes in steps.
const TURNS: usize = 20;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    conversations: Vec<ConversationFigures>,
}

#[derive(Debug, Serialize)]
struct ConversationFigures {
    name: String,
    messages: usize,
    facts: usize,
    /// One a method, with the facts that are kept at each budget.
    methods: Vec<MethodFigures>,
    /// The median time of folding 20 turns at 600 tokens.
    fold_ms: f64,
    longest_fold_ms: f64,
}

#[derive(Debug, Serialize)]
struct MethodFigures {
    method: &'static str,
    kept: Vec<f64>,
}

/// Measures every method on every conversation.
pub(crate) fn run(json: Option<&PathBuf>, show: Option<usize>) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut figures = Figures { conversations: Vec::new() };
    for name in ["apollo13-air-to-ground", "apollo13-flight-director"] {
        let conversation = Conversation::read(&root.join(format!("../../examples/{name}.jsonl")))?;
        let facts = facts::read(&root.join(format!("facts/{name}.tsv")))?;
        facts::check(&facts, &conversation)?;
        if let Some(budget) = show {
            println!("{name}, {budget} tokens, in steps of {TURNS} turns:\n");
            println!("{}\n", ours::in_steps(&conversation, budget).text);
            continue;
        }
        figures.conversations.push(measure(name, &conversation, &facts));
    }
    if show.is_none() {
        print!("{}", report::render(&figures));
    }
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(&figures)?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn measure(name: &str, conversation: &Conversation, facts: &[Fact]) -> ConversationFigures {
    let ranked = methods::Ranked::of(conversation);
    let kept = |text: &str| facts.iter().filter(|fact| fact.is_in(text)).count() as f64;
    let mut methods: Vec<MethodFigures> = methods::METHODS
        .iter()
        .map(|(method, choose)| {
            let of = |budget: &usize| {
                let texts = choose(&ranked, *budget);
                texts.iter().map(|text| kept(text)).sum::<f64>() / texts.len() as f64
            };
            MethodFigures { method, kept: BUDGETS.iter().map(of).collect() }
        })
        .collect();
    let at_once = |budget: &usize| kept(&ours::at_once(conversation, *budget));
    methods.push(MethodFigures { method: report::AT_ONCE, kept: BUDGETS.iter().map(at_once).collect() });
    let in_steps = |budget: &usize| kept(&ours::in_steps(conversation, *budget).text);
    methods.push(MethodFigures { method: report::IN_STEPS, kept: BUDGETS.iter().map(in_steps).collect() });
    let mut times = ours::in_steps(conversation, 600).millis;
    times.sort_by(f64::total_cmp);
    ConversationFigures {
        name: name.to_owned(),
        messages: conversation.lines.len(),
        facts: facts.len(),
        methods,
        fold_ms: times.get(times.len() / 2).copied().unwrap_or_default(),
        longest_fold_ms: times.last().copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conversations of other kinds: what is kept of each at 250 tokens, in steps. The constants were tried on these
    /// too, so this guards against a step back and proves nothing about others.
    #[test]
    fn everyday_chats_keep_most_of_their_facts() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("facts/chats");
        for name in ["travel", "support", "team", "de", "zh"] {
            let conversation = Conversation::read(&root.join(format!("{name}.jsonl"))).unwrap();
            let facts = facts::read(&root.join(format!("{name}.tsv"))).unwrap();
            facts::check(&facts, &conversation).unwrap();
            let text = ours::in_steps_of(&conversation, 250, 2).text;
            let kept = facts.iter().filter(|fact| fact.is_in(&text)).count();
            println!("{name}: {kept} of {}\n{text}\n", facts.len());
            assert!(kept * 2 > facts.len(), "{name}: {kept} of {}\n{text}", facts.len());
        }
    }

    #[test]
    fn every_fact_stands_on_its_line() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["apollo13-air-to-ground", "apollo13-flight-director"] {
            let conversation =
                Conversation::read(&root.join(format!("../../examples/{name}.jsonl"))).unwrap();
            let facts = facts::read(&root.join(format!("facts/{name}.tsv"))).unwrap();
            assert!(facts.len() >= 80);
            facts::check(&facts, &conversation).unwrap();
        }
    }
}
