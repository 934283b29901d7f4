//! `mod tidy`: go.mod names what packages and tests of the main module need, for every configuration, and go.sum has sums for that.

use super::compat::{Incompatible, Versions};
use super::packages::{ModulePackages, PackageOptions};
use super::reqs::Reqs;
use super::{CommitOptions, ImportError, ModError, Modules, Result};
use crate::source::BuildContext;
use std::collections::HashSet;
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

/// How to tidy.
#[derive(Debug, Clone, Default)]
pub struct TidyOptions {
    /// `-go`, or empty.
    pub go: String,
    /// `-compat`, or empty.
    pub compat: String,
    /// Modules that are no longer needed are named.
    pub verbose: bool,
    /// Nothing is looked for that is missing.
    pub as_is: bool,
    /// What keeps requirements from being settled is noted, and as much is done as can be (`-e`).
    pub keep_going: bool,
}

/// A tidy state.
#[derive(Debug)]
pub struct Tidy {
    /// The packages it was worked out for.
    pub packages: ModulePackages,
    /// The requirements.
    pub reqs: Arc<Reqs>,
    /// What an older go command would do otherwise, if that matters.
    pub incompatible: Option<Incompatible>,
    /// Requirements as an older go command will see them, whose sums are kept too.
    compatible: Option<Arc<Reqs>>,
    /// The older go command reads graphs without pruning.
    compat_unpruned: bool,
}

/// Files as they are and as they would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What is there.
    pub before: String,
    /// What would be.
    pub after: String,
}

impl ModulePackages {
    /// What is wrong with packages, each with the way to it. Packages that only newer standard libraries have are passed over.
    #[must_use]
    pub fn errors(&self, without_std: bool) -> Vec<ModError> {
        let errors = self.errors_with_nodes(without_std).into_iter();
        let failures = self.failures.iter().cloned();
        failures.chain(errors.map(|(_, error)| error)).collect()
    }

    /// As [`Self::errors`], each with the index of its node.
    pub(super) fn errors_with_nodes(&self, without_std: bool) -> Vec<(usize, ModError)> {
        let told = |error: &&ImportError| match error {
            ImportError::Missing(missing) => missing.std_dir.is_none() || !without_std,
            _ => true,
        };
        self.in_order()
            .filter_map(|at| {
                let node = &self.nodes[at];
                let error = node.error.as_ref().filter(told)?;
                let way = self.stack_text(at);
                Some((at, ModError::from(error.clone()).context(way)))
            })
            .collect()
    }
}

impl Modules {
    /// Works out what `mod tidy` would write. Errors of packages are for the caller to look at.
    ///
    /// # Errors
    /// What keeps packages from being loaded.
    pub fn tidy(&self, context: Arc<BuildContext>, options: &TidyOptions) -> Result<Tidy> {
        let before = self.reqs();
        let load = PackageOptions {
            context,
            any_tags: true,
            tests: true,
            resolve: !options.as_is,
            tidy: true,
            tidy_go: options.go.clone(),
            keep_going: options.keep_going,
            ..PackageOptions::default()
        };
        let packages = self.load_packages(&["all".to_string()], &load)?;
        let reqs = packages.reqs.clone().unwrap_or_else(|| self.reqs());
        if options.verbose {
            let graph = match reqs.pruning {
                Pruning::Unpruned => Some(self.graph_of(&reqs)?),
                _ => None,
            };
            for root in &before.roots {
                let used = match &graph {
                    Some(graph) => graph.selected_or_none(&root.path) != "none",
                    None => reqs.root(&root.path).is_some(),
                };
                if !used {
                    self.fetcher.note(&format!("unused {}", root.path));
                }
            }
        }
        let go = Modules::go_of(&reqs).to_string();
        let mut compat = options.compat.clone();
        if compat.is_empty() {
            compat = if gover::compare(&go, gover::GO_STRICT_VERSION).is_lt() {
                gover::prev(&go).to_string()
            } else {
                go.clone()
            };
        }
        if gover::compare(&compat, &go).is_gt() {
            compat.clone_from(&go);
        }
        let pruning = Pruning::for_go_version(&compat);
        let compatible = (pruning != reqs.pruning)
            .then(|| Arc::new(Reqs::new(pruning, reqs.roots.clone(), reqs.direct.clone())));
        let main = self.mains.first().map_or("", |main| main.go_version());
        let versions = Versions {
            compat: &compat,
            go: Modules::go_of(&reqs),
            main,
        };
        let incompatible = compatible
            .as_ref()
            .and_then(|other| self.check_compatible(&packages, &reqs, other, &versions));
        Ok(Tidy {
            incompatible,
            packages,
            reqs,
            compatible,
            compat_unpruned: pruning == Pruning::Unpruned,
        })
    }

    /// Sums that both the requirements and the older go command's need.
    fn tidy_sums(&self, tidy: &Tidy) -> HashSet<ModuleVersion> {
        let mut keep = self.keep_sums(Some(&tidy.packages), &tidy.reqs, true, false);
        if let Some(other) = &tidy.compatible {
            keep.extend(self.keep_sums(Some(&tidy.packages), other, true, false));
        }
        keep
    }

    /// Writes what [`Modules::tidy`] worked out.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn commit_tidy(&self, tidy: &Tidy) -> Result<()> {
        let keep = self.tidy_sums(tidy);
        let trims = !self.keeps_all_sums();
        if trims {
            self.fetcher.trim_go_sum(&keep)?;
        }
        self.fetcher.write_go_sum(&keep, false)?;
        let options = CommitOptions {
            tidy: trims,
            ..CommitOptions::default()
        };
        self.commit(&tidy.reqs, Some(&tidy.packages), &options)
    }

    /// What [`Modules::commit_tidy`] would change in go.mod and go.sum.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn diff_tidy(&self, tidy: &Tidy) -> Result<[Change; 2]> {
        let updated = self.updated_go_mod(&tidy.reqs, &CommitOptions::default())?;
        let go_mod = updated.map_or_else(Change::default, |(before, file)| Change {
            before,
            after: file.format(),
        });
        let mut keep = self.tidy_sums(tidy);
        if !self.keeps_all_sums() {
            self.fetcher.trim_go_sum(&keep)?;
        }
        if !tidy.compat_unpruned {
            keep = self.keep_sums(Some(&tidy.packages), &tidy.reqs, true, true);
        }
        let (before, after) = self.fetcher.tidy_go_sum(&keep)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let go_sum = Change {
            before: text(before),
            after: text(after),
        };
        Ok([go_mod, go_sum])
    }
}
