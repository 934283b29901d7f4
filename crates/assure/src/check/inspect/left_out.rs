//! Go files of packages that are not committed, although the packages load without them. Where what is committed surely takes a name from
//! such a file, it compiles nowhere else; of the rest only `-prove` can tell.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use steady_packages::source::names::{Names, names};
use steady_system::Files;

use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::git::{Repository, Standing};
use crate::check::world::{Root, View, World};

/// A file that is only here.
struct Left<'w> {
    id: &'static str,
    what: &'static str,
    file: Utf8PathBuf,
    package: &'w Root,
}

/// A name that what is committed of a package takes from a file that is not.
struct Lack {
    name: String,
    /// Where it is taken.
    at: Option<(Utf8PathBuf, u32)>,
}

/// All of them.
pub fn inspect(world: &World, git: &Repository) -> Vec<Finding> {
    let mut out = Vec::new();
    for left in left(world, git) {
        let own = world.files.read(&left.file).unwrap_or_default();
        let Names { declared, .. } = names(&own);
        let mut lacks: BTreeMap<Environment, Lack> = BTreeMap::new();
        for view in &world.views {
            let environment = view.environment;
            if environment == Environment::Here || lacks.contains_key(&environment) {
                continue;
            }
            let lack =
                same(view, left.package).and_then(|package| lack(world, view, package, &declared));
            lacks.extend(lack.map(|lack| (environment, lack)));
        }
        out.push(match lacks.is_empty() {
            true => left.perhaps(world),
            false => left.surely(world, &lacks),
        });
    }
    out
}

fn left<'w>(world: &'w World, git: &Repository) -> Vec<Left<'w>> {
    let mut out: Vec<Left<'w>> = Vec::new();
    for seen in world
        .views_of(Environment::Here)
        .filter_map(|view| view.seen())
    {
        for package in &seen.roots {
            for name in &package.go_files {
                let file = Utf8Path::new(&package.dir).join(name);
                let (id, what) = match git.standing(&file) {
                    Some(Standing::Untracked) => ("files/untracked", "is not committed"),
                    Some(Standing::Ignored) => ("files/ignored", "is ignored by git"),
                    _ => continue,
                };
                out.push(Left {
                    id,
                    what,
                    file,
                    package,
                });
            }
        }
    }
    out
}

/// The same package where it was loaded otherwise.
fn same<'v>(view: &'v View, package: &Root) -> Option<&'v Root> {
    let mut roots = view.seen()?.roots.iter();
    roots.find(|other| other.import_path == package.import_path && other.dir == package.dir)
}

/// What the package of a view lacks of these names.
fn lack(world: &World, view: &View, package: &Root, declared: &BTreeSet<String>) -> Option<Lack> {
    let files = world.files_of(view.environment);
    let dir = Utf8Path::new(&package.dir);
    // Whatever constraints a file has, it may be the one that is meant.
    let mut known = BTreeSet::new();
    for name in go_files(files, dir) {
        known.extend(names(&files.read(dir.join(name)).ok()?).declared);
    }
    let missing = |name: &&String| !known.contains(*name) && *name != "_" && *name != "init";
    let missing: Vec<&String> = declared.iter().filter(missing).collect();
    if package.name == "main" && missing.iter().any(|name| *name == "main") {
        return Some(Lack {
            name: "main".to_owned(),
            at: None,
        });
    }
    let goroot = &view.seen()?.context.goroot;
    let predeclared = world.files.read(goroot.join("src/builtin/builtin.go"));
    let predeclared = names(&predeclared.ok()?).declared;
    for name in &package.go_files {
        let file = dir.join(name);
        let needed = names(&files.read(&file).ok()?).needed;
        for name in &missing {
            if let Some(line) = needed.get(*name).filter(|_| !predeclared.contains(*name)) {
                return Some(Lack {
                    name: (*name).clone(),
                    at: Some((file, *line)),
                });
            }
        }
    }
    None
}

fn go_files(files: &Files, dir: &Utf8Path) -> Vec<String> {
    let entries = files.read_dir(dir).unwrap_or_default().into_iter();
    let names = entries.map(|entry| entry.name);
    names.filter(|name| name.ends_with(".go")).collect()
}

impl Left<'_> {
    fn finding(&self, world: &World, rest: &str) -> Finding {
        let shown = world.shown(&self.file);
        let message = format!("{shown} {}{rest}", self.what);
        let add = match self.id {
            "files/ignored" => "git add -f",
            _ => "git add",
        };
        Finding::new(self.id, shown.clone(), message)
            .shown_by(Evidence::place(shown.clone(), 0, ""))
            .fixed_by(Fix::shown(format!("{add} {shown}")))
    }

    fn perhaps(&self, world: &World) -> Finding {
        let path = &self.package.import_path;
        self.finding(
            world,
            &format!("; whether the rest of {path} compiles without it, -prove tells"),
        )
        .severity(Severity::Note)
        .hits_all([
            Environment::Ci,
            Environment::Colleague,
            Environment::Consumer,
        ])
    }

    fn surely(&self, world: &World, lacks: &BTreeMap<Environment, Lack>) -> Finding {
        let lack = lacks.values().next();
        let name = lack.map(|lack| lack.name.as_str()).unwrap_or_default();
        let rest = match lack.and_then(|lack| lack.at.as_ref()) {
            Some((file, line)) => {
                format!(", and {}:{line} takes {name} from it", world.shown(file))
            }
            None => format!(
                ", and nothing else has the main of {}",
                self.package.import_path
            ),
        };
        let mut finding = self
            .finding(world, &rest)
            .severity(Severity::Error)
            .hits_all(lacks.keys().copied());
        if let Some((file, line)) = lack.and_then(|lack| lack.at.as_ref()) {
            let line = usize::try_from(*line).unwrap_or_default();
            let text = world.committed.read_to_string(file).unwrap_or_default();
            let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            finding = finding.shown_by(Evidence::place(world.shown(file), line, text.trim()));
        }
        finding
    }
}
