//! GOPATH mode (`GO111MODULE=off`): import paths are directories below GOROOT/src and GOPATH/src, with vendor directories and relative
//! imports.

use super::Loader;
use crate::modload::{ImportError, Resolved};
use crate::patterns::{Match, is_local_import, match_dirs, match_packages};
use camino::{Utf8Path, Utf8PathBuf};

/// Import path of a directory that lies in no tree: go's `_/dir`.
fn outside_path(dir: &Utf8Path) -> String {
    format!("_{dir}")
}

impl Loader<'_> {
    fn trees(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let goroot = self.context.goroot.clone();
        std::iter::once(goroot).chain(self.context.gopath.clone())
    }

    /// The tree that a directory lies in, and its import path there.
    pub(super) fn in_tree(&self, dir: &Utf8Path) -> Option<(Utf8PathBuf, String)> {
        self.trees().find_map(|tree| {
            let path = dir.strip_prefix(tree.join("src")).ok()?.to_string();
            (!path.is_empty()).then_some((tree, path))
        })
    }

    /// Where an import that is written in a file of `from` leads.
    pub(super) fn resolve_in_gopath(
        &self,
        import: &str,
        from: &Utf8Path,
    ) -> Result<Resolved, ImportError> {
        if is_local_import(import) || import.starts_with("_/") {
            let dir = match import.strip_prefix('_') {
                Some(dir) => Utf8PathBuf::from(dir),
                None => steady_system::clean(&from.join(import)),
            };
            let path = self
                .in_tree(&dir)
                .map_or_else(|| outside_path(&dir), |(_, path)| path);
            return Ok(Resolved {
                module: None,
                dir,
                path,
                others: Vec::new(),
            });
        }
        if import.starts_with("mod/") {
            return Err(ImportError::Invalid(format!(
                "disallowed import path {import:?}"
            )));
        }
        if import.contains('@') {
            return Err(ImportError::Invalid("can only use path@version syntax with 'go get' and 'go install' in module-aware mode".to_string()));
        }
        if import.starts_with('/') {
            return Err(ImportError::Invalid(
                "cannot import absolute path".to_string(),
            ));
        }
        let mut tried = Vec::new();
        if let Some(found) = self.vendored(import, from, &mut tried) {
            return Ok(found);
        }
        for tree in self.trees() {
            let dir = tree.join("src").join(import);
            if self.modules.has_go_files(&dir) {
                return Ok(Resolved {
                    module: None,
                    dir,
                    path: import.to_string(),
                    others: Vec::new(),
                });
            }
            let of = if tree == self.context.goroot {
                "$GOROOT"
            } else {
                "$GOPATH"
            };
            let note = if of == "$GOPATH"
                && tried.iter().any(|line: &String| {
                    line.ends_with("($GOPATH)") || line.contains("(from $GOPATH)")
                }) {
                String::new()
            } else {
                format!(" (from {of})")
            };
            tried.push(format!("\t{dir}{note}"));
        }
        if crate::patterns::is_standard_import_path(import) && self.context.gopath.is_empty() {
            tried.push("\t($GOPATH not set. For more details see: 'go help gopath')".into());
        }
        // A directory without Go files is a package that cannot be built rather than one that is not there.
        let there = self
            .trees()
            .map(|tree| tree.join("src").join(import))
            .find(|dir| self.modules.index().files().is_dir(dir));
        if let Some(dir) = there {
            return Ok(Resolved {
                module: None,
                dir,
                path: import.to_string(),
                others: Vec::new(),
            });
        }
        if crate::patterns::is_standard_import_path(import) && !import.contains('/') {
            let dir = self.context.goroot.join("src").join(import);
            return Err(ImportError::Missing(Box::new(crate::modload::Missing {
                path: import.to_string(),
                std_dir: Some(dir),
                ..Default::default()
            })));
        }
        Err(ImportError::Invalid(format!(
            "cannot find package {import:?} in any of:\n{}",
            tried.join("\n")
        )))
    }

    /// The nearest vendor directory at or above `from` that has the package.
    fn vendored(&self, import: &str, from: &Utf8Path, tried: &mut Vec<String>) -> Option<Resolved> {
        let (tree, path) = self.in_tree(from)?;
        let src = tree.join("src");
        let mut parent: Option<&str> = Some(&path);
        while let Some(at) = parent {
            let vendor = src.join(at).join("vendor");
            if self.modules.index().files().is_dir(&vendor) {
                let dir = vendor.join(import);
                if self.modules.has_go_files(&dir) {
                    let path = if at.is_empty() {
                        format!("vendor/{import}")
                    } else {
                        format!("{at}/vendor/{import}")
                    };
                    return Some(Resolved {
                        module: None,
                        dir,
                        path,
                        others: Vec::new(),
                    });
                }
                let note = if tried.is_empty() {
                    " (vendor tree)"
                } else {
                    ""
                };
                tried.push(format!("\t{dir}{note}"));
            }
            parent = match at.rsplit_once('/') {
                Some((above, _)) => Some(above),
                None if at.is_empty() => None,
                None => Some(""),
            };
        }
        None
    }

    /// Fills `packages` of a pattern.
    pub(super) fn match_in_gopath(&self, pattern: &str) -> Match {
        let mut found = Match::new(pattern);
        let index = self.modules.index();
        if !found.is_local() {
            match_packages(&mut found, index, &self.context, true);
            return found;
        }
        let walk = crate::patterns::LocalWalk {
            cwd: &self.modules.config().cwd,
            roots: &[],
            modules: false,
        };
        match_dirs(&mut found, index, &self.context, &walk);
        let paths: Vec<String> = found
            .dirs
            .iter()
            .map(|dir| {
                let dir = index.files().absolute(dir);
                self.in_tree(&dir)
                    .map_or_else(|| outside_path(&dir), |(_, path)| path)
            })
            .collect();
        found.packages = paths;
        found
    }
}
