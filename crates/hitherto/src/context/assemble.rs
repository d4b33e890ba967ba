//! Putting a context together: from what a store gave to what is given, and the account of it.
//!
//! Invariant: what counts is the count of the prompt as it is given. A plan that comes out over budget is made again
//! with less.

use super::explain::{Cut, Explain, Given, Left, LeftOut};
use super::options::{Budget, ContextOptions, Format};
use super::plan::{self, Draft, summary_view};
use super::view::{Counter, REPLY, View};
use super::{Context, SUMMARY_LEAD_IN, SummaryRole, anthropic, openai};
use crate::dialect::Dialect;
use crate::memory::StoredMessage;
use crate::message::{Message, Role, push_string};
use crate::session::SessionId;
use crate::store::{Seq, Slice, SummaryState};
use crate::summary::BY_HAND;
use crate::tokens::Memo;

/// How often a plan is made again at most.
const TRIES: usize = 16;

/// What a context is made from.
#[derive(Debug)]
pub(crate) struct Input {
    /// The session.
    pub(crate) session: SessionId,
    /// The end of the session, as far back as it was read.
    pub(crate) slice: Slice,
    /// What is known of its summary.
    pub(crate) state: SummaryState,
    /// Of the turns that the summary covers, how many of the newest are given; `None` for all that were read.
    pub(crate) keep: Option<u32>,
}

/// The turns that were read.
#[derive(Debug)]
pub(super) struct Turns<'a> {
    messages: &'a [StoredMessage],
    /// Where each begins.
    begins: Vec<usize>,
    /// Whether they say all that a summary could.
    complete: bool,
}

impl<'a> Turns<'a> {
    /// `whole` is whether nothing of the session is older than these, `complete` whether nothing ever was.
    fn new(messages: &'a [StoredMessage], whole: bool, complete: bool) -> Self {
        let mut begins: Vec<usize> = messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.role() == Role::User)
            .map(|(at, _)| at)
            .collect();
        // What stands before the first user message of a session is a turn; elsewhere it is the end of one.
        if whole && !messages.is_empty() && begins.first() != Some(&0) {
            begins.insert(0, 0);
        }
        Self { messages, begins, complete }
    }

    pub(super) fn len(&self) -> usize {
        self.begins.len()
    }

    /// Whether a summary has nothing to say beside all of them.
    pub(super) fn say_all(&self) -> bool {
        self.complete
    }

    pub(super) fn messages(&self, turn: usize) -> &'a [StoredMessage] {
        let begin = self.begin(turn);
        self.messages.get(begin..self.begin(turn + 1)).unwrap_or_default()
    }

    fn begin(&self, turn: usize) -> usize {
        self.begins.get(turn).copied().unwrap_or(self.messages.len())
    }

    /// How many turns begin with one of these sequence numbers.
    fn beginning(&self, from: Seq, to: Seq) -> u64 {
        let inside = |begin: &&usize| {
            self.messages.get(**begin).is_some_and(|message| (from..=to).contains(&message.seq))
        };
        self.begins.iter().filter(inside).count() as u64
    }
}

/// A prompt, and how many tokens it has.
struct Prompt {
    json: Option<Vec<u8>>,
    tokens: usize,
}

/// Makes a context.
pub(crate) fn assemble(input: Input, options: &ContextOptions, memo: &Memo) -> Context {
    let Input { session, slice, state, keep } = input;
    let counter = Counter { encoding: options.encoding, format: options.format, memo };
    let held = slice.last.saturating_sub(slice.base).saturating_sub(slice.deleted);
    let unreadable: Vec<Seq> =
        slice.entries.iter().filter(|entry| entry.is_unreadable()).map(|entry| entry.seq).collect();
    let oldest_read = slice.entries.first().map_or(slice.last + 1, |entry| entry.seq);
    let (base, last) = (slice.base, slice.last);
    let messages: Vec<StoredMessage> =
        slice.entries.into_iter().filter_map(StoredMessage::of_entry).collect();
    let whole = held <= (messages.len() + unreadable.len()) as u64;
    // A summary of messages that are all gone says nothing.
    let text = state.current.as_ref().map(|summary| summary.text.as_str()).filter(|text| !text.is_empty());
    let upto = state.current.as_ref().map_or(0, |summary| summary.upto);
    // It stands for what a maximum of messages has removed, too; and what somebody has put before the first message
    // stands in none.
    let first = messages.first().map_or(Seq::MAX, |message| message.seq);
    let by_hand = state.current.as_ref().is_some_and(|summary| summary.by == BY_HAND);
    let complete = whole && base == 0 && !(by_hand && upto < first);
    let turns = Turns::new(&messages, whole, complete);

    let (draft, prompt) = match options.budget {
        Budget::Tokens(budget) => within(budget as usize, &turns, text, options.summary, &counter),
        _ => {
            let first = keep.map_or(0, |keep| first_kept(&turns, keep as usize, upto));
            let draft = unbounded(&turns, first, text, options.summary);
            let prompt = if options.uncounted && options.format == Format::Messages {
                Prompt::empty(Format::Messages)
            } else {
                prompt(&draft, &turns, options.summary, &counter)
            };
            (draft, prompt)
        }
    };

    let given = given(&draft, &turns);
    let first_seq = given.first().map_or(last + 1, |message| message.seq);
    let mut explain = Explain {
        budget: if let Budget::Tokens(budget) = options.budget { Some(budget) } else { None },
        used: prompt.tokens,
        encoding: options.encoding.as_str(),
        exact: options.encoding.is_exact(),
        turns: turns.len() - draft.first,
        messages: given.len(),
        first_seq: given.first().map(|message| message.seq),
        last_seq: given.last().map(|message| message.seq),
        summary: match (text, &draft.summary) {
            (None, _) => Given::None,
            (Some(_), None) => Given::LeftOut,
            (Some(_), Some(_)) if draft.why.is_some() => Given::Shortened,
            (Some(_), Some(_)) => Given::Given,
        },
        summary_why: draft.why,
        summary_stale: text.is_some() && state.stale,
        overlap: if draft.summary.is_some() {
            given.iter().filter(|message| message.seq <= upto).count()
        } else {
            0
        },
        cut: cuts(&draft, &turns, &counter),
        unreadable: unreadable.iter().filter(|seq| **seq >= first_seq).count(),
        ..Explain::default()
    };
    let before = Before {
        messages: held.saturating_sub((given.len() + explain.unreadable) as u64),
        base,
        first_seq,
        oldest_read,
        read: messages
            .iter()
            .map(|message| message.seq)
            .chain(unreadable)
            .filter(|seq| *seq < first_seq)
            .collect(),
        upto,
        summary_turns: state.current.as_ref().map_or(0, |summary| summary.turns),
    };
    let why = match options.budget {
        Budget::Tokens(_) => "over budget",
        Budget::Turns(_) => "beyond the turns asked for",
        Budget::Messages(_) => "beyond the messages asked for",
        Budget::Defaults => "beyond the session's window",
    };
    before.account(&turns, draft.summary.is_some(), why, &mut explain);

    let summary_tokens =
        draft.summary.as_deref().filter(|_| !options.uncounted).map_or(0, |text| counter.text(text));
    let summary =
        state.current.zip(draft.summary).map(|(summary, text)| crate::summary::Summary { text, ..summary });
    Context {
        session,
        summary,
        messages: given,
        tokens: prompt.tokens,
        explain,
        summary_tokens,
        prompt: prompt.json,
    }
}

/// The first of the newest `keep` turns, or an older one if the summary does not cover it.
fn first_kept(turns: &Turns<'_>, keep: usize, upto: Seq) -> usize {
    let uncovered = (0..turns.len())
        .find(|turn| turns.messages(*turn).last().is_some_and(|message| message.seq > upto))
        .unwrap_or(turns.len());
    turns.len().saturating_sub(keep).min(uncovered)
}

fn unbounded(turns: &Turns<'_>, first: usize, text: Option<&str>, role: SummaryRole) -> Draft {
    let (summary, why) = match text {
        None => (None, None),
        Some(_) if role == SummaryRole::Off => (None, Some(plan::OFF)),
        Some(_) if turns.say_all() && first == 0 && turns.len() > 0 => (None, Some(plan::NOT_NEEDED)),
        Some(text) => (Some(text.to_owned()), None),
    };
    Draft { first, newest: None, summary, why }
}

/// The fullest context within a budget.
fn within(
    budget: usize,
    turns: &Turns<'_>,
    text: Option<&str>,
    role: SummaryRole,
    counter: &Counter<'_>,
) -> (Draft, Prompt) {
    let joins = matches!(counter.format, Format::Anthropic | Format::Text);
    let mut best: Option<(Draft, Prompt)> = None;
    // The most that fitted and the least that did not; costs that add up are not those of what is joined.
    let (mut fits, mut exceeds) = (0, None);
    let (mut room, mut misses) = (budget, 0);
    for _ in 0..TRIES {
        let draft = plan::plan(turns, text, role, room, counter);
        let made = prompt(&draft, turns, role, counter);
        if made.tokens > budget {
            exceeds = Some(room);
            // A little less room may make the same plan again: as long as none fits, each step is twice as large.
            let less = room.saturating_sub((made.tokens - budget) << misses);
            misses += 1;
            room = if best.is_some() { usize::midpoint(fits, room) } else { less };
            continue;
        }
        let (used, all) = (made.tokens, draft.first == 0 && draft.newest.is_none());
        if best.as_ref().is_none_or(|(_, best)| used > best.tokens) {
            best = Some((draft, made));
        }
        if !joins || all || used + budget / 25 >= budget {
            break;
        }
        fits = room;
        room = match exceeds {
            Some(most) => usize::midpoint(room, most),
            None => room.saturating_mul(budget) / used.max(budget / 4).max(1),
        };
        if room <= fits {
            break;
        }
    }
    best.unwrap_or_else(|| {
        let why = text.map(|_| "over budget");
        (Draft { first: turns.len(), why, ..Draft::default() }, Prompt::empty(counter.format))
    })
}

/// The messages that are given.
fn given(draft: &Draft, turns: &Turns<'_>) -> Vec<StoredMessage> {
    match &draft.newest {
        Some(newest) => newest.clone(),
        None => turns.messages.get(turns.begin(draft.first)..).unwrap_or_default().to_vec(),
    }
}

fn cuts(draft: &Draft, turns: &Turns<'_>, counter: &Counter<'_>) -> Vec<Cut> {
    let Some(newest) = &draft.newest else {
        return Vec::new();
    };
    turns
        .messages(draft.first)
        .iter()
        .zip(newest)
        .filter(|(whole, short)| whole.message != short.message)
        .map(|(whole, short)| Cut {
            seq: whole.seq,
            before: counter.message(&whole.message),
            after: counter.message(&short.message),
            why: "the newest turn alone is over budget",
        })
        .collect()
}

impl Prompt {
    fn empty(format: Format) -> Self {
        let json = match format {
            Format::Messages => None,
            Format::Text => Some(b"\"\"".to_vec()),
            Format::OpenAi | Format::LangChain => Some(b"[]".to_vec()),
            Format::Anthropic => Some(b"{\"messages\":[]}".to_vec()),
        };
        Self { json, tokens: 0 }
    }
}

/// The prompt that a draft is, and its count.
fn prompt(draft: &Draft, turns: &Turns<'_>, role: SummaryRole, counter: &Counter<'_>) -> Prompt {
    let messages = match &draft.newest {
        Some(newest) => newest.as_slice(),
        None => turns.messages.get(turns.begin(draft.first)..).unwrap_or_default(),
    };
    if messages.is_empty() && draft.summary.is_none() {
        return Prompt::empty(counter.format);
    }
    let summary = draft.summary.as_deref().map(|text| summary_view(text, role));
    let views = || messages.iter().map(|message| View::new(&message.message, counter.format));
    let all = || summary.iter().cloned().chain(views()).collect::<Vec<View>>();
    let sum = || {
        REPLY
            + summary.as_ref().map_or(0, |view| counter.view(view))
            + messages.iter().map(|message| counter.message(&message.message)).sum::<usize>()
    };
    match counter.format {
        Format::Messages => Prompt { json: None, tokens: sum() },
        Format::OpenAi => Prompt { json: Some(openai::json(&all())), tokens: sum() },
        Format::LangChain => {
            let first = summary.as_ref().and_then(|view| {
                let text = view.bits.first().map(super::view::Bit::shown)?;
                Message::new(view.role, &text).raw_in(Dialect::LangChainJs)
            });
            let list: Vec<_> = first
                .into_iter()
                .chain(messages.iter().filter_map(|message| message.message.raw_in(Dialect::LangChainJs)))
                .collect();
            Prompt { json: serde_json::to_vec(&list).ok(), tokens: sum() }
        }
        Format::Anthropic => {
            let prompt = anthropic::Prompt::new(&all());
            Prompt { tokens: prompt.cost(counter.encoding), json: Some(prompt.json()) }
        }
        Format::Text => {
            let lines: Vec<String> = views().map(|view| view.line()).collect();
            let mut text = match &draft.summary {
                Some(summary) => format!("{SUMMARY_LEAD_IN}\n{summary}\n\n"),
                None => String::new(),
            };
            text.push_str(&lines.join("\n"));
            let mut json = Vec::with_capacity(text.len() + 2);
            push_string(&mut json, &text);
            Prompt { tokens: counter.encoding.count(&text), json: Some(json) }
        }
    }
}

/// What stands before the first message given.
struct Before {
    /// How many messages, unreadable ones included.
    messages: u64,
    base: Seq,
    first_seq: Seq,
    oldest_read: Seq,
    /// Those of them that were read.
    read: Vec<Seq>,
    upto: Seq,
    summary_turns: u64,
}

impl Before {
    /// Says of them which are left to the summary and which are left out.
    fn account(&self, turns: &Turns<'_>, summary_given: bool, why: &'static str, explain: &mut Explain) {
        if self.messages == 0 {
            return;
        }
        let end = self.first_seq - 1;
        let border = self.upto.clamp(self.base, end);
        let unread = self.messages.saturating_sub(self.read.len() as u64);
        let after_read = self.read.iter().filter(|seq| **seq > border).count() as u64;
        let gap = self.oldest_read.saturating_sub(1).saturating_sub(border);
        let after = (after_read + unread.min(gap)).min(self.messages);
        let covered = self.messages - after;
        let all_read = |from: Seq| unread == 0 || from >= self.oldest_read;
        if covered > 0 {
            let (from, to) = (self.base + 1, border);
            let of_summary = || {
                let given = turns.beginning(self.first_seq, self.upto);
                self.summary_turns.checked_sub(given).filter(|_| self.summary_turns > 0)
            };
            let turns = if all_read(from) { Some(turns.beginning(from, to)) } else { of_summary() };
            let left = Left { from, to, turns, messages: covered };
            if summary_given {
                explain.left_to_summary = Some(left);
            } else {
                let why =
                    if explain.summary_why == Some(plan::OFF) { "the summary is not asked for" } else { why };
                explain.left_out.push(LeftOut { left, in_summary: true, why });
            }
        }
        if after > 0 {
            let (from, to) = (border + 1, end);
            let turns = all_read(from).then(|| turns.beginning(from, to));
            let left = Left { from, to, turns, messages: after };
            explain.left_out.push(LeftOut { left, in_summary: false, why });
        }
    }
}
