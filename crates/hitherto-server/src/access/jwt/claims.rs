//! What a token says, once it is known who says it: pure.

use hitherto::access::{Permission, Scopes};
use hitherto::{Tenant, Timestamp};
use serde_json::{Map, Value};

use super::JwtOptions;
use crate::access::Grant;

/// How far the clocks of who issues tokens and of this server may be apart, in milliseconds.
const LEEWAY_MS: i64 = 30_000;

/// The longest subject that audit lines have, in bytes.
const SUBJECT: usize = 256;

/// What a payload grants, and until when.
///
/// # Errors
/// Says which claim is not as it must be.
pub(super) fn read(
    payload: &[u8],
    options: &JwtOptions,
    now: Timestamp,
) -> Result<(Grant, Timestamp), String> {
    let claims: Map<String, Value> =
        serde_json::from_slice(payload).map_err(|_| "what it says is no object of JSON".to_owned())?;
    let end = time(&claims, "exp")?.ok_or("it names no end (exp)")?;
    let until = end.plus_millis(LEEWAY_MS);
    if until <= now {
        return Err(format!("it expired at {end}"));
    }
    if let Some(begin) = time(&claims, "nbf")?
        && now < begin.plus_millis(-LEEWAY_MS)
    {
        return Err(format!("it is not valid before {begin} (nbf)"));
    }
    if let Some(issuer) = &options.issuer
        && claims.get("iss").and_then(Value::as_str) != Some(issuer)
    {
        return Err("somebody else than jwt_issuer has issued it (iss)".to_owned());
    }
    audience(&claims, options)?;
    let claim = &options.tenant_claim;
    let tenant = claims.get(claim).and_then(Value::as_str).and_then(|name| Tenant::parse(name).ok());
    let tenant = tenant.ok_or_else(|| format!("it names no tenant ({claim})"))?;
    let subject = claims.get("sub").and_then(Value::as_str);
    let subject = subject.and_then(|text| text.get(..text.floor_char_boundary(SUBJECT)));
    let grant = Grant {
        id: None,
        tenant: Some(tenant),
        scopes: scopes(claims.get("scope")),
        expires_at: Some(end),
        subject: subject.map(str::to_owned),
    };
    Ok((grant, until))
}

/// A time in seconds since 1970; a fraction is cut off.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is out of range is out of range afterwards, too"
    )]
    let secs = value.as_i64().or_else(|| value.as_f64().map(|secs| secs as i64));
    let secs = secs.ok_or_else(|| format!("{name} is no number"))?;
    Ok(Some(Timestamp::from_millis(secs.saturating_mul(1000))))
}

fn audience(claims: &Map<String, Value>, options: &JwtOptions) -> Result<(), String> {
    let named: Vec<&str> = match claims.get("aud") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err("aud is neither a text nor a list of texts".to_owned()),
    };
    match &options.audience {
        Some(wanted) if named.contains(&wanted.as_str()) => Ok(()),
        Some(_) => Err("it is for somebody else than jwt_audience (aud)".to_owned()),
        None if claims.contains_key("aud") => {
            Err("it is for an audience (aud), and jwt_audience does not say that this is it".to_owned())
        }
        None => Ok(()),
    }
}

/// Those that are known here; who issues tokens has others besides.
fn scopes(claim: Option<&Value>) -> Scopes {
    let words: Vec<&str> = match claim {
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    Scopes::of(Permission::ALL.into_iter().filter(|scope| words.contains(&scope.as_str())))
}
