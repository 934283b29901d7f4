//! From something that is wrong in an environment to why it is so: each trouble leads to one finding.
//!
//! What is wrong is what loading says; nothing here decides that an environment breaks. The cause is looked for in what this environment
//! shows otherwise than the tree here does: files that are not committed, a go.work that is not there, replacements that do not count.

use camino::Utf8Path;

use super::finding::{Environment, Evidence, Finding, Fix, Severity};
use super::inspect::{environment, files, modules, platform, toolchain, workspace};
use super::symptom::Symptom;
use super::world::{Trouble, View, World};

/// What a trouble comes from.
#[derive(Debug)]
pub enum Cause {
    /// This.
    Found(Box<Finding>),
    /// It cannot be known, for this reason.
    Unknown(String),
}

impl From<Finding> for Cause {
    fn from(finding: Finding) -> Cause {
        Cause::Found(Box::new(finding))
    }
}

/// One trouble of one view, and the world around it.
pub struct Case<'w> {
    /// The world.
    pub world: &'w World,
    /// The view.
    pub view: &'w View,
    /// The trouble.
    pub trouble: &'w Trouble,
}

impl Case<'_> {
    /// The environment.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.view.environment
    }

    /// A finding about this trouble: it hits the environment, as an error, with go's words as evidence.
    #[must_use]
    pub fn finding(
        &self,
        id: &str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding {
        let finding = Finding::new(id, subject, message)
            .severity(Severity::Error)
            .hits(self.environment());
        self.shown(finding)
    }

    /// A finding with what shows it: the place of the trouble, and go's words.
    #[must_use]
    pub fn shown(&self, finding: Finding) -> Finding {
        let finding = match self.import_place() {
            Some(place) => finding.shown_by(place),
            None => finding,
        };
        finding.shown_by(Evidence::run(self.command(), short(&self.trouble.text)))
    }

    /// The place in a file that the trouble is told of.
    #[must_use]
    pub fn import_place(&self) -> Option<Evidence> {
        let (file, line) = self.trouble.place()?;
        let path = self.world.cwd.join(file);
        let text = self
            .world
            .files_of(self.environment())
            .read_to_string(&path)
            .ok()?;
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Some(Evidence::place(
            self.world.shown(Utf8Path::new(file)),
            line,
            text.trim(),
        ))
    }

    /// A command that shows it with go.
    #[must_use]
    pub fn command(&self) -> String {
        let View {
            environment,
            module,
            platform,
            ..
        } = self.view;
        let what = match self.trouble.package.as_str() {
            "" => "./...",
            package => package,
        };
        match environment {
            Environment::Here => format!("go build {what}"),
            Environment::Ci => self.world.in_a_clone(module, what),
            Environment::Colleague => {
                let (goos, goarch) = (&platform.goos, &platform.goarch);
                format!("CGO_ENABLED=0 GOOS={goos} GOARCH={goarch} go build {what}")
            }
            Environment::Consumer => format!("go get {module}@VERSION && go build {what}"),
        }
    }

    /// Whether the tree here, with the settings here, does not have this trouble.
    #[must_use]
    pub fn fine_here(&self) -> bool {
        let mut here = self.world.views_of(Environment::Here);
        self.environment() != Environment::Here
            && here.all(|view| {
                view.troubles()
                    .iter()
                    .all(|other| other.text != self.trouble.text)
            })
    }
}

/// The beginning of a long text.
#[must_use]
pub fn short(text: &str) -> String {
    const LINES: usize = 12;
    let mut lines = text.lines();
    let kept: Vec<&str> = lines.by_ref().take(LINES).collect();
    let more = if lines.next().is_some() { "\n…" } else { "" };
    kept.join("\n") + more
}

/// Why a trouble is there.
#[must_use]
pub fn explain(case: &Case<'_>) -> Cause {
    let symptom = Symptom::of(&case.trouble.text);
    if let Some(setting) = &case.world.healing
        && case.fine_here()
        && !matches!(symptom, Symptom::NotHere { .. })
    {
        return environment::needed(case, setting).into();
    }
    if matches!(
        symptom,
        Symptom::NoPackage { .. } | Symptom::Excluded { .. }
    ) && case.fine_here()
        && let Some(finding) = toolchain::lacking(case)
    {
        return finding.into();
    }
    match symptom {
        Symptom::MemberMissing { dir } => workspace::member(case, &dir).into(),
        Symptom::NoGoMod => files::no_go_mod(case).into(),
        Symptom::WorkGoLine => workspace::go_line(case).into(),
        Symptom::WorkMalformed => workspace::malformed(case).into(),
        Symptom::ReplaceConflict { old } => workspace::replace_conflict(case, &old).into(),
        Symptom::ModMalformed => modules::malformed(case).into(),
        Symptom::SumMissing { what } => modules::sum_missing(case, &what).into(),
        Symptom::SumConflict { module } => modules::sum_conflict(case, &module).into(),
        Symptom::NotTidy { what } => modules::not_tidy(case, &what).into(),
        Symptom::NoPackage { package } => modules::no_package(case, &package),
        Symptom::Vendoring => modules::vendoring(case).into(),
        Symptom::ReplacementMissing { module, dir } => {
            modules::replacement_missing(case, &module, &dir).into()
        }
        Symptom::Excluded { dir } => platform::excluded(case, Utf8Path::new(&dir)).into(),
        Symptom::NoGoFiles { dir } => files::no_go_files(case, Utf8Path::new(&dir)).into(),
        Symptom::Embed { pattern, reason } => files::embed(case, &pattern, &reason).into(),
        Symptom::CaseCollision => files::case_collision(case).into(),
        Symptom::TooNew { what, version } => toolchain::too_old(case, &what, &version),
        Symptom::Ambiguous { package } => modules::ambiguous(case, &package).into(),
        Symptom::NotHere { what } => modules::not_here(case, &what),
        Symptom::Unpublished { module } => modules::unpublished(case, module.as_ref()).into(),
        Symptom::Unreachable => modules::unreachable(case).into(),
        Symptom::Other => other(case).into(),
    }
}

/// Errors of the code itself, and those that a file brings about which is different here.
pub(super) fn other(case: &Case<'_>) -> Finding {
    if let Some(finding) = files::uncommitted(case) {
        return finding;
    }
    let what = match case.trouble.package.as_str() {
        "" => case.view.module.clone(),
        package => package.to_owned(),
    };
    let first = case.trouble.text.lines().next().unwrap_or_default();
    let subject = format!("{what} {first}");
    let finding = case.finding("code/does-not-load", subject, format!("{what}: {first}"));
    if case.fine_here() {
        return finding
            .because("It loads here, with what is here and the settings that hold here.");
    }
    finding.fixed_by(Fix::shown("go vet ./..."))
}
