//! What a Go program says of itself: toolchain version, modules, settings.
//!
//! The linker leaves a blob in every program: 14 bytes of magic at an address that is a multiple of 16, then a flag byte that
//! tells whether two strings follow in place (Go 1.18 and later) or by pointer (before). The second string, between two marks of
//! 16 bytes, is the text that [`BuildInfo::parse`] reads and [`BuildInfo`]'s `Display` writes.
//!
//! The program is outside data: nothing here trusts a length or an address.

use camino::{Utf8Path, Utf8PathBuf};
use object::{Object, ObjectSection, ObjectSegment, SectionKind};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

const MAGIC: &[u8; 14] = b"\xff Go buildinf:";
const ALIGN: u64 = 16;
const HEADER_SIZE: u64 = 32;
const MARK_SIZE: usize = 16;

/// Why no build info could be read.
#[derive(Debug, thiserror::Error)]
pub enum BuildInfoError {
    /// The file itself could not be read.
    #[error("could not read Go build info: {0}")]
    File(String),
    /// Not an executable of a known format.
    #[error("could not read Go build info from {0}: unrecognized file format")]
    UnrecognizedFormat(Utf8PathBuf),
    /// An executable that Go did not make, or a damaged one.
    #[error("could not read Go build info from {0}: not a Go executable")]
    NotGo(Utf8PathBuf),
    /// The text inside is damaged.
    #[error(
        "could not read Go build info from {path}: could not parse Go build info: line {line}: {reason}"
    )]
    Parse {
        /// The program.
        path: Utf8PathBuf,
        /// Line of the text, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// One module of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BuildModule {
    /// Module path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Module version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `h1:` of the module's zip.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sum: String,
    /// What stands in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<Box<BuildModule>>,
}

impl BuildModule {
    /// Whether it was a directory: a main module, a member of the workspace, what a replace line puts in the place of a module.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.version.as_str(), "" | "(devel)")
    }
}

/// One setting that influenced a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BuildSetting {
    /// `-trimpath`, `GOOS`, `vcs.revision`, ….
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Its value, on one line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// What a program says of itself; serialises as `go version -m -json` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BuildInfo {
    /// The toolchain's version; not part of the text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_version: String,
    /// Import path of the main package.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The main package's module; an empty path means none.
    pub main: BuildModule,
    /// The modules that the program links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<BuildModule>,
    /// The settings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<BuildSetting>,
}

fn quote_key(key: &str) -> bool {
    key.is_empty() || key.contains(['=', ' ', '\t', '\r', '\n', '"', '`'])
}

fn quote_value(value: &str) -> bool {
    value.contains([' ', '\t', '\r', '\n', '"', '`'])
}

/// Go's quoted form of a text, with the escapes that a settings line can need.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Splits a leading Go string literal off `text`: its value and the rest.
fn unquoted_prefix(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('`') {
        let end = rest.find('`')?;
        return Some((rest[..end].to_string(), &rest[end + 1..]));
    }
    let mut chars = text.strip_prefix('"')?.char_indices();
    let mut value = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 2..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'x' => {
                    let digits = [chars.next()?.1, chars.next()?.1]
                        .iter()
                        .collect::<String>();
                    value.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
                }
                escaped @ ('"' | '\\') => value.push(escaped),
                _ => return None,
            },
            c => value.push(c),
        }
    }
    None
}

fn write_module(out: &mut fmt::Formatter<'_>, word: &str, module: &BuildModule) -> fmt::Result {
    write!(out, "{word}\t{}\t{}", module.path, module.version)?;
    match &module.replace {
        None => writeln!(out, "\t{}", module.sum),
        Some(replace) => {
            writeln!(out)?;
            write_module(out, "=>", replace)
        }
    }
}

impl fmt::Display for BuildInfo {
    /// The text that `runtime/debug` prints and parses.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.go_version.is_empty() {
            writeln!(out, "go\t{}", self.go_version)?;
        }
        if !self.path.is_empty() {
            writeln!(out, "path\t{}", self.path)?;
        }
        if self.main != BuildModule::default() {
            write_module(out, "mod", &self.main)?;
        }
        for dep in &self.deps {
            write_module(out, "dep", dep)?;
        }
        for BuildSetting { key, value } in &self.settings {
            let key = if quote_key(key) {
                Cow::Owned(quoted(key))
            } else {
                Cow::Borrowed(key.as_str())
            };
            let value = if quote_value(value) {
                Cow::Owned(quoted(value))
            } else {
                Cow::Borrowed(value.as_str())
            };
            writeln!(out, "build\t{key}={value}")?;
        }
        Ok(())
    }
}

fn module_columns(columns: &str) -> Result<BuildModule, String> {
    let columns: Vec<&str> = columns.split('\t').collect();
    if columns.len() != 2 && columns.len() != 3 {
        return Err(format!("expected 2 or 3 columns; got {}", columns.len()));
    }
    Ok(BuildModule {
        path: columns[0].to_string(),
        version: columns[1].to_string(),
        sum: columns.get(2).copied().unwrap_or_default().to_string(),
        replace: None,
    })
}

fn setting(text: &str) -> Result<BuildSetting, String> {
    let (key, raw) = match text.chars().next() {
        None => return Err("build line missing '='".into()),
        Some('=') => return Err("build line with missing key".into()),
        Some('`' | '"') => {
            let (key, rest) = unquoted_prefix(text).ok_or("invalid quoted key in build line")?;
            let raw = rest
                .strip_prefix('=')
                .ok_or_else(|| match rest.chars().next() {
                    None => "build line missing '=' after quoted key".to_string(),
                    Some(c) => format!("unexpected character after quoted key: {c:?}"),
                })?;
            (key, raw)
        }
        Some(_) => {
            let (key, raw) = text
                .split_once('=')
                .ok_or("build line missing '=' after key")?;
            if quote_key(key) {
                return Err(format!("unquoted key {} must be quoted", quoted(key)));
            }
            (key.to_string(), raw)
        }
    };
    let value = if raw.starts_with(['`', '"']) {
        match unquoted_prefix(raw) {
            Some((value, "")) => value,
            _ => return Err("invalid quoted value in build line".into()),
        }
    } else if quote_value(raw) {
        return Err(format!("unquoted value {} must be quoted", quoted(raw)));
    } else {
        raw.to_string()
    };
    Ok(BuildSetting { key, value })
}

impl BuildInfo {
    /// Reads the text form; lines with other words are passed over.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong with it.
    pub fn parse(text: &str) -> Result<BuildInfo, (usize, String)> {
        let mut info = BuildInfo::default();
        // Whether a replacement may follow, and whose: the last module line's.
        let mut last: Option<usize> = None;
        const MAIN: usize = usize::MAX;
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            let fail = |reason: String| (at + 1, reason);
            let Some((word, rest)) = line.split_once('\t') else {
                continue;
            };
            match word {
                "path" => info.path = rest.to_string(),
                "mod" => {
                    info.main = module_columns(rest).map_err(fail)?;
                    last = Some(MAIN);
                }
                "dep" => {
                    info.deps.push(module_columns(rest).map_err(fail)?);
                    last = Some(info.deps.len() - 1);
                }
                "=>" => {
                    let columns = rest.split('\t').count();
                    if columns != 3 {
                        return Err(fail(format!(
                            "expected 3 columns for replacement; got {columns}"
                        )));
                    }
                    let replaced = match last.take() {
                        None => {
                            return Err(fail("replacement with no module on previous line".into()));
                        }
                        Some(MAIN) => &mut info.main,
                        Some(dep) => &mut info.deps[dep],
                    };
                    replaced.replace = Some(Box::new(module_columns(rest).map_err(fail)?));
                }
                "build" => info.settings.push(setting(rest).map_err(fail)?),
                _ => {}
            }
        }
        Ok(info)
    }

    /// Reads the build info of the program at `path`.
    ///
    /// # Errors
    /// See [`BuildInfoError`]; the texts are the go command's.
    pub fn read(path: &Utf8Path) -> Result<BuildInfo, BuildInfoError> {
        let failed = |error| BuildInfoError::File(format!("open {path}: {error}"));
        let file = std::fs::File::open(path).map_err(failed)?;
        // SAFETY: the map is only read; a program that is cut while it is mapped ends this process like any other mapped file.
        let file = unsafe { memmap2::Mmap::map(&file) }.map_err(failed)?;
        let (version, text) = read_blob(&file, path)?;
        let mut info = BuildInfo::parse(&text).map_err(|(line, reason)| BuildInfoError::Parse {
            path: path.to_owned(),
            line,
            reason,
        })?;
        info.go_version = version;
        Ok(info)
    }
}

/// One stretch of an executable's memory that the file fills.
struct Range<'a> {
    address: u64,
    bytes: &'a [u8],
}

impl<'a> Range<'a> {
    fn at(&self, address: u64, size: u64) -> Option<&'a [u8]> {
        let from = usize::try_from(address.checked_sub(self.address)?).ok()?;
        let to = from.checked_add(usize::try_from(size).ok()?)?;
        self.bytes.get(from..to)
    }

    fn from(&self, address: u64) -> Option<&'a [u8]> {
        self.bytes
            .get(usize::try_from(address.checked_sub(self.address)?).ok()?..)
    }
}

/// The section or the segments in which the linker puts the blob.
fn candidates<'a>(file: &object::File<'a>) -> Vec<Range<'a>> {
    let named = [".go.buildinfo", "__go_buildinfo"];
    if let Some(section) = named.iter().find_map(|name| file.section_by_name(name)) {
        return vec![Range {
            address: section.address(),
            bytes: section.data().unwrap_or_default(),
        }];
    }
    file.sections()
        .filter(|section| section.kind() == SectionKind::Data)
        .map(|section| Range {
            address: section.address(),
            bytes: section.data().unwrap_or_default(),
        })
        .chain(segments(file))
        .collect()
}

fn segments<'a>(file: &object::File<'a>) -> Vec<Range<'a>> {
    file.segments()
        .map(|segment| Range {
            address: segment.address(),
            bytes: segment.data().unwrap_or_default(),
        })
        .collect()
}

fn find_magic(range: &Range<'_>) -> Option<u64> {
    let mut address = range.address.checked_next_multiple_of(ALIGN)?;
    while let Some(header) = range.at(address, HEADER_SIZE) {
        if header.starts_with(MAGIC) {
            return Some(address);
        }
        address = address.checked_add(ALIGN)?;
    }
    None
}

/// A length as varint, then that many bytes; and the rest.
fn inline_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        length |= u64::from(byte & 0x7f).checked_shl(u32::try_from(at * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return bytes[at + 1..].split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

fn pointer(bytes: &[u8], big_endian: bool) -> Option<u64> {
    Some(match (bytes.len(), big_endian) {
        (4, true) => u64::from(u32::from_be_bytes(bytes.try_into().ok()?)),
        (4, false) => u64::from(u32::from_le_bytes(bytes.try_into().ok()?)),
        (8, true) => u64::from_be_bytes(bytes.try_into().ok()?),
        (8, false) => u64::from_le_bytes(bytes.try_into().ok()?),
        _ => return None,
    })
}

/// Follows a pointer to a Go string header (pointer, length) and from there to the bytes.
fn pointed_string<'a>(
    memory: &[Range<'a>],
    to: u64,
    size: u64,
    big_endian: bool,
) -> Option<&'a [u8]> {
    let find = |address, size| memory.iter().find_map(|range| range.at(address, size));
    let header = find(to, size * 2)?;
    let (address, length) = header.split_at(usize::try_from(size).ok()?);
    find(pointer(address, big_endian)?, pointer(length, big_endian)?)
}

/// Version and module text of the blob that starts at `address` of `range`.
fn decode<'a>(
    memory: &[Range<'a>],
    range: &Range<'a>,
    address: u64,
) -> Option<(&'a [u8], &'a [u8])> {
    let header = range.at(address, HEADER_SIZE)?;
    let flags = header[15];
    if flags & 2 != 0 {
        let (version, rest) = inline_string(range.from(address + HEADER_SIZE)?)?;
        let (text, _) = inline_string(rest)?;
        return Some((version, text));
    }
    let size = usize::from(header[14]);
    if size != 4 && size != 8 {
        return None;
    }
    let big_endian = flags & 1 != 0;
    let string = |from: usize| {
        pointed_string(
            memory,
            pointer(&header[from..from + size], big_endian)?,
            size as u64,
            big_endian,
        )
    };
    Some((string(16)?, string(16 + size).unwrap_or_default()))
}

fn read_blob(bytes: &[u8], path: &Utf8Path) -> Result<(String, String), BuildInfoError> {
    let unrecognized = || BuildInfoError::UnrecognizedFormat(path.to_owned());
    let not_go = || BuildInfoError::NotGo(path.to_owned());
    // Of a universal Mach-O file the first architecture speaks for all.
    let bytes = match object::FileKind::parse(bytes).map_err(|_| unrecognized())? {
        object::FileKind::MachOFat32 => {
            first_architecture(object::read::macho::MachOFatFile32::parse(bytes), bytes)
        }
        object::FileKind::MachOFat64 => {
            first_architecture(object::read::macho::MachOFatFile64::parse(bytes), bytes)
        }
        _ => Some(bytes),
    }
    .ok_or_else(unrecognized)?;
    let file = object::File::parse(bytes).map_err(|_| unrecognized())?;
    let candidates = candidates(&file);
    let (range, address) = candidates
        .iter()
        .find_map(|range| find_magic(range).map(|address| (range, address)))
        .ok_or_else(not_go)?;
    let (version, text) = decode(&segments(&file), range, address).ok_or_else(not_go)?;
    if version.is_empty() {
        return Err(not_go());
    }
    let framed = text.len() > 2 * MARK_SIZE && text[text.len() - MARK_SIZE - 1] == b'\n';
    let text = if framed {
        &text[MARK_SIZE..text.len() - MARK_SIZE]
    } else {
        &[]
    };
    Ok((
        String::from_utf8_lossy(version).into_owned(),
        String::from_utf8_lossy(text).into_owned(),
    ))
}

fn first_architecture<'a, A: object::read::macho::FatArch>(
    fat: object::Result<object::read::macho::MachOFatFile<'a, A>>,
    bytes: &'a [u8],
) -> Option<&'a [u8]> {
    fat.ok()?.arches().first()?.data(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\texample.com/a\tv1.0.0\n=>\t../a\t\t\n\
                        dep\texample.com/b\tv1.2.3\th1:abc=\nbuild\t-ldflags=\"-X a.b=c d\"\nbuild\tGOOS=linux\n";

    #[test]
    fn text_comes_back_as_it_was() {
        let info = BuildInfo::parse(TEXT).unwrap();
        assert_eq!(info.deps[0].replace.as_ref().unwrap().path, "../a");
        assert_eq!(info.settings[0].value, "-X a.b=c d");
        assert_eq!(info.to_string(), TEXT);
    }

    #[test]
    fn damaged_text_names_its_line() {
        for (text, line, reason) in [
            ("path\ta\nmod\ta\n", 2, "expected 2 or 3 columns; got 1"),
            (
                "=>\ta\tb\tc\n",
                1,
                "replacement with no module on previous line",
            ),
            ("build\t\n", 1, "build line missing '='"),
            ("build\t=x\n", 1, "build line with missing key"),
            ("build\ta=b c\n", 1, "unquoted value \"b c\" must be quoted"),
            ("build\t\"a\n", 1, "invalid quoted key in build line"),
            ("build\ta=\"b\n", 1, "invalid quoted value in build line"),
        ] {
            assert_eq!(
                BuildInfo::parse(text),
                Err((line, reason.to_string())),
                "{text:?}"
            );
        }
    }

    /// A blob as the linker writes it, at a multiple of 16 after some other bytes.
    fn blob(version: &str, text: &str) -> Vec<u8> {
        let mut bytes = vec![0u8; 48];
        bytes.extend(MAGIC);
        bytes.extend([8, 2]);
        bytes.resize(48 + 32, 0);
        for string in [
            version.to_string(),
            format!("{}{text}{}", "s".repeat(16), "e".repeat(16)),
        ] {
            let mut length = string.len();
            while length >= 0x80 {
                bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            bytes.push(u8::try_from(length).unwrap());
            bytes.extend(string.as_bytes());
        }
        bytes
    }

    #[test]
    fn blob_is_found_and_read() {
        let bytes = blob("go1.26.8", TEXT);
        let range = Range {
            address: 0x1000,
            bytes: &bytes,
        };
        let at = find_magic(&range).unwrap();
        assert_eq!(at, 0x1030);
        let (version, text) = decode(&[], &range, at).unwrap();
        assert_eq!(version, b"go1.26.8");
        assert_eq!(&text[16..text.len() - 16], TEXT.as_bytes());
    }

    #[test]
    fn no_cut_blob_is_believed() {
        let bytes = blob("go1.26.8", TEXT);
        for length in 0..bytes.len() {
            let range = Range {
                address: 0,
                bytes: &bytes[..length],
            };
            if let Some(at) = find_magic(&range) {
                assert!(decode(&[], &range, at).is_none(), "cut at {length}");
            }
        }
    }

    #[test]
    fn other_files_are_refused() {
        let path = Utf8Path::new("x");
        assert!(matches!(
            read_blob(b"#!/bin/sh\necho hello\n", path),
            Err(BuildInfoError::UnrecognizedFormat(_))
        ));
        assert!(matches!(
            read_blob(b"", path),
            Err(BuildInfoError::UnrecognizedFormat(_))
        ));
    }
}
