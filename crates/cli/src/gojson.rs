//! JSON as Go's encoder writes it: indented with tabs, `<`, `>` and `&` escaped, empty lists and objects on one line.

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

use crate::failure::Result;

/// The text of `value`, without a final line end.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    write(
        value,
        GoFormatter {
            inner: Some(PrettyFormatter::with_indent(b"\t")),
        },
    )
}

/// The same on one line.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn to_line<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    write(value, GoFormatter { inner: None })
}

fn write<T: Serialize + ?Sized>(value: &T, formatter: GoFormatter) -> Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    Ok(String::from_utf8(out)?)
}

struct GoFormatter {
    inner: Option<PrettyFormatter<'static>>,
}

macro_rules! delegate {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(
            fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
                match &mut self.inner {
                    Some(inner) => inner.$name(writer $(, $argument)*),
                    None => serde_json::ser::CompactFormatter.$name(writer $(, $argument)*),
                }
            }
        )*
    };
}

impl Formatter for GoFormatter {
    delegate! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}', '\u{7f}']) {
            let (before, after) = rest.split_at(at);
            let Some(c) = after.chars().next() else { break };
            writer.write_all(before.as_bytes())?;
            if c == '\u{7f}' {
                writer.write_all(b"\x7f")?;
            } else {
                write!(writer, "\\u{:04x}", c as u32)?;
            }
            rest = &after[c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let text: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04x}"),
        };
        writer.write_all(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn as_gos_encoder() {
        let value = serde_json::json!({"A": ["x<y>&z", "\u{2028}\u{1}\t\""], "B": [], "C": {}, "D": {"E": 1}});
        assert_eq!(
            to_string(&value).unwrap(),
            "{\n\t\"A\": [\n\t\t\"x\\u003cy\\u003e\\u0026z\",\n\t\t\"\\u2028\\u0001\\t\\\"\"\n\t],\n\t\"B\": [],\n\t\"C\": {},\n\t\"D\": {\n\t\t\"E\": 1\n\t}\n}"
        );
        assert_eq!(
            to_line(&BTreeMap::from([("a", "<")])).unwrap(),
            r#"{"a":"\u003c"}"#
        );
    }
}
