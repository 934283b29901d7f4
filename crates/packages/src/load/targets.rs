//! Where a package's result is installed, and what programs are called.

use super::Loader;
use crate::package::{Package, PackagePublic};
use camino::{Utf8Path, Utf8PathBuf};

/// The name of a program made from the package with this import path: its last element, or the one before a major version.
#[must_use]
pub fn exec_name(import_path: &str) -> &str {
    let (parent, last) = import_path.rsplit_once('/').unwrap_or(("", import_path));
    let version = last.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty()
            && !digits.starts_with('0')
            && digits != "1"
            && digits.bytes().all(|b| b.is_ascii_digit())
    });
    if version && !parent.is_empty() {
        parent.rsplit('/').next().unwrap_or(parent)
    } else {
        last
    }
}

/// Programs of the distribution that belong into its `bin` rather than among its tools.
const IN_BIN: [&str; 2] = ["cmd/go", "cmd/gofmt"];

impl Loader<'_> {
    /// Where a program made of named files is installed: GOBIN, or, with modules, where other programs are.
    pub(super) fn set_target_of_files(&self, package: &mut Package) {
        if package.public.name != "main" {
            return;
        }
        let bin = match self.options.gobin.as_str() {
            "" if self.modules.enabled() => self.context.gopath.first().map(|dir| dir.join("bin")),
            "" => None,
            dir => Some(Utf8PathBuf::from(dir)),
        };
        let name = format!("{}{}", package.internal.exe_name, self.options.exe_suffix);
        if let Some(bin) = bin {
            package.public.target = bin.join(name).to_string();
        }
    }

    /// Outside modules, libraries are installed too; those of the standard library only if that was asked for.
    fn installs_libraries(&self, public: &PackagePublic) -> bool {
        if public.standard {
            let fake = matches!(public.import_path.as_str(), "builtin" | "unsafe");
            return self.options.install_goroot && !fake;
        }
        !self.modules.enabled()
    }

    /// The directory for archives of a package's tree: packages of modules have none.
    fn target_root(&self, public: &PackagePublic) -> Utf8PathBuf {
        if public.root.is_empty() || public.module.is_some() {
            return Utf8PathBuf::new();
        }
        if !self.options.pkgdir.as_str().is_empty() {
            return self.options.pkgdir.clone();
        }
        let mut dir = format!("{}_{}", self.context.goos, self.context.goarch);
        if self.context.compiler == "gccgo" {
            dir.insert_str(0, "gccgo_");
        }
        if !self.context.install_suffix.is_empty() {
            dir = format!("{dir}_{}", self.context.install_suffix);
        }
        Utf8Path::new(&public.root).join("pkg").join(dir)
    }

    fn set_library_target(&self, package: &mut Package) {
        let root = self.target_root(&package.public);
        if root.as_str().is_empty() {
            return;
        }
        let path = package.public.import_path.as_str();
        let shared = self.options.shared;
        let prebuilt = package.public.standard && self.modules.config().prebuilt.is_some();
        let archive = if prebuilt {
            None
        } else if shared.makes || shared.links.is_some() {
            Some(root.join(format!("{path}.a")))
        } else if !self.installs_libraries(&package.public) {
            None
        } else if self.context.compiler == "gccgo" {
            let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
            Some(root.join(parent).join(format!("lib{last}.a")))
        } else {
            Some(root.join(format!("{path}.a")))
        };
        let place = if self.context.compiler == "gccgo" {
            root.join("shlibs")
        } else {
            root.clone()
        };
        let library = self.library_of(&root, path).filter(|_| !prebuilt);
        if let Some(name) = library {
            package.public.shlib = place.join(name).into_string();
        }
        package.public.target = archive.map_or_else(String::new, Utf8PathBuf::into_string);
        package.internal.target_root = root;
    }

    pub(super) fn set_target(&self, package: &mut Package) {
        if package.public.name != "main" {
            self.set_library_target(package);
            return;
        }
        let public = &package.public;
        if self.options.library_mode && !public.standard {
            return;
        }
        let name = format!(
            "{}{}",
            exec_name(&public.import_path),
            self.options.exe_suffix
        );
        let pair = format!("{}_{}", self.context.goos, self.context.goarch);
        if public.standard {
            let goroot = &self.context.goroot;
            package.public.target = match public.import_path.as_str() {
                path if IN_BIN.contains(&path) => goroot.join("bin").join(name),
                path if path.starts_with("cmd/") => goroot.join("pkg/tool").join(pair).join(name),
                _ => return,
            }
            .to_string();
            return;
        }
        let bin = match self.options.gobin.as_str() {
            "" if !self.modules.enabled() => {
                (!public.root.is_empty()).then(|| Utf8PathBuf::from(&public.root).join("bin"))
            }
            "" => self.context.gopath.first().map(|dir| dir.join("bin")),
            dir => Some(Utf8PathBuf::from(dir)),
        };
        let Some(bin) = bin else { return };
        if !self.options.cross {
            package.public.target = bin.join(name).to_string();
        } else if self.options.gobin.is_empty() {
            package.public.target = bin.join(pair).join(name).to_string();
        } else {
            package.internal.gobin_subdir = true;
        }
    }
}
