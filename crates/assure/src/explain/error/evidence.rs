//! What a tree and its settings show about an error.

use super::known::Look;
use camino::{Utf8Path, Utf8PathBuf};
use steady_packages::modload::Modules;
use steady_system::Files;

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
        }
    }

    fn setting(&self, name: &str) -> Trace {
        let (value, origin) = (self.variable)(name);
        let value = if value.is_empty() { "(empty)" } else { &value };
        Trace {
            place: name.to_owned(),
            text: format!("{value}, from {origin}"),
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
        below.unwrap_or(path).to_string()
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
    const MOST: usize = 3;
    let shown = places[..places.len().min(MOST)].join(", ");
    match places.len().saturating_sub(MOST) {
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
