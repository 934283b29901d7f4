//! What can go wrong with modules, in go's words.
//!
//! Errors are cheap to clone: one failure may answer everybody who asked. Whoever resolves versions must tell kinds apart, so those are
//! variants: [`ModError::is_not_exist`] decides whether another place is asked, [`ModError::is_disallowed`] whether another version is.

use super::conflict::{Conflict, conflicts_text};
use super::import_error::ImportError;
use camino::Utf8PathBuf;
use std::sync::Arc;
use steady_graph::GraphError;
use steady_module::ModuleVersion;
use steady_proxy::Origin;

/// A module or file that asks for a newer Go than this run acts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooNew {
    /// Who asks.
    pub what: String,
    /// The Go version asked for.
    pub go_version: String,
}

/// A failure of the module loader.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ModError {
    /// There is no go.mod where one is needed.
    #[error(
        "go.mod file not found in current directory or any parent directory; see 'go help modules'"
    )]
    NoGoMod,
    /// `-locked` forbids a change of go.mod.
    #[error("-locked: {file} would change:{changes}")]
    Locked {
        /// The file.
        file: Utf8PathBuf,
        /// Its changes, a line each.
        changes: String,
    },
    /// go.work names no module.
    #[error("no modules were found in the current workspace; see 'go help work'")]
    EmptyWorkspace,
    /// go.mod or go.work that cannot be read as one.
    #[error("errors parsing {file}:\n{errors}")]
    Parse {
        /// The file as shown.
        file: String,
        /// Line by line.
        errors: String,
    },
    /// A module or workspace that asks for a newer Go than this run acts as.
    #[error("{what} requires go >= {wanted} (running go {running}{explain})")]
    TooNew {
        /// Who asks.
        what: String,
        /// What it asks for.
        wanted: String,
        /// What there is.
        running: String,
        /// `; GOTOOLCHAIN=local` and the like.
        explain: String,
    },
    /// A file of this machine that cannot be read.
    #[error("{0}")]
    File(String),
    /// A directory that go.work uses has no go.mod.
    #[error("cannot load module {shown} listed in go.work file: {reason}")]
    WorkModule {
        /// As in go.work.
        shown: String,
        /// Why.
        reason: String,
    },
    /// Two members of a workspace replace the same module by different things.
    #[error("{0}")]
    ReplaceConflict(Box<ReplaceConflict>),
    /// A module's go.mod cannot be had; with the modules that lead to it.
    #[error("{}", graph_text(.0))]
    Graph(Arc<GraphError<Arc<ModError>>>),
    /// The vendor directory and go.mod do not agree.
    #[error(
        "inconsistent vendoring in {dir}:{details}\n\n\tTo ignore the vendor directory, use -mod=readonly or -mod=mod.\n\tTo sync the vendor directory, run:\n\t\t{command}"
    )]
    Vendoring {
        /// Directory of the main module or workspace.
        dir: Utf8PathBuf,
        /// A line each, with a line break before it.
        details: String,
        /// What mends it.
        command: String,
    },
    /// An error about a module version; made by [`ModError::about`].
    #[error("{}", about_text(.module, .source))]
    About {
        /// The module; its version may be empty.
        module: ModuleVersion,
        /// What is wrong.
        source: Arc<ModError>,
    },
    /// An error with words before it.
    #[error("{text}: {source}")]
    Context {
        /// The words.
        text: String,
        /// What is wrong.
        source: Arc<ModError>,
    },
    /// An error that holds as long as what it comes from does not change.
    #[error("{source}")]
    WithOrigin {
        /// What it comes from.
        origin: Box<Origin>,
        /// What is wrong.
        source: Arc<ModError>,
    },
    /// An error in other words, which say all that is to be said of it.
    #[error("{text}")]
    Told {
        /// The words.
        text: String,
        /// What is wrong.
        source: Arc<ModError>,
    },
    /// An import path leads nowhere.
    #[error("{0}")]
    Import(ImportError),
    /// Fetching failed.
    #[error("{0}")]
    Fetch(#[from] steady_proxy::Error),
    /// A failure that go tells without `go: ` in front.
    #[error("{0}")]
    Plain(String),
    /// go.sum has no sum for something, and this run may not add one. The text says how to add it, or is empty.
    #[error("missing go.sum entry{0}")]
    MissingSum(String),
    /// go.mod would have to change, and this run may not change it; with what to do.
    #[error("updates to go.mod needed{0}")]
    Dirty(String),
    /// The version is excluded.
    #[error("excluded by go.mod")]
    Excluded,
    /// The version was taken back, for these reasons.
    #[error("{}", retracted_text(.0))]
    Retracted(Vec<String>),
    /// It cannot be found out whether a version was taken back.
    #[error("loading module retractions for {module}: {}", bare_text(.source))]
    Retractions {
        /// The module.
        module: ModuleVersion,
        /// Why.
        source: Arc<ModError>,
    },
    /// No version fits a query.
    #[error("no matching versions for query {query:?}{}", current_text(.query, .current))]
    NoMatchingVersion {
        /// The query.
        query: String,
        /// The version that is required now, if any.
        current: String,
    },
    /// `@patch` of a module that is not required.
    #[error("can't query version \"patch\" of module {0}: no existing version is required")]
    NoPatchBase(String),
    /// A module was found that does not have what was asked for.
    #[error("{0}")]
    NotInModule(Box<NotInModule>),
    /// Versions that were asked for contradict one another.
    #[error("{}", conflicts_text(.0))]
    Conflicts(Arc<Vec<Conflict>>),
    /// Another version of the package's module is being looked for.
    #[error("version change needed")]
    VersionChange,
    /// Several failures, each told on its own.
    #[error("{}", lines(.0))]
    Many(Vec<ModError>),
    /// Any other failure, in go's words.
    #[error("{0}")]
    Message(String),
    /// Something that go can do and Steady cannot yet.
    #[error("{0} is not supported by Steady yet")]
    Unsupported(String),
}

/// Two replacements of one module by different things.
#[derive(Debug, Clone)]
pub struct ReplaceConflict {
    /// What is replaced.
    pub old: ModuleVersion,
    /// By what.
    pub targets: [String; 2],
    /// `FILE:LINE` of the two lines.
    pub places: [String; 2],
}

impl std::fmt::Display for ReplaceConflict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let old = match self.old.version.as_str() {
            "" => self.old.path.clone(),
            _ => self.old.to_string(),
        };
        let [one, other] = &self.targets;
        write!(
            out,
            "conflicting replacements for {old}:\n\t{one}\n\t{other}\nuse \"go work edit -replace {old}=[override]\" to resolve"
        )
    }
}

/// A module, or the main modules, without a package that was looked for.
#[derive(Debug, Clone, Default)]
pub struct NotInModule {
    /// Main modules that were searched; empty if it was another module.
    pub mains: Vec<ModuleVersion>,
    /// The module that was searched.
    pub module: ModuleVersion,
    /// What stands in for it; an empty path: nothing.
    pub replacement: ModuleVersion,
    /// Version query.
    pub query: String,
    /// The package, or pattern.
    pub pattern: String,
}

impl std::fmt::Display for NotInModule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wildcard = self.pattern.contains("...");
        let what = if wildcard {
            "packages matching"
        } else {
            "package"
        };
        match self.mains.as_slice() {
            [] => {}
            [main] => {
                return write!(
                    out,
                    "main module ({main}) does not contain {what} {}",
                    self.pattern
                );
            }
            _ => {
                return write!(
                    out,
                    "workspace modules do not contain {what} {}",
                    self.pattern
                );
            }
        }
        let version = &self.module.version;
        let found = match (self.replacement.path.is_empty(), self.query == *version) {
            (true, true) => String::new(),
            (true, false) => format!(" ({version})"),
            (false, true) => format!(" (replaced by {})", self.replacement),
            (false, false) => format!(" ({version}, replaced by {})", self.replacement),
        };
        write!(
            out,
            "module {}@{} found{found}, but does not contain {what} {}",
            self.module.path, self.query, self.pattern
        )
    }
}

impl ModError {
    /// The same error about a module version, unless it says so already.
    #[must_use]
    pub fn about(self, module: &ModuleVersion) -> ModError {
        if self.subject().is_some() || self.is_general() {
            return self;
        }
        ModError::About {
            module: module.clone(),
            source: Arc::new(self),
        }
    }

    /// The same error with words before it.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> ModError {
        if self.is_general() {
            return self;
        }
        ModError::Context {
            text: text.into(),
            source: Arc::new(self),
        }
    }

    /// Whether it is about no module and no package, so that none is to be named with it.
    fn is_general(&self) -> bool {
        matches!(self, ModError::Fetch(error) if error.is_general())
    }

    /// One message in go's words.
    pub fn message(text: impl Into<String>) -> ModError {
        ModError::Message(text.into())
    }

    /// Several errors as one.
    #[must_use]
    pub fn many(mut errors: Vec<ModError>) -> ModError {
        if errors.len() == 1 {
            errors.remove(0)
        } else {
            ModError::Many(errors)
        }
    }

    /// The errors of which it is made, each to be told on its own.
    #[must_use]
    pub fn each(&self) -> Vec<&ModError> {
        match self {
            ModError::Many(errors) => errors.iter().flat_map(ModError::each).collect(),
            other => vec![other],
        }
    }

    /// The module version that the error is about, and its text without it.
    pub(super) fn subject(&self) -> Option<(ModuleVersion, String)> {
        match self {
            ModError::About { module, source } => Some((module.clone(), source.to_string())),
            ModError::Fetch(error) => match error.kind() {
                steady_proxy::Kind::Module {
                    path,
                    version,
                    source,
                } => Some((
                    ModuleVersion::new(path.clone(), version.clone()),
                    source.to_string(),
                )),
                steady_proxy::Kind::InvalidVersion { path, version, .. } => {
                    let lead = format!("{path}@{version}: ");
                    let text = error.to_string();
                    let reason = text.strip_prefix(&lead).unwrap_or(&text).to_string();
                    Some((ModuleVersion::new(path.clone(), version.clone()), reason))
                }
                steady_proxy::Kind::WithOrigin { source, .. } => {
                    ModError::Fetch(source.clone()).subject()
                }
                _ => None,
            },
            ModError::WithOrigin { source, .. } => source.subject(),
            _ => None,
        }
    }

    fn cause(&self) -> Option<&ModError> {
        match self {
            ModError::About { source, .. }
            | ModError::Context { source, .. }
            | ModError::Told { source, .. }
            | ModError::WithOrigin { source, .. }
            | ModError::Retractions { source, .. } => Some(source),
            ModError::Graph(error) => Some(&error.error),
            ModError::Import(error) => error.cause(),
            _ => None,
        }
    }

    /// Why authors have taken a version back, if that is what it is; nothing if they did not say.
    #[must_use]
    pub fn retraction(&self) -> Option<&[String]> {
        self.chain().find_map(|error| match error {
            ModError::Retracted(reasons) => Some(reasons.as_slice()),
            _ => None,
        })
    }

    /// The same error with what it comes from, unless nothing is known of that.
    #[must_use]
    pub fn with_origin(self, origin: Option<Origin>) -> ModError {
        match (self, origin) {
            (error, None) => error,
            (ModError::Fetch(error), Some(origin)) => error.with_origin(origin).into(),
            (error, Some(origin)) => ModError::WithOrigin {
                origin: Box::new(origin),
                source: Arc::new(error),
            },
        }
    }

    /// What the error comes from: as long as that does not change, it will be the same (`-reuse`).
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.chain().find_map(|error| match error {
            ModError::WithOrigin { origin, .. } => Some(&**origin),
            ModError::Fetch(error) => error.origin(),
            _ => None,
        })
    }

    /// This error and what it wraps, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &ModError> {
        std::iter::successors(Some(self), |error| error.cause())
    }

    /// Whether it means that something does not exist, so that another place may be asked.
    #[must_use]
    pub fn is_not_exist(&self) -> bool {
        self.chain()
            .any(|error| matches!(error, ModError::Fetch(error) if error.is_not_exist()))
    }

    /// The failure of fetching that it is, told of its module, if it is one.
    #[must_use]
    pub fn as_fetch(&self) -> Option<steady_proxy::Error> {
        match self {
            ModError::Fetch(error) => Some(error.clone()),
            ModError::WithOrigin { source, .. } => source.as_fetch(),
            _ => None,
        }
    }

    /// Whether a version was asked for that cannot be one.
    #[must_use]
    pub fn is_invalid_version(&self) -> bool {
        self.chain().any(|error| match error {
            ModError::Fetch(error) => error.is_invalid_version(),
            _ => false,
        })
    }

    /// Whether a version may not be used: excluded or taken back.
    #[must_use]
    pub fn is_disallowed(&self) -> bool {
        self.chain()
            .any(|error| matches!(error, ModError::Excluded | ModError::Retracted(_)))
    }

    /// Whether no version fits a query.
    #[must_use]
    pub fn is_no_match(&self) -> bool {
        self.chain()
            .any(|error| matches!(error, ModError::NoMatchingVersion { .. }))
    }

    /// Whether a sum is missing.
    #[must_use]
    pub fn is_missing_sum(&self) -> bool {
        self.chain()
            .any(|error| matches!(error, ModError::MissingSum(_)))
    }

    /// Whether the run must end at once.
    #[must_use]
    pub fn is_security(&self) -> bool {
        self.chain()
            .any(|error| matches!(error, ModError::Fetch(error) if error.is_security()))
    }

    /// What is to be said, without any lead, of something that is not what go.sum says.
    #[must_use]
    pub fn sum_mismatch(&self) -> Option<&str> {
        self.chain().find_map(|error| match error {
            ModError::Fetch(error) => error.sum_mismatch(),
            _ => None,
        })
    }

    /// The demand for a newer Go in it: of several the one for the newest.
    #[must_use]
    pub fn too_new(&self) -> Option<TooNew> {
        if let ModError::Many(errors) = self {
            return errors.iter().filter_map(ModError::too_new).reduce(|a, b| {
                let order = steady_module::gover::compare(&b.go_version, &a.go_version);
                if order.is_gt() || order.is_eq() && b.what < a.what {
                    b
                } else {
                    a
                }
            });
        }
        self.chain().find_map(|error| match error {
            ModError::TooNew { what, wanted, .. } => Some(TooNew {
                what: what.clone(),
                go_version: wanted.clone(),
            }),
            ModError::Fetch(error) => error.too_new().map(|ask| TooNew {
                what: ask.what.clone(),
                go_version: ask.go_version.clone(),
            }),
            _ => None,
        })
    }

    /// The import that failed, if that is what it is.
    #[must_use]
    pub fn import(&self) -> Option<&ImportError> {
        self.chain().find_map(|error| match error {
            ModError::Import(error) => Some(error),
            _ => None,
        })
    }
}

impl From<ImportError> for ModError {
    fn from(error: ImportError) -> ModError {
        match error {
            ImportError::Other(error) => (*error).clone(),
            other => ModError::Import(other),
        }
    }
}

impl From<steady_module::path::PathError> for ModError {
    fn from(error: steady_module::path::PathError) -> ModError {
        ModError::Message(error.to_string())
    }
}

impl From<steady_system::Error> for ModError {
    fn from(error: steady_system::Error) -> ModError {
        ModError::Fetch(error.into())
    }
}

fn about_text(module: &ModuleVersion, source: &ModError) -> String {
    if module.version.is_empty() {
        format!("module {}: {source}", module.path)
    } else {
        format!("{module}: {source}")
    }
}

/// What is wrong, without the module version it is wrong with.
pub(super) fn bare_text(error: &ModError) -> String {
    error
        .subject()
        .map_or_else(|| error.to_string(), |(_, reason)| reason)
}

/// The way to a module whose requirements cannot be read, and why; an error about a replacement names both.
fn graph_text(error: &GraphError<Arc<ModError>>) -> String {
    let Some(lead) = error.lead() else {
        return error.error.to_string();
    };
    let module = error.module();
    match error.error.subject() {
        Some((subject, _)) if subject == *module => format!("{lead}{}", error.error),
        Some((subject, reason)) => format!("{lead}{module} (replaced by {subject}): {reason}"),
        None => format!("{lead}{}", about_text(module, &error.error)),
    }
}

fn retracted_text(rationale: &[String]) -> String {
    let text = "retracted by module author";
    match rationale.first() {
        None => text.to_string(),
        Some(why) => format!("{text}: {}", short_message(why, text)),
    }
}

fn current_text(query: &str, current: &str) -> String {
    if matches!(query, "upgrade" | "patch") && !matches!(current, "" | "none") {
        format!(" (current version is {current})")
    } else {
        String::new()
    }
}

fn lines(errors: &[ModError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The first line of a module author's message, if it can be shown.
#[must_use]
pub fn short_message(message: &str, default: &str) -> String {
    const MOST: usize = 500;
    let line = message.split('\n').next().unwrap_or_default().trim();
    if line.is_empty() {
        return default.to_string();
    }
    if line.len() > MOST {
        return "(message omitted: too long)".to_string();
    }
    if line.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return "(message omitted: contains non-printable characters)".to_string();
    }
    line.to_string()
}
