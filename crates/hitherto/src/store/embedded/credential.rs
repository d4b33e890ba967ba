//! Credentials: a row each, found by the hash of their token.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{FileError, FileResult, StoreError};
use crate::access::{Credential, CredentialPage, Scopes, TokenHash};
use crate::session::Tenant;
use crate::time::Timestamp;

const COLUMNS: &str = "id, tenant, name, scopes, created_at, expires_at, revoked_at";

pub(super) fn put(file: &Connection, hash: &TokenHash, credential: &Credential) -> FileResult<()> {
    let kept = file
        .prepare_cached(
            "INSERT INTO credential (hash, id, tenant, name, scopes, created_at, expires_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            hash.as_bytes(),
            credential.id.as_bytes(),
            credential.tenant.as_str(),
            credential.name,
            credential.scopes.to_string(),
            credential.created_at.as_millis(),
            credential.expires_at.map(Timestamp::as_millis),
            credential.revoked_at.map(Timestamp::as_millis),
        ])?;
    if kept == 1 || get(file, hash)?.as_ref() == Some(credential) {
        return Ok(());
    }
    Err(FileError::Store(StoreError::Foreign {
        what: "the table credential".to_owned(),
        reason: "another credential is kept under that hash".to_owned(),
    }))
}

pub(super) fn get(file: &Connection, hash: &TokenHash) -> FileResult<Option<Credential>> {
    let sql = format!("SELECT {COLUMNS} FROM credential WHERE hash = ?1");
    Ok(file.prepare_cached(&sql)?.query_row([hash.as_bytes()], from_row).optional()?)
}

pub(super) fn any(file: &Connection) -> FileResult<bool> {
    Ok(file.prepare_cached("SELECT EXISTS (SELECT 1 FROM credential)")?.query_row([], |row| row.get(0))?)
}

pub(super) fn page(
    file: &Connection,
    tenant: Option<&Tenant>,
    after: u64,
    limit: u32,
) -> FileResult<CredentialPage> {
    let sql = format!(
        "SELECT {COLUMNS} FROM credential WHERE ?1 IS NULL OR tenant = ?1 ORDER BY id LIMIT ?2 OFFSET ?3"
    );
    let mut statement = file.prepare_cached(&sql)?;
    let rows = statement
        .query_map(params![tenant.map(Tenant::as_str), limit.max(1), super::signed(after)], from_row)?;
    let credentials: Vec<Credential> = rows.collect::<rusqlite::Result<_>>()?;
    let next = (credentials.len() >= limit.max(1) as usize).then_some(after + credentials.len() as u64);
    Ok(CredentialPage { credentials, next })
}

pub(super) fn revoke(file: &Connection, id: Uuid, now: Timestamp) -> FileResult<Option<Credential>> {
    file.prepare_cached("UPDATE credential SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id.as_bytes(), now.as_millis()])?;
    let sql = format!("SELECT {COLUMNS} FROM credential WHERE id = ?1");
    Ok(file.prepare_cached(&sql)?.query_row([id.as_bytes()], from_row).optional()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let time =
        |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_millis));
    let wrong =
        |at: usize| rusqlite::Error::InvalidColumnType(at, "credential".into(), rusqlite::types::Type::Text);
    Ok(Credential {
        id: Uuid::from_bytes(row.get(0)?),
        tenant: Tenant::parse(&row.get::<_, String>(1)?).map_err(|_| wrong(1))?,
        name: row.get(2)?,
        scopes: Scopes::parse(&row.get::<_, String>(3)?).ok_or_else(|| wrong(3))?,
        created_at: time(4)?.ok_or_else(|| wrong(4))?,
        expires_at: time(5)?,
        revoked_at: time(6)?,
    })
}
