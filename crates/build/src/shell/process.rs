//! Starting tools.

use camino::Utf8Path;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};

use super::paths::look_path;
use crate::config::BuildConfig;
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
    /// Fed to standard input; without it, input is empty.
    pub merge: bool,
}

/// Runs a tool to its end.
pub(crate) fn run(config: &BuildConfig, spec: &Spec<'_>) -> Ran {
    match start(config, spec) {
        Ok((status, output)) => {
            let error =
                (!status.success()).then(|| format!("{}: {}", spec.words[0], describe(status)));
            Ran { output, error }
        }
        Err(error) => Ran {
            output: Vec::new(),
            error: Some(error),
        },
    }
}

#[allow(clippy::disallowed_methods)] // the one place of this crate where processes start
fn start(config: &BuildConfig, spec: &Spec<'_>) -> Result<(ExitStatus, Vec<u8>), String> {
    let path = config
        .environment
        .iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map_or("", |(_, value)| value);
    let program = look_path(&spec.words[0], path, &config.cwd)?;
    let dir = if matches!(spec.dir, "" | ".") {
        config.cwd.clone()
    } else {
        config.cwd.join(spec.dir)
    };
    let mut command = Command::new(&program);
    command
        .arg0(&program)
        .current_dir(&dir)
        .env_clear()
        .stdin(Stdio::null());
    command.envs(config.environment.iter().map(|(name, value)| (name, value)));
    if dir != config.cwd {
        command.env("PWD", &dir);
    }
    for pair in spec.env {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        command.env(name, value);
    }
    let gcc_quotes = Release::of(&config.toolchain.version).is_27_or_later();
    let arguments = response_file(&program, &spec.words[1..], gcc_quotes)?;
    match &arguments {
        Some(file) => command.arg(format!("@{}", file.path().display())),
        None => command.args(&spec.words[1..]),
    };
    let failed = |error: std::io::Error| {
        format!(
            "{}: fork/exec {program}: {}",
            spec.words[0],
            io_text(&error)
        )
    };
    let (mut reader, writer) = std::io::pipe().map_err(failed)?;
    if spec.merge {
        command.stderr(writer.try_clone().map_err(failed)?);
    } else {
        command.stderr(Stdio::null());
    }
    command.stdout(writer);
    let mut child = command.spawn().map_err(failed)?;
    drop(command); // holds the writing ends
    let mut output = Vec::new();
    let read = reader.read_to_end(&mut output);
    let status = child.wait().map_err(failed)?;
    read.map_err(failed)?;
    Ok((status, output))
}

/// An operating system error in go's words: without the number that Rust adds.
pub(crate) fn io_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(9)) => "signal: killed".into(),
        (None, Some(2)) => "signal: interrupt".into(),
        (None, Some(15)) => "signal: terminated".into(),
        (None, Some(11)) => "signal: segmentation fault".into(),
        (None, Some(6)) => "signal: aborted".into(),
        (None, other) => format!("signal: signal {}", other.unwrap_or_default()),
    }
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
