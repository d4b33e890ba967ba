//! A token: 256 random bits, as a text that says what it is and whether it was copied whole.
//!
//! Invariant: its text comes out of [`Token::reveal`] only. Two hashes are compared in constant time.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

/// What every token begins with, so that people and scanners of repositories know one when they see it.
const PREFIX: &str = "hth_";
const BYTES: usize = 32;

/// A secret that stands for a [`Credential`](super::Credential): `hth_`, 64 hexadecimal digits, and 8 more that are the
/// CRC-32 of what they stand for. Neither `Debug` nor `Display` show it.
#[derive(Clone)]
pub struct Token([u8; BYTES]);

/// SHA-256 of a token's 32 bytes: all that a store has of it. A token is random enough that no slower hash is needed.
#[derive(Clone, Copy, Eq)]
pub struct TokenHash([u8; BYTES]);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It does not look like one.
    #[error("this is no token of Hitherto's: one begins with {PREFIX} and has 76 characters")]
    Form,
    /// It looks like one, and its check digits do not fit.
    #[error("the token is misspelt or cut off: its check digits do not fit")]
    Checksum,
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Token {
    /// A new token that nobody else has.
    ///
    /// # Errors
    /// [`TokenError::NoRandom`] where the system has no random numbers.
    pub fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| TokenError::NoRandom)?;
        Ok(Self(bytes))
    }

    /// The token of that text.
    ///
    /// # Errors
    /// If it is none: a typing error is told without asking anybody.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let digits = text.strip_prefix(PREFIX).ok_or(TokenError::Form)?;
        let (bytes, check) =
            digits.as_bytes().split_first_chunk::<{ 2 * BYTES }>().ok_or(TokenError::Form)?;
        let bytes: [u8; BYTES] = decode(bytes).ok_or(TokenError::Form)?;
        let check: [u8; 4] = decode(check).ok_or(TokenError::Form)?;
        if crc32fast::hash(&bytes).to_be_bytes() == check {
            Ok(Self(bytes))
        } else {
            Err(TokenError::Checksum)
        }
    }

    /// The text, to be given to whoever is to have it.
    pub fn reveal(&self) -> String {
        let mut text = String::with_capacity(76);
        text.push_str(PREFIX);
        push_hex(&mut text, &self.0);
        push_hex(&mut text, &crc32fast::hash(&self.0).to_be_bytes());
        text
    }

    /// What a store has of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// Neither the token nor anything that could be told from it.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TokenHash {
    /// SHA-256 of any bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; BYTES];
        hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(hash)
    }

    /// The hash that a store has kept; `None` if it has another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

/// In constant time.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::hash::Hash for TokenHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.extend(
            [byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)),
        );
    }
}

/// The bytes of so many pairs of digits, small letters only, so that a token has one text.
fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut out = [0; N];
    for (place, [high, low]) in out.iter_mut().zip(pairs) {
        *place = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_from_its_text() {
        let token = Token::random().unwrap();
        let text = token.reveal();
        assert_eq!((text.len(), text.get(..4)), (76, Some("hth_")));
        assert_eq!(Token::parse(&text).unwrap().hash(), token.hash());
        assert_ne!(Token::random().unwrap().hash(), token.hash());
        // The hash is SHA-256: the first test vector of FIPS 180-2.
        let abc = TokenHash::of(b"abc");
        assert_eq!(abc.as_bytes().first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
    }

    #[test]
    fn a_typing_error_is_told() {
        let text = Token(core::array::from_fn(|at| at as u8)).reveal();
        assert_eq!(text, "hth_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f91267e8a");
        for (at, old) in text.char_indices().skip(4) {
            let new = if old == '7' { '8' } else { '7' };
            let wrong = format!("{}{new}{}", text.get(..at).unwrap(), text.get(at + 1..).unwrap());
            assert_eq!(Token::parse(&wrong).unwrap_err(), TokenError::Checksum, "{wrong}");
        }
        for wrong in [
            "",
            "hth_",
            "secret",
            text.get(..75).unwrap(),
            text.get(4..).unwrap(),
            &format!("{text}0"),
            &format!(" {text}"),
            &text.to_uppercase(),
            &text.replace("0a", "0A"),
            &text.replace("01", "é"),
        ] {
            assert_eq!(Token::parse(wrong).unwrap_err(), TokenError::Form, "{wrong}");
        }
    }

    #[test]
    fn nothing_prints_it() {
        let token = Token::random().unwrap();
        let printed = format!("{token:?} {:?} {:#?}", token.hash(), (token.clone(), token.hash()));
        for secret in [token.0, *token.hash().as_bytes()] {
            for bytes in secret.windows(3) {
                let mut hex = String::new();
                push_hex(&mut hex, bytes);
                assert!(!printed.contains(&hex) && !printed.contains(&format!("{bytes:?}")), "{printed}");
            }
        }
    }
}
