//! The entrance: every request but those of whoever looks after a server passes it, and none passes without what has to be
//! shown.
//!
//! Invariant: it stands before the router, so a route that is added later stands behind it. What is shown is a header, or
//! a parameter where a protocol has it there; it goes no further than the gate.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Door;
use super::path;
use super::problem::{Code, Problem};
use crate::access::{Grant, Need, Pass, Refusal};

/// Who came in, for the handlers behind.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) pass: Pass,
    pub(super) grant: Arc<Grant>,
}

/// What is answered to everybody: whoever looks after a server has no token. (Metrics see to themselves.)
const BESIDE: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Lets a request in, or gives the answer to one that stays outside.
pub(super) async fn admit(door: &Door, request: &mut Request) -> Option<Response> {
    if BESIDE.contains(&request.uri().path()) {
        return None;
    }
    let shown = shown(request.headers(), request.uri());
    let user = shown.as_ref().and_then(|shown| shown.user.as_deref());
    match door.gate.admit(shown.as_ref().map(|shown| shown.token.as_str())).await {
        Ok((Pass::Nobody, _)) if door.gate.is_local() && !asks_for_this_machine(request) => {
            let why = "this server is open to whoever is on this machine, so it answers to localhost, to addresses and to names of a private network only";
            Some(Problem::new(Code::HostUnknown, why).into_response())
        }
        Ok((pass, grant)) if is_of(user, &grant) => {
            request.extensions_mut().insert(Admitted { pass, grant });
            None
        }
        Ok(_) => Some(refused(&Refusal::Unknown, request.uri())),
        Err(refusal) => Some(refused(&refusal, request.uri())),
    }
}

/// Who came in, if they may do that.
pub(super) fn admitted(extensions: &Extensions, need: Need) -> Result<&Arc<Grant>, Problem> {
    // A request that has not passed the entrance has shown nothing.
    let Some(admitted) = extensions.get::<Admitted>() else { return Err(Refusal::Missing.into()) };
    if admitted.grant.allows(need) {
        return Ok(&admitted.grant);
    }
    let (needed, has) = (need.scopes(), admitted.grant.scopes);
    Err(Problem::new(Code::ScopeMissing, format!("this needs the scope {needed}, and the token has {has}"))
        .challenge(format!(
            "Bearer realm=\"hitherto\", error=\"insufficient_scope\", scope=\"{}\"",
            spaced(needed)
        )))
}

fn spaced(scopes: hitherto::access::Scopes) -> String {
    scopes.to_string().replace(',', " ")
}

/// What a request shows.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    token: String,
    /// The user name, where the way in which it is shown has one.
    user: Option<String>,
}

impl Shown {
    fn token(text: &str) -> Option<Self> {
        let token = text.trim();
        (!token.is_empty()).then(|| Self { token: token.to_owned(), user: None })
    }
}

/// The first of: `Authorization: Bearer`, `Authorization: Token`, `X-API-Key`, `Authorization: Basic` with the token as
/// the password, and for Redis' commands `?_token=`. A token is most likely meant for this server where the way is most
/// particular, so what a proxy may have been sent comes late.
fn shown(headers: &HeaderMap, uri: &Uri) -> Option<Shown> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, rest) = authorization.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        return Shown::token(rest);
    }
    let key = headers.get("x-api-key").and_then(|value| value.to_str().ok());
    key.and_then(Shown::token)
        .or_else(|| if scheme.eq_ignore_ascii_case("basic") { basic(rest) } else { None })
        .or_else(|| in_query(uri))
}

fn basic(encoded: &str) -> Option<Shown> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, token) = text.split_once(':')?;
    let shown = Shown::token(token)?;
    Some(Shown { user: (!user.is_empty()).then(|| user.to_owned()), ..shown })
}

/// Only where Upstash's clients have it: an address is written into more logs than a header.
fn in_query(uri: &Uri) -> Option<Shown> {
    if !super::redis_rest::has(uri.path()) {
        return None;
    }
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let mut tokens = pairs.filter(|(name, _)| *name == "_token").map(|(_, value)| value);
    Shown::token(&path::decode(tokens.next()?, true)?)
}

/// Whether a request names this machine as no page of another site can: by an address, or by a name that nobody can
/// register, such as `localhost` or `host.docker.internal`; or names no server at all.
fn asks_for_this_machine(request: &Request) -> bool {
    let header = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or_default());
    let Some(named) = request.uri().authority().map(Authority::as_str).or(header) else { return true };
    let Ok(authority) = named.parse::<Authority>() else { return false };
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_private = |name: &str| !name.is_empty() && !name.contains('.');
    is_private(&host)
        || [".localhost", ".internal"].iter().any(|domain| host.ends_with(domain))
        || address.parse::<IpAddr>().is_ok()
}

/// Whether a user name fits: that of the tenant, or the one that clients send who have none.
fn is_of(user: Option<&str>, grant: &Grant) -> bool {
    match (user, &grant.tenant) {
        (Some(user), Some(tenant)) => user == "default" || user == tenant.as_str(),
        _ => true,
    }
}

fn refused(refusal: &Refusal, uri: &Uri) -> Response {
    let problem = Problem::from(refusal.clone());
    // Upstash's clients show what stands there.
    let problem = if super::redis_rest::has(uri.path()) {
        problem.with("error", format!("WRONGPASS {refusal}"))
    } else {
        problem
    };
    problem.into_response()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Store(error) => error.into(),
            Refusal::NoKeys => Self::new(Code::KeysUnavailable, detail),
            Refusal::Missing => {
                Self::new(Code::TokenMissing, detail).challenge("Bearer realm=\"hitherto\"".to_owned())
            }
            _ => Self::new(Code::TokenRefused, detail)
                .challenge("Bearer realm=\"hitherto\", error=\"invalid_token\"".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn this_machine_has_addresses_and_names_that_nobody_can_register() {
        let check = |uri: &str, host: Option<&str>, expected: bool| {
            let mut request = axum::http::Request::get(uri).body(axum::body::Body::empty()).unwrap();
            if let Some(host) = host {
                request.headers_mut().insert("host", HeaderValue::from_str(host).unwrap());
            }
            assert_eq!(asks_for_this_machine(&request), expected, "{uri} {host:?}");
        };
        for host in [
            "localhost",
            "LocalHost:8700",
            "localhost.",
            "a.localhost:1",
            "127.0.0.1:8700",
            "[::1]:8700",
            "10.0.0.7",
            "hitherto:8700",
            "host.docker.internal:8700",
        ] {
            check("/v1/sessions", Some(host), true);
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:8700",
            "notlocalhost.example",
            "internal.example",
            "",
            "a b",
            "é",
        ] {
            check("/v1/sessions", Some(host), false);
        }
        check("/v1/sessions", None, true);
        check("http://evil.example/v1/sessions", Some("localhost"), false);
    }

    #[test]
    fn a_token_is_found_where_clients_put_it() {
        let check = |headers: &[(&str, &str)], uri: &str, expected: Option<(&str, Option<&str>)>| {
            let headers = headers.iter().map(|(name, value)| {
                (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
            });
            let found = shown(&headers.collect(), &uri.parse().unwrap());
            let expected = expected
                .map(|(token, user)| Shown { token: token.to_owned(), user: user.map(str::to_owned) });
            assert_eq!(found, expected);
        };
        check(&[], "/v1/sessions", None);
        check(&[("authorization", "Bearer t")], "/", Some(("t", None)));
        check(&[("authorization", "bearer  t ")], "/", Some(("t", None)));
        check(&[("authorization", "Token t")], "/", Some(("t", None)));
        check(&[("authorization", "Bearer ")], "/", None);
        check(&[("authorization", "Bearer")], "/", None);
        check(&[("authorization", "t")], "/", None);
        check(&[("x-api-key", "t")], "/", Some(("t", None)));
        check(&[("x-api-key", "t"), ("authorization", "Bearer u")], "/", Some(("u", None)));
        check(&[("x-api-key", "t"), ("authorization", "Basic YTpi")], "/", Some(("t", None)));
        check(&[("authorization", "Basic YTpi")], "/", Some(("b", Some("a"))));
        check(&[("authorization", "Basic OmI=")], "/", Some(("b", None)));
        check(&[("authorization", "Basic YTo=")], "/", None);
        check(&[("authorization", "Basic ?")], "/", None);
        check(&[], "/pipeline?_token=t%20", Some(("t", None)));
        check(&[], "/?a=b&_token=t", Some(("t", None)));
        check(&[], "/v1/sessions?_token=t", None);
        check(&[], "/pipeline?token=t", None);
    }
}
