//! Which versions of Go the pipelines and Dockerfiles of a repository use, read line by line: enough for what people write, and what
//! cannot be read says nothing.

mod docker;
mod jobs;

use camino::Utf8Path;
use docker::{brings_code, dockerfile};
use jobs::Jobs;

use super::git::Repository;
use steady_module::gover;
use steady_system::Files;

/// Where the files of pipelines are looked for: in what is committed.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    /// The top of everything.
    pub root: &'p Utf8Path,
    /// Files as they are committed.
    pub files: &'p Files,
    /// The repository, if there is one.
    pub repository: Option<&'p Repository>,
}

/// A version that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The file, from the root.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// `1.22` or `1.22.3`.
    pub version: String,
    /// It stays with that version, whatever the modules ask for (GOTOOLCHAIN=local).
    pub fixed: bool,
    /// It is a Dockerfile.
    pub docker: bool,
}

impl Asked {
    /// Whether it stays with its version where modules ask for a newer one: what is older than 1.21 knows no other way.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.fixed || gover::compare(&self.version, gover::GO_STRICT_VERSION).is_lt()
    }

    /// The Go that builds there what needs one Go and suggests another. `None`: it refuses to.
    #[must_use]
    pub fn uses<'a>(&'a self, needed: &'a str, suggested: &'a str) -> Option<&'a str> {
        if self.stays() {
            return (!is_older(&self.version, needed)).then_some(&self.version);
        }
        let all = [self.version.as_str(), needed, suggested];
        all.into_iter().max_by(|a, b| gover::compare(a, b))
    }
}

/// Whether the newest release that a version stands for (`1.22`: any of 1.22) is older than another.
#[must_use]
pub fn is_older(version: &str, needed: &str) -> bool {
    if gover::is_lang(version) {
        return gover::compare(version, &gover::lang(needed)).is_lt();
    }
    gover::compare(version, needed).is_lt()
}

/// What all committed files ask for.
#[must_use]
pub fn asked(place: Place<'_>) -> Vec<Asked> {
    let mut out = Vec::new();
    let read = |name: &str| place.files.read_to_string(place.root.join(name)).ok();
    for file in files(place) {
        let Some(text) = read(&file) else {
            continue;
        };
        let name = file.rsplit('/').next().unwrap_or_default();
        if is_dockerfile(name) {
            let is_code = |source: &str| brings_code(place, &file, source);
            out.extend(dockerfile(&file, &text, &is_code));
        } else if file.starts_with(".github/workflows/") {
            let jobs = Jobs::below(&text, "jobs");
            out.extend(jobs.that_build(workflow(&file, &text, &read)));
        } else if file.starts_with(".circleci/") {
            out.extend(Jobs::below(&text, "jobs").that_build(images(&file, &text)));
        } else {
            out.extend(Jobs::at_top(&text).that_build(images(&file, &text)));
        }
    }
    // What version managers read; pipelines that read it too have been asked.
    for name in VERSION_FILES {
        let version = read(name).and_then(|text| version_file(&text));
        let told = |asked: &Asked| asked.text.contains(name);
        if let Some((at, text, version)) = version.filter(|_| !out.iter().any(told)) {
            out.push(Asked {
                file: name.to_owned(),
                line: at + 1,
                text,
                version,
                fixed: false,
                docker: false,
            });
        }
    }
    out
}

/// Files at the top that say which Go is to be used.
const VERSION_FILES: [&str; 2] = [".go-version", ".tool-versions"];

fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower == "dockerfile"
        || lower == "containerfile"
        || lower.starts_with("dockerfile.")
        || lower.ends_with(".dockerfile")
}

/// The files that are looked at.
fn files(place: Place<'_>) -> Vec<String> {
    let pipeline = |path: &str| {
        let yaml = path.ends_with(".yml") || path.ends_with(".yaml");
        let known = path.starts_with(".github/workflows/")
            || path.starts_with(".circleci/")
            || path.starts_with(".gitlab-ci");
        yaml && known
    };
    let wanted = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        pipeline(path)
            || is_dockerfile(name)
                && !path
                    .split('/')
                    .any(|part| matches!(part, "vendor" | "testdata" | "node_modules"))
    };
    if let Some(git) = place.repository {
        return git
            .tracked
            .keys()
            .filter(|path| wanted(path))
            .cloned()
            .collect();
    }
    let below = |dir: &str| {
        let entries = place
            .files
            .read_dir(place.root.join(dir))
            .unwrap_or_default();
        let names = entries
            .into_iter()
            .map(|entry| Utf8Path::new(dir).join(entry.name).into_string());
        names.collect::<Vec<_>>()
    };
    let all = ["", ".github/workflows", ".circleci"]
        .into_iter()
        .flat_map(below);
    all.filter(|path| wanted(path)).collect()
}

/// A version of Go as people write it: `1.22`, `1.22.3`, `^1.22`, `1.22.x`, `go1.22`. `None` for anything without a minor version.
fn version(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['"', '\'']);
    let text = text.trim_start_matches(['^', '~', '>', '=', 'v', ' ']);
    let text = text.strip_prefix("go").unwrap_or(text);
    let text = text.trim_end_matches(".x").trim_end_matches(".*");
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let numbers = numbers.trim_end_matches('.');
    let minor = numbers.strip_prefix("1.")?;
    let good = !minor.is_empty() && minor.split('.').all(|part| !part.is_empty());
    // A pre-release counts as its release here.
    (good && !rest.starts_with(['/', ':'])).then(|| numbers.to_owned())
}

/// `key: value` of a line, comments left out.
fn value<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    let line = line.trim().trim_start_matches("- ").trim_start();
    let rest = line.strip_prefix(key)?.trim_start().strip_prefix(':')?;
    Some(rest.split(" #").next().unwrap_or_default().trim())
}

/// A GitHub workflow: `go-version`, directly, from a matrix or from a file.
fn workflow(file: &str, text: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<Asked> {
    let lines: Vec<&str> = text.lines().collect();
    let local = lines.iter().any(|line| {
        value(line, "GOTOOLCHAIN").is_some_and(|value| value.trim_matches(['"', '\'']) == "local")
    });
    let auto = lines
        .iter()
        .any(|line| value(line, "GOTOOLCHAIN").is_some_and(|value| value.contains("auto")));
    let mut action = 0;
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(uses) = value(line, "uses") {
            // From its sixth version on the action tells go to stay with what it has installed.
            action = uses
                .split_once("actions/setup-go@v")
                .map_or(0, |(_, major)| {
                    major
                        .split('.')
                        .next()
                        .and_then(|major| major.parse().ok())
                        .unwrap_or(0)
                });
        }
        let fixed = local || action >= 6 && !auto;
        let ask = |line: usize, text: &str, version: String| Asked {
            file: file.to_owned(),
            line: line + 1,
            text: text.trim().to_owned(),
            version,
            fixed,
            docker: false,
        };
        if let Some(asked) = value(line, "go-version-file") {
            let name = asked.trim_matches(['"', '\'']);
            let contents = read(name)
                .filter(|_| !matches!(name.rsplit('/').next(), Some("go.mod" | "go.work")));
            let found = contents.and_then(|contents| version_file(&contents));
            out.extend(found.map(|(.., version)| ask(at, line, version)));
        }
        let Some(asked) = value(line, "go-version") else {
            continue;
        };
        if let Some(name) = asked.split_once("matrix.").map(|(_, rest)| rest) {
            let name = name.trim_end_matches(['}', ' ', '"', '\'']);
            for (at, version) in matrix(&lines, name) {
                out.push(ask(at, lines[at], version));
            }
        } else {
            let list = filled(&lines, asked);
            out.extend(
                list.trim_matches(['[', ']'])
                    .split(',')
                    .filter_map(version)
                    .map(|version| ask(at, line, version)),
            );
        }
    }
    out.extend(images(file, text));
    out
}

/// `.go-version`, or `.tool-versions` with its line `golang 1.22.3`: which line, its text, and the version.
fn version_file(text: &str) -> Option<(usize, String, String)> {
    let tool = |line: &str| {
        let words = ["golang ", "go "];
        version(words.iter().find_map(|word| line.strip_prefix(word))?)
    };
    let found = |(at, line, version)| (at, str::to_owned(line), version);
    let lines = || text.lines().map(str::trim).enumerate();
    let mut tools = lines().filter_map(|(at, line)| Some((at, line, tool(line)?)));
    let first = || {
        lines()
            .next()
            .and_then(|(at, line)| Some((at, line, version(line)?)))
    };
    tools.next().or_else(first).map(found)
}

/// A value with the variables in it that the same file sets: `${{ env.GO }}`, `${GO}`, `$GO`.
fn filled(lines: &[&str], text: &str) -> String {
    let Some((before, rest)) = text.split_once('$') else {
        return text.to_owned();
    };
    let rest = rest.trim_start_matches(['{', ' ']);
    let rest = rest.strip_prefix("env.").unwrap_or(rest);
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let (name, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
    let mut values = lines.iter().filter_map(|line| value(line, name));
    match values.find(|value| !name.is_empty() && !value.is_empty()) {
        Some(value) => {
            let value = value.trim_matches(['"', '\'']);
            let after = after.trim_start().trim_start_matches('}');
            format!("{before}{value}{after}")
        }
        None => text.to_owned(),
    }
}

/// The values of one axis of a matrix: in brackets, or a line each.
fn matrix(lines: &[&str], name: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(list) = value(line, name) else {
            continue;
        };
        if !list.is_empty() {
            let list = list.trim_matches(['[', ']']);
            out.extend(
                list.split(',')
                    .filter_map(version)
                    .map(|version| (at, version)),
            );
            continue;
        }
        for (below, line) in lines.iter().enumerate().skip(at + 1) {
            let Some(item) = line.trim().strip_prefix("- ") else {
                break;
            };
            out.extend(version(item).map(|version| (below, version)));
        }
    }
    out
}

/// `image: golang:1.22` and its kin, of pipelines whose jobs run in containers.
fn images(file: &str, text: &str) -> Vec<Asked> {
    let lines: Vec<&str> = text.lines().collect();
    let all = lines.iter().enumerate();
    all.filter_map(|(at, line)| {
        let name = value(line, "image").or_else(|| value(line, "name"))?;
        let name = filled(&lines, name.trim_matches(['"', '\'']));
        let (version, fixed) = image(&name)?;
        Some(Asked {
            file: file.to_owned(),
            line: at + 1,
            text: line.trim().to_owned(),
            version,
            fixed,
            docker: false,
        })
    })
    .collect()
}

/// The version of an image with Go in it, and whether it stays with that: the official ones set GOTOOLCHAIN=local.
fn image(name: &str) -> Option<(String, bool)> {
    let (repository, tag) = name.rsplit_once(':')?;
    let short = repository.rsplit('/').next().unwrap_or_default();
    match short {
        "golang" => Some((version(tag)?, true)),
        "go" if repository.ends_with("cimg/go") => Some((version(tag)?, false)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn versions(all: &[Asked]) -> Vec<(usize, &str, bool)> {
        all.iter()
            .map(|asked| (asked.line, asked.version.as_str(), asked.fixed))
            .collect()
    }

    #[test]
    fn versions_as_people_write_them() {
        let cases = [
            ("'1.22'", Some("1.22")),
            ("^1.22.3", Some("1.22.3")),
            ("1.22.x", Some("1.22")),
            ("stable", None),
            ("1.22-alpine", Some("1.22")),
            ("1", None),
            ("1.23rc1", Some("1.23")),
        ];
        for (text, wanted) in cases {
            assert_eq!(version(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn workflows() {
        let text = "jobs:\n  a:\n    strategy:\n      matrix:\n        go: ['1.22', stable]\n        other:\n          - '1.2'\n    steps:\n      - uses: actions/setup-go@v6\n        with:\n          go-version: ${{ matrix.go }}\n      - uses: actions/setup-go@v5\n        with:\n          go-version-file: .go-version\n";
        let read = |name: &str| (name == ".go-version").then(|| "1.21.3\n".to_owned());
        let found = workflow("w", text, &read);
        assert_eq!(versions(&found), [(5, "1.22", true), (14, "1.21.3", false)]);
    }

    #[test]
    fn variables_of_the_same_file() {
        let text = "env:\n  GO: '1.22'\njobs:\n  a:\n    steps:\n      - with:\n          go-version: ${{ env.GO }}\n      - with:\n          go-version: ${{ inputs.go }}\n";
        assert_eq!(
            versions(&workflow("w", text, &|_| None)),
            [(7, "1.22", false)]
        );
        let text = "variables:\n  GO_VERSION: \"1.23.1\"\na:\n  image: golang:${GO_VERSION}-alpine\nb:\n  image: golang:$GO_VERSION\nc:\n  image: golang:$CI_GO\n";
        assert_eq!(
            versions(&images("x", text)),
            [(4, "1.23.1", true), (6, "1.23.1", true)]
        );
    }

    #[test]
    fn version_files() {
        let found = |text| version_file(text).map(|(at, _, version)| (at, version));
        assert_eq!(found("1.22.3\n"), Some((0, "1.22.3".to_owned())));
        let tools = "nodejs 20.1\ngolang 1.24\n";
        assert_eq!(found(tools), Some((1, "1.24".to_owned())));
        assert_eq!(found("nodejs 20.1\n"), None);
    }

    #[test]
    fn which_go_builds() {
        let asked = |version: &str, fixed| Asked {
            file: String::new(),
            line: 0,
            text: String::new(),
            version: version.to_owned(),
            fixed,
            docker: false,
        };
        assert_eq!(asked("1.24", true).uses("1.24.3", "1.25.1"), Some("1.24"));
        assert_eq!(asked("1.24", true).uses("1.25", ""), None);
        assert_eq!(asked("1.24", false).uses("1.25", ""), Some("1.25"));
        assert_eq!(asked("1.24", false).uses("1.22", "1.25.1"), Some("1.25.1"));
        assert_eq!(asked("1.20", false).uses("1.22", ""), None);
    }

    #[test]
    fn containers() {
        let text = "image: golang:1.22\njob:\n  docker:\n    - image: cimg/go:1.20\n  services:\n    - image: postgres:12\n";
        assert_eq!(
            versions(&images("x", text)),
            [(1, "1.22", true), (4, "1.20", false)]
        );
    }
}
