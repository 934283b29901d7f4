//! Why an import path leads nowhere, in go's words.

use super::ModError;
use camino::Utf8PathBuf;
use std::sync::Arc;
use steady_module::{ModuleVersion, pseudo};

/// Why an import path leads nowhere.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// Nothing in use has it.
    #[error("{}", missing_text(.0))]
    Missing(Box<Missing>),
    /// A module could have it, and there is no sum to verify that module with.
    #[error("{}", missing_sum_text(.0))]
    MissingSum(Box<MissingSum>),
    /// Several modules, or a main module and its vendor directory, have it.
    #[error("{}", ambiguous_text(.0))]
    Ambiguous(Box<Ambiguous>),
    /// A package of a main module imports it from a module that go.mod does not name.
    #[error(
        "package {importer} imports {path} from implicitly required module; to add missing requirements, run:\n\tgo get {module}"
    )]
    Implicit {
        /// Who imports.
        importer: String,
        /// What.
        path: String,
        /// The module that has it.
        module: Box<ModuleVersion>,
    },
    /// It cannot be an import path.
    #[error("{0}")]
    Invalid(String),
    /// Its module cannot be had, or the module graph cannot be read.
    #[error("{0}")]
    Other(Arc<ModError>),
}

/// A package that nothing in use has.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    /// Import path.
    pub path: String,
    /// It looks like a package of the standard library: where that would have it.
    pub std_dir: Option<Utf8PathBuf>,
    /// Go version of the importer's module, for packages that newer standard libraries have.
    pub importer_go_version: String,
    /// Why no module was found for it.
    pub reason: Option<Arc<ModError>>,
    /// Modules are looked for in this run (`-mod=mod`).
    pub searches: bool,
    /// A module that would have it.
    pub module: Option<ModuleVersion>,
    /// A version of that module is required that does not have it, and no newer one may be taken.
    pub required_version: String,
    /// A replacement that has it and is not required.
    pub replaced: Option<ModuleVersion>,
    /// Directory of the main module to change to, if the importer is in another than the working directory.
    pub cd: Option<Utf8PathBuf>,
}

/// A package that cannot be verified to come from one module.
#[derive(Debug, Clone)]
pub struct MissingSum {
    /// Import path.
    pub path: String,
    /// A module has it; others could as well.
    pub found: bool,
    /// Modules without a sum.
    pub modules: Vec<ModuleVersion>,
    /// Who imports it.
    pub importer: Option<Importer>,
}

/// Who imports a package.
#[derive(Debug, Clone, Default)]
pub struct Importer {
    /// Import path.
    pub path: String,
    /// Version of its module, empty in a main module.
    pub version: String,
    /// Its test does.
    pub is_test: bool,
}

/// A package that is in several places.
#[derive(Debug, Clone)]
pub struct Ambiguous {
    /// Import path.
    pub path: String,
    /// Directories, with their modules unless one is a vendor directory.
    pub places: Vec<(Utf8PathBuf, Option<ModuleVersion>)>,
}

impl ImportError {
    /// The failure that is behind it.
    #[must_use]
    pub fn cause(&self) -> Option<&ModError> {
        match self {
            ImportError::Other(error) => Some(error),
            ImportError::Missing(missing) => missing.reason.as_deref(),
            _ => None,
        }
    }

    /// What is missing, if something is.
    #[must_use]
    pub fn missing(&self) -> Option<&Missing> {
        match self {
            ImportError::Missing(missing) => Some(missing),
            _ => None,
        }
    }
}

impl From<ModError> for ImportError {
    fn from(error: ModError) -> ImportError {
        match error {
            ModError::Import(error) => error,
            other => ImportError::Other(Arc::new(other)),
        }
    }
}

fn missing_text(missing: &Missing) -> String {
    let path = &missing.path;
    if let Some(module) = &missing.module {
        return if missing.required_version.is_empty() {
            format!("missing module for import: {module} provides {path}")
        } else {
            format!(
                "package {path} provided by {} at latest version {} but not at required version {}",
                module.path, module.version, missing.required_version
            )
        };
    }
    if let Some(dir) = &missing.std_dir {
        let mut text = format!("package {path} is not in std ({dir})");
        if !missing.importer_go_version.is_empty() {
            text += &format!(
                "\nnote: imported by a module that requires go {}",
                missing.importer_go_version
            );
        }
        return text;
    }
    match missing.reason.as_deref() {
        Some(reason) if !matches!(reason, ModError::NoGoMod) => {
            return format!("cannot find module providing package {path}: {reason}");
        }
        _ => {}
    }
    if missing.searches {
        return format!("cannot find module providing package {path}");
    }
    if let Some(module) = &missing.replaced {
        let wanted = if pseudo::is_zero_pseudo_version(&module.version) {
            module.path.clone()
        } else {
            module.to_string()
        };
        return format!(
            "module {} provides package {path} and is replaced but not required; to add it:\n\tgo get {wanted}",
            module.path
        );
    }
    let text = format!("no required module provides package {path}");
    match (&missing.reason, &missing.cd) {
        (Some(reason), _) => format!("{text}: {reason}"),
        (None, Some(dir)) => format!("{text}; to add it:\n\tcd {dir}\n\tgo get {path}"),
        (None, None) => format!("{text}; to add it:\n\tgo get {path}"),
    }
}

fn missing_sum_text(missing: &MissingSum) -> String {
    let by = missing.importer.as_ref().map_or(String::new(), |importer| {
        format!(" (imported by {})", importer.path)
    });
    let path = &missing.path;
    let mut text = if missing.found {
        format!(
            "missing go.sum entry needed to verify package {path}{by} is provided by exactly one module"
        )
    } else {
        format!("missing go.sum entry for module providing package {path}{by}")
    };
    match &missing.importer {
        None if missing.modules.is_empty() => {}
        None => {
            text += "; to add:\n\tgo mod download";
            for module in &missing.modules {
                text += " ";
                text += &module.path;
            }
        }
        Some(importer) => {
            let test = if importer.is_test { " -t" } else { "" };
            let version = match importer.version.as_str() {
                "" => String::new(),
                version => format!("@{version}"),
            };
            text += &format!("; to add:\n\tgo get{test} {}{version}", importer.path);
        }
    }
    text
}

fn ambiguous_text(ambiguous: &Ambiguous) -> String {
    let modules = ambiguous.places.iter().all(|(_, module)| module.is_some());
    let mut text = format!(
        "ambiguous import: found package {} in multiple {}:",
        ambiguous.path,
        if modules { "modules" } else { "directories" }
    );
    for (dir, module) in &ambiguous.places {
        text += "\n\t";
        match module {
            Some(module) if module.path.is_empty() => text += &format!(" ({dir})"),
            Some(module) if module.version.is_empty() => {
                text += &format!("{} ({dir})", module.path)
            }
            Some(module) => text += &format!("{} {} ({dir})", module.path, module.version),
            None => text += dir.as_str(),
        }
    }
    text
}
