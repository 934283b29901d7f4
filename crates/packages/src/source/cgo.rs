//! `#cgo` lines: compiler and linker flags in the comment above `import "C"`.

use crate::package::PackageFiles;
use crate::source::BuildContext;

/// Characters that a flag may hold; they go to programs without a shell between.
const SAFE: &str = "+-.,/0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz:$@%! ~^";

/// Adds the flags of one file's `#cgo` lines; stops at the first line that is wrong. `file` is the file's full path.
pub fn apply(
    file: &str,
    dir: &str,
    lines: &[String],
    context: &BuildContext,
    into: &mut PackageFiles,
) -> Result<(), String> {
    lines
        .iter()
        .try_for_each(|line| apply_line(file, dir, line, context, into))
}

fn apply_line(
    file: &str,
    dir: &str,
    original: &str,
    context: &BuildContext,
    into: &mut PackageFiles,
) -> Result<(), String> {
    let invalid = || format!("{file}: invalid #cgo line: {original}");
    let line = original.trim();
    let fields: Vec<&str> = line.split_whitespace().collect();
    if matches!(fields[..], [_, "nocallback" | "noescape", _]) {
        return Ok(());
    }
    let (head, arguments) = line[4..].trim().split_once(':').ok_or_else(invalid)?;
    let mut words: Vec<&str> = head.split_whitespace().collect();
    let verb = words.pop().ok_or_else(invalid)?;
    if !words.is_empty() && !words.iter().any(|condition| context.match_auto(condition)) {
        return Ok(());
    }
    let mut flags = split_quoted(arguments).ok_or_else(invalid)?;
    for flag in &mut flags {
        *flag =
            expand(flag, dir).map_err(|flag| format!("{file}: malformed #cgo argument: {flag}"))?;
    }
    let list = match verb {
        "CFLAGS" => &mut into.cgo_cflags,
        "CPPFLAGS" => &mut into.cgo_cppflags,
        "CXXFLAGS" => &mut into.cgo_cxxflags,
        "FFLAGS" => &mut into.cgo_fflags,
        "LDFLAGS" => &mut into.cgo_ldflags,
        "pkg-config" => &mut into.cgo_pkg_config,
        _ => return Err(format!("{file}: invalid #cgo verb: {original}")),
    };
    if verb != "pkg-config" {
        make_absolute(&mut flags, dir);
    }
    list.append(&mut flags);
    Ok(())
}

fn is_safe(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_ascii() || SAFE.contains(c))
}

/// Puts the directory in place of `${SRCDIR}`; the error is the flag as far as it was expanded.
fn expand(flag: &str, dir: &str) -> Result<String, String> {
    let expanded = flag.replace("${SRCDIR}", dir);
    let chunks: Vec<&str> = flag.split("${SRCDIR}").collect();
    let safe = match chunks[..] {
        [whole] => is_safe(whole),
        _ => {
            let parts = chunks
                .iter()
                .all(|chunk| chunk.is_empty() || is_safe(chunk));
            parts && (dir.is_empty() || is_safe(dir)) && !expanded.is_empty()
        }
    };
    if safe { Ok(expanded) } else { Err(expanded) }
}

/// Directories behind `-I` and `-L` are meant from the package's directory.
fn make_absolute(flags: &mut [String], dir: &str) {
    let join = |path: &str| match path.starts_with('/') {
        true => path.to_owned(),
        false => crate::patterns::clean(&format!("{dir}/{path}")),
    };
    let mut path_next = false;
    for flag in flags {
        if std::mem::take(&mut path_next) {
            *flag = join(flag);
        } else if flag.starts_with("-I") || flag.starts_with("-L") {
            path_next = flag.len() == 2;
            if !path_next {
                *flag = format!("{}{}", &flag[..2], join(&flag[2..]));
            }
        }
    }
}

/// Splits at white space outside quotes; backslash takes the next character as it is. `None`: a quote or escape is open.
fn split_quoted(text: &str) -> Option<Vec<String>> {
    let (mut list, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
            continue;
        } else if let Some(open) = quote {
            if c == open {
                quote = None;
                continue;
            }
        } else if matches!(c, '"' | '\'') {
            (quote, quoted) = (Some(c), true);
            continue;
        } else if c.is_whitespace() {
            if quoted || !word.is_empty() {
                list.push(std::mem::take(&mut word));
                quoted = false;
            }
            continue;
        }
        word.push(c);
    }
    if quoted || !word.is_empty() {
        list.push(word);
    }
    (quote.is_none() && !escaped).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(lines: &[&str]) -> Result<PackageFiles, String> {
        let context = BuildContext {
            goos: "linux".into(),
            goarch: "amd64".into(),
            ..BuildContext::default()
        };
        let mut files = PackageFiles::default();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        apply("/d/x.go", "/d", &lines, &context, &mut files).map(|()| files)
    }

    #[test]
    fn good_lines() {
        let files = flags(&[
            "#cgo CFLAGS: -Iinc -I /abs -I rel/.. -DX=\"a b\" -D'Y z'",
            "#cgo linux,amd64 windows LDFLAGS: -L${SRCDIR}/lib -lm",
            "#cgo windows LDFLAGS: -lwin",
            "#cgo !windows && (amd64||arm64) LDFLAGS: -lx",
            "#cgo (linux&&amd64) LDFLAGS: -ly",
            "#cgo pkg-config: a b",
            "#cgo noescape f",
        ])
        .unwrap();
        assert_eq!(
            files.cgo_cflags,
            ["-I/d/inc", "-I", "/abs", "-I", "/d", "-DX=a b", "-DY z"]
        );
        assert_eq!(files.cgo_ldflags, ["-L/d/lib", "-lm", "-lx", "-ly"]);
        assert_eq!(files.cgo_pkg_config, ["a", "b"]);
    }

    #[test]
    fn bad_lines() {
        for (line, want) in [
            ("#cgo LDFLAGS", "/d/x.go: invalid #cgo line: #cgo LDFLAGS"),
            ("#cgo : x", "/d/x.go: invalid #cgo line: #cgo : x"),
            (
                "#cgo LDFLAGS: 'x",
                "/d/x.go: invalid #cgo line: #cgo LDFLAGS: 'x",
            ),
            ("#cgo LDFLAGS: `x`", "/d/x.go: malformed #cgo argument: `x`"),
            (
                "#cgo XFLAGS: x",
                "/d/x.go: invalid #cgo verb: #cgo XFLAGS: x",
            ),
        ] {
            assert_eq!(flags(&[line]).unwrap_err(), want);
        }
    }
}
