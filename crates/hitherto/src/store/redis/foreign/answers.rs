//! What the server answers, in plain types; both versions of its protocol answer.

use bytes::Bytes;
use redis::Value;

pub(super) fn text(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        Value::SimpleString(text) => Some(text.into()),
        Value::VerbatimString { text, .. } => Some(text.into()),
        Value::Okay => Some("OK".into()),
        _ => None,
    }
}

pub(super) fn number<T: TryFrom<i64> + std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Int(number) => T::try_from(*number).ok(),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

pub(super) fn score(value: &Value) -> Option<f64> {
    match value {
        Value::Double(score) => Some(*score),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

pub(super) fn texts(value: Value) -> Option<Vec<Bytes>> {
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        _ => None,
    }
}

pub(super) fn pair(value: Value) -> Option<(Value, Value)> {
    match value {
        Value::Array(values) => match <[Value; 2]>::try_from(values) {
            Ok([one, other]) => Some((one, other)),
            Err(_) => None,
        },
        _ => None,
    }
}

pub(super) fn fields(value: Value) -> Option<Vec<(Bytes, Bytes)>> {
    let both = |(name, value)| Some((text(name)?, text(value)?));
    match value {
        Value::Map(pairs) => pairs.into_iter().map(both).collect(),
        Value::Array(values) => pairs(values).into_iter().map(both).collect(),
        _ => None,
    }
}

pub(super) fn scored(value: Value) -> Option<Vec<(Bytes, f64)>> {
    let Value::Array(values) = value else { return None };
    let all = if matches!(values.first(), Some(Value::Array(_))) {
        values.into_iter().map(pair).collect::<Option<Vec<_>>>()?
    } else {
        pairs(values)
    };
    all.into_iter().map(|(member, found)| Some((text(member)?, score(&found)?))).collect()
}

fn pairs(values: Vec<Value>) -> Vec<(Value, Value)> {
    let mut all = Vec::with_capacity(values.len() / 2);
    let mut values = values.into_iter();
    while let (Some(one), Some(other)) = (values.next(), values.next()) {
        all.push((one, other));
    }
    all
}
