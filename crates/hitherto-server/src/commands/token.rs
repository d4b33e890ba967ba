//! `token`: makes, lists and revokes the tokens by which a server lets clients in. It works on the store, also while
//! servers run on it.
//!
//! Invariant: a token is written once, to standard output, when it is made; nothing keeps it.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use hitherto::access::{Credential, Scopes, Token};
use hitherto::{Store, Tenant, Timestamp};
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;
use uuid::Uuid;

use super::output::Output;
use super::transcript::{paint, time};
use super::visible::{line, padded};
use crate::access::audit::{self, Who};

/// What `token` is given.
#[derive(Debug, Clone)]
pub(crate) struct TokenArgs {
    /// What is done.
    pub(crate) what: TokenWhat,
    /// Whether it is shown as JSON, one object a line.
    pub(crate) json: bool,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenWhat {
    /// A token is made.
    Create {
        /// Whose it is.
        tenant: Tenant,
        /// What it allows.
        scopes: Scopes,
        /// When it ends by itself, as it was written.
        expires: Option<String>,
        /// What it is called.
        name: String,
    },
    /// Those of a tenant, or all, are listed.
    List(Option<Tenant>),
    /// The one of that id is revoked.
    Revoke(Uuid),
}

/// How many are asked for at a time.
const PAGE: u32 = 500;

/// How many milliseconds the units of a time have.
const UNITS: [(&str, i64); 6] = [
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
    ("y", 31_536_000_000),
];

/// Does it. A token that is to be revoked and is not there makes the exit code 1.
///
/// # Errors
/// If the store fails, or the output cannot be written.
pub(crate) async fn run(
    store: &Arc<dyn Store>,
    args: &TokenArgs,
    out: &mut Output,
) -> anyhow::Result<ExitCode> {
    match &args.what {
        TokenWhat::Create { tenant, scopes, expires, name } => {
            let now = out.now();
            let expires = expires.as_deref().map(|text| end(text, now)).transpose()?;
            if name.len() > Credential::NAME_BYTES {
                bail!("a name has at most {} bytes", Credential::NAME_BYTES);
            }
            let token = Token::random()?;
            let credential = Credential::new(tenant.clone(), name, *scopes, now, expires);
            store.put_credential(&token.hash(), &credential).await?;
            audit::token_created(&Who::Command, &credential);
            created(&token, &credential, args.json, out)
        }
        TokenWhat::List(tenant) => list(&**store, tenant.as_ref(), args.json, out).await,
        TokenWhat::Revoke(id) => revoke(&**store, *id, args.json, out).await,
    }
}

fn created(
    token: &Token,
    credential: &Credential,
    as_json: bool,
    out: &mut Output,
) -> anyhow::Result<ExitCode> {
    if as_json {
        let mut object = object(credential, credential.created_at);
        if let Some(object) = object.as_object_mut() {
            object.insert("token".to_owned(), token.reveal().into());
        }
        writeln!(out, "{object}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{}", token.reveal())?;
    let tenant = line(credential.tenant.as_str());
    let end = credential
        .expires_at
        .map_or_else(|| "never ends by itself".to_owned(), |end| format!("ends at {}", time(end)));
    out.note(&format!(
        "This is token {} of tenant {tenant}: it allows {} and {end}.\n\
         Keep it now: it is shown this once, and only a hash of it is stored. Send it as `Authorization: Bearer …`.\n\
         From now on servers on this store let nobody in without a token.",
        credential.id, credential.scopes
    ));
    Ok(ExitCode::SUCCESS)
}

async fn list(
    store: &dyn Store,
    tenant: Option<&Tenant>,
    as_json: bool,
    out: &mut Output,
) -> anyhow::Result<ExitCode> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.credentials(tenant, after, PAGE).await?;
        all.extend(page.credentials);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // Ids rise with time, so this is the order in which they were made; a page may have brought one again.
    all.sort_unstable_by_key(|credential| credential.id);
    all.dedup_by_key(|credential| credential.id);
    let now = out.now();
    if as_json {
        for credential in &all {
            writeln!(out, "{}", object(credential, now))?;
        }
    } else if all.is_empty() {
        out.note("there are no tokens");
    } else {
        table(&all, now, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(store: &dyn Store, id: Uuid, as_json: bool, out: &mut Output) -> anyhow::Result<ExitCode> {
    let Some(credential) = store.revoke_credential(id, out.now()).await? else {
        out.note(&format!("there is no token {id}; `hitherto token list` shows which there are"));
        return Ok(ExitCode::FAILURE);
    };
    audit::token_revoked(&Who::Command, &credential);
    if as_json {
        writeln!(out, "{}", object(&credential, out.now()))?;
    } else {
        let tenant = line(credential.tenant.as_str());
        writeln!(out, "revoked {id} of tenant {tenant}: within 5 s no server accepts it any more")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn object(credential: &Credential, now: Timestamp) -> serde_json::Value {
    let scopes: Vec<&str> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
    json!({
        "id": credential.id.to_string(),
        "tenant": credential.tenant.as_str(),
        "name": credential.name,
        "scopes": scopes,
        "created_at": credential.created_at,
        "expires_at": credential.expires_at,
        "revoked_at": credential.revoked_at,
        "state": state(credential, now),
    })
}

fn state(credential: &Credential, now: Timestamp) -> &'static str {
    match credential {
        Credential { revoked_at: Some(_), .. } => "revoked",
        credential if credential.is_live(now) => "live",
        _ => "expired",
    }
}

fn table(all: &[Credential], now: Timestamp, out: &mut Output) -> anyhow::Result<()> {
    let head = ["ID", "TENANT", "NAME", "SCOPES", "MADE", "ENDS", "STATE"].map(str::to_owned);
    let rows: Vec<[String; 7]> = all
        .iter()
        .map(|credential| {
            [
                credential.id.to_string(),
                line(credential.tenant.as_str()).to_string(),
                line(&credential.name).to_string(),
                credential.scopes.to_string(),
                time(credential.created_at),
                credential.expires_at.map_or_else(|| "never".to_owned(), time),
                state(credential, now).to_owned(),
            ]
        })
        .collect();
    let mut widths = [0; 7];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let text = |row: &[String; 7]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| padded(cell, width).to_string()).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let head = paint(out.look(), "1", &text(&head));
    writeln!(out, "{head}")?;
    for row in &rows {
        writeln!(out, "{}", text(row))?;
    }
    Ok(())
}

/// When a token ends: so long from now (`90d`), or at a moment of RFC 3339.
fn end(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    const MUST: &str =
        "--expires must be a length of time such as 12h, 90d or 1y, or a moment such as 2027-01-31T00:00:00Z";
    let end = match Timestamp::parse_rfc3339(text) {
        Some(end) => end,
        None => {
            let digits = text.trim_end_matches(|char: char| !char.is_ascii_digit());
            let unit = text.strip_prefix(digits).unwrap_or_default();
            let millis =
                UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis).context(MUST)?;
            let number: i64 = digits.parse().ok().context(MUST)?;
            now.plus_millis(number.checked_mul(millis).context(MUST)?)
        }
    };
    if end <= now {
        bail!("--expires: {} is over already", time(end));
    }
    Ok(end)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
