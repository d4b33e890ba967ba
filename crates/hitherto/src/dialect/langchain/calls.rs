//! The calls of tools in a LangChain message: those with arguments, those whose arguments are no object, and those
//! from before there was a field for them.

use std::collections::{HashMap, VecDeque};

use super::FAMILY;
use crate::dialect::neutral::{Args, Call, Neutral};
use crate::dialect::raw::{self, Fields, Object, Raw, Writer, array};
use crate::dialect::{Dialect, own};

/// Reads one of the two lists of calls. A list that holds more than calls can say is kept as well.
pub(super) fn read_calls<'a>(name: &str, data: &Object<'a>, message: &mut Neutral<'a>) {
    let Some(list) = data.list(name) else {
        return;
    };
    let mut more = false;
    for element in list {
        let Some((call, others)) = call(element, name) else {
            more = true;
            continue;
        };
        more |= !others.is_empty();
        message.calls.push(call);
    }
    if let (true, Some(list)) = (more, data.get(name)) {
        message.keep(name, list);
    }
}

/// A call, and its further fields.
fn call<'a>(element: &'a str, list: &str) -> Option<(Call<'a>, Fields<'a>)> {
    let object = Object::read(element)?;
    let args = object.get("args").unwrap_or("null");
    let args = match list {
        "tool_calls" => Args::Value(args.into()),
        // The text may have been read although it stands here.
        _ if args == "null" => Args::Text("\"\"".into()),
        _ => Args::of(args),
    };
    let string = |name: &str| object.string(name).unwrap_or("\"\"").into();
    Some((
        Call { id: string("id"), name: string("name"), args },
        object.without(&["id", "name", "args", "type"]),
    ))
}

/// Calls from before LangChain had a field for them: as the model's API wrote them.
pub(super) fn read_old_calls(message: &mut Neutral<'_>) {
    let Some(kwargs) = message.kept("additional_kwargs") else {
        return;
    };
    let object = Object::read(&kwargs).unwrap_or_default();
    let list = object.list("tool_calls").unwrap_or_default();
    match own::read_calls(&list) {
        Some((calls, more)) if !calls.is_empty() => {
            message.calls = calls.into_iter().map(Call::into_owned).collect();
            let others = object.without(if more { &[] } else { &["tool_calls"] });
            if !others.is_empty() {
                message.keep("additional_kwargs", raw::object(&others));
            }
        }
        _ => message.keep("additional_kwargs", kwargs),
    }
}

/// The two lists of calls.
pub(super) struct Calls {
    pub(super) valid: String,
    pub(super) invalid: String,
}

pub(super) fn write_calls(message: &mut Neutral<'_>, dialect: Dialect) -> Calls {
    let lists = ["tool_calls", "invalid_tool_calls"];
    let kept = lists.map(|list| message.kept(list).map(Raw::into_owned).unwrap_or_default());
    // What calls of before had beside what a call says, each for the call that it was.
    let mut further: HashMap<(&str, String), VecDeque<(Call<'_>, Fields<'_>)>> = HashMap::new();
    let mut unread = Vec::new();
    for (name, kept) in lists.into_iter().zip(&kept) {
        for element in raw::list(kept).unwrap_or_default() {
            match call(element, name) {
                Some(found) => further.entry((name, found.0.id.to_string())).or_default().push_back(found),
                None => unread.push(name),
            }
        }
    }
    let mut further_of = |name, call: &Call<'_>| {
        let found = further.get_mut(&(name, call.id.to_string()))?;
        let (other, _) = found.front()?;
        let is_it = raw::same(&other.args.text(), &call.args.text());
        is_it.then(|| found.pop_front()).flatten().map(|(_, more)| more)
    };
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for call in std::mem::take(&mut message.calls) {
        let mut out = Writer::default();
        out.put("name", &call.name);
        if let Some(args) = call.args.value() {
            out.put("args", &args).put("id", &call.id).put("type", "\"tool_call\"");
            valid.push(out.put_all(&further_of("tool_calls", &call).unwrap_or_default()).end());
            continue;
        }
        out.put("args", &call.args.text()).put("id", &call.id).put("type", "\"invalid_tool_call\"");
        let more = further_of("invalid_tool_calls", &call).unwrap_or_default();
        if dialect != Dialect::LangChainJs && raw::find(&more, "error").is_none() {
            // Python's has no default for it.
            out.put("error", "null");
        }
        invalid.push(out.put_all(&more).end());
    }
    let left = further.into_iter().filter(|(_, calls)| calls.iter().any(|(_, more)| !more.is_empty()));
    unread.extend(left.map(|((name, _), _)| name));
    for name in unread {
        message.lose(&format!("{FAMILY}.{name}"), "the message says something else by now");
    }
    Calls { valid: array(valid), invalid: array(invalid) }
}
