//! A credential in bytes, for stores that keep bytes. `docs/storage.md` has the layout.

use uuid::Uuid;

use super::{Credential, Scopes};
use crate::session::Tenant;
use crate::time::Timestamp;

/// The format that is written.
pub(crate) const FORMAT: u8 = 1;

/// Why bytes are no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpacked {
    /// They have a newer format.
    Newer(u8),
    /// They are something else.
    Foreign,
}

/// The bytes of a credential.
pub(crate) fn pack(credential: &Credential) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + credential.name.len());
    out.push(FORMAT);
    out.extend_from_slice(credential.id.as_bytes());
    out.push(credential.scopes.bits());
    let times = [Some(credential.created_at), credential.expires_at, credential.revoked_at];
    for time in times {
        // 48 bits reach to the year 10889; 0 is no time.
        let millis = time.map_or(0, |time| time.as_millis().max(1)).to_be_bytes();
        out.extend_from_slice(millis.last_chunk::<6>().unwrap_or(&[0; 6]));
    }
    for text in [credential.tenant.as_str(), &credential.name] {
        out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    out
}

/// The credential of these bytes.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Credential, Unpacked> {
    match bytes.first() {
        Some(&FORMAT) => {}
        Some(&newer) if newer > FORMAT => return Err(Unpacked::Newer(newer)),
        _ => return Err(Unpacked::Foreign),
    }
    read(bytes).ok_or(Unpacked::Foreign)
}

fn read(bytes: &[u8]) -> Option<Credential> {
    let (_, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let (scopes, rest) = rest.split_first()?;
    let (created, rest) = time(rest)?;
    let (expires_at, rest) = time(rest)?;
    let (revoked_at, rest) = time(rest)?;
    let (tenant, rest) = text(rest)?;
    let (name, rest) = text(rest)?;
    rest.is_empty().then_some(())?;
    Some(Credential {
        id: Uuid::from_bytes(*id),
        tenant: Tenant::parse(tenant).ok()?,
        name: name.to_owned(),
        scopes: Scopes::from_bits(*scopes),
        created_at: created?,
        expires_at,
        revoked_at,
    })
}

fn time(bytes: &[u8]) -> Option<(Option<Timestamp>, &[u8])> {
    let (time, rest) = bytes.split_first_chunk::<6>()?;
    let millis = time.iter().fold(0, |millis, byte| millis << 8 | i64::from(*byte));
    Some(((millis > 0).then_some(Timestamp::from_millis(millis)), rest))
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_went() {
        let at = Timestamp::from_millis;
        let tenant = Tenant::parse("acme\0:{}").unwrap();
        let mut all = vec![Credential::new(tenant, "", Scopes::ALL, at(1_763_805_600_123), None)];
        all.push(Credential {
            expires_at: Some(at(1_863_805_600_123)),
            name: "bot é".to_owned(),
            ..all[0].clone()
        });
        all.push(Credential { revoked_at: Some(at(1_763_805_600_124)), ..all[1].clone() });
        for credential in all {
            let bytes = pack(&credential);
            assert_eq!(unpack(&bytes), Ok(credential.clone()));
            for end in 1..bytes.len() {
                assert_eq!(unpack(&bytes[..end]), Err(Unpacked::Foreign), "{end}");
            }
            let mut newer = bytes.clone();
            newer[0] = 2;
            assert_eq!(unpack(&newer), Err(Unpacked::Newer(2)));
            newer[0] = 0;
            assert_eq!(unpack(&newer), Err(Unpacked::Foreign));
        }
        assert_eq!(unpack(b""), Err(Unpacked::Foreign));
    }
}
