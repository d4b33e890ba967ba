//! The schemas of summaries and contexts: the second half of the table.

use serde_json::{Value, json};

use super::openapi_schemas::object;

/// The schemas of summaries, of the context, and of what both say of themselves.
pub(super) fn of_summaries() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let time = json!({"type": "string", "format": "date-time"});
    let text = json!({"type": "string"});
    let stored = json!({"type": "array", "items": {"$ref": "#/components/schemas/StoredMessage"}});
    let range = json!({"from": count, "to": count, "turns": count, "messages": count});
    let left_out = json!({"from": count, "to": count, "turns": count, "messages": count, "in_summary": {"type": "boolean", "description": "Whether a summary covers them, which is not given."}, "why": text});
    let cut = json!({"seq": count, "before": count, "after": count, "why": text});
    json!({
        "Summaries": object(&[], json!({
            "enabled": {"type": "boolean", "description": "Whether the session is summarised by itself."},
            "window": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "How many of the newest turns stay verbatim."},
            "fold_after_turns": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Fold when so many turns have left the window."},
            "fold_after_tokens": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "description": "Fold when so many tokens have left the window."},
            "summary_tokens": {"type": "integer", "minimum": 32, "maximum": 16_000, "description": "How many tokens the summary may have."},
        })),
        "Summary": object(&["id", "text", "upto", "tokens", "by", "stand_in", "updated_at"], json!({
            "id": {"type": "string", "format": "uuid"}, "text": text,
            "upto": {"type": "integer", "minimum": 1, "description": "The watermark: the last message that it stands for."},
            "tokens": count,
            "by": {"type": "string", "description": "What made it: a model's name, extractive, or hand."},
            "stand_in": {"type": "boolean", "description": "Whether the extractive summariser made it because the model failed."},
            "updated_at": time,
        })),
        "SummaryState": object(&["session", "summary", "stale"], json!({
            "session": text,
            "summary": {"$ref": "#/components/schemas/Summary"},
            "previous": {"$ref": "#/components/schemas/Summary"},
            "stale": {"type": "boolean", "description": "Whether a message that it covers was changed since; it is going to be made anew."},
        })),
        "Folded": object(&["session", "folded", "stale"], json!({
            "session": text, "folded": count,
            "summary": {"$ref": "#/components/schemas/Summary"},
            "previous": {"$ref": "#/components/schemas/Summary"},
            "stale": {"type": "boolean"},
        })),
        "PutSummary": object(&["text", "upto"], json!({
            "text": {"type": "string", "minLength": 1},
            "upto": {"type": "integer", "minimum": 1, "description": "The last message that the text stands for."},
        })),
        "Nothing": object(&[], json!({})),
        "Context": object(&["session", "tokens", "explain"], json!({
            "session": text,
            "summary": object(&["text", "upto", "tokens", "by", "updated_at"], json!({
                "text": text, "upto": {"type": "integer", "minimum": 1}, "tokens": count, "by": text, "updated_at": time,
            })),
            "messages": stored,
            "prompt": {"description": "In the place of messages in the other formats: a text, OpenAI's messages, Anthropic's system and messages, or LangChain's stored messages."},
            "tokens": {"type": "integer", "minimum": 0, "description": "How many tokens the prompt has, in the format asked for."},
            "explain": {"$ref": "#/components/schemas/Explain"},
        })),
        "Explain": object(&["used", "encoding", "exact", "turns", "messages", "summary"], json!({
            "budget": {"type": "integer", "minimum": 1},
            "used": count, "encoding": text,
            "exact": {"type": "boolean", "description": "Whether tokens were counted in the encoding itself, and not estimated."},
            "turns": count, "messages": count, "first_seq": count, "last_seq": count,
            "summary": {"type": "string", "enum": ["none", "given", "shortened", "left_out"]},
            "summary_why": text,
            "summary_stale": {"type": "boolean"},
            "overlap": {"type": "integer", "minimum": 1, "description": "How many of the messages given the summary covers too."},
            "left_to_summary": object(&["from", "to", "messages"], range),
            "left_out": {"type": "array", "description": "What is neither given nor stood for by a summary that is.", "items": object(&["from", "to", "messages", "in_summary", "why"], left_out)},
            "cut": {"type": "array", "description": "Messages that are given shortened in the middle.", "items": object(&["seq", "before", "after", "why"], cut)},
            "unreadable": {"type": "integer", "minimum": 1},
        })),
    })
}
