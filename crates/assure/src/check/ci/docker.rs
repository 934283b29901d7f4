//! Dockerfiles: which stages begin with an image of Go, and which of these take code of the repository.

use camino::Utf8Path;

use super::{Asked, Place, image};

/// One stage of a Dockerfile.
#[derive(Default)]
struct Stage {
    name: String,
    /// The stage that it goes on from.
    base: Option<usize>,
    go: Option<Asked>,
    /// Code of the repository gets into it.
    takes: bool,
}

/// The stages of a Dockerfile that begin with an image of Go and take code of the repository. One that only installs a tool builds with
/// whatever Go it likes.
pub(super) fn dockerfile(file: &str, text: &str, is_code: &dyn Fn(&str) -> bool) -> Vec<Asked> {
    let mut arguments: Vec<(String, String)> = Vec::new();
    let mut stages: Vec<Stage> = Vec::new();
    let switches = text.lines().any(|line| {
        let line = line.trim();
        line.starts_with("ENV") && line.contains("GOTOOLCHAIN") && !line.contains("local")
    });
    for (at, line) in instructions(text) {
        let mut words = line.split_whitespace();
        match words.next().map(str::to_uppercase).as_deref() {
            Some("ARG") => arguments.extend(words.filter_map(|word| {
                let (name, value) = word.split_once('=')?;
                Some((name.to_owned(), value.trim_matches('"').to_owned()))
            })),
            Some("FROM") => {
                let mut words = words.filter(|word| !word.starts_with("--"));
                let mut name = words.next().unwrap_or_default().to_owned();
                for (argument, value) in &arguments {
                    name = name
                        .replace(&format!("${{{argument}}}"), value)
                        .replace(&format!("${argument}"), value);
                }
                let base = stages.iter().position(|stage| stage.name == name);
                let go = image(name.split('@').next().unwrap_or_default());
                stages.push(Stage {
                    name: words.nth(1).unwrap_or_default().to_owned(),
                    base,
                    go: go.map(|(version, fixed)| Asked {
                        file: file.to_owned(),
                        line: at,
                        text: line.trim().to_owned(),
                        version,
                        fixed: fixed && !switches,
                        docker: true,
                    }),
                    takes: false,
                });
            }
            Some("COPY" | "ADD") => take(&mut stages, words.collect(), is_code),
            Some("RUN") => {
                let mut mounts = words.filter_map(|word| word.strip_prefix("--mount="));
                let takes =
                    mounts.any(|mount| mount.contains("type=bind") && !mount.contains("from="));
                if let Some(stage) = stages.last_mut() {
                    stage.takes |= takes;
                }
            }
            _ => {}
        }
    }
    // What a stage goes on from is used for what it takes.
    for at in (0..stages.len()).rev() {
        if let (true, Some(base)) = (stages[at].takes, stages[at].base) {
            stages[base].takes = true;
        }
    }
    let taking = stages.into_iter().filter(|stage| stage.takes);
    taking.filter_map(|stage| stage.go).collect()
}

/// What the last stage gets by a COPY or ADD.
fn take(stages: &mut [Stage], words: Vec<&str>, is_code: &dyn Fn(&str) -> bool) {
    let (flags, paths): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| word.starts_with("--"));
    let from = flags.iter().find_map(|flag| flag.strip_prefix("--from="));
    let takes = match from {
        Some(name) => {
            let mut numbered = stages.iter().enumerate();
            numbered
                .any(|(at, stage)| stage.takes && (stage.name == name || at.to_string() == name))
        }
        None => {
            let strip = |path: &&str| path.trim_matches(['[', ']', ',', '"']).to_owned();
            let (_, sources) = paths.split_last().unwrap_or((&"", &[]));
            sources.iter().map(strip).any(|path| is_code(&path))
        }
    };
    if let Some(stage) = stages.last_mut() {
        stage.takes |= takes;
    }
}

/// The instructions of a Dockerfile with the numbers of their first lines: a backslash at the end goes on in the next one.
fn instructions(text: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let (part, more) = match line.trim_end().strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match out.last_mut().filter(|_| goes_on) {
            Some((_, whole)) => whole.push_str(part),
            None => out.push((at + 1, part.to_owned())),
        }
        goes_on = more;
    }
    out
}

/// Whether a source of a COPY, from the top of the repository or beside the Dockerfile, brings Go code. What has variables in it says nothing.
pub(super) fn brings_code(place: Place<'_>, dockerfile: &str, source: &str) -> bool {
    let beside = Utf8Path::new(dockerfile)
        .parent()
        .unwrap_or(Utf8Path::new(""));
    let bases = [Utf8Path::new(""), beside];
    let code = |path: &str| {
        let extension = Utf8Path::new(path).extension();
        matches!(extension, Some("go")) || path.ends_with("go.mod") || path.ends_with("go.work")
    };
    let source = source.trim_start_matches('/');
    let whole = source.split('*').next().unwrap_or_default();
    bases.iter().any(|base| {
        let wanted = steady_system::clean(&base.join(whole));
        let Some(git) = place.repository else {
            return code(source) || place.files.is_dir(place.root.join(&wanted));
        };
        let below = |path: &&String| match source.split_once('*') {
            Some((_, end)) => {
                let all = end.is_empty() || end.starts_with('*');
                path.starts_with(base.join(whole).as_str().trim_start_matches("./"))
                    && (all || path.ends_with(end))
            }
            None => wanted.as_str() == "." || Utf8Path::new(path).starts_with(&wanted),
        };
        git.tracked.keys().filter(below).any(|path| code(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ci::tests::versions;

    #[test]
    fn stages() {
        let text = "ARG GO=1.21\nFROM --platform=x golang:${GO}-alpine AS build\nCOPY . .\nFROM alpine:3.20\n";
        assert_eq!(
            versions(&dockerfile("Dockerfile", text, &|_| true)),
            [(2, "1.21", true)]
        );
        // Only stages that take code count, by themselves or in what goes on from them.
        let text = "FROM golang:1.20 AS tool\nRUN go install x@v1\nCOPY a.yml /\nFROM golang:1.21 AS base\nFROM base\nCOPY --chown=x \\\n  [\"cmd\", \"/src\"]\nFROM golang:1.22\nCOPY --from=2 /src .\nFROM golang:1.23\nCOPY --from=tool /x /\nFROM golang:1.24\nRUN --mount=type=bind,target=. go build\n";
        assert_eq!(
            versions(&dockerfile("Dockerfile", text, &|path| path == "cmd")),
            [(4, "1.21", true), (8, "1.22", true), (12, "1.24", true)]
        );
    }
}
