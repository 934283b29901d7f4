//! go.sum and go.work.sum against the checksum database, line by line.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use steady_module::ModuleVersion;
use steady_module::amount::{amount, noun};
use steady_proxy::Error;

use super::cache::Listing;
use super::toolchain::Rules;
use super::{Chain, Failure, Link, Outcome, Problem, SUMS, bare, each};

/// Questions to the database that are on their way at the same time.
const PARALLEL: usize = 12;
/// So many failures to reach the database in a row, and it is not asked any more.
const PATIENCE: usize = 3;

const MERGE: &str = "a merge left its marks, or both sides, in the file";
const HOSTILE: &str = "the tag was moved after others had fetched it, and this sum was recorded without asking the database \
    (GONOSUMDB, GOSUMDB=off); or the line was edited; or whoever answered for the module then is hostile";

/// A line that records a sum.
pub(super) struct Line {
    pub file: Utf8PathBuf,
    /// From 1.
    pub number: usize,
    /// Its version ends in `/go.mod` if the sum is that of a go.mod.
    pub module: ModuleVersion,
    pub sum: String,
}

/// All that go.sum and its kin say.
#[derive(Default)]
pub(super) struct Sums {
    pub lines: Vec<Line>,
    /// `h1:` sums of each module, each once.
    pub of: HashMap<ModuleVersion, Vec<String>>,
    /// The files that there are.
    files: Vec<Utf8PathBuf>,
    failures: Vec<Failure>,
    notes: Vec<String>,
}

impl Sums {
    /// The files of a run. What cannot be read as a line of sums is a failure, and the rest counts.
    pub fn read(chain: &Chain<'_>) -> Sums {
        let mut sums = Sums::default();
        let files = chain.modules.sum_files();
        for file in files.main.iter().chain(&files.workspace) {
            match chain.files.read_if_exists(file) {
                Ok(None) => {}
                Ok(Some(bytes)) => sums.add(file, &String::from_utf8_lossy(&bytes)),
                Err(error) => sums.failures.push(
                    Failure::new(Link::Sums, Problem::Unreadable, file.clone())
                        .saying("lines of sums", error.to_string())
                        .because("the file is no regular file, or may not be read")
                        .fixed_by("git checkout -- go.sum"),
                ),
            }
        }
        sums.find_conflicts(chain);
        sums
    }

    fn add(&mut self, file: &Utf8Path, text: &str) {
        self.files.push(file.to_owned());
        let fix = format!(
            "git checkout -- {} && steady mod tidy",
            file.file_name().unwrap_or("go.sum")
        );
        let mut text = text;
        if let Some(rest) = text.strip_prefix('\u{feff}') {
            text = rest;
            self.failures.push(
                Failure::new(Link::Sums, Problem::Malformed, file)
                    .at(1)
                    .saying(
                        "a line of sums",
                        "a byte order mark before it, which hides it from go",
                    )
                    .because("an editor saved the file with a byte order mark")
                    .fixed_by(fix.clone()),
            );
        }
        let whole = text.is_empty() || text.ends_with('\n');
        let count = text.lines().count();
        let mut seen = HashSet::new();
        let (mut repeated, mut unknown) = (0, 0);
        for (at, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let wrong = |problem: Problem, found: String, cause: &str| {
                Failure::new(Link::Sums, problem, file)
                    .at(at + 1)
                    .saying("module, version, sum", found)
                    .because(cause)
                    .fixed_by(fix.clone())
            };
            let cut = !whole && at + 1 == count;
            match words[..] {
                [] => {}
                [path, version, sum] if is_sum(sum) => {
                    if !seen.insert((path, version, sum)) {
                        repeated += 1;
                        continue;
                    }
                    self.lines.push(Line {
                        file: file.to_owned(),
                        number: at + 1,
                        module: ModuleVersion::new(path, version),
                        sum: sum.to_owned(),
                    });
                    let known = self
                        .of
                        .entry(ModuleVersion::new(path, version))
                        .or_default();
                    if !known.iter().any(|other| other == sum) {
                        known.push(sum.to_owned());
                    }
                }
                [_, _, sum] if !sum.starts_with("h1:") && sum.contains(':') => unknown += 1,
                _ if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
                    .iter()
                    .any(|mark| line.starts_with(mark)) =>
                {
                    self.failures
                        .push(wrong(Problem::Conflicting, format!("{line:?}"), MERGE));
                }
                _ if cut => self.failures.push(wrong(
                    Problem::Truncated,
                    format!("{line:?}, and no line end"),
                    "the file was cut off while it was written",
                )),
                _ => self.failures.push(wrong(
                    Problem::Malformed,
                    format!("{line:?}"),
                    "the line was edited",
                )),
            }
        }
        let name = file.file_name().unwrap_or_default();
        if repeated > 0 {
            self.notes.push(format!(
                "{name}: {} there twice",
                amount(repeated, ["line stands", "lines stand"])
            ));
        }
        if unknown > 0 {
            self.notes.push(format!(
                "{name}: {} of a kind that go does not use",
                amount(unknown, SUMS)
            ));
        }
    }

    /// Modules with two sums.
    fn find_conflicts(&mut self, chain: &Chain<'_>) {
        for line in &self.lines {
            let known = &self.of[&line.module];
            if known.len() < 2 || known[0] == line.sum {
                continue;
            }
            let first = self
                .lines
                .iter()
                .find(|other| other.module == line.module)
                .map(|other| {
                    format!(
                        "{} ({}:{})",
                        other.sum,
                        chain.shown(&other.file),
                        other.number
                    )
                });
            self.failures.push(
                Failure::new(Link::Sums, Problem::Conflicting, line.file.clone())
                    .at(line.number)
                    .of(&line.module)
                    .saying(first.unwrap_or_default(), line.sum.clone())
                    .because("two branches recorded different sums and were merged, or the tag was moved between two downloads")
                    .fixed_by(drop_line(chain, line)),
            );
        }
    }

    /// Another module that has this sum.
    pub fn owner(&self, sum: &str, module: &ModuleVersion) -> Option<&ModuleVersion> {
        let others = self.of.iter().filter(|(other, _)| *other != module);
        let with_it = others.filter(|(_, known)| known.iter().any(|known| known == sum));
        with_it.map(|(other, _)| other).min()
    }

    /// The `h1:` sums that are recorded for a module.
    pub fn recorded(&self, module: &ModuleVersion) -> &[String] {
        self.of.get(module).map_or(&[], Vec::as_slice)
    }
}

/// `h1:` and 32 bytes in base64.
pub(super) fn is_sum(sum: &str) -> bool {
    sum.strip_prefix("h1:").is_some_and(|rest| {
        rest.len() == 44
            && rest.ends_with('=')
            && rest[..43]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    })
}

/// Takes a line out and has it recorded anew, by what the database says.
fn drop_line(chain: &Chain<'_>, line: &Line) -> String {
    format!(
        "sed -i {}d {} && steady mod download {}",
        line.number,
        chain.shown(&line.file),
        bare(&line.module)
    )
}

/// A sum that the database is asked about.
struct Question {
    module: ModuleVersion,
    sum: String,
    file: Utf8PathBuf,
    line: Option<usize>,
    fix: String,
}

/// What came of a question.
enum Answer {
    Right,
    Wrong(Vec<String>),
    /// The settings keep the module from the database.
    Exempt,
    /// The database does not know it.
    Unknown,
    Unreachable(String),
    Forged(String),
}

/// Holds every recorded sum against the database, and those of modules in use that go.sum does not record.
pub(super) fn check(chain: &Chain<'_>, sums: &Sums, list: &Listing) -> Outcome {
    let since = Instant::now();
    let mut outcome = Outcome::new(Link::Sums, SUMS);
    outcome.failures.clone_from(&sums.failures);
    outcome.notes.clone_from(&sums.notes);
    outcome.failures.extend(missing(chain, sums));
    let questions = questions(chain, sums, list);
    let (failed, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let answers = each(PARALLEL, &questions, |(): &mut (), question| {
        let answer = if failed.load(Ordering::Relaxed) >= PATIENCE {
            Answer::Unreachable(String::new())
        } else {
            ask(chain, question)
        };
        match &answer {
            Answer::Unreachable(reason) if !reason.starts_with("-offline") => {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            _ => failed.store(0, Ordering::Relaxed),
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        (chain.progress)(Link::Sums, done, questions.len());
        (question, answer)
    });
    tell(&mut outcome, sums, answers);
    outcome.failures.sort_by(|a, b| {
        let key = |failure: &Failure| (failure.file.clone(), failure.line);
        key(a).cmp(&key(b))
    });
    outcome.timed(since)
}

fn questions(chain: &Chain<'_>, sums: &Sums, list: &Listing) -> Vec<Question> {
    let mut questions: Vec<Question> = sums
        .lines
        .iter()
        .map(|line| Question {
            module: line.module.clone(),
            sum: line.sum.clone(),
            file: line.file.clone(),
            line: Some(line.number),
            fix: drop_line(chain, line),
        })
        .collect();
    let items = list.items.iter();
    for item in items.filter(|item| item.rules == Rules::Module) {
        let recorded = !sums.recorded(&item.module).is_empty();
        if let (false, Some(sum)) = (recorded, &item.record.sum) {
            questions.push(Question {
                module: item.module.clone(),
                sum: sum.clone(),
                file: item.record.file.clone(),
                line: None,
                fix: super::REPAIR.to_owned(),
            });
        }
    }
    // Both sums of a version come with one answer: whoever asks second finds it kept.
    questions.sort_by(|a, b| a.module.cmp(&b.module));
    questions
}

fn ask(chain: &Chain<'_>, question: &Question) -> Answer {
    match chain.modules.fetcher().database_sums(&question.module) {
        Ok(None) => Answer::Exempt,
        Ok(Some(known)) if known.contains(&question.sum) => Answer::Right,
        Ok(Some(known)) => Answer::Wrong(known),
        Err(error) if error.is_security() => Answer::Forged(error.to_string()),
        Err(error) if is_unknown(&error) => Answer::Unknown,
        Err(error) => Answer::Unreachable(reason(&error)),
    }
}

fn is_unknown(error: &Error) -> bool {
    error
        .http()
        .is_some_and(|http| matches!(http.code, 404 | 410))
}

/// Without what differs from module to module.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    if text.contains("-offline") {
        return "-offline: its answer is not in the cache".to_owned();
    }
    let first = text.lines().next().unwrap_or_default();
    format!("the checksum database cannot be asked: {first}")
}

fn tell(outcome: &mut Outcome, sums: &Sums, answers: Vec<(&Question, Answer)>) {
    let mut exempt = 0;
    let mut unknown: Vec<String> = Vec::new();
    let mut unreachable: BTreeMap<String, usize> = BTreeMap::new();
    let mut forged: BTreeMap<String, (usize, &Question)> = BTreeMap::new();
    for (question, answer) in answers {
        match answer {
            Answer::Right => outcome.checked += 1,
            Answer::Exempt => exempt += 1,
            Answer::Unknown => unknown.push(question.module.to_string()),
            Answer::Unreachable(reason) => *unreachable.entry(reason).or_default() += 1,
            Answer::Forged(text) => forged.entry(text).or_insert((0, question)).0 += 1,
            Answer::Wrong(known) => {
                outcome.checked += 1;
                outcome.failures.push(wrong(question, sums, &known));
            }
        }
    }
    for (text, (count, question)) in forged {
        let text = text.replace("SECURITY ERROR\n", "");
        let mut failure = Failure::new(Link::Sums, Problem::Forged, question.file.clone())
            .of(&question.module)
            .saying(
                "an answer that the checksum database has signed",
                format!("{text} ({})", amount(count, SUMS)),
            )
            .because(
                "a proxy or a network between here and the checksum database answers in its name",
            )
            .fixed_by("GOPROXY=direct steady verify -links sums");
        failure.line = question.line;
        outcome.failures.push(failure);
    }
    if exempt > 0 {
        let reason = "GONOSUMDB, GOPRIVATE or GOSUMDB=off keep them from the checksum database";
        outcome.unverified(exempt, noun(exempt, SUMS), reason, "");
    }
    if !unknown.is_empty() {
        let shown = unknown
            .iter()
            .take(3)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if unknown.len() > 3 { ", …" } else { "" };
        outcome.unverified(
            unknown.len(),
            noun(unknown.len(), SUMS),
            format!(
                "the checksum database does not know them (what is private belongs into GOPRIVATE): {shown}{more}"
            ),
            "",
        );
    }
    // Those that were not even asked about go with the reason why.
    let silent = unreachable.remove("").unwrap_or_default();
    if let Some(count) = unreachable.values_mut().next() {
        *count += silent;
    }
    for (reason, count) in unreachable {
        outcome.unverified(count, noun(count, SUMS), reason, "");
    }
}

fn wrong(question: &Question, sums: &Sums, known: &[String]) -> Failure {
    let expected = match known {
        [] => "no sum: the database has none for it".to_owned(),
        known => known.join(", "),
    };
    let (problem, found, cause) = match sums.owner(&question.sum, &question.module) {
        Some(other) => (
            Problem::Swapped,
            format!("{}, the sum of {other}", question.sum),
            "lines were exchanged: a merge, or an editor",
        ),
        None => (Problem::Forged, question.sum.clone(), HOSTILE),
    };
    let mut failure = Failure::new(Link::Sums, problem, question.file.clone())
        .of(&question.module)
        .saying(expected, found)
        .because(cause)
        .fixed_by(question.fix.clone());
    failure.line = question.line;
    failure
}

/// Requirements whose go.mod has no sum: no build could go on.
fn missing(chain: &Chain<'_>, sums: &Sums) -> Vec<Failure> {
    let Some(file) = chain.modules.sum_files().main else {
        return Vec::new();
    };
    let there = sums.files.contains(&file);
    let mut told: HashSet<ModuleVersion> = HashSet::new();
    let mut failures = Vec::new();
    for main in chain.modules.mains() {
        let excluded: HashSet<&ModuleVersion> = main
            .file
            .exclude
            .iter()
            .map(|exclude| &exclude.value)
            .collect();
        for require in &main.file.require {
            let module = match chain.modules.replacement(&require.module) {
                Some(new) if new.version.is_empty() => continue,
                Some(new) => new.clone(),
                None if chain.modules.main(&require.module.path).is_some() => continue,
                None => require.module.clone(),
            };
            let key = ModuleVersion::new(&*module.path, format!("{}/go.mod", module.version));
            if excluded.contains(&require.module)
                || !sums.recorded(&key).is_empty()
                || !told.insert(module.clone())
            {
                continue;
            }
            let found = if there { "no line" } else { "no file" };
            failures.push(
                Failure::new(Link::Sums, Problem::Missing, file.clone())
                    .of(&module)
                    .saying(format!("a sum for the go.mod of {module}"), found)
                    .because(
                        "go.mod was edited or merged without go.sum, or go.sum was not committed",
                    )
                    .fixed_by(format!("steady mod download {module}")),
            );
        }
    }
    failures
}
