//! Images: an address, which may be a `data:` URL that holds the image itself.

use super::raw::{Raw, quote, text};

/// The `data:` URL of an image that is given in base64; all are JSON strings.
pub(super) fn data_url(kind: &str, base64: &str) -> String {
    quote(&format!("data:{};base64,{}", text(kind), text(base64)))
}

/// The type and the base64 of a `data:` URL, as JSON strings; `None` for any other address.
pub(super) fn of_data_url(url: &str) -> Option<(String, String)> {
    let url = text(url);
    let (kind, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((quote(kind), quote(base64)))
}

/// The type that the end of an address tells, a JSON string.
pub(super) fn kind(url: &str) -> Raw<'static> {
    if let Some((kind, _)) = of_data_url(url) {
        return kind.into();
    }
    let path = text(url).split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let kinds = [("png", "png"), ("jpg", "jpeg"), ("jpeg", "jpeg"), ("gif", "gif"), ("webp", "webp")];
    let known = kinds.into_iter().find(|(end, _)| path.ends_with(&format!(".{end}")));
    known.map_or("\"image/*\"".into(), |(_, kind)| quote(&format!("image/{kind}")).into())
}
