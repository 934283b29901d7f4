//! Starting tools.

use camino::Utf8Path;
use steady_system::process::{Command, Output};

use super::Shared;
use crate::release::Release;

/// Above this many bytes of arguments, tools that can read them from a file get them so.
const ARGUMENTS_LIMIT: usize = 30 << 10;

/// What a tool said, both of its output streams in one, and how it ended.
pub(crate) struct Ran {
    pub output: Vec<u8>,
    /// Words for the end of a tool that failed or could not be started.
    pub error: Option<String>,
}

/// How to start a tool.
pub(crate) struct Spec<'a> {
    pub words: &'a [String],
    /// `.` and the empty string stand for the current directory.
    pub dir: &'a str,
    /// Set over the configuration's environment, in order.
    pub env: &'a [String],
}

/// Runs a tool to its end.
pub(crate) fn run(shared: &Shared, spec: &Spec<'_>) -> Ran {
    let name = &spec.words[0];
    match start(shared, spec) {
        Ok(output) => {
            let error = (!output.status.success()).then(|| format!("{name}: {}", output.status));
            Ran {
                output: output.stdout,
                error,
            }
        }
        Err(error) => Ran {
            output: Vec::new(),
            error: Some(error),
        },
    }
}

/// Runs a tool whose standard output alone counts.
///
/// # Errors
/// What it said on standard error, and how it ended.
pub(crate) fn run_apart(shared: &Shared, words: &[String]) -> Result<String, (String, String)> {
    let spec = Spec {
        words,
        dir: "",
        env: &[],
    };
    let fail = |error: String| (String::new(), error);
    let (command, _arguments) = prepare(shared, &spec).map_err(fail)?;
    let output = command
        .output()
        .map_err(|error| fail(format!("{}: {error}", words[0])))?;
    if output.status.success() {
        return Ok(output.text());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err((said, format!("{}: {}", words[0], output.status)))
}

fn start(shared: &Shared, spec: &Spec<'_>) -> Result<Output, String> {
    let (command, _arguments) = prepare(shared, spec)?;
    command
        .combined()
        .map_err(|error| format!("{}: {error}", spec.words[0]))
}

/// The command, and the file of its arguments, which must outlive it.
fn prepare(
    shared: &Shared,
    spec: &Spec<'_>,
) -> Result<(Command, Option<tempfile::NamedTempFile>), String> {
    let program = shared
        .environment
        .look_path(&spec.words[0])
        .map_err(|error| error.to_string())?;
    let mut command = Command::new(program.as_str(), &shared.environment);
    if !matches!(spec.dir, "" | ".") {
        command.dir(spec.dir);
    }
    for pair in spec.env {
        let (variable, value) = pair.split_once('=').unwrap_or((pair, ""));
        command.env(variable, value);
    }
    let gcc_quotes = Release::of(&shared.config.toolchain.version).is_27_or_later();
    let arguments = response_file(&program, &spec.words[1..], gcc_quotes)?;
    match &arguments {
        Some(file) => command.arg(format!("@{}", file.path().display())),
        None => command.args(&spec.words[1..]),
    };
    Ok((command, arguments))
}

fn response_file(
    program: &Utf8Path,
    arguments: &[String],
    gcc_quotes: bool,
) -> Result<Option<tempfile::NamedTempFile>, String> {
    use std::io::Write as _;
    let size: usize = program.as_str().len() + arguments.iter().map(String::len).sum::<usize>();
    let knows = matches!(
        program.file_name(),
        Some("compile" | "link" | "cgo" | "asm" | "cover")
    );
    if !knows || size <= ARGUMENTS_LIMIT {
        return Ok(None);
    }
    let write = || {
        let mut file = tempfile::Builder::new().prefix("args").tempfile()?;
        let mut text = String::with_capacity(size + arguments.len());
        for argument in arguments {
            text.push_str(&if gcc_quotes {
                gcc_quoted(argument)
            } else {
                argument.replace('\\', "\\\\").replace('\n', "\\n")
            });
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        Ok(file)
    };
    write().map(Some).map_err(|error: std::io::Error| {
        format!("error writing long arguments to response file: {error}")
    })
}

/// An argument as gcc reads it from a file.
fn gcc_quoted(argument: &str) -> String {
    if !argument.is_empty()
        && !argument.contains([' ', '\t', '\n', '\r', '\'', '"', '\\', '$', '`'])
    {
        return argument.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in argument.chars() {
        if matches!(c, '\\' | '"' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_in_files() {
        assert_eq!(gcc_quoted("-plain=x"), "-plain=x");
        assert_eq!(gcc_quoted(""), "\"\"");
        assert_eq!(gcc_quoted("a b$\"\\"), "\"a b\\$\\\"\\\\\"");
    }
}
