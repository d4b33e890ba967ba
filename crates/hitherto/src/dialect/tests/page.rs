//! Holds `docs/dialects.md` and the code together.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::dialect::{Dialect, roles};
use crate::message::{Message, Role};

const PAGE: &str = include_str!("../../../../../docs/dialects.md");

/// The rows of the table under a heading, cell by cell.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    lines.skip(1).map(|line| line.split(" | ").map(|cell| cell.trim_matches('`')).collect()).collect()
}

#[test]
fn every_dialect_is_on_the_page_with_its_code_and_a_message() {
    let rows = rows("The dialects");
    let page: Vec<(&str, u8)> = rows.iter().map(|row| (row[0], row[1].parse().unwrap())).collect();
    let code: Vec<(&str, u8)> =
        Dialect::ALL.iter().map(|dialect| (dialect.as_str(), dialect.code())).collect();
    assert_eq!(page, code);
    for row in rows {
        let dialect = Dialect::parse(row[0]).unwrap();
        let message = match dialect {
            Dialect::Opaque => {
                assert!(Message::detect(Bytes::from(row[3])).is_opaque());
                continue;
            }
            dialect => Message::foreign(dialect, Bytes::from(row[3])).unwrap(),
        };
        assert_eq!((message.role(), message.text().as_str()), (Role::User, "Hi"), "{dialect}");
        // It is what Hitherto writes as well, but for the id that an artifact needs.
        if dialect != Dialect::Griptape {
            let written = Message::user("Hi").in_dialect(dialect);
            assert_eq!(std::str::from_utf8(&written.payload).unwrap(), row[3]);
        }
    }
    let losses: Vec<&str> = self::rows("What each cannot say").iter().map(|row| row[0]).collect();
    assert_eq!(losses, Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect::<Vec<_>>());
}

#[test]
fn every_family_is_on_the_page() {
    let line = PAGE.lines().find(|line| line.contains("in one field named after the family")).unwrap();
    let page: BTreeSet<&str> = line.split('`').skip(1).step_by(2).collect();
    let code: BTreeSet<&str> = Dialect::ALL.iter().filter_map(|dialect| dialect.family()).collect();
    assert_eq!(page, code);
}

#[test]
fn every_word_for_a_role_is_on_the_page() {
    let mut page = BTreeSet::new();
    for row in rows("Roles") {
        for word in row[1].split("`, `") {
            assert_eq!(roles::known(word), Role::parse(row[0]), "{word}");
            assert_eq!(roles::known(&word.to_uppercase()), Role::parse(row[0]), "{word}");
            page.insert(word);
        }
    }
    assert_eq!(page, roles::words().collect());
}
