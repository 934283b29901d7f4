//! Where a package's result is installed, and what programs are called.

use super::Loader;
use crate::package::{Package, PackagePublic};
use camino::Utf8PathBuf;

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
            let prebuilt = self.modules.config().prebuilt.is_some();
            return self.options.install_goroot && !fake && !prebuilt;
        }
        !self.modules.enabled()
    }

    pub(super) fn set_target(&self, package: &mut Package) {
        let public = &package.public;
        if public.name != "main" && !public.root.is_empty() && self.installs_libraries(public) {
            let suffix = if self.context.install_suffix.is_empty() {
                String::new()
            } else {
                format!("_{}", self.context.install_suffix)
            };
            let pair = format!("{}_{}{suffix}", self.context.goos, self.context.goarch);
            let (root, path) = (&public.root, &public.import_path);
            package.public.target = if self.context.compiler == "gccgo" {
                let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
                Utf8PathBuf::from(format!("{root}/pkg/gccgo_{pair}"))
                    .join(parent)
                    .join(format!("lib{last}.a"))
                    .into_string()
            } else {
                format!("{root}/pkg/{pair}/{path}.a")
            };
            return;
        }
        if public.name != "main" || (self.options.library_mode && !public.standard) {
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
