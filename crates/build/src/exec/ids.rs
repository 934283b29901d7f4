//! What goes into every action id: the table that `go` and Steady have in common.
//!
//! Every id is the SHA-256 of the salt (the toolchain's version, `go1.26.8`) and the lines below, in this order.
//!
//! | line of a compilation | when |
//! |---|---|
//! | `compile` | |
//! | `module PATH@VERSION` | `-trimpath`, in a module |
//! | `dir DIR` | neither `-trimpath` nor in GOROOT nor below the work directory |
//! | `go VERSION` | in a module: its go version |
//! | `goos GOOS goarch GOARCH`, `import "PATH"` | |
//! | `omitdebug B standard B local B prefix "P"` | |
//! | `trimpath` | `-trimpath` |
//! | `forcelibrary` | a library called main |
//! | `cgo "ID"`, `CC=[words] [CPPFLAGS] [CFLAGS] [LDFLAGS]`, `CC ID="…"` or `CC ID ERROR="…"` | cgo |
//! | `CXX=[words] [CXXFLAGS]`, `CXX ID="…"`; `FC=[words] [FFLAGS]`, `FC ID="…"` | C++, Fortran |
//! | `cover "MODE" "ID"` | coverage |
//! | `fuzz [flags]` | fuzzing |
//! | `modinfo "TEXT"` | build info is stamped |
//! | `compile ID [forced gcflags] [gcflags]` | |
//! | `asm "ID" [forced asmflags] [asmflags]` | assembly files |
//! | `GOAMD64=v1` and its like | `=` alone for architectures without one |
//! | `GOEXPERIMENT="LIST"` | not the toolchain's own set |
//! | `magic NAME=VALUE` | one of the compiler's debugging variables is set |
//! | `file NAME HASH` | every input file: Go, cgo, C, C++, Fortran, Objective-C, headers, assembly, syso, SWIG, embedded |
//! | `import PATH CONTENTID` | every direct import, in the order of imports |
//! | `pgofile HASH` | profile-guided optimisation |
//!
//! | line of a link | when |
//! |---|---|
//! | `link` | |
//! | `buildmode MODE goos GOOS goarch GOARCH`, `import "PATH"`, `omitdebug …` | |
//! | `defaultgodebug "…"` | |
//! | `trimpath` | `-trimpath` |
//! | `link ID [forced ldflags] MODE`, `linkflags [ldflags]`, `GOAMD64=v1`, `GOEXPERIMENT="LIST"` | as above |
//! | `GOROOT=DIR` | empty with `-trimpath` |
//! | `GO_EXTLINK_ENABLED=V` | |
//! | `packagefile PATH=CONTENTID`, and after main's `packagemain BUILDID` | every package of the program |
//!
//! A shared library of packages has `linkShared`, `goos GOOS goarch GOARCH`, the linker's lines but `linkflags`, a `packagefile` for every
//! package and `top PATH=CONTENTID` for each that it consists of. With `-linkshared`, `packageshlib PATH=CONTENTID` follows the `packagefile`
//! of a package that is linked from a library.
//!
//! A profile's id has `preprocess PGO profile`, `preprofile ID` and `input "HASH"`. Ids of tools are the lines that
//! `TOOL -V=full` prints, or the content id in it for development versions (see `tools`).

use camino::Utf8Path;
use steady_packages::package::{Package, PackageId, PackagePublic};

use super::Run;
use crate::buildid::{content_id, read_file, read_raw};
use crate::cache::{Id, IdHash, short};
use crate::plan::{Kind, NodeId};
use crate::platform::Platform;
use crate::quote::{quote, quote_list};
use crate::shell::Failure;

/// An action id with the text that it is the hash of.
pub(super) struct Hashed {
    pub id: Id,
    pub text: String,
}

impl Hashed {
    pub(super) fn of(hash: IdHash<'_>) -> Hashed {
        Hashed {
            id: hash.sum(),
            text: hash.into_text(),
        }
    }
}

impl Run<'_> {
    /// Short hash of a file's content, empty if it cannot be read.
    pub(super) fn file_hash(&self, path: &Utf8Path) -> String {
        let path = self.config.actual(path);
        match self.files.get(path, self.cache.hashes()) {
            Ok((id, stamp)) => {
                self.config.saw(path, stamp);
                short(&id)
            }
            Err(_) => {
                self.config.note(path);
                String::new() // as in go: the step that needs the file says why
            }
        }
    }

    /// The id of compiling a package; `check` has the dependencies that count.
    pub(super) fn build_action_id(&self, id: PackageId, check: NodeId) -> Result<Hashed, Failure> {
        let package = &self.packages[id];
        let mut hash = self
            .cache
            .hashes()
            .hash(format!("build {}", package.public.import_path))
            .keeping_text();
        hash.add(format_args!("compile\n"));
        self.add_origin(&mut hash, package);
        let target = &self.config.target;
        hash.add(format_args!(
            "goos {} goarch {}\n",
            target.goos, target.goarch
        ));
        hash.add(format_args!(
            "import {}\n",
            quote(&package.public.import_path)
        ));
        Self::add_kind(&mut hash, package);
        if self.config.flags.trimpath {
            hash.add(format_args!("trimpath\n"));
        }
        if package.internal.force_library {
            hash.add(format_args!("forcelibrary\n"));
        }
        if package.uses_cgo() || package.uses_swig() {
            self.add_cgo(&mut hash, package)?;
        }
        if !package.internal.cover_mode.is_empty() {
            let (mode, tool) = (
                quote(&package.internal.cover_mode),
                quote(&self.tool_id("cover")?),
            );
            hash.add(format_args!("cover {mode} {tool}\n"));
        }
        if let Some(flags) = self.fuzz_flags(package) {
            hash.add(format_args!("fuzz {}\n", quote_list(flags)));
        }
        if let Some(info) = &package.internal.build_info {
            hash.add(format_args!("modinfo {}\n", quote(info)));
        }
        self.driver.identify(self, &mut hash, package)?;
        self.add_inputs(&mut hash, package);
        let profile = &package.internal.pgo_profile;
        if !self.release.prepares_profiles() && !profile.as_str().is_empty() {
            hash.add(format_args!("pgofile {}\n", self.file_hash(profile)));
        }
        for dep in &self.plan.nodes[check].deps {
            let node = &self.plan.nodes[*dep];
            let data = self.data(*dep);
            if let Some(import) = node.package {
                let path = &self.packages[import].public.import_path;
                hash.add(format_args!(
                    "import {path} {}\n",
                    content_id(&data.build_id)
                ));
            }
            if matches!(node.kind, Kind::Profile { .. }) {
                hash.add(format_args!(
                    "pgofile {}\n",
                    self.file_hash(Utf8Path::new(&data.built))
                ));
            }
        }
        Ok(Hashed::of(hash))
    }

    fn add_origin(&self, hash: &mut IdHash<'_>, package: &Package) {
        let public = &package.public;
        if self.config.flags.trimpath {
            if let Some(module) = &public.module {
                hash.add(format_args!("module {}@{}\n", module.path, module.version));
            }
        } else if !public.goroot && !public.dir.starts_with(self.shared.work.as_str()) {
            hash.add(format_args!("dir {}\n", public.dir));
        }
        if let Some(module) = &public.module {
            hash.add(format_args!("go {}\n", module.go_version));
        }
    }

    fn add_kind(hash: &mut IdHash<'_>, package: &Package) {
        let internal = &package.internal;
        hash.add(format_args!(
            "omitdebug {} standard {} local {} prefix {}\n",
            internal.omit_debug,
            package.public.standard,
            internal.local,
            quote(&internal.local_prefix)
        ));
    }

    fn add_cgo(&self, hash: &mut IdHash<'_>, package: &Package) -> Result<(), Failure> {
        hash.add(format_args!("cgo {}\n", quote(&self.tool_id("cgo")?)));
        // Flags that are refused show up when the package is built.
        let flags = self.c_flags(package).unwrap_or_default();
        let files = &package.public.files;
        let mut add = |name: &str, words: Vec<String>, lists: &[&[String]], language: &str| {
            let lists: Vec<String> = lists.iter().map(|list| quote_list(list)).collect();
            hash.add(format_args!(
                "{name}={} {}\n",
                quote_list(&words),
                lists.join(" ")
            ));
            match self.c_tool_id(&words, language) {
                Ok(tool) => hash.add(format_args!("{name} ID={}\n", quote(&tool.id))),
                Err(_) if !self.release.hashes_c_tool_errors() => {}
                Err(error) => hash.add(format_args!("{name} ID ERROR={}\n", quote(&error))),
            }
        };
        add("CC", self.cc(), &[&flags.cpp, &flags.c, &flags.ld], "c");
        if !files.cxx_files.is_empty() || !files.swig_cxx_files.is_empty() {
            add("CXX", self.cxx(), &[&flags.cxx], "c++");
        }
        if !files.f_files.is_empty() {
            add("FC", self.fc(), &[&flags.f], "f95");
        }
        Ok(())
    }

    fn add_inputs(&self, hash: &mut IdHash<'_>, package: &Package) {
        let files = &package.public.files;
        let lists = [
            &files.go_files,
            &files.cgo_files,
            &files.c_files,
            &files.cxx_files,
            &files.f_files,
            &files.m_files,
            &files.h_files,
            &files.s_files,
            &files.syso_files,
            &files.swig_files,
            &files.swig_cxx_files,
            &files.embed_files,
        ];
        let dir = Utf8Path::new(&package.public.dir);
        for name in lists.into_iter().flatten() {
            let content = match package.internal.generated.get(name) {
                Some(data) => {
                    use sha2::Digest as _;
                    short(&sha2::Sha256::digest(data).into())
                }
                None => self.file_hash(&dir.join(name)),
            };
            hash.add(format_args!("file {name} {content}\n"));
        }
    }

    /// The id of linking a program.
    pub(super) fn link_action_id(&self, link: NodeId) -> Result<Hashed, Failure> {
        let Some(id) = self.plan.nodes[link].package else {
            return Err(Failure::new("link without a package"));
        };
        let package = &self.packages[id];
        let target = &self.config.target;
        let mut hash = self
            .cache
            .hashes()
            .hash(format!("link {}", package.public.import_path))
            .keeping_text();
        hash.add(format_args!("link\n"));
        hash.add(format_args!(
            "buildmode {} goos {} goarch {}\n",
            self.modes.buildmode, target.goos, target.goarch
        ));
        hash.add(format_args!(
            "import {}\n",
            quote(&package.public.import_path)
        ));
        Self::add_kind(&mut hash, package);
        if self.release.hashes_default_godebug() {
            hash.add(format_args!(
                "defaultgodebug {}\n",
                quote(&package.public.default_godebug)
            ));
        }
        if self.config.flags.trimpath {
            hash.add(format_args!("trimpath\n"));
        }
        self.driver.identify_link(self, &mut hash, Some(package))?;
        for dep in &self.plan.nodes[link].deps {
            let Some(dep_package) = self.plan.nodes[*dep].package else {
                continue;
            };
            let public = &self.packages[dep_package].public;
            let data = self.data(*dep);
            if !data.built.is_empty() || !data.build_id.is_empty() {
                let build_id = if data.build_id.is_empty() {
                    read_file(Utf8Path::new(&data.built)).unwrap_or_default()
                } else {
                    data.build_id.clone()
                };
                hash.add(format_args!(
                    "packagefile {}={}\n",
                    public.import_path,
                    content_id(&build_id)
                ));
            }
            if public.name == "main" {
                hash.add(format_args!("packagemain {}\n", data.build_id));
            }
            self.add_library(&mut hash, public);
        }
        Ok(Hashed::of(hash))
    }

    /// The content id of an archive or a library; the hash of what has none.
    fn content_of(&self, path: &str) -> Vec<u8> {
        let path = self.config.cwd.join(path);
        let id = read_raw(&path).unwrap_or_else(|_| self.file_hash(&path).into_bytes());
        let last = id.rsplit(|byte| *byte == b'/').next();
        last.unwrap_or_default().to_vec()
    }

    /// A line that ends in the content id of a file.
    pub(super) fn add_content(&self, hash: &mut IdHash<'_>, name: &str, path: &str) {
        let line = [name.as_bytes(), b"=", &self.content_of(path), b"\n"].concat();
        hash.bytes(&line);
    }

    /// The library that a package is linked from.
    pub(super) fn add_library(&self, hash: &mut IdHash<'_>, public: &PackagePublic) {
        if !public.shlib.is_empty() {
            self.config.note(Utf8Path::new(&public.shlib));
            let name = format!("packageshlib {}", public.import_path);
            self.add_content(hash, &name, &public.shlib);
        }
    }

    /// The id of preparing a profile.
    pub(super) fn profile_action_id(&self, input: &str) -> Result<Id, Failure> {
        let mut hash = self
            .cache
            .hashes()
            .hash(format!("preprocess PGO profile {input}"));
        hash.add(format_args!("preprocess PGO profile\n"));
        hash.add(format_args!("preprofile {}\n", self.tool_id("preprofile")?));
        hash.add(format_args!(
            "input {}\n",
            quote(&self.file_hash(Utf8Path::new(input)))
        ));
        Ok(hash.sum())
    }

    /// Flags that instrument a package for the fuzzer.
    pub(super) fn fuzz_flags(&self, package: &Package) -> Option<&'static [&'static str]> {
        let target = &self.config.target;
        let platform = Platform {
            goos: &target.goos,
            goarch: &target.goarch,
        };
        (package.internal.fuzz_instrument && platform.has_fuzz_instrumentation())
            .then_some(&["-d=libfuzzer"])
    }
}
