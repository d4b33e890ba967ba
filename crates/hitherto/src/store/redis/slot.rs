//! Slots of a cluster: which one a command is about.

use redis::{Arg, Cmd, Pipeline};

use super::link::Request;

/// How many there are.
pub(super) const SLOTS: usize = 16_384;

const TABLE: [u16; 256] = table();

/// CRC-16 as XMODEM has it, a byte at a time.
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "a constant, checked where it is made")]
        {
            table[byte] = crc;
        }
        byte += 1;
    }
    table
}

/// The slot of a key: what stands in its first braces decides, or all of it.
pub(super) fn of_key(key: &[u8]) -> u16 {
    let tag = || {
        let open = key.iter().position(|byte| *byte == b'{')? + 1;
        let rest = key.get(open..)?;
        rest.get(..rest.iter().position(|byte| *byte == b'}')?).filter(|tag| !tag.is_empty())
    };
    let crc = tag().unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        let [high, _] = crc.to_be_bytes();
        crc << 8 ^ TABLE.get(usize::from(high ^ byte)).copied().unwrap_or_default()
    });
    crc % 16_384
}

/// The key that decides where a command goes; `None` if any node can answer it.
fn key_of(command: &Cmd) -> Option<&[u8]> {
    let mut words = command.args_iter().map(|word| match word {
        Arg::Simple(word) => word,
        _ => b"".as_slice(),
    });
    match words.next()? {
        // The script, how many keys, the first of them.
        b"EVAL" | b"EVALSHA" => words.nth(2),
        b"PING" | b"INFO" | b"CONFIG" | b"CLUSTER" | b"MULTI" | b"EXEC" | b"SCAN" | b"HELLO" | b"ACL" => None,
        _ => words.next(),
    }
}

/// The slot that a command is about.
pub(super) fn of_command(command: &Cmd) -> Option<u16> {
    key_of(command).map(of_key)
}

/// The slot that a request is about: that of its first key.
pub(super) fn of_request(request: Request<'_>) -> Option<u16> {
    let first = |commands: &Pipeline| commands.cmd_iter().find_map(of_command);
    match request {
        Request::One(command) => of_command(command),
        Request::Many(commands) | Request::Transaction(commands) => first(commands),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // From the specification of Redis Cluster, and `CLUSTER KEYSLOT`.
        for (key, slot) in [
            ("", 0),
            ("123456789", 0x31C3),
            ("foo", 12_182),
            ("{foo}bar", 12_182),
            ("x{foo}{bar}", 12_182),
            ("hello", 866),
        ] {
            assert_eq!(of_key(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(of_key(b"a{}b"), of_key(b"a{}b{foo}"[..4].as_ref()));
        assert_ne!(of_key(b"{}foo"), of_key(b"foo"));
    }

    #[test]
    fn a_command_goes_where_its_first_key_is() {
        let slot = |words: &[&str]| {
            let mut command = redis::cmd(words[0]);
            words[1..].iter().for_each(|word| {
                command.arg(*word);
            });
            of_command(&command)
        };
        assert_eq!(slot(&["HGET", "foo", "state"]), Some(12_182));
        assert_eq!(slot(&["EVALSHA", "hash", "2", "foo", "bar"]), Some(12_182));
        assert_eq!(slot(&["PING"]), None);
    }
}
