//! The schemas of the OpenAPI document: a table of data.

use serde_json::{Value, json};

use super::openapi_summaries::of_summaries;

/// All schemas.
pub(super) fn schemas() -> Value {
    let mut all = of_sessions();
    if let (Value::Object(all), Value::Object(more)) = (&mut all, of_summaries()) {
        all.extend(more);
    }
    all
}

fn of_sessions() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let time = json!({"type": "string", "format": "date-time"});
    let text = json!({"type": "string"});
    let stored = json!({"type": "array", "items": {"$ref": "#/components/schemas/StoredMessage"}});
    let secs = json!({"type": ["integer", "null"], "minimum": 1, "maximum": 3_162_240_000_u64, "description": "The time to live, in seconds; null removes it."});
    let restart = json!({"type": "string", "enum": ["write", "read", "never"], "description": "What restarts the time to live."});
    let max = json!({"type": ["integer", "null"], "minimum": 1, "description": "The maximum of messages; the oldest whole turns beyond it are removed. Null removes it."});
    json!({
        "Message": {
            "type": "object",
            "description": "One entry of a conversation, in the shape of OpenAI's chat completions. Any other field is kept as it comes.",
            "required": ["role"],
            "properties": message_fields(),
        },
        "StoredMessage": {
            "description": "A message as it came, with what the store adds.",
            "allOf": [
                {"$ref": "#/components/schemas/Message"},
                {"type": "object", "required": ["seq", "id", "created_at"], "properties": {
                    "seq": {"type": "integer", "minimum": 1},
                    "edited_at": time,
                }},
            ],
        },
        "Append": object(&["messages"], json!({
            "messages": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"$ref": "#/components/schemas/Message"}},
            "ttl_secs": secs, "ttl_restart": restart, "max_messages": max,
            "user": {"type": ["string", "null"], "minLength": 1, "maxLength": 512, "description": "Whose the session is. The first append that names a user gives it to that one; one that names another is refused."},
        })),
        "Appended": object(&["session", "messages"], json!({
            "session": text,
            "messages": {"type": "array", "items": object(&["seq", "id"], json!({"seq": {"type": "integer", "minimum": 1}, "id": text}))},
        })),
        "Messages": object(&["session", "messages", "more"], json!({
            "session": text,
            "messages": stored,
            "first_seq": count, "last_seq": count,
            "more": {"type": "boolean", "description": "Whether there are more where these come from: older ones for a window or a page before a message, newer ones for a page after one."},
            "unreadable": {"type": "integer", "minimum": 1, "description": "How many places among these hold something that cannot be read. They are kept."},
        })),
        "Edit": object(&[], json!({
            "content": {"description": "The new content: a text or a list of parts.", "type": ["string", "array", "null"]},
            "metadata": {"type": "object"},
        })),
        "Pop": object(&[], json!({"what": {"type": "string", "enum": ["message", "turn"], "default": "message"}})),
        "Popped": object(&["session", "messages"], json!({"session": text, "messages": stored})),
        "Fork": object(&[], json!({
            "to": {"type": "string", "description": "The id of the new session; a random one if left out."},
            "upto": {"type": "integer", "minimum": 1, "description": "The last sequence number that is copied; everything if left out."},
        })),
        "Forked": object(&["session", "forked_from", "last_seq"], json!({"session": text, "forked_from": text, "last_seq": count})),
        "Session": object(&["session", "messages", "turns", "deleted", "first_seq", "last_seq", "bytes", "created_at", "updated_at"], json!({
            "session": text, "messages": count, "turns": count, "deleted": count,
            "first_seq": count, "last_seq": count, "bytes": count,
            "created_at": time, "updated_at": time,
            "ttl_secs": {"type": "integer", "minimum": 1}, "ttl_restart": restart,
            "expires_at": time, "expires_in_secs": count,
            "max_messages": {"type": "integer", "minimum": 1}, "metadata": {"type": "object"},
            "user": {"type": "string", "description": "Whose it is, if an append named a user."},
            "summaries": {"$ref": "#/components/schemas/Summaries"},
            "summary_upto": {"type": "integer", "minimum": 1, "description": "The last message that its summary stands for; left out without one."},
            "summary_stale": {"type": "boolean", "description": "Whether a message that the summary covers was changed since; it is going to be made anew."},
        })),
        "Configure": object(&[], json!({
            "ttl_secs": secs, "ttl_restart": restart, "max_messages": max,
            "metadata": {"type": ["object", "null"], "description": "Replaces the metadata; null removes them."},
            "summaries": {"description": "Replaces what the session's summaries have of their own; what is left out is as for the tenant and the server, null removes all.", "anyOf": [{"$ref": "#/components/schemas/Summaries"}, {"type": "null"}]},
        })),
        "Cleared": object(&["session", "cleared"], json!({"session": text, "cleared": count})),
        "Sessions": object(&["sessions"], json!({
            "sessions": {"type": "array", "items": {"$ref": "#/components/schemas/Session"}},
            "next_cursor": {"type": "string", "description": "Where the next page begins; left out on the last."},
        })),
        "Limits": object(&["tenant", "requests_per_second", "sessions", "messages", "bytes"], json!({
            "tenant": text,
            "requests_per_second": object(&[], json!({"limit": {"type": "integer", "minimum": 1}})),
            "sessions": {"$ref": "#/components/schemas/Used"},
            "messages": {"$ref": "#/components/schemas/Used"},
            "bytes": {"$ref": "#/components/schemas/Used"},
            "counted_at": time,
        })),
        "Used": object(&[], json!({"limit": {"type": "integer", "minimum": 1}, "used": count})),
        "Erasure": object(&["user", "sessions", "messages", "bytes", "erased_at", "done", "left"], json!({
            "user": text, "sessions": count, "messages": count, "bytes": count, "erased_at": time,
            "done": {"type": "boolean", "description": "Whether everything that the user had is gone. If not, the same request goes on."},
            "left": {"type": "integer", "minimum": 0, "description": "How many sessions of the user are left, as far as is known."},
        })),
        "Status": object(&["status"], json!({"status": {"const": "ok"}})),
        "Problem": {
            "type": "object",
            "description": "An error (RFC 9457).",
            "required": ["type", "title", "status", "detail", "code"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": text, "status": {"type": "integer"}, "detail": text,
                "code": {"type": "string", "description": "What went wrong; it keeps its meaning."},
                "limit": {"type": "integer", "description": "The limit that was exceeded."},
                "what": {"type": "string", "enum": ["sessions", "messages", "bytes"], "description": "Of what a tenant has too much."},
                "index": {"type": "integer", "description": "Which message of an append, counted from 0."},
                "seq": {"type": "integer"},
                "stored": {"const": "unknown", "description": "A write may have been stored all the same."},
            },
        },
    })
}

/// An object with these fields and no others.
pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

fn message_fields() -> Value {
    json!({
        "role": {"type": "string", "enum": ["system", "user", "assistant", "tool"]},
        "content": {
            "description": "A text, or a list of parts that each have a type; only an assistant's may be missing or null.",
            "type": ["string", "array", "null"],
            "items": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
        },
        "name": {"type": "string"},
        "tool_calls": {"type": ["array", "null"], "items": {"type": "object"}},
        "tool_call_id": {"type": "string"},
        "metadata": {"type": "object"},
        "id": {"type": "string", "maxLength": 256, "description": "The message's own id; the store gives one if left out."},
        "created_at": {"type": "string", "format": "date-time", "description": "The message's own time; the time of the append if left out."},
    })
}
