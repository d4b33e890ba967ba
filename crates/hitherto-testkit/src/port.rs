//! Ports for servers.
//!
//! Binding port 0 and letting go of it is not enough here: a test kills its server and starts it again on the
//! same port, and in between the kernel may hand that port to any outgoing connection, or even connect a
//! retrying client to itself.
//! So the ports come from below the kernel's range (32768 and up), and a lock on a file keeps one for as long as
//! the lease lives, also from the tests in other processes.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::net::TcpListener;

/// The ports to choose from: free of well-known services, and room for a cluster bus at 10000 above.
const FIRST: u16 = 10_000;
const COUNT: u16 = 12_000;

/// A port that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct PortLease {
    pub(crate) number: u16,
    /// Locked; the lock goes when the file is closed, also when the process dies.
    _lock: File,
}

impl PortLease {
    /// A port on which nobody listens and that no other test holds.
    pub(crate) fn take() -> Self {
        let folder =
            std::env::temp_dir().join(format!("hitherto-ports-{}", rustix::process::getuid().as_raw()));
        fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("cannot make {}: {e}", folder.display()));
        let start = RandomState::new().hash_one("port") % u64::from(COUNT);
        for step in 0..COUNT {
            let number = FIRST + (u16::try_from(start).unwrap() + step) % COUNT;
            let path = folder.join(number.to_string());
            let lock = File::create(&path).unwrap_or_else(|e| panic!("cannot make {}: {e}", path.display()));
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("none of the {COUNT} ports from {FIRST} is free");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn leases_that_are_alive_never_share_a_port() {
        let leases: Vec<_> = (0..200).map(|_| PortLease::take()).collect();
        let numbers: HashSet<_> = leases.iter().map(|lease| lease.number).collect();
        assert_eq!(numbers.len(), leases.len());
        assert!(numbers.iter().all(|number| (FIRST..FIRST + COUNT).contains(number)));
    }
}
