//! The words that must be seen nowhere, and looking for them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What people say has this in it.
pub const CONTENT: &str = "quixoticzephyr";
/// Tokens have this in them.
pub const TOKEN: &str = "vexedtokenjumble";
/// Passwords have this in them.
pub const PASSWORD: &str = "waltzpasswordfjord";

/// That no mark is in a text: as it is, in other case, as bytes, or encoded.
#[track_caller]
pub fn assert_clean(text: &str) {
    let lower = text.to_lowercase();
    for mark in [CONTENT, TOKEN, PASSWORD] {
        let bytes: Vec<String> = mark.bytes().map(|byte| byte.to_string()).collect();
        let hex: String = mark.bytes().map(|byte| format!("{byte:02x}")).collect();
        // The middle of it, whatever stands before, in base64: three ways to begin.
        let encoded = (0..3).flat_map(|skip| {
            let whole = &mark.as_bytes()[skip..];
            let whole = &whole[..whole.len() / 3 * 3];
            [STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)]
        });
        let mut forms = vec![mark.to_owned(), bytes.join(", "), bytes.join(","), hex];
        forms.extend(encoded);
        for form in forms {
            let place = text.find(&form).or_else(|| lower.find(&form));
            if let Some(place) = place {
                let line = text.lines().find(|line| line.contains(&form)).unwrap_or(text);
                panic!(
                    "{mark} is seen, as {form}, at {place}: {}",
                    line.chars().take(2_000).collect::<String>()
                );
            }
        }
    }
}
