//! When a session is folded, and how long its summary may be: of the server, the tenant and the session.

/// What is kept verbatim and when the rest is folded into the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Whether sessions are summarised at all. Default true.
    pub enabled: bool,
    /// How many of the newest turns stay verbatim. Default 10.
    pub window: u32,
    /// Folds when so many turns have left the window. Default 4.
    pub fold_after_turns: u32,
    /// Folds when so many tokens have left the window. Default 2,000.
    pub fold_after_tokens: u32,
    /// How many tokens a summary may have. Default 600.
    pub summary_tokens: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { enabled: true, window: 10, fold_after_turns: 4, fold_after_tokens: 2_000, summary_tokens: 600 }
    }
}

/// What a tenant or a session has of its own; what is `None` is as it is one level up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PolicyChange {
    /// See [`Policy::enabled`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// See [`Policy::window`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// See [`Policy::fold_after_turns`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_after_turns: Option<u32>,
    /// See [`Policy::fold_after_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_after_tokens: Option<u32>,
    /// See [`Policy::summary_tokens`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_tokens: Option<u32>,
}

impl Policy {
    /// The policy with a tenant's or session's own values in the place of its own.
    #[must_use]
    pub fn with(self, change: &PolicyChange) -> Self {
        Self {
            enabled: change.enabled.unwrap_or(self.enabled),
            window: change.window.unwrap_or(self.window),
            fold_after_turns: change.fold_after_turns.unwrap_or(self.fold_after_turns),
            fold_after_tokens: change.fold_after_tokens.unwrap_or(self.fold_after_tokens),
            summary_tokens: change.summary_tokens.unwrap_or(self.summary_tokens),
        }
    }

    /// The first value that makes no sense, and what it must be.
    ///
    /// # Errors
    /// With the name of the field.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.window == 0 || self.window > 1000 {
            return Err(("window", "from 1 to 1,000 turns"));
        }
        if self.fold_after_turns == 0 || self.fold_after_turns > 1000 {
            return Err(("fold_after_turns", "from 1 to 1,000"));
        }
        if self.fold_after_tokens == 0 || self.fold_after_tokens > 1_000_000 {
            return Err(("fold_after_tokens", "from 1 to 1,000,000"));
        }
        if self.summary_tokens < 32 || self.summary_tokens > 16_000 {
            return Err(("summary_tokens", "from 32 to 16,000"));
        }
        Ok(())
    }

    /// From when on a session is worth looking at: what a store compares with what the summary does not cover.
    pub fn hint(&self) -> Hint {
        if !self.enabled {
            return Hint { turns: u32::MAX, bytes: u64::MAX };
        }
        let (window, turns) = (u64::from(self.window), u64::from(self.fold_after_turns.max(1)));
        // A token is about four bytes. At this size the turns are so long that so many tokens leave the window
        // before so many turns do; below it, counting turns is sooner.
        let bytes = u64::from(self.fold_after_tokens) * 4 * (window + turns) / turns;
        Hint { turns: self.window.saturating_add(self.fold_after_turns), bytes }
    }
}

/// A session of which the summary does not cover so many turns, or so many bytes, may be due for folding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// How many turns.
    pub turns: u32,
    /// How many bytes of records.
    pub bytes: u64,
}
