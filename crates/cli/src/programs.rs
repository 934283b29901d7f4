//! Where programs begin, for `steady entries` and for hints after go's message that there is none.

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use steady_assure::entries::{self, Entries, NearMiss, Place, Target};
use steady_build::Modes;
use steady_packages::load::Loaded;
use steady_packages::modload::{ModError, Modules};
use steady_packages::package::{Package, PackageId};
use steady_packages::patterns::{Match, Pattern};
use steady_packages::source::BuildContext;
use steady_packages::source::syslist::SysList;

use crate::configs;
use crate::failure::Result;
use crate::flags::build::BuildFlags;
use crate::modules;
use crate::session::{Called, Session};

/// Every platform that the toolchain builds for, those first that a release waits for.
///
/// # Errors
/// GOEXPERIMENT that cannot be, or a toolchain without its lists.
pub fn all(session: &Session, build: &BuildFlags) -> Result<Vec<Target>> {
    let mut pairs = session.settings.pairs();
    pairs.retain(|(_, _, pair)| !pair.broken);
    pairs.sort_by_key(|(_, _, pair)| !pair.first_class);
    let names: Vec<(&str, &str)> = pairs.iter().map(|(os, arch, _)| (*os, *arch)).collect();
    targets(session, build, &names)
}

/// These platforms, each with the settings it has when somebody builds for it.
///
/// # Errors
/// As [`all`].
pub fn targets(
    session: &Session,
    build: &BuildFlags,
    names: &[(&str, &str)],
) -> Result<Vec<Target>> {
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    let syslist = Arc::new(SysList::load(&session.files, &goroot)?);
    let target = |(goos, goarch): &(&str, &str)| {
        let settings = session.settings.clone().for_platform(goos, goarch);
        let modes = Modes::default();
        let context = configs::build_context(&settings, build, &modes, Arc::clone(&syslist))?;
        Ok(Target {
            platform: format!("{goos}/{goarch}"),
            context,
        })
    };
    names.iter().map(target).collect()
}

/// The packages that patterns name, whatever constraints say of their files; none: all of the main modules'. Directories without Go
/// files are among them: go may have passed over files there. With them the errors of patterns that name nothing.
///
/// # Errors
/// There is no main module, or the module graph is needed and cannot be read.
pub fn places(
    session: &Session,
    modules: &Modules,
    context: &BuildContext,
    patterns: &[String],
) -> Result<(Vec<Place>, Vec<String>)> {
    let work = ["work".to_owned()];
    let patterns = if patterns.is_empty() { &work } else { patterns };
    let context = BuildContext {
        use_all_files: true,
        ..context.clone()
    };
    let mut places: Vec<Place> = Vec::new();
    let mut errors = Vec::new();
    let bare = modules.bare_directories();
    for pattern in steady_packages::patterns::clean_patterns(patterns) {
        let found = modules.match_pattern(&pattern, &context);
        let before = places.len();
        let found = found.map_err(|error| match error {
            ModError::NoGoMod => modules::without_main(session, modules),
            other => other.into(),
        })?;
        errors.extend(found.errors.iter().map(|error| found.error_text(error)));
        for import_path in &found.packages {
            match directory(modules, import_path) {
                Ok(dir) => places.push(Place {
                    import_path: import_path.clone(),
                    dir,
                }),
                Err(error) => errors.push(error),
            }
        }
        let named = names(session, &pattern);
        let bare = bare.iter().filter(|(path, dir)| named(path, dir));
        places.extend(bare.map(|(import_path, dir)| Place {
            import_path: import_path.clone(),
            dir: dir.clone(),
        }));
        places[before..].sort_by(|a, b| a.import_path.cmp(&b.import_path));
    }
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| seen.insert(place.import_path.clone()));
    Ok((places, errors))
}

/// Whether a pattern would name a directory of a main module, with the import path that it would have, if it had Go files.
fn names(session: &Session, pattern: &str) -> impl Fn(&str, &Utf8Path) -> bool {
    let local = Match::new(pattern).is_local();
    let glob = Pattern::new(&if local {
        steady_system::clean(&session.files.absolute(pattern)).into_string()
    } else {
        pattern.to_owned()
    });
    let all = matches!(pattern, "work" | "all");
    move |path, dir| match local {
        true => glob.matches(dir.as_str()),
        false => all || glob.matches(path),
    }
}

fn directory(modules: &Modules, import_path: &str) -> std::result::Result<Utf8PathBuf, String> {
    if let Some(dir) = modules.directory_in_mains(import_path) {
        return Ok(dir);
    }
    let found = modules.resolve(import_path, None);
    found
        .map(|found| found.dir)
        .map_err(|error| error.to_string())
}

/// `FILE:LINE: REASON`
#[must_use]
pub fn describe(cwd: &Utf8Path, miss: &NearMiss) -> String {
    format!("{}: {}", place(cwd, miss), miss.reason)
}

/// `FILE:LINE`
#[must_use]
pub fn place(cwd: &Utf8Path, miss: &NearMiss) -> String {
    let file = modules::short_path(cwd, &miss.place.dir.join(&miss.file));
    format!("{file}:{}", miss.line)
}

/// The programs of the main modules on the platform that is built for, and what nearly is one.
///
/// # Errors
/// As [`all`] and [`places`].
pub fn of_mains(session: &Session, modules: &Modules) -> Result<Entries> {
    let build = BuildFlags::default();
    let settings = &session.settings;
    let here = targets(session, &build, &[(settings.goos(), settings.goarch())])?;
    let known = all(session, &build)?;
    let Some(first) = here.first() else {
        return Ok(Entries::default());
    };
    let (places, _) = places(session, modules, &first.context, &[])?;
    Ok(entries::find(modules.index(), &places, &here, &known))
}

/// What a run or a build was about, when it ends without a program.
pub struct Wanted<'a> {
    /// Flags of the build.
    pub build: &'a BuildFlags,
    /// The modules.
    pub modules: &'a Modules,
    /// The packages.
    pub loaded: &'a Loaded,
}

impl Wanted<'_> {
    /// A hint after go's message that a package is no program: what keeps it from being one, or else where programs are. Nothing if it
    /// is the go command that was called.
    #[must_use]
    pub fn hint(&self, session: &Session, roots: &[PackageId]) -> Option<String> {
        let found = self.around(session, roots)?;
        match found.near_misses.first() {
            Some(miss) => Some(describe(session.environment().cwd(), miss)),
            None if !found.executables.is_empty() => None,
            None => self.programs(session),
        }
    }

    /// A hint after go's message that constraints leave nothing of a package, if that is all that is wrong: what would take its program
    /// in.
    #[must_use]
    pub fn left_out(&self, session: &Session) -> Option<String> {
        let [_] = self.loaded.errors().as_slice() else {
            return None;
        };
        let own = |id: &&PackageId| {
            let error = self.loaded.set[**id].public.error.as_ref();
            error.is_some_and(|error| error.is_no_go)
        };
        let roots: Vec<PackageId> = self.loaded.roots.iter().filter(own).copied().collect();
        let found = self.around(session, &roots)?;
        let miss = found.near_misses.first()?;
        Some(describe(session.environment().cwd(), miss))
    }

    /// A hint after a compiler or linker has refused packages: the mistake that keeps one of them from being a program, or where none
    /// is one, what is left out.
    #[must_use]
    pub fn mistake(&self, session: &Session, roots: &[PackageId]) -> Option<String> {
        let found = self.around(session, roots)?;
        let mut misses = found.near_misses.iter();
        let mistake = misses.find(|miss| miss.reason.is_mistake());
        let left_out = || found.near_misses.first();
        let none = found.executables.is_empty();
        let miss = mistake.or_else(|| none.then(left_out).flatten())?;
        Some(describe(session.environment().cwd(), miss))
    }

    /// What these packages are, if hints are given at all: the go command gives none. What cannot be found out is not worth a word here,
    /// since go's own message has been said.
    fn around(&self, session: &Session, roots: &[PackageId]) -> Option<Entries> {
        let roots = roots.iter().map(|id| &self.loaded.set[*id]);
        let packages: Vec<&Package> = roots
            .filter(|package| session.called == Called::Steady && is_worth_a_look(package))
            .collect();
        let place = |package: &&Package| Place {
            import_path: package.public.import_path.clone(),
            dir: package.public.dir.clone().into(),
        };
        let places: Vec<Place> = packages.iter().map(place).collect();
        let mut found = self.look(session, &places)?;
        // Of files that were named, not of those beside them.
        let files = packages
            .iter()
            .filter(|package| package.internal.cmdline_files);
        let named: Vec<&String> = files.flat_map(|package| &package.public.r#match).collect();
        if !named.is_empty() {
            found.near_misses.retain(|miss| named.contains(&&miss.file));
        }
        Some(found)
    }

    fn look(&self, session: &Session, places: &[Place]) -> Option<Entries> {
        if places.is_empty() {
            return None;
        }
        let here = self.here(session)?;
        let known = all(session, self.build).ok()?;
        Some(entries::find(self.modules.index(), places, &here, &known))
    }

    /// The platform that is built for.
    fn here(&self, session: &Session) -> Option<Vec<Target>> {
        let settings = &session.settings;
        targets(session, self.build, &[(settings.goos(), settings.goarch())]).ok()
    }

    /// Which programs the main modules have.
    fn programs(&self, session: &Session) -> Option<String> {
        let context = &self.here(session)?.pop()?.context;
        let (places, _) = places(session, self.modules, context, &[]).ok()?;
        let programs = self.look(session, &places)?.executables;
        let cwd = session.environment().cwd();
        let shown = programs.iter().take(MANY);
        let dirs: Vec<String> = shown
            .map(|program| local(cwd, &program.place.dir))
            .collect();
        let list = dirs.join(", ");
        match programs.len() {
            0 => None,
            1 => Some(format!("the program here is {list}")),
            count if count > MANY => Some(format!(
                "programs here are {list} and {} more (steady entries)",
                count - MANY
            )),
            _ => Some(format!("programs here are {list}")),
        }
    }
}

/// Packages of the standard library are not asked about, and constraints do not count for files that were named.
fn is_worth_a_look(package: &Package) -> bool {
    let error = package.public.error.as_ref();
    let is_no_go = error.is_some_and(|error| error.is_no_go);
    !package.public.dir.is_empty()
        && !package.public.standard
        && (!package.internal.cmdline_files || is_no_go)
}

/// More programs than this are not worth naming.
const MANY: usize = 5;

/// A directory as it is typed: `./cmd/x`.
fn local(cwd: &Utf8Path, dir: &Utf8Path) -> String {
    match steady_system::relative(cwd, dir) {
        Some(way) if way == "." || way.starts_with("..") => way.into_string(),
        Some(way) => format!("./{way}"),
        None => dir.to_string(),
    }
}
