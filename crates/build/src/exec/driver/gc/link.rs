//! The toolchain's own linker.

use steady_module::hex;
use steady_packages::package::{Package, PackagePublic};

use super::Run;
use crate::plan::{Kind, NodeId};
use crate::platform::Platform;
use crate::quote::join_words;
use crate::shell::paths::make_absolute;
use crate::shell::{Done, Failure};

impl Run<'_> {
    pub(super) fn link_gc(&self, node: NodeId, import_config: &str) -> Done {
        let (_, package) = self.package(node)?;
        let node_ref = &self.plan.nodes[node];
        let target = &node_ref.target;
        let (dir, name) = target.rsplit_once('/').unwrap_or((".", target));
        // The linker records the name it was given in a library, so that must be a bare name.
        let in_dir = matches!(self.modes.buildmode.as_str(), "c-shared" | "plugin");
        let (dir, name) = if in_dir {
            (format!("{dir}/"), name)
        } else {
            (".".to_owned(), target.as_str())
        };
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("link"));
        words.extend(["-o", name, "-importcfg", import_config].map(str::to_owned));
        words.extend(self.link_flags(node, package)?);
        words.push(self.data(node_ref.deps[0]).built);
        let goroot = if self.config.flags.trimpath {
            ""
        } else {
            self.config.toolchain.goroot.as_str()
        };
        let env = match (self.release.has_goroot_final(), self.config.flags.trimpath) {
            (false, _) => vec![format!("GOROOT={goroot}")],
            (true, true) => vec!["GOROOT_FINAL=$GOROOT".to_owned()],
            (true, false) => Vec::new(),
        };
        self.shell(node)
            .run(&dir, &package.public.import_path, &env, &words)
    }

    fn link_flags(&self, node: NodeId, package: &Package) -> Done<Vec<String>> {
        let node_ref = &self.plan.nodes[node];
        let public = &package.public;
        let build_id = self.data(node).build_id;
        let mut flags: Vec<String> = Vec::new();
        if !self.modes.install_suffix.is_empty() {
            flags.extend([
                "-installsuffix".to_owned(),
                self.modes.install_suffix.clone(),
            ]);
        }
        if package.internal.omit_debug {
            flags.extend(["-s".to_owned(), "-w".to_owned()]);
        }
        if self.modes.buildmode == "plugin" {
            flags.extend(["-pluginpath".to_owned(), self.plugin_path(node, package)?]);
        }
        if !matches!(self.config.target.fips140.as_str(), "" | "off") {
            flags.extend(["-fipso".to_owned(), format!("{}fips.o", node_ref.objdir)]);
        }
        // The toolchain's own tools know their ids, unless the host's linker would make its own from that.
        let target = &self.config.target;
        let external = Platform {
            goos: &target.goos,
            goarch: &target.goarch,
        }
        .must_link_externally();
        if public.goroot && public.import_path.starts_with("cmd/") && !external {
            flags.push(format!("-X=cmd/internal/objabi.buildID={build_id}"));
        }
        if !public.default_godebug.is_empty() {
            flags.push(format!(
                "-X=runtime.godebugDefault={}",
                public.default_godebug
            ));
        }
        flags.push(format!("-buildmode={}", self.modes.ld_buildmode));
        flags.push(format!("-buildid={build_id}"));
        flags.extend(
            self.modes
                .forced_ldflags
                .iter()
                .chain(&package.internal.ldflags)
                .cloned(),
        );
        self.add_host_linker(node, uses_cxx(public), &mut flags)?;
        Ok(flags)
    }

    /// The host's linker, unless the user has named one.
    fn add_host_linker(&self, node: NodeId, cxx: bool, flags: &mut Vec<String>) -> Done {
        let mut given = flags.iter();
        if given.any(|flag| flag == "-extld" || flag.starts_with("-extld=")) {
            return Ok(());
        }
        let deps = self.plan.nodes[node].deps.iter();
        let mut packages = deps.filter_map(|dep| self.plan.nodes[*dep].package);
        let cxx = cxx || packages.any(|id| uses_cxx(&self.packages[id].public));
        let compiler = if cxx { self.cxx() } else { self.cc() };
        let words = join_words(&compiler).map_err(Failure::new)?;
        flags.push(format!("-extld={words}"));
        Ok(())
    }

    pub(super) fn link_library_gc(&self, node: NodeId, import_config: &str) -> Done {
        let node_ref = &self.plan.nodes[node];
        // The linker records the name it was given.
        let (dir, name) = node_ref
            .target
            .rsplit_once('/')
            .unwrap_or((".", &node_ref.target));
        let mut flags = vec![
            "-installsuffix".to_owned(),
            self.modes.install_suffix.clone(),
        ];
        flags.push("-buildmode=shared".into());
        flags.extend(self.modes.forced_ldflags.iter().cloned());
        flags.extend(self.config.flags.library_ldflags.iter().cloned());
        self.add_host_linker(node, false, &mut flags)?;
        for top in &self.plan.nodes[node_ref.deps[0]].deps {
            let part = &self.plan.nodes[*top];
            if let Some(id) = part.package.filter(|_| part.target.ends_with(".a")) {
                let path = &self.packages[id].public.import_path;
                flags.push(format!("{path}={}", part.target));
            }
        }
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("link"));
        words.extend(["-o", name, "-importcfg", import_config].map(str::to_owned));
        words.extend(flags);
        self.shell(node).run(&format!("{dir}/"), name, &[], &words)
    }

    /// The path of a plugin's main package: its own, or for loose files one that is made from what they contain.
    pub(super) fn plugin_path(&self, node: NodeId, package: &Package) -> Done<String> {
        let public = &package.public;
        if public.import_path != "command-line-arguments" {
            return Ok(public.import_path.clone());
        }
        let mut build_id = self.data(node).build_id;
        if self.plan.nodes[node].kind == Kind::Link {
            // That of the compilation, in the provisional form it then had.
            let action = build_id.split('/').nth(1).unwrap_or_default().to_owned();
            build_id = format!("{action}/{action}");
        }
        let mut data = format!("build ID: {build_id}\n").into_bytes();
        let files = &public.files;
        for file in files
            .go_files
            .iter()
            .chain(&files.cgo_files)
            .chain(&files.s_files)
        {
            use std::io::Read as _;
            let path = make_absolute(&public.dir, file);
            std::fs::File::open(&path)?.read_to_end(&mut data)?;
        }
        use sha1::Digest as _;
        let name = hex(&sha1::Sha1::digest(&data));
        Ok(format!("plugin/unnamed-{name}"))
    }
}

fn uses_cxx(public: &PackagePublic) -> bool {
    !public.files.cxx_files.is_empty() || !public.files.swig_cxx_files.is_empty()
}
