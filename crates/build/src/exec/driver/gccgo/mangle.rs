//! How gccgo spells package paths in symbols. There have been three ways, and the compiler is asked for its own by letting it
//! compile a package with a letter that none of them leaves as it is.

use std::fmt::Write as _;

/// The package that is compiled to see how it is done.
pub(super) const PROBE: &str = "package grün\n\nfunc F(x int) int { return x }\n";

/// A way to spell package paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mangling {
    /// Whatever is neither letter nor digit becomes an underscore.
    Underscores,
    /// Such characters become their number, behind dots.
    Dots,
    /// Such characters become their number or a letter of their own, behind an underscore.
    Escapes,
}

/// Every way, with the symbol of the probe's function and the name that the cache knows it by.
const ALL: [(Mangling, &str, &str); 3] = [
    (Mangling::Escapes, "go_0gr_u00fcn.F", "escapes"),
    (Mangling::Dots, "go.gr..u00fcn.F", "dots"),
    (Mangling::Underscores, "go.gr__n.F", "underscores"),
];

/// Characters with an escape of two letters, and its second letter.
const SHORT: [(char, char); 14] = [
    ('_', '_'),
    ('.', '0'),
    ('/', '1'),
    ('*', '2'),
    (',', '3'),
    ('{', '4'),
    ('}', '5'),
    ('[', '6'),
    (']', '7'),
    ('(', '8'),
    (')', '9'),
    ('"', 'a'),
    (' ', 'b'),
    (';', 'c'),
];

impl Mangling {
    /// The one that was used for the probe.
    pub fn in_assembly(text: &str) -> Option<Mangling> {
        let mut all = ALL.iter();
        all.find(|(_, symbol, _)| text.contains(symbol))
            .map(|(mangling, ..)| *mangling)
    }

    /// The one of a name.
    pub fn named(name: &[u8]) -> Option<Mangling> {
        let mut all = ALL.iter();
        all.find(|(_, _, known)| known.as_bytes() == name)
            .map(|(mangling, ..)| *mangling)
    }

    /// Its name.
    pub fn name(self) -> &'static [u8] {
        let mut all = ALL.iter();
        all.find(|(mangling, ..)| *mangling == self)
            .map_or(&[], |(_, _, name)| name.as_bytes())
    }

    /// A package path as symbols have it.
    pub fn symbol(self, path: &str) -> String {
        let mut symbol = String::with_capacity(path.len());
        for c in path.chars() {
            if c.is_ascii_alphanumeric() {
                symbol.push(c);
                continue;
            }
            match self {
                Mangling::Underscores => symbol.push('_'),
                Mangling::Dots => match c {
                    '_' => symbol.push(c),
                    '.' => symbol.push_str(".x2e"),
                    c => numbered(&mut symbol, "..", 'z', c),
                },
                Mangling::Escapes => match SHORT.iter().find(|(of, _)| *of == c) {
                    Some((_, letter)) => symbol.extend(['_', *letter]),
                    None => numbered(&mut symbol, "_", 'x', c),
                },
            }
        }
        symbol
    }
}

/// A character as its number: two digits in ASCII, else four or eight.
fn numbered(symbol: &mut String, mark: &str, ascii: char, c: char) {
    let number = u32::from(c);
    let _ = match number {
        0..0x80 => write!(symbol, "{mark}{ascii}{number:02x}"),
        0x80..0x1_0000 => write!(symbol, "{mark}u{number:04x}"),
        _ => write!(symbol, "{mark}U{number:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_symbols() {
        let cases = [
            ("main", "main", "main", "main"),
            ("net/http", "net_http", "net..z2fhttp", "net_1http"),
            ("a.b/c_d", "a_b_c_d", "a.x2eb..z2fc_d", "a_0b_1c__d"),
            ("x-y", "x_y", "x..z2dy", "x_x2dy"),
            (
                "ü/😀",
                "___",
                "..u00fc..z2f..U0001f600",
                "_u00fc_1_U0001f600",
            ),
        ];
        for (path, underscores, dots, escapes) in cases {
            assert_eq!(Mangling::Underscores.symbol(path), underscores);
            assert_eq!(Mangling::Dots.symbol(path), dots);
            assert_eq!(Mangling::Escapes.symbol(path), escapes);
        }
    }

    #[test]
    fn the_compilers_own() {
        let text = "\t.globl\tgo_0gr_u00fcn.F\n";
        assert_eq!(Mangling::in_assembly(text), Some(Mangling::Escapes));
        assert_eq!(Mangling::in_assembly("F:"), None);
        for (mangling, ..) in ALL {
            assert_eq!(Mangling::named(mangling.name()), Some(mangling));
        }
    }
}
