//! Jobs of pipelines, and whether they build anything of the repository. One that only installs a tool does that with whatever Go it likes.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Asked, value};

/// The jobs of a file.
pub(super) struct Jobs<'t> {
    lines: Vec<&'t str>,
    /// The lines of each.
    jobs: Vec<Range<usize>>,
}

/// Keys whose values are commands.
const COMMANDS: [&str; 5] = ["run", "script", "before_script", "after_script", "command"];

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether there is nothing on a line.
fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

impl<'t> Jobs<'t> {
    /// Jobs that stand below a key at the top.
    pub fn below(text: &'t str, key: &str) -> Jobs<'t> {
        let lines: Vec<&str> = text.lines().collect();
        let head = |line: &&str| indent(line) == 0 && value(line, key) == Some("");
        let from = lines.iter().position(head).map_or(lines.len(), |at| at + 1);
        let inside = |line: &&str| is_blank(line) || indent(line) > 0;
        let length = lines[from..].iter().take_while(|line| inside(line)).count();
        let jobs = blocks(&lines, from..from + length);
        Jobs { lines, jobs }
    }

    /// Jobs that are themselves keys at the top.
    pub fn at_top(text: &'t str) -> Jobs<'t> {
        let lines: Vec<&str> = text.lines().collect();
        let jobs = blocks(&lines, 0..lines.len());
        Jobs { lines, jobs }
    }

    /// Of what is asked for, that which is not asked for by jobs that surely build nothing of the repository.
    pub fn that_build(&self, asked: Vec<Asked>) -> impl Iterator<Item = Asked> {
        let idle: Vec<&Range<usize>> = self.jobs.iter().filter(|job| self.is_idle(job)).collect();
        asked.into_iter().filter(move |asked| {
            // Lines count from 1.
            !idle.iter().any(|job| job.contains(&(asked.line - 1)))
        })
    }

    /// Whether a job does nothing but install tools of other modules, by their versions, and use them on what is no Go.
    fn is_idle(&self, job: &Range<usize>) -> bool {
        let lines = &self.lines[job.clone()];
        let mut actions = lines.iter().filter_map(|line| value(line, "uses"));
        let commands = commands(lines);
        let mut tools = BTreeSet::new();
        !commands.is_empty()
            && actions.all(|action| action.starts_with("actions/"))
            && commands.iter().all(|command| is_idle(command, &mut tools))
            && !tools.is_empty()
    }
}

/// Parts of a range of lines, each beginning with a key that is indented as the first one is.
fn blocks(lines: &[&str], within: Range<usize>) -> Vec<Range<usize>> {
    let depth = lines[within.clone()]
        .iter()
        .find(|line| !is_blank(line))
        .map_or(0, |line| indent(line));
    let begins = |at: &usize| {
        let line = lines[*at];
        !is_blank(line) && indent(line) == depth && !line.trim_start().starts_with('-')
    };
    let starts: Vec<usize> = within.clone().filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([within.end]);
    starts
        .iter()
        .zip(ends)
        .map(|(from, to)| *from..to)
        .collect()
}

/// The commands that a job runs, as far as they are written there.
fn commands<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some(text) = COMMANDS.iter().find_map(|key| value(line, key)) else {
            continue;
        };
        if !text.is_empty() && !text.starts_with(['|', '>']) {
            out.extend(parts(text));
            continue;
        }
        let (depth, list) = (indent(line), text.is_empty());
        // Items of a list may stand as deep as their key.
        let inside = |line: &&&str| {
            is_blank(line)
                || indent(line) > depth
                || list && indent(line) == depth && line.trim_start().starts_with("- ")
        };
        let block = lines[at..].iter().take_while(inside);
        for line in block {
            let line = line.trim();
            out.extend(parts(
                line.strip_prefix("- ").filter(|_| list).unwrap_or(line),
            ));
            at += 1;
        }
    }
    out
}

/// The commands of one line of a shell.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim_matches(['"', '\'']);
    let parts = line.split(['&', ';', '|']).map(str::trim);
    parts.filter(|part| !part.is_empty() && !part.starts_with('#'))
}

/// Whether a command does nothing with the module around it. `tools`: what has been installed by then.
fn is_idle<'c>(command: &'c str, tools: &mut BTreeSet<&'c str>) -> bool {
    let mut words = command.split_whitespace().filter(|word| {
        // Variables that are set for the command.
        !word.split('/').next().unwrap_or_default().contains('=')
    });
    let first = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    match (first, rest.as_slice()) {
        ("go", ["version" | "env", ..]) | ("echo" | "set" | "export" | "", _) => true,
        ("go", ["install", rest @ ..]) => {
            let named: Vec<&str> = rest
                .iter()
                .copied()
                .filter(|word| !word.starts_with('-'))
                .collect();
            tools.extend(named.iter().map(|path| program(path)));
            named.iter().all(|path| path.contains('@'))
        }
        ("go", _) => false,
        // What is told of packages loads them with the Go that is there.
        (tool, arguments) => {
            tools.contains(tool) && !arguments.iter().any(|word| word.contains("..."))
        }
    }
}

/// The program that `go install` makes of a package.
fn program(path: &str) -> &str {
    let path = path.split('@').next().unwrap_or_default();
    let version = |part: &&str| {
        part.strip_prefix('v')
            .is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    let mut parts = path.rsplit('/');
    parts.find(|part| !version(part)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(text: &str) -> Vec<bool> {
        let jobs = Jobs::below(text, "jobs");
        jobs.jobs.iter().map(|job| jobs.is_idle(job)).collect()
    }

    #[test]
    fn jobs_that_only_install_tools() {
        let job = |name: &str, steps: &str| {
            format!(
                "  {name}:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v5\n{steps}"
            )
        };
        let text = [
            "on: push\n\njobs:\n".to_owned(),
            job(
                "a",
                "      - run: go install example.com/mdtoc/v2@latest\n      - run: mdtoc README.md\n\n",
            ),
            job(
                "b",
                "      - run: go install example.com/vet@v1\n      - run: vet ./...\n",
            ),
            job(
                "c",
                "      - run: |\n          go version\n          GOBIN=x go install example.com/a@v1 && a\n      - name: x\n        run: echo done\n",
            ),
            job("d", "      - run: go install ./cmd/a\n"),
            job(
                "e",
                "      - uses: other/lint@v3\n      - run: go install example.com/a@v1\n",
            ),
            job(
                "f",
                "      - run: go install example.com/a@v1\n      - run: make\n",
            ),
            job("g", ""),
            "defaults:\n  run: x\n".to_owned(),
        ];
        assert_eq!(
            idle(&text.concat()),
            [true, false, true, false, false, false, false]
        );
    }

    #[test]
    fn pipelines_whose_jobs_stand_at_the_top() {
        let text = "image: golang:1.22\n\ntool:\n  script:\n  - go install example.com/a@v1\n  - a -x\ntest:\n  script:\n    - go test ./...\n";
        let jobs = Jobs::at_top(text);
        let idle: Vec<bool> = jobs.jobs.iter().map(|job| jobs.is_idle(job)).collect();
        assert_eq!(idle, [false, true, false]);
    }
}
