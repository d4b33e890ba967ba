//! Public keys: of a JWK set, or of PEM.
//!
//! What is of another kind is passed over, as who issues tokens may have keys for other things in the same set.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

/// How many keys are taken of a set.
const MOST: usize = 64;

/// A key that can verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// Its name (`kid`), if it has one.
    pub(super) id: Option<String>,
    pub(super) material: Material,
}

/// What a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    /// RSA by its numbers, big-endian.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// RSA as PKCS #1 has it.
    RsaDer(Vec<u8>),
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
    /// Ed25519.
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// The keys of a text.
///
/// # Errors
/// If it is neither a JWK set nor PEM, or has no key that can be used.
pub(super) fn read(text: &str) -> Result<Vec<Key>, String> {
    let mut keys = if text.trim_start().starts_with('{') {
        let set: Set = serde_json::from_str(text).map_err(|_| "it is no set of keys (JWKS)".to_owned())?;
        set.keys.into_iter().filter_map(of_jwk).collect()
    } else {
        of_pem(text)?
    };
    keys.truncate(MOST);
    if keys.is_empty() {
        return Err("it has no public key for RS256, ES256 or EdDSA".to_owned());
    }
    Ok(keys)
}

fn of_jwk(jwk: Jwk) -> Option<Key> {
    let part = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    if jwk.purpose.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let (material, algorithm) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let bare = |bytes: Vec<u8>| bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            (Material::Rsa { n: bare(part(&jwk.n)?), e: bare(part(&jwk.e)?) }, "RS256")
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (part(&jwk.x)?, part(&jwk.y)?);
            if (x.len(), y.len()) != (32, 32) {
                return None;
            }
            (Material::P256([vec![4], x, y].concat()), "ES256")
        }
        ("OKP", Some("Ed25519")) => {
            (Material::Ed25519(part(&jwk.x).filter(|point| point.len() == 32)?), "EdDSA")
        }
        _ => return None,
    };
    if jwk.alg.is_some_and(|own| own != algorithm) {
        return None;
    }
    Some(Key { id: jwk.kid, material })
}

fn of_pem(text: &str) -> Result<Vec<Key>, String> {
    const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
    const END: &str = "-----END PUBLIC KEY-----";
    let mut keys = Vec::new();
    for block in text.split(BEGIN).skip(1) {
        let (body, _) = block.split_once(END).ok_or("a public key in it is cut off")?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| "a public key in it is no base64".to_owned())?;
        keys.extend(of_der(&der).map(|material| Key { id: None, material }));
    }
    Ok(keys)
}

/// A SubjectPublicKeyInfo (RFC 5280) of one of the kinds.
fn of_der(der: &[u8]) -> Option<Material> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    let (info, _) = element(der, 0x30)?;
    let (algorithm, rest) = element(info, 0x30)?;
    let (key, _) = element(rest, 0x03)?;
    let (oid, parameters) = element(algorithm, 0x06)?;
    // A string of bits begins with how many of the last byte are none.
    let key = key.strip_prefix(&[0])?.to_vec();
    match oid {
        RSA => Some(Material::RsaDer(key)),
        EC if element(parameters, 0x06)?.0 == P256 && key.len() == 65 => Some(Material::P256(key)),
        ED25519 if key.len() == 32 => Some(Material::Ed25519(key)),
        _ => None,
    }
}

/// The content of an element of that tag, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(*short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
