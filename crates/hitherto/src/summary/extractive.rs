//! The extractive summariser.
mod cover;
mod entry;
mod markers;
mod sentences;
mod words;
mod worth;

use async_trait::async_trait;

use self::cover::Cover;
use self::entry::Entry;
use super::{Piece, Summariser, SummariserError};

/// The extractive summariser.
#[derive(Debug, Clone, Default)]
pub struct Extractive;

impl Extractive {
    /// The summary.
    pub fn summary(&self, piece: &Piece) -> String {
        let k = worth::Knobs::new();
        let limit = (piece.budget * 2).clamp(20, worth::knob("LIMIT", 300.0) as usize);
        let mut entries =
            piece.previous.as_deref().map_or_else(Vec::new, |text| Entry::of_summary(text, limit));
        for entry in &mut entries {
            entry.role =
                piece.lines.iter().find(|line| line.speaker() == entry.speaker).map(|line| line.role);
        }
        entries.extend(
            piece.lines.iter().map(|line| Entry::of_message(line.speaker(), line.role, &line.text, limit)),
        );
        let (candidates, vocabulary) = worth::candidates(&entries, &k);
        let prices: Vec<usize> = candidates
            .iter()
            .map(|c| {
                let unit = &entries[c.entry].units[c.unit];
                piece.encoding.count(&unit.text) + 4
            })
            .collect();
        let mut cover = Cover::new(&candidates, &prices, vocabulary.rareness(&k), &k);
        let mut budget = piece.budget;
        let mut text = String::new();
        for _ in 0..4 {
            cover.choose(budget);
            text = render(&entries, &candidates, &cover.chosen);
            let used = piece.encoding.count(&text);
            if used > piece.budget {
                break;
            }
            if piece.budget - used < 8 {
                break;
            }
            budget = piece.budget - used;
        }
        while piece.encoding.count(&text) > piece.budget {
            cover.chosen.pop();
            text = render(&entries, &candidates, &cover.chosen);
        }
        text
    }
}

fn render(entries: &[Entry], candidates: &[worth::Candidate], chosen: &[usize]) -> String {
    let mut kept: Vec<(usize, usize)> =
        chosen.iter().filter_map(|at| candidates.get(*at)).map(|c| (c.entry, c.unit)).collect();
    kept.sort_unstable();
    let mut out = String::new();
    for (at, entry) in entries.iter().enumerate() {
        entry.write(|unit| kept.binary_search(&(at, unit)).is_ok(), &mut out);
    }
    out
}

#[async_trait]
impl Summariser for Extractive {
    fn name(&self) -> String {
        "extractive".to_owned()
    }

    fn input_tokens(&self) -> usize {
        16_000
    }

    async fn summarise(&self, piece: &Piece) -> Result<String, SummariserError> {
        let text = self.summary(piece);
        if text.is_empty() { Err(SummariserError::Empty) } else { Ok(text) }
    }
}
