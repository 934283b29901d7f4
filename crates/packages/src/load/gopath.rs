//! GOPATH mode (`GO111MODULE=off`): import paths are directories below GOROOT/src and GOPATH/src, with vendor directories and relative
//! imports.

use super::Loader;
use crate::modload::{ImportError, Resolved};
use crate::package::PackageId;
use crate::patterns::{Match, is_local_import, match_dirs, match_packages};
use camino::{Utf8Path, Utf8PathBuf};

/// Import path of a directory that lies in no tree: go's `_/dir`, with what no import path may hold written as `_`.
pub(super) fn outside_path(dir: &Utf8Path) -> String {
    const ILLEGAL: &str = "!\"#$%&'()*,:;<=>?[\\]^{|}`\u{fffd}";
    let valid = |c: char| match c {
        c if c.is_control() || c.is_whitespace() || ILLEGAL.contains(c) => '_',
        c => c,
    };
    format!("_{}", dir.as_str().chars().map(valid).collect::<String>())
}

/// What a directory is, seen from the trees.
pub(super) struct DirPlace {
    /// Its import path, `_/dir` if no tree gives it one.
    pub path: String,
    /// The tree that does.
    pub tree: Option<Utf8PathBuf>,
    /// Another directory that is meant by the path below the tree.
    pub conflict: Option<Utf8PathBuf>,
}

/// Where the last element `/vN` of a path, N above 1, begins and ends.
fn version_element(path: &str) -> Option<(usize, usize)> {
    let is_version = |element: &str| {
        element.strip_prefix('v').is_some_and(|digits| {
            !digits.is_empty()
                && !digits.starts_with('0')
                && digits != "1"
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let mut end = path.len();
    while let Some(start) = path[..end].rfind('/') {
        if is_version(&path[start + 1..end]) {
            return Some((start, end));
        }
        end = start;
    }
    None
}

impl Loader<'_> {
    fn trees(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let goroot = self.context.goroot.clone();
        std::iter::once(goroot).chain(self.context.gopath.clone())
    }

    /// The tree that a directory lies in, and its import path there.
    pub(super) fn in_tree(&self, dir: &Utf8Path) -> Option<(Utf8PathBuf, String)> {
        self.trees().find_map(|tree| {
            let path = self.below(&tree.join("src"), dir)?;
            Some((tree, path))
        })
    }

    /// What of `dir` lies below `root`, also when either leads through symbolic links.
    fn below(&self, root: &Utf8Path, dir: &Utf8Path) -> Option<String> {
        let rest = |root: &Utf8Path, dir: &Utf8Path| {
            let rest = dir.strip_prefix(root).ok()?.as_str();
            (!rest.is_empty()).then(|| rest.to_string())
        };
        rest(root, dir).or_else(|| {
            let real = |path: &Utf8Path| self.modules.index().files().canonicalize(path).ok();
            let (real_root, real_dir) = (real(root)?, real(dir)?);
            rest(&real_root, dir)
                .or_else(|| rest(root, &real_dir))
                .or_else(|| rest(&real_root, &real_dir))
        })
    }

    /// The import path of a directory. It is the path below its tree, unless the directory is test data or another one of the same
    /// path comes first.
    pub(super) fn place_of_dir(&self, dir: &Utf8Path) -> DirPlace {
        let path = outside_path(dir);
        if path.strip_prefix('_') != Some(dir.as_str())
            && let Ok(mut dirs) = self.outside_dirs.lock()
        {
            dirs.insert(path.clone(), dir.to_owned());
        }
        let outside = DirPlace {
            path,
            tree: None,
            conflict: None,
        };
        let Some((tree, path)) = self.in_tree(dir) else {
            return outside;
        };
        if path.split('/').any(|element| element == "testdata") {
            return outside;
        }
        let earlier = self.trees().take_while(|other| *other != tree);
        let files = self.modules.index().files();
        let hidden_by = earlier
            .map(|other| other.join("src").join(&path))
            .find(|dir| files.is_dir(dir));
        match hidden_by {
            Some(conflict) => DirPlace {
                conflict: Some(conflict),
                ..outside
            },
            None => DirPlace {
                path,
                tree: Some(tree),
                conflict: None,
            },
        }
    }

    /// Where an import that is written in a file of `from` leads.
    pub(super) fn resolve_in_gopath(
        &self,
        import: &str,
        from: &Utf8Path,
    ) -> Result<Resolved, ImportError> {
        let at = |dir: Utf8PathBuf, path: String| Resolved {
            module: None,
            dir,
            path,
            others: Vec::new(),
        };
        let snapshot = self.modules.config().snapshot.as_ref();
        if let Some((path, dir)) = snapshot.and_then(|snapshot| snapshot.resolve(import)) {
            return Ok(at(dir, path));
        }
        let files = self.modules.index().files();
        if is_local_import(import) || import.starts_with("_/") {
            let dir = match import.strip_prefix('_') {
                Some(dir) => {
                    let known = self.outside_dirs.lock().ok();
                    let known = known.and_then(|dirs| dirs.get(import).cloned());
                    known.unwrap_or_else(|| Utf8PathBuf::from(dir))
                }
                None => steady_system::clean(&from.join(import)),
            };
            let place = self.place_of_dir(&dir);
            if !files.is_dir(&dir) {
                let path = place.tree.map_or(".", |_| place.path.as_str());
                return Err(ImportError::Invalid(format!(
                    "cannot find package {path:?} in:\n\t{dir}"
                )));
            }
            return Ok(at(dir, place.path));
        }
        let rewritten = self.without_version(import, from);
        let import = rewritten.as_deref().unwrap_or(import);
        let refused = super::refused_path(import).or_else(|| {
            import
                .starts_with('/')
                .then(|| "cannot import absolute path".to_string())
        });
        if let Some(refused) = refused {
            return Err(ImportError::Invalid(refused));
        }
        let mut tried = Vec::new();
        if let Some(found) = self.vendored(import, from, &mut tried) {
            return Ok(found);
        }
        let mut trees: Vec<Utf8PathBuf> = self.trees().collect();
        let goroot = &self.context.goroot;
        if import.starts_with("vendor/") && self.below(goroot, from).is_none() {
            // Who vendors a package that the standard library vendors later keeps his own.
            trees.rotate_left(1);
        }
        let prebuilt = self.modules.config().prebuilt.as_ref();
        for tree in &trees {
            let dir = tree.join("src").join(import);
            let found = match prebuilt.filter(|_| tree == goroot) {
                Some(prebuilt) => prebuilt.has(import, files),
                None => files.is_dir(&dir),
            };
            if found {
                return Ok(at(dir, import.to_string()));
            }
        }
        for tree in self.trees() {
            let of = if tree == *goroot { "GOROOT" } else { "GOPATH" };
            tried.push(format!("\t{} (from ${of})", tree.join("src").join(import)));
        }
        if self.context.gopath.is_empty() {
            tried.push("\t($GOPATH not set. For more details see: 'go help gopath')".into());
        }
        Err(ImportError::Invalid(format!(
            "cannot find package {import:?} in any of:\n{}",
            tried.join("\n")
        )))
    }

    /// What tests of `roots` import is shown by the paths that it is found under, tests loaded or not.
    pub(super) fn name_vendored_test_imports(&mut self, roots: &[PackageId]) {
        if self.modules.enabled() || self.options.find {
            return;
        }
        for root in roots {
            let public = &self.set[*root].public;
            let dir = Utf8Path::new(&public.dir);
            let found = |imports: &[String]| -> Vec<String> {
                let place = |import: &String| self.resolve_in_gopath(import, dir);
                let name = |import: &String| {
                    place(import).map_or_else(|_| import.clone(), |found| found.path)
                };
                imports.iter().map(name).collect()
            };
            let (own, external) = (found(&public.test_imports), found(&public.x_test_imports));
            let public = &mut self.set[*root].public;
            (public.test_imports, public.x_test_imports) = (own, external);
        }
    }

    /// Code in a tree with a go.mod may import `m/v2/p` although it lies at `m/p`, if `m/go.mod` says that it is `m/v2`.
    fn without_version(&self, import: &str, from: &Utf8Path) -> Option<String> {
        version_element(import)?;
        let (tree, _) = self.in_tree(from)?;
        let src = tree.join("src");
        let mut above = from.ancestors().take_while(|dir| dir.starts_with(&src));
        above.find_map(|dir| self.module_path_at(dir))?;
        let dir_of = |import: &str| {
            let dirs = self.trees().map(|tree| tree.join("src").join(import));
            dirs.into_iter()
                .find(|dir| self.modules.index().files().is_dir(dir))
        };
        if dir_of(import).is_some() {
            return None;
        }
        let mut rest = import;
        while let Some((start, end)) = version_element(rest) {
            let module = dir_of(&import[..start]).and_then(|dir| self.module_path_at(&dir));
            match module {
                Some(module) if module == import[..end] => {
                    return Some(format!("{}{}", &import[..start], &import[end..]));
                }
                Some(_) => return None,
                None => rest = &import[..start],
            }
        }
        None
    }

    /// The module path in a directory's go.mod.
    fn module_path_at(&self, dir: &Utf8Path) -> Option<String> {
        let text = self.modules.index().files().read(dir.join("go.mod")).ok()?;
        let text = String::from_utf8(text).ok()?;
        let found = steady_module::modfile::ModFile::module_path(&text);
        (!found.is_empty()).then_some(found)
    }

    /// The nearest vendor directory at or above `from` that has the package.
    fn vendored(&self, import: &str, from: &Utf8Path, tried: &mut Vec<String>) -> Option<Resolved> {
        let (tree, path) = self.in_tree(from)?;
        if path.contains("/testdata/") {
            return None;
        }
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
            for warning in match_packages(&mut found, index, &self.context, true) {
                self.modules.fetcher().note(&format!("warning: {warning}"));
            }
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
            .map(|dir| self.place_of_dir(&index.files().absolute(dir)).path)
            .collect();
        found.packages = paths;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_outside_of_trees_have_paths_that_can_be_imported() {
        assert_eq!(outside_path(Utf8Path::new("/a/b-c.d")), "_/a/b-c.d");
        assert_eq!(outside_path(Utf8Path::new("/a b/#$%:c")), "_/a_b/____c");
    }
}
