//! How much a tenant may have, and whether something more fits. Pure.

use hitherto::Addition;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Amount {
    pub(crate) sessions: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// Of what there is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch {
    pub(super) what: &'static str,
    pub(super) used: u64,
    pub(super) limit: u64,
}

/// How much there may be; 0 is without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Quota {
    pub(crate) sessions: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Quota {
    /// Whether there is any limit.
    pub(super) fn is_any(self) -> bool {
        self != Self::default()
    }

    /// Whether messages may be added to a session that is there.
    pub(super) fn holds(self, used: Amount, add: Addition) -> Result<(), TooMuch> {
        let within = |what, used: u64, add: u64, limit: u64| {
            let fits = limit == 0 || used.saturating_add(add) <= limit;
            if fits { Ok(()) } else { Err(TooMuch { what, used, limit }) }
        };
        within("messages", used.messages, add.messages, self.messages)?;
        within("bytes", used.bytes, add.bytes, self.bytes)
    }

    /// Whether one session more may be begun.
    pub(super) fn begins(self, used: Amount) -> Result<(), TooMuch> {
        if self.sessions == 0 || used.sessions < self.sessions {
            return Ok(());
        }
        Err(TooMuch { what: "sessions", used: used.sessions, limit: self.sessions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_let_in() {
        let quota = Quota { sessions: 2, messages: 10, bytes: 100 };
        let check = |messages, bytes, add: (u64, u64), expected: Option<&str>| {
            let used = Amount { sessions: 9, messages, bytes };
            let found = quota.holds(used, Addition { messages: add.0, bytes: add.1 }).err();
            assert_eq!(found.map(|found| found.what), expected, "{messages} {bytes} {add:?}");
        };
        check(0, 0, (10, 100), None);
        check(0, 0, (11, 1), Some("messages"));
        check(9, 0, (1, 1), None);
        check(10, 0, (1, 1), Some("messages"));
        check(0, 100, (1, 1), Some("bytes"));
        check(0, 99, (1, 1), None);
        check(u64::MAX, 0, (1, 1), Some("messages"));
        let sessions = |sessions| quota.begins(Amount { sessions, ..Amount::default() });
        assert_eq!(sessions(1), Ok(()));
        assert_eq!(sessions(2), Err(TooMuch { what: "sessions", used: 2, limit: 2 }));
        assert!(!Quota::default().is_any() && quota.is_any());
        let all = Amount { sessions: u64::MAX, messages: u64::MAX, bytes: u64::MAX };
        assert_eq!(Quota::default().begins(all), Ok(()));
        assert_eq!(Quota::default().holds(all, Addition { messages: 1, bytes: 1 }), Ok(()));
    }
}
