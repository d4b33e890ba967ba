//! What values an option takes: how they are named in help, checked, and written in a file.

/// The kind of an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// A file.
    Path,
    /// A host and a port.
    Address,
    /// A host and a port, or `off`.
    AddressOrOff,
    /// An address with a scheme.
    Url,
    /// `primary`, or `replicas:` and how many.
    Acknowledge,
    /// A whole number within these bounds.
    Number {
        /// What it counts, in capitals, as help names it.
        unit: &'static str,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A size in bytes, within these bounds; `4 MiB` and `4194304` are the same.
    Size {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// On or off; as a flag it takes no value.
    Switch,
    /// Lines of text; as a flag it is given once for each, in the file it may be a list.
    Lines {
        /// What one line is, as help names it.
        one: &'static str,
    },
    /// An object of JSON; in the file it may be a table.
    Object,
}

/// The units of a size, longest names first so that `KiB` is not read as bytes.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Kind {
    /// How help names the value.
    pub fn value_name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Path => "FILE",
            Self::Address | Self::AddressOrOff => "ADDRESS",
            Self::Url => "URL",
            Self::Acknowledge => "WHOM",
            Self::Number { unit, .. } => unit,
            Self::Size { .. } => "SIZE",
            Self::Choice(_) => "WORD",
            Self::Switch => "BOOLEAN",
            Self::Lines { one } => one,
            Self::Object => "JSON",
        }
    }

    /// What a value must be, in words.
    pub fn must(self) -> String {
        match self {
            Self::Text => "a text that is not empty".to_owned(),
            Self::Path => "the path of a file".to_owned(),
            Self::Address => "a host and a port, such as 127.0.0.1:8700".to_owned(),
            Self::AddressOrOff => "a host and a port, such as 127.0.0.1:8701, or off".to_owned(),
            Self::Url => "an address with a scheme, such as redis://127.0.0.1:6379".to_owned(),
            Self::Acknowledge => "primary, or replicas and how many, such as replicas:1".to_owned(),
            Self::Number { min, max, .. } => format!("a whole number from {min} to {max}"),
            Self::Size { min, max } => {
                format!(
                    "a size such as 65536, 64 KiB or 4 MiB, from {} to {}",
                    size_text(min),
                    size_text(max)
                )
            }
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Switch => "true or false".to_owned(),
            Self::Lines { one } => format!("{one}, one a line, or in the settings file a list of such"),
            Self::Object => "an object of JSON, or in the settings file a table".to_owned(),
        }
    }

    /// Accepts a value and gives it back in its plain form: sizes in bytes, switches as `true` or `false`.
    ///
    /// # Errors
    /// Says what the value must be; it does not repeat the value, which may be secret.
    pub fn accept(self, value: &str) -> Result<String, String> {
        let plain = match self {
            Self::Text | Self::Path => (!value.is_empty()).then(|| value.to_owned()),
            Self::Address => value
                .rsplit_once(':')
                .filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
                .map(|_| value.to_owned()),
            Self::AddressOrOff if value == "off" => Some(value.to_owned()),
            Self::AddressOrOff => {
                return Self::Address.accept(value).map_err(|_| format!("must be {}", self.must()));
            }
            Self::Url => value
                .split_once("://")
                .filter(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
                .map(|_| value.to_owned()),
            Self::Acknowledge => {
                let count = value.strip_prefix("replicas:").and_then(|count| count.parse().ok());
                let is_right =
                    value == "primary" || count.is_some_and(|count: u32| (1..=100).contains(&count));
                is_right.then(|| value.to_owned())
            }
            Self::Number { min, max, .. } => {
                value.parse().ok().filter(|number: &u64| (min..=max).contains(number)).map(|n| n.to_string())
            }
            Self::Size { min, max } => {
                parse_size(value).filter(|size| (min..=max).contains(size)).map(|size| size.to_string())
            }
            Self::Choice(words) => words.contains(&value).then(|| value.to_owned()),
            Self::Switch => match value {
                "true" | "1" | "yes" | "on" => Some("true".to_owned()),
                "false" | "0" | "no" | "off" => Some("false".to_owned()),
                _ => None,
            },
            Self::Lines { .. } => {
                let lines: Vec<&str> = value.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                (!lines.is_empty()).then(|| lines.join("\n"))
            }
            Self::Object => serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(value)
                .is_ok()
                .then(|| value.to_owned()),
        };
        plain.ok_or_else(|| format!("must be {}", self.must()))
    }

    /// Whether a value of this kind is written without quotes in the settings file.
    pub fn is_bare(self) -> bool {
        matches!(self, Self::Number { .. } | Self::Switch | Self::Lines { .. } | Self::Object)
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), *factor)))
        .unwrap_or((text, 1));
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A size in the largest unit that divides it.
pub(super) fn size_text(bytes: u64) -> String {
    let (unit, factor) = UNITS
        .into_iter()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .unwrap_or(("B", 1));
    format!("{} {unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        let check = |kind: Kind, value: &str, expected: Option<&str>| {
            assert_eq!(kind.accept(value).ok().as_deref(), expected, "{kind:?} {value:?}");
        };
        let size = Kind::Size { min: 1, max: 1 << 32 };
        check(size, "4 MiB", Some("4194304"));
        check(size, "4MiB", Some("4194304"));
        check(size, "12", Some("12"));
        check(size, "12 B", Some("12"));
        check(size, "0", None);
        check(size, "99999999999 GiB", None);
        check(size, "four", None);
        check(Kind::Address, "127.0.0.1:0", Some("127.0.0.1:0"));
        check(Kind::Address, "[::1]:8700", Some("[::1]:8700"));
        check(Kind::Address, ":8700", None);
        check(Kind::Address, "host:99999", None);
        check(Kind::AddressOrOff, "off", Some("off"));
        check(Kind::AddressOrOff, "127.0.0.1:1", Some("127.0.0.1:1"));
        check(Kind::AddressOrOff, "on", None);
        check(Kind::Url, "redis://h", Some("redis://h"));
        check(Kind::Url, "h:6379", None);
        check(Kind::Acknowledge, "primary", Some("primary"));
        check(Kind::Acknowledge, "replicas:2", Some("replicas:2"));
        check(Kind::Acknowledge, "replicas:0", None);
        check(Kind::Acknowledge, "replicas", None);
        check(Kind::Number { unit: "N", min: 1, max: 5 }, "6", None);
        check(Kind::Number { unit: "N", min: 1, max: 5 }, "05", Some("5"));
        check(Kind::Choice(&["a", "b"]), "c", None);
        check(Kind::Switch, "on", Some("true"));
        check(Kind::Switch, "maybe", None);
        check(Kind::Text, "", None);
        check(Kind::Lines { one: "L" }, " a \r\n\nb", Some("a\nb"));
        check(Kind::Lines { one: "L" }, "\n", None);
        check(Kind::Object, r#"{"a":1}"#, Some(r#"{"a":1}"#));
        check(Kind::Object, "[1]", None);
        check(Kind::Object, "{", None);
    }
}
