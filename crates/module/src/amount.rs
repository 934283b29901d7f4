//! Amounts in words: `1 line`, `2 lines`.

use std::fmt::Display;

/// The word for this many: the first for one, the second for any other number.
pub fn noun(count: impl PartialEq + From<u8>, [one, many]: [&str; 2]) -> &str {
    if count == 1.into() { one } else { many }
}

/// A number with the word for this many.
pub fn amount(count: impl PartialEq + From<u8> + Display + Copy, words: [&str; 2]) -> String {
    format!("{count} {}", noun(count, words))
}

/// A size to the byte.
pub fn bytes(count: impl PartialEq + From<u8> + Display + Copy) -> String {
    amount(count, ["byte", "bytes"])
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn one_is_singular() {
        let said = |count: u64| amount(count, ["entry", "entries"]);
        assert_eq!(
            [said(0), said(1), said(21)],
            ["0 entries", "1 entry", "21 entries"]
        );
    }
}
