//! One directory: what its files declare, held against build configurations.

use super::{Entries, Executable, NearMiss, Place, Reason, Target, platform_names};
use camino::Utf8Path;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use steady_packages::index::Index;
use steady_packages::source::facts::{Constraint, FileFacts};
use steady_packages::source::mains::{self, MainForm, Shape};
use steady_packages::source::{BuildContext, DirContents, SourceError, evaluate, scan};
use steady_system::Files;

/// A directory in which a program may begin.
pub(super) struct Directory<'a> {
    place: &'a Place,
    known: &'a [Target],
    contents: Arc<DirContents>,
    sources: Vec<Source>,
    /// Programs in files whose names go passes over.
    passed_over: Vec<Source>,
    /// For each known platform the Go files that it takes in, once somebody asks.
    taken: OnceLock<Vec<BTreeSet<String>>>,
}

/// A Go file.
struct Source {
    name: String,
    package: String,
    /// Line of the package clause.
    clause: u32,
    /// Line of the constraint, or of the package clause.
    constraint: u32,
    mains: Vec<(u32, MainForm)>,
}

impl Source {
    fn is_test(&self) -> bool {
        self.name.ends_with("_test.go")
    }

    /// The line of `func main()`.
    fn exact(&self) -> Option<u32> {
        let mut mains = self.mains.iter();
        mains.find_map(|(line, form)| match form {
            MainForm::Function(shape) if shape.begins_program() => Some(*line),
            _ => None,
        })
    }
}

/// What is wrong with a function called main.
fn shape_reason(shape: Shape) -> Reason {
    match shape {
        Shape { generic: true, .. } => Reason::Signature("type parameters"),
        Shape {
            parameters: true,
            results: true,
            ..
        } => Reason::Signature("parameters and results"),
        Shape {
            parameters: true, ..
        } => Reason::Signature("parameters"),
        Shape { results: true, .. } => Reason::Signature("results"),
        _ => Reason::NoBody,
    }
}

/// The line on which a line of the text begins like this; 0 if there is none.
fn line_with(text: &str, beginning: &str) -> u32 {
    let at = text
        .lines()
        .position(|line| line.trim_start().starts_with(beginning));
    at.map_or(0, |at| u32::try_from(at + 1).unwrap_or_default())
}

impl<'a> Directory<'a> {
    /// Reads what may matter; `None` if nothing here has anything to do with programs.
    pub(super) fn open(index: &Index, place: &'a Place, known: &'a [Target]) -> Option<Self> {
        let contents = index.dir(&place.dir).ok()?;
        let facts: Vec<&FileFacts> = contents
            .files
            .iter()
            .filter(|file| file.name.ends_with(".go"))
            .collect();
        let has_main = facts.iter().any(|file| file.package_name == "main");
        let mut sources = Vec::new();
        for file in facts {
            // Tests of packages that are no programs may do as they like.
            if !has_main && file.name.ends_with("_test.go") {
                continue;
            }
            let Ok(bytes) = index.files().read(place.dir.join(&file.name)) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            if has_main || text.contains("func main(") {
                sources.push(source(file, &bytes, &text));
            }
        }
        let passed_over = passed_over(index.files(), &place.dir);
        let any = has_main
            || !passed_over.is_empty()
            || sources.iter().any(|source| source.exact().is_some());
        any.then(|| Directory {
            place,
            known,
            contents,
            sources,
            passed_over,
            taken: OnceLock::new(),
        })
    }

    /// What this directory is on one platform.
    pub(super) fn judge(&self, target: &Target, entries: &mut Entries) {
        let package = evaluate(&self.place.dir, &self.contents, &target.context);
        let taken: BTreeSet<&str> = [&package.files.go_files, &package.files.cgo_files]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let mut note = |file: &str, line: u32, reason: Reason| {
            note(entries, self.place, &target.platform, (file, line, reason));
        };
        let program = match &package.error {
            Some(error) if !error.is_no_go() => {
                if let Some((file, line, text)) = self.culprit(error) {
                    note(&file, line, Reason::Broken(text));
                }
                None
            }
            _ if package.name == "main" => self.main_package(&taken, &mut note),
            _ => {
                let library = self.sources.iter();
                for source in library.filter(|source| taken.contains(source.name.as_str())) {
                    if let Some(line) = source.exact() {
                        note(
                            &source.name,
                            line,
                            Reason::OtherPackage(package.name.clone()),
                        );
                    }
                }
                None
            }
        };
        let left_out = |source: &&Source| {
            source.package == "main" && !source.is_test() && !taken.contains(source.name.as_str())
        };
        let broken = package.files.invalid_go_files;
        for source in self.sources.iter().filter(left_out) {
            if source.exact().is_none() || broken.contains(&source.name) {
                continue;
            }
            let reason = self.why_left_out(&source.name, &target.context);
            // Where another file has the main function, platforms and tags choose between the two.
            if program.is_none() || matches!(reason, Reason::Ignored(_)) {
                note(&source.name, source.constraint, reason);
            }
        }
        for source in &self.passed_over {
            let first = source.name.chars().next().unwrap_or_default();
            note(&source.name, source.clause, Reason::PassedOver(first));
        }
        if let Some((file, line)) = program {
            add(entries, self.place, &target.platform, (file, line));
        }
    }

    /// The file and line at which package main begins, or why it does not.
    fn main_package(
        &self,
        taken: &BTreeSet<&str>,
        note: &mut dyn FnMut(&str, u32, Reason),
    ) -> Option<(String, u32)> {
        let own = |source: &&Source| taken.contains(source.name.as_str());
        let mut first: Option<(String, u32)> = None;
        let mut misses = Vec::new();
        let mut lesser = Vec::new();
        for source in self.sources.iter().filter(own) {
            for (line, form) in &source.mains {
                let reason = match form {
                    MainForm::Capital => {
                        lesser.push((source, *line, Reason::Capital));
                        continue;
                    }
                    MainForm::Method => {
                        lesser.push((source, *line, Reason::Method));
                        continue;
                    }
                    _ if first.is_some() => {
                        let (file, line) = first.clone().unwrap_or_default();
                        Reason::Twice(format!("{file}:{line}"))
                    }
                    MainForm::Function(shape) if shape.begins_program() => {
                        first = Some((source.name.clone(), *line));
                        continue;
                    }
                    MainForm::Function(shape) => shape_reason(*shape),
                    MainForm::Other(keyword) => Reason::NotFunction(keyword),
                };
                misses.push((source, *line, reason));
            }
        }
        if first.is_none() && misses.is_empty() {
            misses = lesser;
            let tests = self.sources.iter().filter(|source| source.is_test());
            misses.extend(tests.filter_map(|source| {
                let line = source.exact().filter(|_| source.package == "main")?;
                Some((source, line, Reason::TestOnly))
            }));
            let left_out = |source: &Source| {
                source.package == "main" && !source.is_test() && source.exact().is_some()
            };
            // If constraints or its file's name leave the main function out, that is the reason and will be told.
            let told = self.sources.iter().any(left_out) || !self.passed_over.is_empty();
            if misses.is_empty() && !told {
                let miss = match (self.sources.iter().find(own), self.sources.first()) {
                    (Some(source), _) => Some((source, source.clause, Reason::Undeclared)),
                    (None, test) => test.map(|test| (test, test.clause, Reason::OnlyTests)),
                };
                misses.extend(miss);
            }
        }
        let clean = misses.is_empty();
        for (source, line, reason) in misses {
            note(&source.name, line, reason);
        }
        first.filter(|_| clean)
    }

    /// Why a Go file with a program in it is no part of the package.
    fn why_left_out(&self, name: &str, context: &BuildContext) -> Reason {
        let taken = self.taken.get_or_init(|| {
            let files = |target: &Target| {
                let package = evaluate(&self.place.dir, &self.contents, &target.context);
                let files = package.files.go_files.into_iter();
                files.chain(package.files.cgo_files).collect()
            };
            self.known.iter().map(files).collect()
        });
        let platforms = self.known.iter().zip(taken);
        let elsewhere: Vec<&str> = platforms
            .filter(|(_, files)| files.contains(name))
            .map(|(target, _)| target.platform.as_str())
            .collect();
        if !elsewhere.is_empty() {
            let known = self.known.iter().map(|target| target.platform.as_str());
            let known: Vec<&str> = known.collect();
            return Reason::Elsewhere(platform_names(&elsewhere, &known));
        }
        let mut files = self.contents.files.iter();
        let Some(file) = files.find(|file| file.name == name) else {
            return Reason::Ignored("what is unknown".to_owned());
        };
        let with_cgo = BuildContext {
            cgo_enabled: true,
            ..context.clone()
        };
        let uses_cgo = file.imports.iter().any(|import| import.path == "C");
        if !context.cgo_enabled && (uses_cgo || holds(file, &with_cgo)) {
            return Reason::NeedsCgo;
        }
        let asked = asked_tags(file, context);
        let mut later = context.clone();
        let newer = asked.iter().filter(|tag| tag.starts_with("go1."));
        let newer: Vec<String> = newer.filter(|tag| !context.has_tag(tag)).cloned().collect();
        later.release_tags.extend(newer.iter().cloned());
        if let Some(release) = newer.last()
            && holds(file, &later)
        {
            return Reason::NeedsGo(release.clone());
        }
        let tags = own_tags(asked, context);
        let mut tagged = context.clone();
        tagged.build_tags.extend(tags.iter().cloned());
        if !tags.is_empty() && holds(file, &tagged) {
            return Reason::NeedsTags(tags);
        }
        Reason::Ignored(match &file.constraint {
            Constraint::GoBuild(line) => line.clone(),
            Constraint::PlusBuild(lines) => lines.join(" and "),
            Constraint::None => "its name".to_owned(),
        })
    }

    /// Where an error is and what it is, if it has to do with a file of package main.
    fn culprit(&self, error: &SourceError) -> Option<(String, u32, String)> {
        let known = |name: &str| self.sources.iter().find(|source| source.name == name);
        match error {
            SourceError::MultiplePackage {
                files, packages, ..
            } => {
                let [first, second] = files.each_ref().map(|name| known(name));
                let second = second?;
                let one = first.is_some_and(|first| first.package == "main");
                let text = format!(
                    "two packages in one directory, {} ({}) and {} ({})",
                    packages[0], files[0], packages[1], files[1]
                );
                let concerned = one || second.package == "main";
                concerned.then(|| (second.name.clone(), second.clause, text))
            }
            SourceError::Syntax(list) => {
                let first = list.first()?;
                let name = first.file.rsplit('/').next().unwrap_or_default();
                let concerned = known(name)?.package == "main";
                concerned.then(|| (name.to_owned(), first.line, first.message.clone()))
            }
            _ => None,
        }
    }
}

/// Programs of package main in files that go does not look at, whatever they hold.
fn passed_over(files: &Files, dir: &Utf8Path) -> Vec<Source> {
    let entries = files.read_dir(dir).unwrap_or_default().into_iter();
    let names = entries.map(|entry| entry.name).filter(|name| {
        name.starts_with(['_', '.']) && name.ends_with(".go") && !name.ends_with("_test.go")
    });
    let read = |name: String| {
        let bytes = files.read(dir.join(&name)).ok()?;
        let file = scan::scan_file(files, dir, &name);
        let source = source(&file, &bytes, &String::from_utf8_lossy(&bytes));
        (source.package == "main" && source.exact().is_some()).then_some(source)
    };
    names.filter_map(read).collect()
}

fn source(file: &FileFacts, bytes: &[u8], text: &str) -> Source {
    let clause = line_with(text, "package ");
    let constraint = match &file.constraint {
        Constraint::GoBuild(_) => line_with(text, "//go:build"),
        Constraint::PlusBuild(_) => line_with(text, "// +build"),
        Constraint::None => clause,
    };
    Source {
        name: file.name.clone(),
        package: file.package_name.clone(),
        clause,
        constraint,
        mains: mains::declarations(bytes)
            .into_iter()
            .map(|main| (main.line, main.form))
            .collect(),
    }
}

/// Whether name and constraint take the file in.
fn holds(file: &FileFacts, context: &BuildContext) -> bool {
    let asked = &mut BTreeSet::new();
    context.good_os_arch_file(&file.name, asked)
        && context
            .good_constraint(&file.constraint, asked)
            .unwrap_or_default()
}

/// Tags that a constraint asks about.
fn asked_tags(file: &FileFacts, context: &BuildContext) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    let _ = context.good_constraint(&file.constraint, &mut asked);
    asked
}

/// Those that somebody may set by `-tags`.
fn own_tags(mut asked: BTreeSet<String>, context: &BuildContext) -> Vec<String> {
    let lists = &context.syslist;
    let given = |tag: &String| {
        lists.os.contains(tag)
            || lists.arch.contains(tag)
            || matches!(
                tag.as_str(),
                "ignore" | "unix" | "cgo" | "gc" | "gccgo" | "race" | "msan" | "asan"
            )
            || tag.starts_with("go1.")
            || tag.starts_with("goexperiment.")
            || context.has_tag(tag)
    };
    asked.retain(|tag| !given(tag));
    asked.into_iter().collect()
}

fn note(
    entries: &mut Entries,
    place: &Place,
    platform: &str,
    (file, line, reason): (&str, u32, Reason),
) {
    let same =
        |miss: &&mut NearMiss| miss.file == file && miss.line == line && miss.reason == reason;
    match entries.near_misses.iter_mut().find(same) {
        Some(miss) => miss.platforms.push(platform.to_owned()),
        None => entries.near_misses.push(NearMiss {
            place: place.clone(),
            file: file.to_owned(),
            line,
            reason,
            platforms: vec![platform.to_owned()],
        }),
    }
}

fn add(entries: &mut Entries, place: &Place, platform: &str, (file, line): (String, u32)) {
    match entries.executables.last_mut() {
        Some(known) if known.place == *place => known.platforms.push(platform.to_owned()),
        _ => entries.executables.push(Executable {
            place: place.clone(),
            file,
            line,
            platforms: vec![platform.to_owned()],
        }),
    }
}
