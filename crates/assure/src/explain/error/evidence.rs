//! What a tree and its settings show about an error.

use super::known::Look;
use camino::{Utf8Path, Utf8PathBuf};
use steady_module::ModuleVersion;
use steady_packages::modload::Modules;
use steady_system::{DirEntry, FileKind, Files};

/// What there is to look at.
pub struct Tree<'t> {
    /// The file system.
    pub files: &'t Files,
    /// The modules here, if there are any and they could be opened.
    pub modules: Option<&'t Modules>,
    /// The nearest go.mod and go.work, whether or not they could be opened.
    pub go_files: Vec<Utf8PathBuf>,
    /// A variable's value and who decided it: `("off", "the environment")`.
    pub variable: &'t dyn Fn(&str) -> (String, String),
    /// The programs of the main modules and what nearly is one, as [`Trace`]s.
    pub programs: &'t dyn Fn() -> Vec<Trace>,
}

/// One thing that is there to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// `go.sum:12`, `GOPROXY`, a command.
    pub place: String,
    /// What stands there.
    pub text: String,
}

impl Tree<'_> {
    /// What a look finds; `fill` puts in what the error's pattern caught.
    pub(super) fn look(&self, look: &Look, fill: &dyn Fn(&str) -> String) -> Vec<Trace> {
        match look {
            Look::Sums(path, version) => {
                let wanted = sum_of(fill(path), fill(version));
                self.lines(&["go.sum", "go.work.sum"], &wanted)
            }
            Look::GoMod(word) => self.lines(&["go.mod", "go.work"], &any_word(fill(word))),
            Look::Vendor(path) => self.lines(&["vendor/modules.txt"], &any_word(fill(path))),
            Look::Conflicts => {
                self.lines(&["go.mod", "go.sum", "go.work", "go.work.sum"], &|line| {
                    ["<<<<<<<", "=======", ">>>>>>>"]
                        .iter()
                        .any(|mark| line.starts_with(mark))
                })
            }
            Look::Variables(names) => names.iter().map(|name| self.setting(name)).collect(),
            Look::Selected(path) => self.selected(&fill(path)),
            Look::Providers(package) => self.providers(&fill(package)),
            Look::Cached(module, word) => self.cached(&fill(module), &fill(word)),
            Look::Dir(dir) => self.holds(Utf8Path::new(&fill(dir))),
            Look::Clause(dir, file) => {
                let path = Utf8PathBuf::from(fill(dir)).join(fill(file));
                self.lines_of(&path, &|line| line.starts_with("package "))
            }
            Look::Declared(file, name) => self.declared(Utf8Path::new(&fill(file)), &fill(name)),
            Look::Imports(lines) => self.imports(&fill(lines)),
            Look::Programs => (self.programs)().into_iter().take(MOST_LINES).collect(),
        }
    }

    /// The line of a file that an error begins with: `a.go:3:8: …`.
    pub(super) fn source_line(&self, error: &str) -> Option<Trace> {
        let error = error.strip_prefix("vet: ").unwrap_or(error);
        let mut parts = error.split(':');
        let file = parts.next().filter(|file| !file.contains(' '))?;
        let line: usize = parts.next()?.parse().ok()?;
        let text = self.files.read_to_string(file).ok()?;
        let text = text.lines().nth(line.checked_sub(1)?)?;
        Some(Trace {
            place: format!("{}:{line}", self.shown(Utf8Path::new(file))),
            text: text.trim().to_owned(),
        })
    }

    /// Lines of one file.
    fn lines_of(&self, path: &Utf8Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Trace> {
        let text = self.files.read_to_string(path).unwrap_or_default();
        let shown = self.shown(path);
        let lines = text.lines().enumerate();
        let traces = lines
            .filter(|(_, line)| wanted(line))
            .map(|(at, line)| Trace {
                place: format!("{shown}:{}", at + 1),
                text: line.trim().to_owned(),
            });
        traces.take(MOST_LINES).collect()
    }

    fn cached(&self, module: &str, word: &str) -> Vec<Trace> {
        let (Some(modules), Some((path, version))) = (self.modules, module.split_once('@')) else {
            return Vec::new();
        };
        let module = ModuleVersion::new(path, version);
        let file = modules.fetcher().cache_path(&module, "mod");
        file.map_or_else(
            |_| Vec::new(),
            |file| self.lines_of(&file, &any_word(word.to_owned())),
        )
    }

    /// What lies in a directory, or in the nearest one above it that there is.
    fn holds(&self, dir: &Utf8Path) -> Vec<Trace> {
        let dir = self.files.cwd().join(dir);
        let mut above = dir.ancestors();
        let found = above.find_map(|dir| Some((dir, self.files.read_dir(dir).ok()?)));
        let trace = |(dir, entries): (&Utf8Path, Vec<DirEntry>)| {
            let names = entries.iter().map(|entry| match entry.kind {
                FileKind::Dir => format!("{}/", entry.name),
                _ => entry.name.clone(),
            });
            let names: Vec<String> = names.collect();
            Trace {
                place: self.shown(dir),
                text: match names.as_slice() {
                    [] => "is empty".to_owned(),
                    names => format!("holds {}", first(names, MOST_LINES)),
                },
            }
        };
        found.map(trace).into_iter().collect()
    }

    /// Declarations of a name at the top level of the files beside a file.
    fn declared(&self, file: &Utf8Path, name: &str) -> Vec<Trace> {
        let dir = match file.parent() {
            Some(dir) if !dir.as_str().is_empty() => dir,
            _ => self.files.cwd(),
        };
        let declares = |line: &str| {
            let words = ["func ", "var ", "const ", "type "];
            let rest = words.iter().find_map(|word| line.strip_prefix(word));
            let own = |c: char| !c.is_alphanumeric() && c != '_';
            rest.is_some_and(|rest| rest.split(own).next() == Some(name))
        };
        let entries = self.files.read_dir(dir).unwrap_or_default().into_iter();
        let others = entries.filter(|entry| entry.name.ends_with(".go"));
        others
            .flat_map(|other| self.lines_of(&dir.join(&other.name), &declares))
            .take(MOST_LINES)
            .collect()
    }

    /// For lines `package A`, `imports B from FILE`, …: the import in A's FILE of B.
    fn imports(&self, text: &str) -> Vec<Trace> {
        let Some(modules) = self.modules else {
            return Vec::new();
        };
        let mut traces = Vec::new();
        let mut importer = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["package", path] => importer = Some(path),
                ["imports", path, "from", file] => {
                    let dir = importer.and_then(|path| modules.directory_in_mains(path));
                    if let Some(dir) = dir {
                        let quoted = format!("\"{path}\"");
                        let import = |line: &str| line.contains(&quoted);
                        traces.extend(self.lines_of(&dir.join(file), &import));
                    }
                    importer = Some(path);
                }
                _ => {}
            }
        }
        traces
    }

    fn setting(&self, name: &str) -> Trace {
        let (value, origin) = (self.variable)(name);
        let value = if value.is_empty() { "(empty)" } else { &value };
        Trace {
            place: name.to_owned(),
            text: format!("{value}, decided by {origin}"),
        }
    }

    /// The directories that files of a module lie in: those of main modules and of go.work.
    fn dirs(&self) -> Vec<Utf8PathBuf> {
        let mut dirs: Vec<Utf8PathBuf> = self
            .go_files
            .iter()
            .filter_map(|file| file.parent().map(Utf8Path::to_owned))
            .collect();
        let mains = self.modules.iter().flat_map(|modules| modules.mains());
        dirs.extend(mains.map(|main| main.dir.clone()));
        dirs.sort();
        dirs.dedup();
        dirs
    }

    /// Lines of files that `wanted` holds for; what stands in several places alike is one trace.
    fn lines(&self, names: &[&str], wanted: &dyn Fn(&str) -> bool) -> Vec<Trace> {
        let mut places: Vec<(String, Vec<String>)> = Vec::new();
        for dir in self.dirs() {
            for name in names {
                let path = dir.join(name);
                let Ok(text) = self.files.read_to_string(&path) else {
                    continue;
                };
                let shown = self.shown(&path);
                for (at, line) in text.lines().enumerate().filter(|(_, line)| wanted(line)) {
                    let (line, place) = (line.trim(), format!("{shown}:{}", at + 1));
                    match places.iter_mut().find(|(text, _)| text == line) {
                        Some((_, places)) => places.push(place),
                        None => places.push((line.to_owned(), vec![place])),
                    }
                }
            }
        }
        let trace = |(text, places): (String, Vec<String>)| Trace {
            place: some(&places),
            text,
        };
        places.into_iter().take(MOST_LINES).map(trace).collect()
    }

    fn shown(&self, path: &Utf8Path) -> String {
        let below = path.strip_prefix(self.files.cwd());
        steady_system::clean(below.unwrap_or(path)).into_string()
    }

    fn selected(&self, path: &str) -> Vec<Trace> {
        let Some(Ok(Some(module))) = self.modules.map(|modules| modules.selected(path)) else {
            return Vec::new();
        };
        let replaced = self
            .modules
            .and_then(|modules| modules.replacement(&module));
        let text = match replaced {
            Some(other) => format!("{module} is selected, replaced by {other}"),
            None => format!("{module} is selected"),
        };
        vec![Trace {
            place: "module graph".to_owned(),
            text,
        }]
    }

    /// Modules of the graph whose paths are beginnings of a package's.
    fn providers(&self, package: &str) -> Vec<Trace> {
        let Some(Ok(list)) = self.modules.map(Modules::build_list) else {
            return Vec::new();
        };
        let holds = |path: &str| {
            package
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        list.iter()
            .filter(|module| holds(&module.path))
            .map(|module| Trace {
                place: "module graph".to_owned(),
                text: match module.version.as_str() {
                    "" => format!("{} is a main module", module.path),
                    _ => format!("{module} could have it"),
                },
            })
            .collect()
    }
}

/// More lines of one kind say no more.
const MOST_LINES: usize = 8;

/// The first places of several, and how many more there are.
fn some(places: &[String]) -> String {
    first(places, 3)
}

fn first(texts: &[String], most: usize) -> String {
    let shown = texts[..texts.len().min(most)].join(", ");
    match texts.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn sum_of(path: String, version: String) -> impl Fn(&str) -> bool {
    move |line| {
        let mut words = line.split_whitespace();
        let of_path = words.next() == Some(&path);
        let of = words.next().unwrap_or_default();
        of_path && of.strip_suffix("/go.mod").unwrap_or(of) == version
    }
}

fn any_word(word: String) -> impl Fn(&str) -> bool {
    move |line| line.split_whitespace().any(|other| other == word)
}
