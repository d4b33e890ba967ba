//! Tests of the gate: who is let in, and for how long on an old answer.

use std::sync::atomic::AtomicI64;

use hitherto::access::{Credential, Scopes};
use hitherto::store::embedded::{EmbeddedOptions, EmbeddedStore};
use hitherto::{Tenant, Timestamp};

use super::*;

#[allow(dead_code, unreachable_pub)]
#[path = "../../tests/support/broken.rs"]
mod broken;

use broken::Broken;

/// A store in a file, and a clock that is turned by hand. The time by which answers grow old stands still but for
/// `tokio::time::advance`, save while the store writes: its thread would not be waited for.
struct Bench {
    store: Arc<dyn Store>,
    now: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = EmbeddedOptions::new(folder.path().join("chat.db"));
        options.deadline = Duration::from_secs(60);
        let store = Arc::new(EmbeddedStore::open(options).unwrap());
        tokio::time::pause();
        Self { store, now: Arc::new(AtomicI64::new(1_000_000)), _folder: folder }
    }

    fn gate(&self, require: bool) -> Gate {
        let now = Arc::clone(&self.now);
        let clock = Clock::from_fn(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
        Gate::new(
            Arc::clone(&self.store),
            GateOptions { require, clock, deadline: Duration::from_secs(60), ..GateOptions::default() },
        )
    }

    async fn token(&self, tenant: &str, lives: Option<i64>) -> (String, Credential) {
        let token = Token::random().unwrap();
        let now = Timestamp::from_millis(self.now.load(Ordering::Relaxed));
        let end = lives.map(|millis| now.plus_millis(millis));
        let credential = Credential::new(Tenant::parse(tenant).unwrap(), "", Scopes::ALL, now, end);
        tokio::time::resume();
        self.store.put_credential(&token.hash(), &credential).await.unwrap();
        tokio::time::pause();
        (token.reveal(), credential)
    }

    async fn revoke(&self, credential: &Credential) {
        tokio::time::resume();
        self.store.revoke_credential(credential.id, Timestamp::from_millis(7)).await.unwrap().unwrap();
        tokio::time::pause();
    }
}

async fn tenant(gate: &Gate, shown: Option<&str>) -> Result<Option<String>, Refusal> {
    gate.admit(shown).await.map(|(_, grant)| grant.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()))
}

fn some(tenant: &str) -> Result<Option<String>, Refusal> {
    Ok(Some(tenant.to_owned()))
}

const REVOKED: Refusal = Refusal::Revoked(Timestamp::from_millis(7));

#[tokio::test]
async fn the_tenant_is_that_of_the_token() {
    let bench = Bench::new();
    let ((one, _), (other, _)) = (bench.token("acme", None).await, bench.token("umbrella", None).await);
    let gate = bench.gate(false);
    for _ in 0..3 {
        assert_eq!(tenant(&gate, Some(&one)).await, some("acme"));
        assert_eq!(tenant(&gate, Some(&other)).await, some("umbrella"));
    }
    assert_eq!(tenant(&gate, None).await, Err(Refusal::Missing));
    assert_eq!(tenant(&gate, Some("")).await, Err(Refusal::Unknown));
    assert_eq!(tenant(&gate, Some(&Token::random().unwrap().reveal())).await, Err(Refusal::Unknown));
    let wrong = format!("{}0", one.get(..75).unwrap());
    let wrong = if wrong == one { format!("{}1", one.get(..75).unwrap()) } else { wrong };
    assert_eq!(tenant(&gate, Some(&wrong)).await, Err(Refusal::Misspelt));
}

/// Tokens become required when the first is made, on a server that runs, within 5 s; and stay so.
#[tokio::test]
async fn the_first_token_closes_the_gate() {
    let bench = Bench::new();
    let gate = bench.gate(false);
    assert_eq!(tenant(&gate, None).await, Ok(None));
    // A key of some other server is no obstacle as long as none is asked for.
    assert_eq!(tenant(&gate, Some("sk-other")).await, Ok(None));
    let (_, first) = bench.token("acme", None).await;
    assert_eq!(tenant(&gate, None).await, Ok(None), "asked a moment ago");
    tokio::time::advance(MOST_AGE).await;
    assert_eq!(tenant(&gate, None).await, Err(Refusal::Missing));
    assert_eq!(tenant(&gate, Some("sk-other")).await, Err(Refusal::Unknown));
    bench.revoke(&first).await;
    tokio::time::advance(MOST_AGE).await;
    assert_eq!(tenant(&gate, None).await, Err(Refusal::Missing));
    assert_eq!(tenant(&bench.gate(false), None).await, Err(Refusal::Missing), "also after a restart");
}

/// A token that is used tells a server that there are tokens.
#[tokio::test]
async fn a_known_token_closes_the_gate_at_once() {
    let bench = Bench::new();
    let gate = bench.gate(false);
    assert_eq!(tenant(&gate, None).await, Ok(None));
    let (token, _) = bench.token("acme", None).await;
    assert_eq!(tenant(&gate, Some(&token)).await, some("acme"));
    assert_eq!(tenant(&gate, None).await, Err(Refusal::Missing));
}

#[tokio::test]
async fn a_token_can_be_required_before_there_is_one() {
    let bench = Bench::new();
    let gate = bench.gate(true);
    assert_eq!(tenant(&gate, None).await, Err(Refusal::Missing));
    assert_eq!(tenant(&gate, Some("sk-other")).await, Err(Refusal::Unknown));
}

/// What was revoked ends when the answer is too old, at the latest; for a connection that came in before, too.
#[tokio::test]
async fn a_revocation_holds_when_the_answer_is_too_old() {
    let bench = Bench::new();
    let gate = bench.gate(false);
    let (token, credential) = bench.token("acme", None).await;
    let (pass, _) = gate.admit(Some(&token)).await.unwrap();
    bench.revoke(&credential).await;
    assert_eq!(tenant(&gate, Some(&token)).await, some("acme"), "a cached answer");
    tokio::time::advance(MOST_AGE).await;
    assert_eq!(gate.grant(&pass).await.err(), Some(REVOKED));
    assert_eq!(tenant(&gate, Some(&token)).await, Err(REVOKED));
}

/// A token in use is looked at again before its answer is too old, and nobody waits for that.
#[tokio::test]
async fn a_token_in_use_is_asked_for_in_the_background() {
    let bench = Bench::new();
    let gate = bench.gate(false);
    let (token, credential) = bench.token("acme", None).await;
    let (pass, _) = gate.admit(Some(&token)).await.unwrap();
    bench.revoke(&credential).await;
    tokio::time::advance(REFRESH_AGE).await;
    assert!(gate.grant(&pass).await.is_ok(), "the old answer, while the new one is on its way");
    let Pass::Token(known) = &pass else { panic!("a token") };
    // It was asked for: the answer comes without anybody asking again.
    let asked = Instant::now();
    while known.fresh(Timestamp::now) != Some(Err(REVOKED)) {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_eq!(tenant(&gate, Some(&token)).await, Err(REVOKED));
}

#[tokio::test]
async fn a_token_ends_when_it_said_it_would() {
    let bench = Bench::new();
    let gate = bench.gate(false);
    let (token, credential) = bench.token("acme", Some(500)).await;
    let (pass, _) = gate.admit(Some(&token)).await.unwrap();
    bench.now.fetch_add(499, Ordering::Relaxed);
    assert!(gate.grant(&pass).await.is_ok());
    // No answer has grown old meanwhile: its end is looked at each time.
    bench.now.fetch_add(1, Ordering::Relaxed);
    let expired = Refusal::Expired(credential.expires_at.unwrap());
    assert_eq!(gate.grant(&pass).await.err(), Some(expired.clone()));
    assert_eq!(tenant(&gate, Some(&token)).await, Err(expired));
}

/// A token that was tried too early is known soon after it was made.
#[tokio::test]
async fn a_new_token_is_known_soon() {
    let bench = Bench::new();
    let gate = bench.gate(true);
    let token = Token::random().unwrap();
    assert_eq!(tenant(&gate, Some(&token.reveal())).await, Err(Refusal::Unknown));
    let credential = Credential::new(Tenant::default(), "", Scopes::ALL, Timestamp::from_millis(0), None);
    tokio::time::resume();
    bench.store.put_credential(&token.hash(), &credential).await.unwrap();
    tokio::time::pause();
    assert_eq!(tenant(&gate, Some(&token.reveal())).await, Err(Refusal::Unknown), "nobody asked again");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(tenant(&gate, Some(&token.reveal())).await, some("default"));
}

/// A server that cannot ask lets nobody in, and says that it cannot.
#[tokio::test]
async fn a_store_that_fails_lets_nobody_in() {
    let down = StoreError::Unreachable { store: "Redis at h".to_owned(), reason: "refused".to_owned() };
    let gate = Gate::new(Arc::new(Broken::Fails(down.clone())), GateOptions::default());
    let token = Token::random().unwrap().reveal();
    for shown in [None, Some(token.as_str()), Some("sk-other")] {
        assert_eq!(tenant(&gate, shown).await, Err(Refusal::Store(down.clone())), "{shown:?}");
    }
    tokio::time::pause();
    let gate = Gate::new(Arc::new(Broken::Hangs), GateOptions::default());
    for shown in [None, Some(token.as_str())] {
        let begun = Instant::now();
        let found = tenant(&gate, shown).await;
        assert!(matches!(found, Err(Refusal::Store(StoreError::TimedOut { .. }))), "{found:?}");
        assert!(begun.elapsed() < Duration::from_millis(2_010), "{:?}", begun.elapsed());
    }
    // Many who wait for their turn wait no longer.
    let begun = Instant::now();
    let all = (0..100).map(|_| {
        let gate = gate.clone();
        tokio::spawn(async move { tenant(&gate, None).await })
    });
    for waiting in all.collect::<Vec<_>>() {
        assert!(waiting.await.unwrap().is_err());
    }
    assert!(begun.elapsed() < Duration::from_millis(2_010), "{:?}", begun.elapsed());
}

/// A gate that nobody set up lets everybody in as the memory's own tenant: that is for programs that see to it.
#[tokio::test]
async fn without_a_gate_everybody_is_let_in() {
    assert_eq!(tenant(&Gate::default(), Some("x")).await, Ok(None));
}
