//! One loaded package, and the set of all packages of one load.
//!
//! [`PackagePublic`] is the shape of `go list -json`: its field order and omission rules are the go command's.
//! Everything else that the builder needs stands in [`PackageInternal`].
//! Packages refer to one another by [`PackageId`], an index into the [`PackageSet`] that owns them.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Index of a package inside its [`PackageSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub u32);

/// All packages of one load; owner of every [`Package`] that a [`PackageId`] names.
#[derive(Default, Debug)]
pub struct PackageSet {
    /// In the order in which loading first met them.
    pub packages: Vec<Package>,
    /// What shared libraries consist of, if there are any.
    pub libraries: Libraries,
}

/// Packages that shared libraries take in without being asked to.
#[derive(Default, Debug)]
pub struct Libraries {
    /// Into every library, unless another one has them.
    pub implied: Vec<PackageId>,
    /// Linked with every library.
    pub linked: Vec<PackageId>,
    /// Libraries that are there, by path, with the packages that are in them.
    pub known: BTreeMap<String, Vec<PackageId>>,
}

impl std::ops::Index<PackageId> for PackageSet {
    type Output = Package;
    fn index(&self, id: PackageId) -> &Package {
        &self.packages[id.0 as usize]
    }
}

impl std::ops::IndexMut<PackageId> for PackageSet {
    fn index_mut(&mut self, id: PackageId) -> &mut Package {
        &mut self.packages[id.0 as usize]
    }
}

impl PackageSet {
    /// Packages and everything they import, dependencies first, each once.
    #[must_use]
    pub fn with_dependencies(&self, roots: &[PackageId]) -> Vec<PackageId> {
        fn visit(
            set: &PackageSet,
            id: PackageId,
            seen: &mut HashSet<PackageId>,
            out: &mut Vec<PackageId>,
        ) {
            if !seen.insert(id) {
                return;
            }
            for &import in &set[id].internal.imports {
                visit(set, import, seen, out);
            }
            out.push(id);
        }
        let mut out = Vec::with_capacity(self.packages.len());
        let mut seen = HashSet::new();
        for &root in roots {
            visit(self, root, &mut seen, &mut out);
        }
        out
    }

    /// The packages' ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        (0..u32::try_from(self.packages.len()).unwrap_or(u32::MAX)).map(PackageId)
    }

    /// Adds a copy of a program's package as the library that its tests are built with.
    pub fn add_library(&mut self, id: PackageId) -> PackageId {
        let mut copy = self[id].clone();
        copy.public.for_test.clone_from(&copy.public.import_path);
        copy.public.target.clear();
        copy.internal.force_library = true;
        copy.internal.build_info = None;
        self.add(copy)
    }

    /// Adds a package and returns its id.
    pub fn add(&mut self, package: Package) -> PackageId {
        let id = PackageId(u32::try_from(self.packages.len()).expect("fewer than 2^32 packages"));
        self.packages.push(package);
        id
    }
}

/// One package as loaded.
#[derive(Default, Debug, Clone)]
pub struct Package {
    /// What `go list` shows.
    pub public: PackagePublic,
    /// What only loading and building need.
    pub internal: PackageInternal,
}

impl Package {
    /// The import path, and in brackets what this copy was made for: how messages name a package.
    #[must_use]
    pub fn description(&self) -> String {
        let (path, test, main) = (
            &self.public.import_path,
            &self.public.for_test,
            &self.internal.for_main,
        );
        match (test.is_empty(), main.is_empty()) {
            (false, _) => format!("{path} [{test}.test]"),
            (true, false) => format!("{path} [{main}]"),
            (true, true) => path.clone(),
        }
    }

    /// Whether the package has files for cgo.
    #[must_use]
    pub fn uses_cgo(&self) -> bool {
        !self.public.files.cgo_files.is_empty()
    }

    /// Whether the package has files for SWIG.
    #[must_use]
    pub fn uses_swig(&self) -> bool {
        !self.public.files.swig_files.is_empty() || !self.public.files.swig_cxx_files.is_empty()
    }
}

impl PackagePublic {
    /// Every file of the package, whatever the build takes of them, but for embedded ones.
    pub fn own_files(&self) -> impl Iterator<Item = &str> {
        let files = &self.files;
        let lists = [
            &files.go_files,
            &files.cgo_files,
            &files.ignored_go_files,
            &files.ignored_other_files,
            &files.c_files,
            &files.cxx_files,
            &files.m_files,
            &files.h_files,
            &files.f_files,
            &files.s_files,
            &files.swig_files,
            &files.swig_cxx_files,
            &files.syso_files,
            &self.test_go_files,
            &self.x_test_go_files,
        ];
        lists.into_iter().flatten().map(String::as_str)
    }

    /// What the package and its tests embed; some of it may be own files too.
    pub fn embedded_files(&self) -> impl Iterator<Item = &str> {
        let lists = [
            &self.files.embed_files,
            &self.test_embed_files,
            &self.x_test_embed_files,
        ];
        lists.into_iter().flatten().map(String::as_str)
    }

    /// Every file of the package, whatever the build takes of them; embedded ones only as far as they lie in its directory.
    #[must_use]
    pub fn all_files(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.own_files().collect();
        let mut have: HashSet<&str> = HashSet::new();
        for name in self.embedded_files() {
            if have.is_empty() {
                have.extend(&all);
            }
            if !name.contains('/') && have.insert(name) {
                all.push(name);
            }
        }
        all
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// `go list -json`'s package, field for field and in its order.
#[derive(Default, Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)] // each field is documented by `go help list`
pub struct PackagePublic {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub import_path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub import_comment: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub doc: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub shlib: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub conflict_dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub for_test: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub export: String,
    #[serde(rename = "BuildID", skip_serializing_if = "String::is_empty")]
    pub build_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<Arc<ModulePublic>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub r#match: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub goroot: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub standard: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub dep_only: bool,
    #[serde(rename = "BinaryOnly", skip_serializing_if = "is_false")]
    pub binary_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub incomplete: bool,
    #[serde(rename = "DefaultGODEBUG", skip_serializing_if = "String::is_empty")]
    pub default_godebug: String,
    #[serde(skip_serializing_if = "is_false")]
    pub stale: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stale_reason: String,
    #[serde(flatten)]
    pub files: PackageFiles,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub import_map: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<PackageError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deps_errors: Vec<PackageError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_go_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_imports: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_embed_patterns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_embed_files: Vec<String>,
    #[serde(rename = "XTestGoFiles", skip_serializing_if = "Vec::is_empty")]
    pub x_test_go_files: Vec<String>,
    #[serde(rename = "XTestImports", skip_serializing_if = "Vec::is_empty")]
    pub x_test_imports: Vec<String>,
    #[serde(rename = "XTestEmbedPatterns", skip_serializing_if = "Vec::is_empty")]
    pub x_test_embed_patterns: Vec<String>,
    #[serde(rename = "XTestEmbedFiles", skip_serializing_if = "Vec::is_empty")]
    pub x_test_embed_files: Vec<String>,
}

/// The file lists of a package, names relative to its directory, each sorted.
#[derive(Default, Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)] // each field is documented by `go help list`
pub struct PackageFiles {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub go_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cgo_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compiled_go_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_go_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invalid_go_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_other_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub c_files: Vec<String>,
    #[serde(rename = "CXXFiles", skip_serializing_if = "Vec::is_empty")]
    pub cxx_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub m_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub h_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub f_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub s_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub swig_files: Vec<String>,
    #[serde(rename = "SwigCXXFiles", skip_serializing_if = "Vec::is_empty")]
    pub swig_cxx_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub syso_files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub embed_patterns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub embed_files: Vec<String>,
    #[serde(rename = "CgoCFLAGS", skip_serializing_if = "Vec::is_empty")]
    pub cgo_cflags: Vec<String>,
    #[serde(rename = "CgoCPPFLAGS", skip_serializing_if = "Vec::is_empty")]
    pub cgo_cppflags: Vec<String>,
    #[serde(rename = "CgoCXXFLAGS", skip_serializing_if = "Vec::is_empty")]
    pub cgo_cxxflags: Vec<String>,
    #[serde(rename = "CgoFFLAGS", skip_serializing_if = "Vec::is_empty")]
    pub cgo_fflags: Vec<String>,
    #[serde(rename = "CgoLDFLAGS", skip_serializing_if = "Vec::is_empty")]
    pub cgo_ldflags: Vec<String>,
    #[serde(rename = "CgoPkgConfig", skip_serializing_if = "Vec::is_empty")]
    pub cgo_pkg_config: Vec<String>,
}

/// `go list`'s module (`go list -m -json`, and `.Module` of a package), field for field and in its order.
#[derive(Default, Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
#[allow(missing_docs)] // each field is documented by `go help list`
pub struct ModulePublic {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<Box<ModulePublic>>,
    /// RFC 3339, as the go command prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<Box<ModulePublic>>,
    #[serde(skip_serializing_if = "is_false")]
    pub main: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub indirect: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_mod: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retracted: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub deprecated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ModuleError>,
    /// `h1:` of the module's zip.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sum: String,
    /// `h1:` of the module's go.mod.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub go_mod_sum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<steady_proxy::Origin>,
    #[serde(skip_serializing_if = "is_false")]
    pub reuse: bool,
}

/// The error of one module in `go list -m -e -json`.
#[derive(Default, Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", from = "WrittenError")]
#[allow(missing_docs)]
pub struct ModuleError {
    pub err: String,
}

/// The error of a module as commands write it: `list -m` as an object, `mod download` as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenError {
    Text(String),
    Object {
        #[serde(rename = "Err", default)]
        err: String,
    },
}

impl From<WrittenError> for ModuleError {
    fn from(written: WrittenError) -> ModuleError {
        let (WrittenError::Text(err) | WrittenError::Object { err }) = written;
        ModuleError { err }
    }
}

/// Why a package could not be loaded, as `go list -e -json` shows it.
#[derive(Default, Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub struct PackageError {
    /// Shortest path from a package named on the command line to this one (each element an import path;
    /// a test import carries ` (test)` as in go).
    pub import_stack: Vec<String>,
    /// Of each element of the stack the file that imports it (its name alone), or empty; as long as the stack, or empty as a whole.
    #[serde(skip)]
    pub import_files: Vec<String>,
    /// `file:line:col`, or empty.
    pub pos: String,
    /// The error itself, without position and stack.
    pub err: String,
    /// An import cycle.
    #[serde(skip)]
    pub is_import_cycle: bool,
    /// Always printed although the package it belongs to was only a dependency.
    #[serde(skip)]
    pub hard: bool,
    /// Printed without the `package a\n\timports b:` preface.
    #[serde(skip)]
    pub always_print_stack: bool,
    /// No `.go` files at all, or none after constraints: `list` and `build ./...` pass over it.
    #[serde(skip)]
    pub is_no_go: bool,
    /// Nothing in use has the package.
    #[serde(skip)]
    pub is_missing: bool,
}

impl std::fmt::Display for PackageError {
    /// The error as `list` and `build` print it: with its position, or with the way that led to the package.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.pos.is_empty() && (self.import_stack.is_empty() || !self.always_print_stack) {
            return write!(f, "{}: {}", self.pos, self.err);
        }
        if self.import_stack.is_empty() {
            return f.write_str(&self.err);
        }
        f.write_str("package ")?;
        for (at, path) in self.import_stack.iter().enumerate() {
            let between = if at == 0 { "" } else { "\n\timports " };
            write!(f, "{between}{path}")?;
            match self.import_files.get(at) {
                Some(file) if self.is_import_cycle && !file.is_empty() => {
                    write!(f, " from {file}")?
                }
                _ => {}
            }
        }
        if !self.pos.is_empty() {
            write!(f, "\n\t{}", self.pos)?;
        }
        write!(f, ": {}", self.err)
    }
}

/// A `//go:debug` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GodebugLine {
    /// The whole line.
    pub text: String,
    /// `file:line:col`
    pub position: String,
    /// Name and value, or what is wrong with the line.
    pub setting: Result<(String, String), String>,
}

/// What loading and building need to know beyond [`PackagePublic`].
#[derive(Default, Debug, Clone)]
pub struct PackageInternal {
    /// Imported packages, in the order of `public.imports` (`"C"` and `"unsafe"` resolved as go does).
    pub imports: Vec<PackageId>,
    /// Imports of files that are made when the package is compiled, as far as its own files have them not.
    pub compiled_imports: Vec<String>,
    /// Imports as written in the sources, before vendor and module mapping.
    pub raw_imports: Vec<String>,
    /// Named in a pattern on the command line, or matched by one.
    pub cmdline_pkg: bool,
    /// Named itself on the command line, not only matched by a pattern with `...`.
    pub cmdline_pkg_literal: bool,
    /// A library although its name is main (the package under test of an external test).
    pub force_library: bool,
    /// Linked without symbol table and debug information (test binaries that are only run).
    pub omit_debug: bool,
    /// Compiled with the fuzzer's instrumentation.
    pub fuzz_instrument: bool,
    /// The main package that this copy is compiled for alone (profile-guided optimisation), for its description.
    pub for_main: String,
    /// The install target would be a sub-directory of GOBIN, which go refuses.
    pub gobin_subdir: bool,
    /// The directory that archives of its tree are installed in; empty if there is none.
    pub target_root: Utf8PathBuf,
    /// An archive of the standard library that must be installed (`PkgObj` is known).
    pub has_pkg_obj: bool,
    /// The coverage tool writes a fragment of meta-data (packages without tests under `go test -cover`).
    pub cover_gen_meta: bool,
    /// Given as a list of .go files on the command line (import path `command-line-arguments`).
    pub cmdline_files: bool,
    /// Outside of all modules and trees: named by its files, or by a relative path where there are no modules.
    pub local: bool,
    /// Prefix for local imports (`_/dir/...`).
    pub local_prefix: String,
    /// Name of the executable when go was asked to name it after the directory or module.
    pub exe_name: String,
    /// `-gcflags` that apply to this package.
    pub gcflags: Vec<String>,
    /// `-asmflags` that apply to this package.
    pub asmflags: Vec<String>,
    /// `-ldflags` that apply to this package.
    pub ldflags: Vec<String>,
    /// `-gccgoflags` that apply to this package.
    pub gccgoflags: Vec<String>,
    /// Embed pattern or file list: pattern to the files it matched, for the compiler's `-embedcfg`.
    pub embed: BTreeMap<String, Vec<String>>,
    /// Contents of generated files that exist only in memory (a test's main).
    pub generated: BTreeMap<String, Vec<u8>>,
    /// Text that is stamped into a main package (`runtime/debug.BuildInfo` in its printed form).
    pub build_info: Option<String>,
    /// This package's files in the original tree, when the package is a test variant.
    pub orig_import_path: String,
    /// The files as the original package had them are compiled with those of its tests.
    pub for_main_test: bool,
    /// Compiled with `-race`, `-msan`, `-asan`, `-cover`… decided by the build, kept for list.
    pub cover_mode: String,
    /// The profile that profile-guided optimisation uses, empty for none.
    pub pgo_profile: Utf8PathBuf,
    /// `//go:debug` lines.
    pub godebugs: Vec<GodebugLine>,
    /// The module's `go` line, for `-lang`; empty in the standard library and outside modules.
    pub go_version: String,
}
