//! An object that is being written as text.

use super::Fields;

/// An object that is being written.
#[derive(Debug)]
pub(in crate::dialect) struct Writer(String);

impl Default for Writer {
    fn default() -> Self {
        Self("{".to_owned())
    }
}

impl Writer {
    /// Adds a field; `name` is plain ASCII, `value` JSON text.
    pub(in crate::dialect) fn put(&mut self, name: &str, value: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(value);
        self
    }

    /// The same if there is a value.
    pub(in crate::dialect) fn put_some(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.put(name, value);
        }
        self
    }

    /// Adds fields as they stand.
    pub(in crate::dialect) fn put_all(&mut self, fields: &Fields<'_>) -> &mut Self {
        for (key, value) in fields {
            if self.0.len() > 1 {
                self.0.push(',');
            }
            self.0.push_str(key);
            self.0.push(':');
            self.0.push_str(value);
        }
        self
    }

    /// The whole object.
    pub(in crate::dialect) fn end(&mut self) -> String {
        let mut out = std::mem::replace(&mut self.0, "{".to_owned());
        out.push('}');
        out
    }
}
