//! Linking a program.

use std::fmt::Write as _;
use steady_packages::package::{Package, PackagePublic};

use super::Run;
use crate::plan::{Kind, NodeId};
use crate::platform::Platform;
use crate::quote::{join_words, quote_bytes};
use crate::shell::paths::make_absolute;
use crate::shell::{Done, Failure};
use steady_module::hex;

/// Marks around the build info in a program.
const INFO_START: [u8; 16] = [
    0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6,
];
const INFO_END: [u8; 16] = [
    0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2,
];

impl Run<'_> {
    pub(super) fn link(&self, node: NodeId) -> Done {
        let (id, package) = self.package(node)?;
        let hashed = self.link_action_id(node)?;
        let action = hashed.id;
        let target = self.plan.target_of(id).to_owned();
        if self.use_cache(node, action, &target, !self.needs.is_list)? {
            self.found_built(node, &hashed);
            self.update(node, |data| {
                if self.plan.nodes[node].keep_executable && data.cached_executable.is_empty() {
                    data.cached_executable.clone_from(&data.built);
                }
            });
            return Ok(());
        }
        if self.needs.is_list {
            let target = self.plan.nodes[node].target.clone();
            self.update(node, |data| data.built = target);
            return Ok(());
        }
        let linked = self.cache.hashes().subkey(&action, "steady linked");
        if self.plan.nodes[node].discard
            && self.may_skip_link()
            && self.cache.get(&linked).is_some()
        {
            self.replay(node);
            return Ok(());
        }
        self.begin_anew(node, node, &hashed);
        let done = self.link_anew(node, package);
        self.flush_output(node);
        if done.is_ok() && self.plan.nodes[node].discard && self.may_skip_link() {
            let _ = self.cache.put_bytes(&linked, b"");
        }
        done
    }

    /// A program that nobody wants is linked to see whether it can be, and for that once is enough, unless the steps themselves
    /// are wanted.
    fn may_skip_link(&self) -> bool {
        let flags = &self.config.flags;
        !(flags.a || flags.n || flags.x || flags.work) && flags.toolexec.is_empty()
    }

    fn link_anew(&self, node: NodeId, package: &Package) -> Done {
        let shell = self.shell(node);
        let node_ref = &self.plan.nodes[node];
        shell.mkdir(&node_ref.objdir)?;
        let import_config = format!("{}importcfg.link", node_ref.objdir);
        shell.write_file(&import_config, &self.link_config(node, package))?;
        let target = node_ref.target.clone();
        let (dir, name) = target.rsplit_once('/').unwrap_or((".", &target));
        shell.mkdir(&format!("{dir}/"))?;

        let in_dir = matches!(self.modes.buildmode.as_str(), "c-shared" | "plugin");
        let mut words = self.config.flags.toolexec.clone();
        words.extend([
            self.tool("link"),
            "-o".into(),
            if in_dir {
                name.to_owned()
            } else {
                target.clone()
            },
        ]);
        words.extend(["-importcfg".to_owned(), import_config]);
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
        // The linker records the name it was given in a library, so that must be a bare name.
        let dir = if in_dir {
            format!("{dir}/")
        } else {
            ".".into()
        };
        shell.run(&dir, &package.public.import_path, &env, &words)?;
        self.finish_build_id(node, &target)?;
        self.end_anew(node);
        self.update(node, |data| data.built.clone_from(&target));
        Ok(())
    }

    fn link_config(&self, node: NodeId, package: &Package) -> Vec<u8> {
        let mut text = String::new();
        for dep in &self.plan.nodes[node].deps {
            if let Some(id) = self.plan.nodes[*dep].package {
                let path = &self.packages[id].public.import_path;
                let _ = writeln!(text, "packagefile {path}={}", self.data(*dep).built);
            }
        }
        let info = package.internal.build_info.as_deref().unwrap_or_default();
        let marked = [&INFO_START, info.as_bytes(), &INFO_END].concat();
        let _ = writeln!(text, "modinfo {}", quote_bytes(&marked));
        text.into_bytes()
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
        if !flags
            .iter()
            .any(|flag| flag == "-extld" || flag.starts_with("-extld="))
        {
            let deps = node_ref
                .deps
                .iter()
                .filter_map(|dep| self.plan.nodes[*dep].package);
            let cxx = uses_cxx(public)
                || deps
                    .into_iter()
                    .any(|id| uses_cxx(&self.packages[id].public));
            let compiler = if cxx { self.cxx() } else { self.cc() };
            flags.push(format!(
                "-extld={}",
                join_words(&compiler).map_err(Failure::new)?
            ));
        }
        Ok(flags)
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
