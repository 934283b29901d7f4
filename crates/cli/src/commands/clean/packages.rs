//! `go clean` of packages: what builds leave in source directories.

use camino::Utf8Path;
use std::collections::{BTreeSet, HashSet};
use steady_build::command::default_exec_name;
use steady_packages::load::Loaded;
use steady_packages::package::PackageId;
use steady_system::FileKind;

use crate::configs::BuildRequest;
use crate::failure::Result;
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;

use super::CleanFlags;

/// Directories that builds of long ago left behind.
const OLD_DIRS: &[&str] = &["_test", "_obj"];
/// Files that builds of long ago left behind.
const OLD_FILES: &[&str] = &["_testmain.go", "test.out", "build.out", "a.out"];
/// Extensions of objects.
const OLD_EXTENSIONS: &[&str] = &["5", "6", "8", "a", "o", "so"];

/// Cleans the packages that the patterns name; with `-r` also what they need.
pub fn clean(session: &mut Session, flags: &CleanFlags, patterns: &[String]) -> Result<()> {
    let request = Request::of(
        BuildRequest {
            v: flags.verbose.v,
            ..BuildRequest::of(&flags.build)
        },
        ModRequest::of(&flags.modmode, &flags.modules),
    );
    let bench = loading::prepare(session, request)?;
    let loaded = bench.load(session, patterns)?;
    let cleaner = Cleaner {
        session,
        flags,
        loaded: &loaded,
    };
    let mut queue: Vec<PackageId> = loaded.roots.iter().rev().copied().collect();
    let mut seen = HashSet::new();
    while let Some(id) = queue.pop() {
        if !seen.insert(id) {
            continue;
        }
        cleaner.package(id);
        if flags.r {
            queue.extend(loaded.set[id].internal.imports.iter().rev());
        }
    }
    Ok(())
}

struct Cleaner<'a> {
    session: &'a Session,
    flags: &'a CleanFlags,
    loaded: &'a Loaded,
}

impl Cleaner<'_> {
    fn shown(&self) -> bool {
        self.flags.build.trace.n || self.flags.build.trace.x
    }

    /// Shows a command in the form of a shell line; with a directory, that is gone to first.
    fn show(&self, dir: &str, line: &str) {
        if !self.shown() {
            return;
        }
        let cd = if dir.is_empty() {
            String::new()
        } else {
            format!("cd {dir}\n")
        };
        self.session.printer.out(format!("{cd}{line}\n"));
    }

    fn remove(&self, path: &Utf8Path) {
        if self.flags.build.trace.n {
            return;
        }
        if let Err(error) = self.session.files.remove(path)
            && !error.is_not_found()
        {
            self.session.printer.error(error.to_string());
        }
    }

    fn package(&self, id: PackageId) {
        let package = &self.loaded.set[id];
        let public = &package.public;
        let (printer, files) = (&self.session.printer, &self.session.files);
        if public.dir.is_empty() {
            if let Some(error) = &public.error {
                printer.error_plain(error.to_string());
            }
            return;
        }
        let dir = Utf8Path::new(&public.dir);
        let entries = match files.read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => return printer.error(format!("{dir}: {error}")),
        };
        let names = self.products(
            id,
            entries
                .iter()
                .filter(|e| e.kind != FileKind::Dir)
                .map(|e| e.name.as_str()),
        );
        self.show(&public.dir, &format!("rm -f {}", names.join(" ")));
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        for entry in &entries {
            let path = dir.join(&entry.name);
            if entry.kind == FileKind::Dir {
                if OLD_DIRS.contains(&entry.name.as_str()) {
                    self.show("", &format!("rm -rf {path}"));
                    if !self.flags.build.trace.n
                        && let Err(error) = files.remove_all(&path)
                    {
                        printer.error(error.to_string());
                    }
                }
                continue;
            }
            let old = OLD_FILES.contains(&entry.name.as_str())
                || path
                    .extension()
                    .is_some_and(|extension| OLD_EXTENSIONS.contains(&extension));
            if old || wanted.contains(entry.name.as_str()) {
                self.remove(&path);
            }
        }
        if self.flags.i && !public.target.is_empty() {
            self.show("", &format!("rm -f {}", public.target));
            self.remove(Utf8Path::new(&public.target));
        }
    }

    /// Names that builds and tests of the package may have left, in go's order.
    fn products<'n>(&self, id: PackageId, present: impl Iterator<Item = &'n str>) -> Vec<String> {
        let package = &self.loaded.set[id];
        let (public, files) = (&package.public, &package.public.files);
        let is_main = public.name == "main";
        let element = public.dir.rsplit('/').next().unwrap_or_default();
        let program = default_exec_name(package);
        let mut names = Vec::new();
        let mut both = |name: String| {
            names.push(name.clone());
            names.push(name + ".exe");
        };
        if is_main {
            both(element.to_owned());
            both(program.clone());
        }
        both(format!("{element}.test"));
        both(format!("{program}.test"));
        let own: HashSet<&str> = [
            &files.go_files,
            &files.cgo_files,
            &public.test_go_files,
            &public.x_test_go_files,
        ]
        .into_iter()
        .flatten()
        .filter(|_| !is_main)
        .map(String::as_str)
        .collect();
        for name in present.filter(|name| !own.contains(name)) {
            if let Some(base) = name.strip_suffix("_test.go") {
                both(format!("{base}.test"));
            }
            if let Some(base) = name.strip_suffix(".go") {
                both(base.to_owned());
            }
        }
        names
    }
}
