//! The dialects against what real clients wrote (`hitherto-testkit/layouts`), and against each other.

mod layouts;

mod fixtures;
