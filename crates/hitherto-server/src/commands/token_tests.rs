//! Tests of `token`.

use hitherto::Clock;
use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};

use super::super::output::Look;
use super::super::test_kit::Captured;
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_763_805_600_000);

async fn said(store: &Arc<dyn Store>, what: TokenWhat, json: bool) -> (ExitCode, String, String) {
    let look = Look { clock: Clock::from_fn(|| NOW), ..Look::default() };
    let mut captured = Captured::new("", look);
    let result = run(store, &TokenArgs { what, json }, &mut captured.output).await;
    let code =
        result.map_err(|error| captured.output.note(&format!("{error:#}"))).unwrap_or(ExitCode::FAILURE);
    captured.output.flush().unwrap();
    (code, captured.out(), captured.err())
}

fn create(tenant: &str, expires: Option<&str>, name: &str) -> TokenWhat {
    TokenWhat::Create {
        tenant: Tenant::parse(tenant).unwrap(),
        scopes: Scopes::parse("read,write").unwrap(),
        expires: expires.map(str::to_owned),
        name: name.to_owned(),
    }
}

#[tokio::test]
async fn a_token_is_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions::new(folder.path().join("chat.db"));
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(options).unwrap());
    let (code, out, err) = said(&store, TokenWhat::List(None), false).await;
    assert_eq!((code, out.as_str(), err.as_str()), (ExitCode::SUCCESS, "", "there are no tokens\n"));

    let (code, out, err) = said(&store, create("acme", None, ""), false).await;
    assert_eq!(code, ExitCode::SUCCESS);
    let token = Token::parse(out.trim_end()).unwrap();
    let kept = store.credential(&token.hash()).await.unwrap().unwrap();
    assert_eq!((kept.tenant.as_str(), kept.expires_at, kept.created_at), ("acme", None, NOW));
    assert!(!err.contains(out.trim_end()) && err.contains(&kept.id.to_string()), "{err}");

    let (_, out, _) = said(&store, create("a\u{1b}[2J", Some("90d"), "bot"), true).await;
    let made: serde_json::Value = serde_json::from_str(&out).unwrap();
    let token = Token::parse(made["token"].as_str().unwrap()).unwrap();
    let other = store.credential(&token.hash()).await.unwrap().unwrap();
    assert_eq!(made["id"], other.id.to_string());
    assert_eq!(
        (&made["scopes"], &made["expires_at"]),
        (&json!(["read", "write"]), &json!("2026-02-20T10:00:00.000Z"))
    );

    let (_, out, _) = said(&store, TokenWhat::List(None), false).await;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].starts_with("ID") && lines[1].starts_with(&kept.id.to_string()), "{out}");
    assert!(!out.contains('\u{1b}'), "{out:?}");
    let (_, out, _) = said(&store, TokenWhat::List(Some(kept.tenant.clone())), true).await;
    assert_eq!(out.lines().count(), 1);
    assert!(!out.contains("\"token\""), "{out}");

    for _ in 0..2 {
        let (code, out, _) = said(&store, TokenWhat::Revoke(kept.id), false).await;
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(out.starts_with(&format!("revoked {} of tenant acme", kept.id)), "{out}");
    }
    let (_, out, _) = said(&store, TokenWhat::List(None), true).await;
    let states: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["state"].clone())
        .collect();
    assert_eq!(states, ["revoked", "live"]);
    let (code, _, err) = said(&store, TokenWhat::Revoke(Uuid::nil()), false).await;
    assert_eq!(code, ExitCode::FAILURE);
    assert!(err.contains("there is no token 00000000-"), "{err}");
}

#[test]
fn ends_are_read() {
    let check = |text: &str, expected: Option<i64>| {
        let found = end(text, NOW).ok().map(|end| (end.as_millis() - NOW.as_millis()) / 1000);
        assert_eq!(found, expected, "{text:?}");
    };
    check("30s", Some(30));
    check("15m", Some(900));
    check("12h", Some(43_200));
    check("90d", Some(7_776_000));
    check("2w", Some(1_209_600));
    check("1y", Some(31_536_000));
    check("2025-11-22T10:00:01Z", Some(1));
    check("2025-11-22T10:00:00Z", None);
    for wrong in [
        "",
        "d",
        "90",
        "90 d",
        "-1d",
        "0d",
        "1.5h",
        "90x",
        "99999999999999999999y",
        "9223372036854775807s",
        "tomorrow",
    ] {
        check(wrong, None);
    }
}
