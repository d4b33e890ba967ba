//! Tests of signed tokens: those of the standard, those that are made here, and every way in which one is no good.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// RFC 7515, appendix A.2 (RS256) and A.3 (ES256): the public keys, and what was signed.
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const SAID: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// When those were valid.
const THEN: Timestamp = Timestamp::from_millis(1_300_000_000_000);
const NOW: Timestamp = Timestamp::from_millis(1_763_805_600_000);

fn rsa() -> Value {
    json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key that signs, as an issuer has it.
struct Signer {
    kid: &'static str,
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { kid, pair: Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap() }
    }

    fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "use": "sig", "alg": "EdDSA", "x": encoded(self.pair.public_key())})
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({"alg": "EdDSA", "kid": self.kid}), claims)
    }

    fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = encoded(self.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// Claims that are fine, with some others.
fn claims(others: &Value) -> Value {
    let mut claims = json!({"tenant": "acme", "scope": "openid read write", "sub": "user-1", "exp": NOW.as_millis() / 1000 + 600});
    for (name, value) in others.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> String {
        self.folder.path().join("keys").to_str().unwrap().to_owned()
    }

    fn keys(&self, keys: &[Value]) -> Jwts {
        self.text(&json!({"keys": keys}).to_string())
    }

    fn text(&self, text: &str) -> Jwts {
        std::fs::write(self.path(), text).unwrap();
        Jwts::new(JwtOptions::new(&self.path()))
    }
}

async fn granted(jwts: &Jwts, text: &str, now: Timestamp) -> Result<Arc<Grant>, String> {
    let signed = jwts.admit(text, now).await.map_err(|refusal| refusal.to_string())?;
    jwts.grant(&signed, now).await.map_err(|refusal| refusal.to_string())
}

#[track_caller]
fn says(found: Result<Arc<Grant>, String>, expected: &str) {
    let said = found.expect_err("it must be refused");
    assert!(said.contains(expected), "{said}");
}

#[tokio::test]
async fn the_tokens_of_the_standard_are_verified() {
    let bench = Bench::new();
    for (header, signature) in [(r#"{"alg":"RS256"}"#, RS256), (r#"{"alg":"ES256"}"#, ES256)] {
        let token = format!("{}.{SAID}.{signature}", encoded(header));
        let mut jwts = bench.keys(&[rsa(), p256()]);
        says(granted(&jwts, &token, THEN).await, "it names no tenant (tenant)");
        jwts.options.tenant_claim = "iss".to_owned();
        let grant = granted(&jwts, &token, THEN).await.unwrap();
        assert_eq!(
            (grant.tenant.as_ref().unwrap().as_str(), grant.scopes.to_string()),
            ("joe", String::new())
        );
        says(granted(&jwts, &token, NOW).await, "it expired at 2011-03-22");
        // One bit of it is another.
        let wrong = token.replace("cC4hi", "cC4hj").replace("DtEhU", "DtEhV");
        says(granted(&jwts, &wrong, THEN).await, "no key that is known here has signed it");
    }
}

/// The same keys in PEM, as `openssl` writes them.
#[tokio::test]
async fn keys_may_be_in_pem() {
    let bench = Bench::new();
    let part = |tag: u8, content: &[u8]| {
        let length = content.len();
        let mut out = match length {
            0..=127 => vec![tag, length as u8],
            128..=255 => vec![tag, 0x81, length as u8],
            _ => vec![tag, 0x82, (length >> 8) as u8, (length & 255) as u8],
        };
        out.extend_from_slice(content);
        out
    };
    let pem = |der: &[u8]| {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    };
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let n = [vec![0], decode(RSA_N)].concat();
    let numbers = part(0x30, &[part(0x02, &n), part(0x02, &[1, 0, 1])].concat());
    let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let rsa = part(0x30, &[part(0x30, &oid), part(0x03, &[vec![0], numbers].concat())].concat());
    let oid = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let point = [
        vec![0, 4],
        decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    let p256 = part(0x30, &[part(0x30, &oid), part(0x03, &point.concat())].concat());
    let signer = Signer::new("k");
    let ed = [
        vec![0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0],
        signer.pair.public_key().as_ref().to_vec(),
    ]
    .concat();
    let jwts = bench.text(&[pem(&rsa), pem(&p256), pem(&ed)].concat());
    for (header, signature) in [(r#"{"alg":"RS256"}"#, RS256), (r#"{"alg":"ES256"}"#, ES256)] {
        let token = format!("{}.{SAID}.{signature}", encoded(header));
        says(granted(&jwts, &token, THEN).await, "it names no tenant");
    }
    assert!(granted(&jwts, &signer.sign(&claims(&json!({}))), NOW).await.is_ok());
    for wrong in ["", "-----BEGIN PUBLIC KEY-----", "{}", r#"{"keys":[]}"#, "{", &pem(&rsa[..40])] {
        assert!(bench.text(wrong).load().await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn what_a_token_grants_is_what_it_says() {
    let (bench, signer) = (Bench::new(), Signer::new("k"));
    let jwts = bench.keys(&[signer.jwk()]);
    let grant = granted(&jwts, &signer.sign(&claims(&json!({}))), NOW).await.unwrap();
    assert_eq!(grant.tenant.as_ref().map(hitherto::Tenant::as_str), Some("acme"));
    assert_eq!(
        (grant.scopes.to_string().as_str(), grant.subject.as_deref(), grant.id),
        ("read,write", Some("user-1"), None)
    );
    let list = signer.sign(&claims(&json!({"scope": ["admin", "other"]})));
    assert_eq!(granted(&jwts, &list, NOW).await.unwrap().scopes.to_string(), "admin");
    let none = signer.sign(&claims(&json!({"scope": null})));
    assert_eq!(granted(&jwts, &none, NOW).await.unwrap().scopes.to_string(), "");
    assert!(!format!("{:?}", jwts.admit(&list, NOW).await).contains(&list), "it is printed");
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let (bench, signer, other) = (Bench::new(), Signer::new("k"), Signer::new("k"));
    let jwts = bench.keys(&[signer.jwk(), rsa()]);
    let secs = NOW.as_millis() / 1000;
    for (others, expected) in [
        (json!({"exp": null}), "it names no end (exp)"),
        (json!({"exp": secs - 31}), "it expired at"),
        (json!({"exp": "tomorrow"}), "exp is no number"),
        (json!({"nbf": secs + 31}), "it is not valid before"),
        (json!({"tenant": null}), "it names no tenant"),
        (json!({"tenant": ""}), "it names no tenant"),
        (json!({"tenant": 7}), "it names no tenant"),
        (json!({"tenant": "x".repeat(129)}), "it names no tenant"),
        (json!({"aud": "somebody"}), "jwt_audience does not say"),
        (json!({"aud": 7}), "aud is neither"),
    ] {
        says(granted(&jwts, &signer.sign(&claims(&others)), NOW).await, expected);
    }
    for others in [json!({"exp": secs - 29}), json!({"nbf": secs + 29}), json!({"exp": secs as f64 + 0.5})] {
        assert!(granted(&jwts, &signer.sign(&claims(&others)), NOW).await.is_ok(), "{others}");
    }
    let good = claims(&json!({}));
    let with = |header: Value| signer.sign_as(&header, &good);
    for alg in ["none", "None", "NONE", "", "HS256", "HS512", "RS512", "PS256", "ES384", "eddsa"] {
        says(granted(&jwts, &with(json!({"alg": alg})), NOW).await, "its algorithm is none of");
    }
    says(
        granted(&jwts, &with(json!({"alg": "EdDSA", "crit": ["exp"]})), NOW).await,
        "conditions that are not known",
    );
    says(granted(&jwts, &with(json!({"alg": "EdDSA", "kid": "another"})), NOW).await, "no key that is known");
    // Signed with the right key, and said to be of an algorithm for another kind of key.
    says(granted(&jwts, &with(json!({"alg": "RS256"})), NOW).await, "no key that is known");
    says(granted(&jwts, &with(json!({"alg": "ES256"})), NOW).await, "no key that is known");
    says(granted(&jwts, &other.sign(&good), NOW).await, "no key that is known");
    // Without a signature, with somebody else's, with one over something else, and cut off.
    let token = signer.sign(&good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    for wrong in [
        format!("{signed}."),
        format!("{signed}.{}", encoded([0; 64])),
        format!("{header}.{}.{signature}", encoded(claims(&json!({"tenant": "umbrella"})).to_string())),
    ] {
        says(granted(&jwts, &wrong, NOW).await, "no key that is known");
    }
    for wrong in ["a.b", "eyJ.eyJ.", "eyJ!.x.y", "..", &format!("{token}="), &token.replace('.', " ")] {
        assert!(granted(&jwts, wrong, NOW).await.is_err(), "{wrong}");
    }
    says(
        granted(&jwts, &signer.sign(&claims(&json!({"more": "x".repeat(9000)}))), NOW).await,
        "it has more than",
    );
    // An HMAC with the public key as its secret: what confuses verifiers that ask the token how to verify it.
    let signed = format!("{}.{}", encoded(r#"{"alg":"HS256"}"#), encoded(good.to_string()));
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, signer.pair.public_key().as_ref());
    let forged = format!("{signed}.{}", encoded(ring::hmac::sign(&secret, signed.as_bytes())));
    says(granted(&jwts, &forged, NOW).await, "its algorithm is none of");
}

#[tokio::test]
async fn issuer_and_audience_are_compared() {
    let (bench, signer) = (Bench::new(), Signer::new("k"));
    let mut jwts = bench.keys(&[signer.jwk()]);
    (jwts.options.issuer, jwts.options.audience) = (Some("https://id".to_owned()), Some("memory".to_owned()));
    for (others, expected) in [
        (json!({"iss": "https://id", "aud": "memory"}), None),
        (json!({"iss": "https://id", "aud": ["other", "memory"]}), None),
        (json!({"iss": "https://evil", "aud": "memory"}), Some("jwt_issuer")),
        (json!({"aud": "memory"}), Some("jwt_issuer")),
        (json!({"iss": "https://id", "aud": "other"}), Some("jwt_audience")),
        (json!({"iss": "https://id"}), Some("jwt_audience")),
    ] {
        let found = granted(&jwts, &signer.sign(&claims(&others)), NOW).await;
        match expected {
            None => assert!(found.is_ok(), "{others}: {found:?}"),
            Some(expected) => says(found, expected),
        }
    }
}

/// ES256 as it is made here, with a key among others of the same kind and no name.
#[tokio::test]
async fn a_token_without_a_key_id_is_tried_with_every_key_of_its_kind() {
    let bench = Bench::new();
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let own = json!({"kty": "EC", "crv": "P-256", "kid": "own", "x": encoded(&point[1..33]), "y": encoded(&point[33..])});
    let encryption = json!({"kty": "RSA", "use": "enc", "n": RSA_N, "e": "AQAB"});
    let jwts = bench.keys(&[p256(), encryption, json!({"kty": "oct", "k": "AAAA"}), own]);
    let signed = format!("{}.{}", encoded(r#"{"alg":"ES256"}"#), encoded(claims(&json!({})).to_string()));
    let token = format!("{signed}.{}", encoded(pair.sign(&random, signed.as_bytes()).unwrap()));
    assert!(granted(&jwts, &token, NOW).await.is_ok());
}

/// The issuer changes its keys: one that is new is found when a token names it, one that is gone ends what it signed, and
/// whoever makes names up does not have the file read again and again.
#[tokio::test(start_paused = true)]
async fn keys_are_rotated() {
    let (bench, old, new) = (Bench::new(), Signer::new("old"), Signer::new("new"));
    let jwts = bench.keys(&[old.jwk()]);
    let (first, second) = (old.sign(&claims(&json!({}))), new.sign(&claims(&json!({}))));
    let open = jwts.admit(&first, NOW).await.unwrap();
    says(granted(&jwts, &second, NOW).await, "no key that is known");
    std::fs::write(bench.path(), json!({"keys": [new.jwk()]}).to_string()).unwrap();
    says(granted(&jwts, &second, NOW).await, "no key that is known");
    assert!(granted(&jwts, &first, NOW).await.is_ok());
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    assert!(granted(&jwts, &second, NOW).await.is_ok());
    says(granted(&jwts, &first, NOW).await, "no key that is known");
    assert!(jwts.grant(&open, NOW).await.is_err(), "also for a connection that came in by it");
    // A file that cannot be read changes nothing.
    std::fs::remove_file(bench.path()).unwrap();
    tokio::time::advance(std::time::Duration::from_secs(120)).await;
    assert!(granted(&jwts, &second, NOW).await.is_ok());
}

/// Keys at an address: fetched once, and again when a key is new.
#[tokio::test]
async fn keys_may_be_at_an_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/jwks", listener.local_addr().unwrap());
    let signer = Signer::new("k");
    let asked = Arc::new(AtomicUsize::new(0));
    let (body, counted) = (json!({"keys": [signer.jwk()]}).to_string(), Arc::clone(&asked));
    let issuer = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /jwks HTTP/1.1\r\n"));
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let (status, body) = if first { ("503 No", "") } else { ("200 OK", body.as_str()) };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let jwts = Jwts::new(JwtOptions::new(&address));
    let token = signer.sign(&claims(&json!({})));
    // Not there yet: nobody can say, and nobody is let in.
    assert!(matches!(jwts.admit(&token, NOW).await, Err(Refusal::NoKeys)));
    assert!(matches!(jwts.admit(&token, NOW).await, Err(Refusal::NoKeys)));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    jwts.load().await.unwrap();
    for _ in 0..10 {
        assert!(granted(&jwts, &token, NOW).await.is_ok());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    issuer.abort();
    for unsafe_address in ["http://192.0.2.1/jwks", "http://example.com/jwks", "ftp://127.0.0.1/jwks"] {
        let error = Jwts::new(JwtOptions::new(unsafe_address)).load().await.unwrap_err();
        assert!(error.contains("must begin with https://"), "{error}");
    }
}
