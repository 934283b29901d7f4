//! Arguments that name modules, as `list -m` and `mod download` take them: `path`, `path@query`, patterns, `all`.

use steady_module::ModuleVersion;
use steady_packages::modload::{Details, ModError, Modules, Reuse};
use steady_packages::package::{ModuleError, ModulePublic};
use steady_packages::patterns::Pattern;

use crate::bail;
use crate::commands::editing::split_version;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Finds modules.
pub struct Finder<'a> {
    /// The run.
    pub session: &'a Session,
    /// Its modules.
    pub modules: &'a Modules,
    /// What is wanted of each: decides which versions count.
    pub details: Details,
    /// Answers of an earlier run.
    pub reuse: &'a Reuse,
    /// The graph could not be read, or not as a whole.
    pub partial: Option<ModError>,
}

/// Reads the file of `-reuse`, which is for questions outside of all modules.
///
/// # Errors
/// There is a main module, or the file cannot be read as what an earlier run printed.
pub fn reuse_of(
    session: &Session,
    modules: &Modules,
    command: &str,
    file: Option<&str>,
) -> Result<Reuse> {
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(Reuse::default());
    };
    if !modules.mains().is_empty() {
        let message = format!("go {command} -reuse cannot be used inside a module");
        return Err(Failure::plain(message)); // without prefix
    }
    let bytes = session.files.read(file)?;
    Reuse::parse(&bytes).map_err(|error| Failure::error(format!("parsing {file}: {error}")))
}

impl Finder<'_> {
    fn info(&self, module: &ModuleVersion) -> ModulePublic {
        if self.details.names {
            self.modules.module_name(module)
        } else {
            self.modules.module_info(module)
        }
    }

    /// What arguments name, in their order; none: the main modules.
    ///
    /// # Errors
    /// Arguments that cannot be.
    pub fn find(&mut self, arguments: &[String]) -> Result<Vec<ModulePublic>> {
        if arguments.is_empty() {
            if self.modules.mains().is_empty() {
                if self.modules.go_work().is_some() {
                    return Ok(Vec::new());
                }
                return Ok(vec![ModulePublic {
                    path: "command-line-arguments".to_owned(),
                    main: true,
                    ..ModulePublic::default()
                }]);
            }
            let mains = self.modules.mains().iter();
            return Ok(mains
                .map(|main| self.info(&ModuleVersion::new(main.path.clone(), "")))
                .collect());
        }
        if arguments.iter().any(|argument| self.needs_graph(argument)) {
            let expanded = self.modules.add_go_line();
            let expanded = expanded.and_then(|()| self.modules.expand_graph());
            self.partial = expanded.err();
        }
        let mut list = Vec::new();
        for argument in arguments {
            self.one(argument, &mut list)?;
        }
        Ok(list)
    }

    /// Whether what go.mod names is not enough to answer.
    fn needs_graph(&self, argument: &str) -> bool {
        if self.modules.mains().is_empty() {
            return false;
        }
        if argument == "all" || argument.contains("...") {
            return true;
        }
        let (path, query) = argument.split_once('@').unwrap_or((argument, ""));
        matches!(query, "" | "upgrade" | "patch") && !self.modules.is_root(path)
    }

    fn one(&self, argument: &str, list: &mut Vec<ModulePublic>) -> Result<()> {
        if argument.contains('\\') {
            bail!("module paths never use backslash");
        }
        if matches!(argument, "." | "..")
            || argument.starts_with("./")
            || argument.starts_with("../")
        {
            bail!("cannot use relative path {argument} to specify module");
        }
        if let (path, Some(query)) = split_version(argument).map_err(Failure::error)? {
            if matches!(query, "upgrade" | "patch") && self.modules.mains().is_empty() {
                let why = crate::modules::no_main_module(self.modules);
                bail!("cannot match {argument:?}: {why}");
            }
            list.push(
                self.modules
                    .queried(path, query, self.details, self.reuse)?,
            );
            return Ok(());
        }
        let pattern = argument == "all" || argument.contains("...");
        let versions = self.details.versions && !pattern;
        if self.modules.mains().is_empty() && !versions {
            let why = crate::modules::no_main_module(self.modules);
            let how = if pattern {
                ""
            } else {
                " without -versions or an explicit version"
            };
            bail!("cannot match {argument:?}{how}: {why}");
        }
        if !pattern {
            let selected = if self.modules.mains().is_empty() {
                None
            } else if self.partial.is_some() {
                self.modules.partly_selected(argument)
            } else {
                self.modules.selected(argument)?
            };
            if selected.is_none() && self.partial.is_some() {
                return Ok(());
            }
            list.push(match selected {
                Some(module) => self.info(&module),
                None if versions && self.modules.vendor_dir().is_none() => ModulePublic {
                    path: argument.to_owned(),
                    ..ModulePublic::default()
                },
                None => unknown(argument, self.modules.vendor_dir().is_some()),
            });
            return Ok(());
        }
        let all = argument == "all";
        let matcher = Pattern::new(argument);
        let before = list.len();
        for module in self.modules.partial_build_list() {
            let info = || self.info(&module);
            if (all || matcher.matches(&module.path))
                && !list.iter().any(|have| have.path == module.path)
            {
                list.push(info());
            }
        }
        if list.len() == before {
            self.session.printer.note(format!(
                "warning: pattern {argument:?} matched no module dependencies"
            ));
        }
        Ok(())
    }
}

/// A module that is not part of the graph.
fn unknown(path: &str, vendored: bool) -> ModulePublic {
    let why = if vendored {
        "can't resolve module using the vendor directory\n\t(Use -mod=mod or -mod=readonly to bypass.)"
    } else {
        "not a known dependency"
    };
    ModulePublic {
        path: path.to_owned(),
        error: Some(ModuleError {
            err: format!("module {path}: {why}"),
        }),
        ..ModulePublic::default()
    }
}
