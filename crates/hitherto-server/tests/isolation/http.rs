//! Every request of the HTTP APIs with one tenant's token against what another has stored.

use serde_json::Value;

use crate::tenants::{Served, Tenant};
use crate::without::filled;

/// A body that each route takes.
fn body(method: &str, path: &str) -> String {
    match (method, path) {
        ("POST", path) if path.ends_with("/messages") || path.ends_with("/memory") => {
            r#"{"messages":[{"role":"user","content":"intruder"}]}"#.to_owned()
        }
        ("POST", "/api/v1/sessions") => r#"{"session_id":"shared","metadata":{"by":"intruder"}}"#.to_owned(),
        ("POST", path) if path.ends_with("/search") || path.ends_with("/retrieval") => {
            r#"{"text":"classified"}"#.to_owned()
        }
        ("POST", path) if path.ends_with("/fork") => r#"{"to":"stolen"}"#.to_owned(),
        ("POST", "/") => r#"["LRANGE","shared","0","-1"]"#.to_owned(),
        ("POST", "/pipeline") => r#"[["KEYS","*"],["LRANGE","shared","0","-1"],["DEL","shared"]]"#.to_owned(),
        ("POST", "/multi-exec") => r#"[["RPUSH","shared","intruder"],["LPOP","shared"]]"#.to_owned(),
        ("PUT", _) => r#"{"text":"intruder","upto":1}"#.to_owned(),
        ("PATCH", path) if path.contains("/messages/") => r#"{"content":"intruder"}"#.to_owned(),
        ("PATCH", _) => r#"{"metadata":{"by":"intruder"}}"#.to_owned(),
        ("POST", _) => "{}".to_owned(),
        _ => String::new(),
    }
}

/// Another tenant's session of the same id is there for nobody but its owner, whatever is asked, in whatever order.
#[test]
fn no_request_reaches_another_tenants_session() {
    let served = Served::new();
    let (owner, intruder) =
        (served.token("acme", "read,write,admin"), served.token("acme:", "read,write,admin"));
    for session in ["shared", "private"] {
        owner.say(session, "classified");
    }
    owner.call("PUT", "/v1/sessions/shared/summary", r#"{"text":"classified summary","upto":1}"#).expect(200);
    let before = owner.everything();
    assert_eq!(before.len(), 2);
    let routes = hitherto_server::routes();
    assert!(routes.len() > 30, "{routes:?}");
    for session in ["shared", "private"] {
        for route in &routes {
            // The intruder's own namesake, if a request before has made one, is out of the way.
            intruder.call("DELETE", &format!("/v1/sessions/{session}"), "").expect(200);
            let path = filled(route.path, session);
            let answer = intruder.call(route.method, &path, &body(route.method, route.path));
            assert!(answer.status != 401 && answer.status != 403, "{} {path}: {answer:?}", route.method);
            assert!(!answer.body.contains("classified"), "{} {path}: {answer:?}", route.method);
            assert!(!answer.body.contains("private") || session == "private", "{path}: {answer:?}");
            assert_eq!(owner.everything(), before, "{} {path} changed what is another's", route.method);
        }
    }
}

/// A read of a session that only another tenant has is the same as of one that nobody has.
#[test]
fn what_another_has_is_as_what_nobody_has() {
    let served = Served::new();
    let (owner, intruder) =
        (served.token("acme", "read,write"), served.token("umbrella", "read,write,admin"));
    owner.say("shared", "classified");
    owner.call("PUT", "/v1/sessions/shared/summary", r#"{"text":"classified","upto":1}"#).expect(200);
    for route in hitherto_server::routes() {
        if !route.path.contains("{id}") {
            continue;
        }
        let ask = |id: &str| {
            intruder.call("DELETE", &format!("/v1/sessions/{id}"), "").expect(200);
            intruder.call("DELETE", "/v1/sessions/stolen", "").expect(200);
            let answer =
                intruder.call(route.method, &filled(route.path, id), &body(route.method, route.path));
            (answer.status, plain(&answer.body, id))
        };
        assert_eq!(ask("shared"), ask("nobody"), "{} {}", route.method, route.path);
    }
    let list = intruder.call("GET", "/v1/sessions", "").expect(200).json();
    assert!(
        list["sessions"].as_array().unwrap().iter().all(|session| session["session"] != "shared"),
        "{list}"
    );
}

/// An answer without what differs between any two sessions: ids, times, and its own name.
fn plain(body: &str, id: &str) -> String {
    fn without(value: &mut Value) {
        match value {
            Value::Object(object) => {
                for name in ["id", "uuid", "created_at", "updated_at", "edited_at", "made_at", "now"] {
                    object.remove(name);
                }
                object.values_mut().for_each(without);
            }
            Value::Array(all) => all.iter_mut().for_each(without),
            _ => {}
        }
    }
    match serde_json::from_str::<Value>(&body.replace(id, "…")) {
        Ok(mut value) => {
            without(&mut value);
            value.to_string()
        }
        Err(_) => body.replace(id, "…"),
    }
}

/// Each tenant counts its own, in lists, pages and cursors; a cursor of one's is of no use to the other.
#[test]
fn lists_are_each_tenants_own() {
    let served = Served::new();
    let (one, other) = (served.token("one", "read,write"), served.token("other", "read,write"));
    for number in 0..7 {
        one.say(&format!("one-{number}"), "x");
    }
    other.say("other-0", "x");
    let list =
        |who: &Tenant, query: &str| who.call("GET", &format!("/v1/sessions{query}"), "").expect(200).json();
    let page = list(&one, "?limit=3");
    assert_eq!(page["sessions"].as_array().unwrap().len(), 3);
    let cursor = page["next_cursor"].as_str().unwrap();
    for found in [list(&other, ""), list(&other, &format!("?cursor={cursor}")), list(&other, "?prefix=one")] {
        assert!(!found.to_string().contains("one-"), "{found}");
    }
    assert_eq!(other.call("GET", "/sessions", "").expect(200).body, r#"["other-0"]"#);
    assert_eq!(other.call("GET", "/api/v1/sessions", "").expect(200).json().as_array().unwrap().len(), 1);
}

/// One tenant's idempotency key is not another's.
#[test]
fn an_idempotency_key_is_of_one_tenant() {
    let served = Served::new();
    for tenant in ["one", "other"] {
        let tenant = served.token(tenant, "read,write");
        for expected in [201, 200] {
            let header = format!("authorization: Bearer {}", tenant.made.token);
            let headers = [header.as_str(), "idempotency-key: k", "content-type: application/json"];
            let body = format!(r#"{{"messages":[{{"role":"user","content":"{}"}}]}}"#, tenant.name);
            crate::support::call(tenant.http, "POST", "/v1/sessions/s/messages", &headers, body.as_bytes())
                .expect(expected);
        }
    }
}
