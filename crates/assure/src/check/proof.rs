//! Proofs: what became of building and testing in an environment, and why it failed where it did.
//!
//! `cli` runs the commands in throw-away copies; here their output is read. A place in it is a place in the copy, and told as one in the
//! repository.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::clean;

use super::finding::{Environment, Evidence, Finding, Fix};
use super::git::Standing;
use super::inspect::{borrowed, environment, toolchain};
use super::world::{Member, Platform, World};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Packages and programs were built.
    Build,
    /// Tests were run.
    Test,
}

/// One command that failed, or did not.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Where.
    pub environment: Environment,
    /// The platform.
    pub platform: Platform,
    /// The module that it was about.
    pub module: String,
    /// What was done.
    pub deed: Deed,
    /// How anybody can repeat it.
    pub command: String,
    /// The directory that it ran in.
    pub cwd: Utf8PathBuf,
    /// The copy, and the directory of the repository that it is a copy of.
    pub copy: (Utf8PathBuf, Utf8PathBuf),
    /// Its output, if it failed.
    pub failure: Option<String>,
}

/// One error of a compiler.
struct Place<'p> {
    /// The file, as a path of the repository.
    file: Utf8PathBuf,
    line: usize,
    message: &'p str,
}

impl Proof {
    /// The first errors of each file, in their order.
    fn places(&self) -> Vec<Place<'_>> {
        let text = self.failure.as_deref().unwrap_or_default();
        let mut out: Vec<Place<'_>> = Vec::new();
        for line in text.lines() {
            let Some((file, rest)) = line.trim_start_matches("vet: ").split_once(".go:") else {
                continue;
            };
            let mut parts = rest.splitn(3, ':');
            let (Some(number), Some(second)) =
                (parts.next().and_then(|n| n.parse().ok()), parts.next())
            else {
                continue;
            };
            let message = match second.parse::<usize>() {
                Ok(_) => parts.next().unwrap_or_default(),
                Err(_) => second,
            };
            let file = self.original(&format!("{}.go", file.trim()));
            if out.iter().all(|known| known.file != file) {
                out.push(Place {
                    file,
                    line: number,
                    message: message.trim(),
                });
            }
        }
        out
    }

    fn original(&self, file: &str) -> Utf8PathBuf {
        let path = clean(&self.cwd.join(file));
        match path.strip_prefix(&self.copy.0) {
            Ok(below) => clean(&self.copy.1.join(below)),
            Err(_) => path,
        }
    }
}

/// What failed proofs lead to.
#[must_use]
pub fn judge(world: &World, proofs: &[Proof]) -> Vec<Finding> {
    let mut out = Vec::new();
    for proof in proofs.iter().filter(|proof| proof.failure.is_some()) {
        let failed = |other: &&Proof| {
            other.environment == Environment::Here
                && other.deed == proof.deed
                && other.failure.is_some()
                && (other.module.is_empty()
                    || other.module == proof.module
                    || proof.module.is_empty())
        };
        let fine_here =
            proof.environment != Environment::Here && !proofs.iter().any(|other| failed(&other));
        let case = Case {
            world,
            proof,
            fine_here,
        };
        let places = proof.places();
        match (proof.deed, places.as_slice()) {
            (Deed::Build, []) => out.push(case.as_a_whole()),
            (Deed::Build, places) => out.extend(places.iter().take(3).map(|place| case.at(place))),
            (Deed::Test, _) => out.push(case.tests()),
        }
    }
    out
}

struct Case<'c> {
    world: &'c World,
    proof: &'c Proof,
    fine_here: bool,
}

impl Case<'_> {
    fn finding(&self, id: &str, subject: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding::new(id, subject, message).hits(self.proof.environment)
    }

    fn output(&self) -> Evidence {
        let text = self.proof.failure.as_deref().unwrap_or_default();
        let text = text.replace(self.proof.copy.0.as_str(), self.proof.copy.1.as_str());
        Evidence::run(self.proof.command.clone(), super::causes::short(&text))
    }

    /// A failure without a place in a file: of the C compiler, or of the linker.
    fn as_a_whole(&self) -> Finding {
        if let Some(finding) = self.of_settings() {
            return finding;
        }
        let text = self.proof.failure.as_deref().unwrap_or_default();
        let first = text
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        self.finding(
            "code/does-not-build",
            first,
            format!("it does not build: {first}"),
        )
        .shown_by(self.output())
    }

    /// Settings for cgo that are here and not there.
    fn of_settings(&self) -> Option<Finding> {
        let setting = environment::for_cgo(self.world).filter(|_| self.fine_here)?;
        Some(
            environment::without(self.world, setting, self.proof.environment)
                .shown_by(self.output()),
        )
    }

    fn at(&self, place: &Place<'_>) -> Finding {
        let shown = self.world.shown(&place.file);
        let finding = self.why(place, &shown);
        let Ok(text) = self.world.files.read_to_string(&place.file) else {
            return finding.shown_by(self.output());
        };
        let line = text
            .lines()
            .nth(place.line.saturating_sub(1))
            .unwrap_or_default();
        finding
            .shown_by(Evidence::place(shown, place.line, line.trim()))
            .shown_by(self.output())
    }

    fn why(&self, place: &Place<'_>, shown: &str) -> Finding {
        let message = place.message;
        if message.contains("-lang was set to") || message.contains("requires go1.") {
            let wanted = message.split("requires go").nth(1).unwrap_or_default();
            let wanted = wanted
                .split(' ')
                .next()
                .unwrap_or_default()
                .trim_end_matches(';');
            return self
                .finding(
                    "toolchain/language-newer",
                    shown,
                    format!("{shown}: {message}"),
                )
                .fixed_by(Fix::shown(format!("go mod edit -go={wanted}")));
        }
        let uncommitted = self.fine_here.then(|| self.uncommitted(place)).flatten();
        if let Some(finding) = uncommitted.or_else(|| self.of_sibling(place)) {
            return finding;
        }
        if self.fine_here
            && let Some(older) = self.world.older_in(self.proof.environment)
        {
            return toolchain::lacks(older, message);
        }
        if self.fine_here && message.contains("could not determine what C.")
            || message.contains("#error")
        {
            return self
                .of_settings()
                .unwrap_or_else(|| self.plainly(place, shown));
        }
        self.plainly(place, shown)
    }

    fn plainly(&self, place: &Place<'_>, shown: &str) -> Finding {
        let message = format!("{shown}:{}: {}", place.line, place.message);
        let id = match self.proof.environment {
            Environment::Colleague if self.fine_here => "platform/does-not-compile",
            _ => "code/does-not-build",
        };
        let finding = self.finding(id, shown, message);
        match id {
            "platform/does-not-compile" => {
                finding.because(format!("It does not compile for {}.", self.proof.platform))
            }
            _ => finding,
        }
    }

    /// A file beside the place, or in the package that is named there, whose state here is not committed.
    fn uncommitted(&self, place: &Place<'_>) -> Option<Finding> {
        let git = self.world.repository.as_ref()?;
        let own = place.file.parent().map(Utf8Path::to_owned);
        let named = self.imported(place).and_then(|import| {
            let member = self.world.here.member_of(&import)?;
            let below = import.strip_prefix(&member.path)?;
            Some(clean(&member.dir.join(below.trim_start_matches('/'))))
        });
        for dir in own.into_iter().chain(named) {
            let entries = self.world.files.read_dir(&dir).unwrap_or_default();
            for name in entries
                .iter()
                .map(|entry| &entry.name)
                .filter(|name| name.ends_with(".go"))
            {
                let file = dir.join(name);
                let (id, add) = match git.standing(&file) {
                    Some(Standing::Untracked) => ("files/untracked", "git add"),
                    Some(Standing::Ignored) => ("files/ignored", "git add -f"),
                    Some(Standing::Changed) => ("files/uncommitted", "git add"),
                    _ => continue,
                };
                let shown = self.world.shown(&file);
                let message = format!(
                    "{}: {}: {shown} is not committed as it is here",
                    self.world.shown(&place.file),
                    place.message
                );
                return Some(
                    self.finding(id, shown.clone(), message)
                        .fixed_by(Fix::shown(format!("{add} {shown}"))),
                );
            }
        }
        None
    }

    /// Something of a sibling, or of a replacement, that is otherwise in the version that counts there.
    fn of_sibling(&self, place: &Place<'_>) -> Option<Finding> {
        if !self.fine_here {
            return None;
        }
        let members = self.world.there.members.iter();
        let owner: &Member = members
            .filter(|member| place.file.starts_with(&member.dir))
            .max_by_key(|member| member.dir.as_str().len())?;
        let lacking = |import: String| {
            let finding = borrowed::lacking(self.world, owner, &import, place.message)?;
            Some(finding.hits(self.proof.environment))
        };
        let named = self.imported(place).and_then(lacking);
        if named.is_some() || self.proof.environment != Environment::Consumer {
            return named;
        }
        // Where types do not fit, the message need not name the package that they come from; nothing else is otherwise for a consumer.
        let imports = self.imports(place);
        imports.into_iter().find_map(|(_, path)| lacking(path))
    }

    /// The import path behind the name in `undefined: name.X` and its kin.
    fn imported(&self, place: &Place<'_>) -> Option<String> {
        let imports = self.imports(place);
        let words = place.message.split([' ', '(', ')', ',', ':']);
        let mut names = words.filter_map(|word| {
            word.split_once('.')
                .map(|(name, _)| name.trim_start_matches(['*', '&']))
        });
        names.find_map(|name| {
            let mut imports = imports.iter();
            let (_, path) = imports.find(|(known, _)| known == name)?;
            Some(path.clone())
        })
    }

    /// The imports of a file: what each is called in it, as far as that shows, and its path.
    fn imports(&self, place: &Place<'_>) -> Vec<(String, String)> {
        let text = self.world.files.read_to_string(&place.file);
        let text = text.unwrap_or_default();
        let import = |line: &str| {
            let line = line.trim().trim_start_matches("import ").trim();
            let (alias, path) = line.split_once('"')?;
            let path = path.split('"').next()?;
            let last = path
                .rsplit('/')
                .find(|part| !part.starts_with('v') || part.parse::<u32>().is_ok())?;
            let alias = alias.trim();
            let name = if alias.is_empty() { last } else { alias };
            Some((name.to_owned(), path.to_owned()))
        };
        let head = text.lines().take_while(|line| !line.starts_with("func "));
        head.filter_map(import).collect()
    }

    /// Tests that fail.
    fn tests(&self) -> Finding {
        let text = self.proof.failure.as_deref().unwrap_or_default();
        if self.fine_here
            && let Some(git) = &self.world.repository
        {
            let missing = git.untracked.iter().chain(&git.ignored).find(|path| {
                let name = path
                    .trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .unwrap_or_default();
                !name.is_empty() && text.contains(name)
            });
            if let Some(path) = missing {
                let id = if git.ignored.contains(path) {
                    "files/ignored"
                } else {
                    "files/untracked"
                };
                let message = format!("tests need {path}, which is not committed");
                return self
                    .finding(id, path.clone(), message)
                    .shown_by(self.output())
                    .fixed_by(Fix::shown(format!("git add {path}")));
            }
        }
        let failing = text.lines().find_map(|line| line.strip_prefix("FAIL\t"));
        let package = failing
            .and_then(|line| line.split_whitespace().next())
            .unwrap_or(&self.proof.module);
        self.finding(
            "code/tests-fail",
            package,
            format!("tests of {package} fail"),
        )
        .shown_by(self.output())
    }
}
