//! Credentials: one hash of all of them, by the hash of their token.
//!
//! Invariant: one key, and so one slot; a token is never among what is sent. To find one by its id, all are looked
//! through: that is what revoking does, and nothing on the path of a request.

use redis::Value;
use uuid::Uuid;

use super::keys::CREDENTIALS;
use super::link::Kind;
use super::meta::{Reply, integer};
use super::route::Route;
use super::scripts::Scripts;
use crate::access::{Credential, CredentialPage, TokenHash, Unpacked, pack, unpack};
use crate::session::Tenant;
use crate::store::{Result, StoreError};
use crate::time::Timestamp;

/// How many are looked through at a time to find one by its id.
const STRIDE: u32 = 500;
/// How often revoking looks again when somebody else revokes the same one.
const TRIES: usize = 4;

/// What stands in the hash: the field and its value.
type Entry = (Vec<u8>, Vec<u8>);

pub(super) async fn put(link: &Route, hash: &TokenHash, credential: &Credential) -> Result<()> {
    let mut put = redis::cmd("HSETNX");
    put.arg(CREDENTIALS).arg(hash.as_bytes()).arg(pack(credential));
    if integer(&link.call(Kind::Once, &put).await?) == 1 {
        return Ok(());
    }
    // Sent a second time because a connection broke, it finds itself.
    match get(link, hash).await? {
        Some(found) if found == *credential => Ok(()),
        _ => Err(StoreError::Foreign {
            what: CREDENTIALS.to_owned(),
            reason: "another credential is kept under that hash".to_owned(),
        }),
    }
}

pub(super) async fn get(link: &Route, hash: &TokenHash) -> Result<Option<Credential>> {
    let mut get = redis::cmd("HGET");
    get.arg(CREDENTIALS).arg(hash.as_bytes());
    match link.call(Kind::Read, &get).await? {
        Value::BulkString(bytes) => read(&bytes).map(Some),
        _ => Ok(None),
    }
}

pub(super) async fn any(link: &Route) -> Result<bool> {
    let mut count = redis::cmd("HLEN");
    count.arg(CREDENTIALS);
    Ok(integer(&link.call(Kind::Read, &count).await?) > 0)
}

pub(super) async fn page(
    link: &Route,
    tenant: Option<&Tenant>,
    after: Option<u64>,
    limit: u32,
) -> Result<CredentialPage> {
    let (entries, next) = scan(link, after.unwrap_or(0), limit).await?;
    let mut credentials = Vec::new();
    for (_, value) in &entries {
        let credential = read(value)?;
        if tenant.is_none_or(|tenant| credential.tenant == *tenant) {
            credentials.push(credential);
        }
    }
    Ok(CredentialPage { credentials, next: (next > 0).then_some(next) })
}

pub(super) async fn revoke(
    link: &Route,
    scripts: &Scripts,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<Credential>> {
    for _ in 0..TRIES {
        let Some((field, value)) = find(link, id).await? else { return Ok(None) };
        let credential = read(&value)?.revoked(now);
        let new = pack(&credential);
        let fill = |command: &mut redis::Cmd| {
            command.arg(1).arg(CREDENTIALS).arg(&field).arg(&value).arg(&new);
        };
        // Twice is once: what was revoked stays as it was.
        let reply = scripts.call(link, &scripts.revoke, Kind::Once, fill).await?;
        if Reply(link.array(reply)?).word() == "ok" {
            return Ok(Some(credential));
        }
    }
    Err(StoreError::Busy {
        store: link.name().to_owned(),
        reason: "the credential was changed by somebody else meanwhile".to_owned(),
    })
}

/// Where the credential of that id stands.
async fn find(link: &Route, id: Uuid) -> Result<Option<Entry>> {
    let mut cursor = 0;
    loop {
        let (entries, next) = scan(link, cursor, STRIDE).await?;
        // What cannot be read is somebody else's, or of a newer version, and in nobody's way here.
        let found =
            entries.into_iter().find(|(_, value)| unpack(value).is_ok_and(|credential| credential.id == id));
        if found.is_some() || next == 0 {
            return Ok(found);
        }
        cursor = next;
    }
}

async fn scan(link: &Route, cursor: u64, limit: u32) -> Result<(Vec<Entry>, u64)> {
    let mut scan = redis::cmd("HSCAN");
    scan.arg(CREDENTIALS).arg(cursor).arg("COUNT").arg(limit.max(1));
    let mut answer = link.array(link.call(Kind::Read, &scan).await?)?.into_iter();
    let next = match answer.next() {
        Some(Value::BulkString(next)) => std::str::from_utf8(&next).ok().and_then(|next| next.parse().ok()),
        _ => None,
    };
    let next = next.ok_or_else(|| link.failed("a scan gave no cursor"))?;
    let mut entries = Vec::new();
    let mut values = link.array(answer.next().unwrap_or_default())?.into_iter();
    while let (Some(Value::BulkString(field)), Some(Value::BulkString(value))) =
        (values.next(), values.next())
    {
        entries.push((field, value));
    }
    Ok((entries, next))
}

fn read(bytes: &[u8]) -> Result<Credential> {
    let what = || format!("a credential in {CREDENTIALS}");
    unpack(bytes).map_err(|error| match error {
        Unpacked::Newer(found) => {
            StoreError::NewerFormat { what: what(), found: found.into(), known: crate::access::FORMAT.into() }
        }
        Unpacked::Foreign => {
            StoreError::Foreign { what: what(), reason: "it is no packed credential".to_owned() }
        }
    })
}
