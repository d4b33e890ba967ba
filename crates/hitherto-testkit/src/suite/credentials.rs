//! Credentials: kept under the hash of their token, found, listed, ended.

use hitherto::access::{Credential, Permission, Scopes, Token};
use hitherto::{Tenant, Timestamp};

use super::subject::Subject;

fn of(tenant: &str, name: &str, now: Timestamp) -> Credential {
    Credential::new(Tenant::parse(tenant).unwrap(), name, Scopes::of([Permission::Read]), now, None)
}

/// Keeps a new token of that tenant.
async fn kept(on: &Subject, tenant: &str) -> (Token, Credential) {
    let (token, credential) = (Token::random().unwrap(), of(tenant, "n", on.now()));
    on.store().put_credential(&token.hash(), &credential).await.unwrap();
    (token, credential)
}

/// All credentials, of pages of that size; one that came twice is there once.
async fn listed(on: &Subject, tenant: Option<&Tenant>, limit: u32) -> Vec<Credential> {
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..10_000 {
        let page = on.store().credentials(tenant, after, limit).await.unwrap();
        all.extend(page.credentials);
        after = page.next;
        if after.is_none() {
            all.sort_unstable_by_key(|credential: &Credential| credential.id);
            all.dedup();
            return all;
        }
    }
    panic!("the list of credentials has no end");
}

/// A credential comes back as it was kept, by its token and by no other.
pub async fn a_credential_is_found_by_its_token(on: Subject) {
    let store = on.store();
    let token = Token::random().unwrap();
    assert_eq!(store.credential(&token.hash()).await.unwrap(), None);
    for (tenant, name, scopes, expires) in [
        ("acme", "", Scopes::of([Permission::Read]), None),
        ("a:b\0{}", "bot é '; --", Scopes::ALL, Some(86_400_000)),
        ("日本", &"x".repeat(256), Scopes::of([Permission::Write, Permission::Admin]), Some(1)),
    ] {
        let tenant = Tenant::parse(tenant).unwrap();
        let expires = expires.map(|millis| on.now().plus_millis(millis));
        let credential = Credential::new(tenant, name, scopes, on.now(), expires);
        let token = Token::random().unwrap();
        store.put_credential(&token.hash(), &credential).await.unwrap();
        assert_eq!(store.credential(&token.hash()).await.unwrap(), Some(credential));
    }
    assert_eq!(store.credential(&token.hash()).await.unwrap(), None);
}

/// The same credential kept twice is kept once; another one is not put over it.
pub async fn no_credential_is_put_over_another(on: Subject) {
    let (token, credential) = kept(&on, "acme").await;
    on.store().put_credential(&token.hash(), &credential).await.unwrap();
    let other = of("evil", "n", on.now());
    assert!(on.store().put_credential(&token.hash(), &other).await.is_err());
    assert_eq!(on.store().credential(&token.hash()).await.unwrap(), Some(credential));
}

/// A store knows whether it has any, and one that has ended counts: a store that was closed stays closed.
pub async fn a_store_knows_whether_it_has_any(on: Subject) {
    assert!(!on.store().any_credential().await.unwrap());
    on.chat("s").say("u").await;
    assert!(!on.store().any_credential().await.unwrap());
    let (_, credential) = kept(&on, "acme").await;
    assert!(on.store().any_credential().await.unwrap());
    on.store().revoke_credential(credential.id, on.now()).await.unwrap();
    assert!(on.store().any_credential().await.unwrap());
}

/// What is revoked says when, for ever.
pub async fn a_revoked_credential_stays_revoked(on: Subject) {
    let ((token, credential), (other, untouched)) = (kept(&on, "acme").await, kept(&on, "acme").await);
    let when = on.now();
    let revoked = on.store().revoke_credential(credential.id, when).await.unwrap().unwrap();
    let mut expected = credential.clone();
    expected.revoked_at = Some(when);
    assert_eq!(revoked, expected);
    assert!(!revoked.is_live(when));
    on.advance(100).await;
    assert_eq!(on.store().revoke_credential(credential.id, on.now()).await.unwrap(), Some(revoked.clone()));
    assert_eq!(on.store().credential(&token.hash()).await.unwrap(), Some(revoked));
    assert_eq!(on.store().credential(&other.hash()).await.unwrap(), Some(untouched));
    let unknown = of("acme", "n", on.now()).id;
    assert_eq!(on.store().revoke_credential(unknown, on.now()).await.unwrap(), None);
}

/// Pages of any size give every credential, of all tenants or of one.
pub async fn pages_give_every_credential(on: Subject) {
    assert_eq!(listed(&on, None, 10).await, []);
    let mut all = Vec::new();
    for number in 0..700 {
        all.push(kept(&on, ["acme", "acme:", "other"][number % 3]).await.1);
    }
    all.sort_unstable_by_key(|credential| credential.id);
    for limit in [1, 50, 699, 700, 1000] {
        assert_eq!(listed(&on, None, limit).await, all, "{limit} a page");
    }
    for tenant in ["acme", "acme:", "other", "nobody"] {
        let tenant = Tenant::parse(tenant).unwrap();
        let expected: Vec<_> = all.iter().filter(|credential| credential.tenant == tenant).cloned().collect();
        assert_eq!(listed(&on, Some(&tenant), 100).await, expected, "{tenant}");
    }
    // One of many is found to be revoked.
    let last = all.pop().unwrap();
    assert!(on.store().revoke_credential(last.id, on.now()).await.unwrap().is_some());
}
