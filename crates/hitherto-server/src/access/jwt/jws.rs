//! A signature in its compact form: three parts, and whether a key has made the third of the first two.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::keys::{Key, Material};

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

/// A token in its parts. Nothing in it is to be believed before [`Self::is_signed_by`] says so.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    signed: &'a str,
    /// What it says.
    pub(super) payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

impl<'a> Compact<'a> {
    /// The parts of a text.
    ///
    /// # Errors
    /// If it is none, or of an algorithm that is not taken.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        const FORM: &str = "it is no signed token";
        let (signed, signature) = text.rsplit_once('.').ok_or(FORM)?;
        let (header, payload) = signed.split_once('.').ok_or(FORM)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| FORM);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| FORM)?;
        if header.crit.is_some() {
            return Err("it names conditions that are not known here (crit)");
        }
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::Rs256,
            "ES256" => Algorithm::Es256,
            "EdDSA" => Algorithm::EdDsa,
            _ => return Err("its algorithm is none of RS256, ES256 and EdDSA"),
        };
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        Ok(Self { algorithm, key_id: header.kid, signed, payload, signature })
    }

    /// Whether it can have been signed by that key: of the kind that its algorithm is for, and of its name if it has one.
    pub(super) fn may_be_by(&self, key: &Key) -> bool {
        let kind = match key.material {
            Material::Rsa { .. } | Material::RsaDer(_) => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        };
        let named = match (&self.key_id, &key.id) {
            (Some(wanted), Some(id)) => wanted == id,
            _ => true,
        };
        kind == self.algorithm && named
    }

    /// Whether that key has signed it.
    pub(super) fn is_signed_by(&self, key: &Key) -> bool {
        let (message, signature) = (self.signed.as_bytes(), self.signature.as_slice());
        let verified = match (&key.material, self.algorithm) {
            (Material::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Material::RsaDer(der), Algorithm::Rs256) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, signature)
            }
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Material::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}
