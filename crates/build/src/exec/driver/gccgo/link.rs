//! Linking with gccgo: all archives of a program, and the flags for C libraries that lie in them.

use steady_packages::package::PackagePublic;

use super::objects::archiver_words;
use super::{Gccgo, machine_flags};
use crate::exec::Run;
use crate::exec::cgo::words_of;
use crate::plan::{Kind, NodeId};
use crate::shell::{Done, Failure};

/// The member of an archive that holds the flags for the C libraries of its package.
pub(super) const CGO_FLAGS: &str = "_cgo_flags";

/// Which languages a program has parts in.
#[derive(Default)]
struct Languages {
    c: bool,
    cxx: bool,
    objective_c: bool,
    fortran: bool,
}

impl Languages {
    fn add(&mut self, public: &PackagePublic) {
        let files = &public.files;
        self.c |= !files.cgo_files.is_empty()
            || !files.swig_files.is_empty()
            || !files.swig_cxx_files.is_empty();
        self.cxx |= !files.cxx_files.is_empty() || !files.swig_cxx_files.is_empty();
        self.objective_c |= !files.m_files.is_empty();
        self.fortran |= !files.f_files.is_empty();
    }
}

/// Flags in a [`CGO_FLAGS`] member that mean something to a linker: each has `-g` and `-O2` too.
fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .filter_map(|line| line.strip_prefix("_CGO_LDFLAGS="))
        .filter(|flag| *flag != "-g" && !flag.starts_with("-O"))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The build id as the host's linkers write it.
fn id_flag(run: &Run<'_>, node: NodeId) -> Option<String> {
    let id = run.data(node).build_id;
    let goos = run.config.target.goos.as_str();
    let written = matches!(goos, "android" | "dragonfly" | "linux" | "netbsd");
    (written && !id.is_empty())
        .then(|| format!("-Wl,--build-id=0x{}", steady_module::hex(id.as_bytes())))
}

/// Libraries of packages, found where they are both now and when the program runs.
fn library_flags(goos: &str, libraries: &[String]) -> Vec<String> {
    let path_flag = if goos == "aix" {
        "-Wl,-blibpath="
    } else {
        "-Wl,-rpath="
    };
    let flags = libraries.iter().flat_map(|path| {
        let (dir, name) = path.rsplit_once('/').unwrap_or((".", path));
        let name = name.strip_prefix("lib").unwrap_or(name);
        let name = name.strip_suffix(".so").unwrap_or(name);
        [
            format!("-L{dir}"),
            format!("{path_flag}{dir}"),
            format!("-l{name}"),
        ]
    });
    flags.collect()
}

impl Gccgo {
    pub(super) fn link_program(&self, run: &Run<'_>, node: NodeId) -> Done {
        let (_, package) = run.package(node)?;
        let flags = &package.internal.gccgoflags;
        let heading = package.public.import_path.as_str();
        self.link_all(run, node, (run.modes.ld_buildmode.as_str(), heading), flags)
    }

    pub(super) fn link_packages(&self, run: &Run<'_>, node: NodeId) -> Done {
        let target = run.plan.nodes[node].target.as_str();
        let flags = &run.config.flags.library_gccgoflags;
        self.link_all(run, node, ("shared", target), flags)
    }

    fn link_all(
        &self,
        run: &Run<'_>,
        node: NodeId,
        (mode, heading): (&str, &str),
        own_flags: &[String],
    ) -> Done {
        let target = run.plan.nodes[node].target.as_str();
        let mut languages = Languages::default();
        for dep in &run.plan.nodes[node].deps {
            if let Some(id) = run.plan.nodes[*dep].package {
                languages.add(&run.packages[id].public);
            }
        }
        let out = match mode {
            "c-archive" => format!("{target}.o"),
            _ => target.to_owned(),
        };
        let mut words = vec![self.path.clone(), "-o".into(), out.clone()];
        let mut libraries = Vec::new();
        words.extend(self.inputs(run, node, heading, &mut libraries)?);
        words.extend(id_flag(run, node));
        words.extend(library_flags(&run.config.target.goos, &libraries));
        words.extend(self.mode_flags(run, mode, &languages)?);
        words.extend(run.modes.forced_gccgoflags.iter().cloned());
        words.extend(own_flags.iter().cloned());
        let shell = run.shell(node);
        shell.run(".", heading, &[], &words)?;
        if mode != "c-archive" {
            return Ok(());
        }
        let mut words = archiver_words(run);
        words.extend(["rc", target, &out].map(str::to_owned));
        shell.run(".", heading, &[], &words)
    }

    /// Archives, whole, and flags for C libraries. Packages in a shared library are not among them, but the library is told of.
    fn inputs(
        &self,
        run: &Run<'_>,
        node: NodeId,
        heading: &str,
        libraries: &mut Vec<String>,
    ) -> Done<Vec<String>> {
        let (mut archives, mut of_cgo) = (Vec::new(), Vec::new());
        let own = base_name(&run.plan.nodes[node].target);
        for dep in &run.plan.nodes[node].deps {
            let dep_node = &run.plan.nodes[*dep];
            let Some(id) = dep_node.package else {
                if matches!(dep_node.kind, Kind::Install { .. } | Kind::LinkLibrary) {
                    libraries.push(dep_node.target.clone());
                }
                continue;
            };
            let mut built = run.data(*dep).built;
            let part = &run.packages[id];
            let library = &part.public.shlib;
            if !library.is_empty() && base_name(library) != own {
                continue;
            }
            if part.uses_cgo() || part.uses_swig() {
                let copy = format!("{}_pkg{}_.a", run.plan.nodes[node].objdir, of_cgo.len() + 1);
                of_cgo.push(self.take_flags(run, (node, heading), &built, &copy)?);
                built = copy;
            }
            archives.push(built);
        }
        let aix = run.config.target.goos == "aix";
        let mut inputs: Vec<String> = machine_flags(run.config).collect();
        if aix {
            inputs.extend(archives);
        } else {
            inputs.push("-Wl,--whole-archive".into());
            inputs.extend(archives);
            inputs.push("-Wl,--no-whole-archive".into());
        }
        inputs.extend(of_cgo.into_iter().flatten());
        inputs.extend(words_of(run.config, "CGO_LDFLAGS", ""));
        if !aix {
            inputs.insert(0, "-Wl,-(".into());
            inputs.push("-Wl,-)".into());
        }
        Ok(inputs)
    }

    /// Copies an archive without the flags in it, which are returned.
    fn take_flags(
        &self,
        run: &Run<'_>,
        (node, heading): (NodeId, &str),
        archive: &str,
        copy: &str,
    ) -> Done<Vec<String>> {
        let (shell, objdir) = (run.shell(node), &run.plan.nodes[node].objdir);
        shell.copy_file(copy, archive, 0o666, false)?;
        if shell.dry() {
            shell.show("", &format!("ar d {copy} {CGO_FLAGS}"));
            return Ok(Vec::new());
        }
        for (dir, how) in [(objdir.as_str(), "x"), (".", "d")] {
            let mut words = archiver_words(run);
            words.extend([how, copy, CGO_FLAGS].map(str::to_owned));
            shell.run(dir, heading, &[], &words)?;
        }
        let text = std::fs::File::open(format!("{objdir}{CGO_FLAGS}"))
            .and_then(std::io::read_to_string)?;
        Ok(flags_in(&text).map(str::to_owned).collect())
    }

    fn mode_flags(&self, run: &Run<'_>, mode: &str, languages: &Languages) -> Done<Vec<String>> {
        let goos = run.config.target.goos.as_str();
        let mut flags: Vec<String> = Vec::new();
        let mut add = |list: &[&str]| flags.extend(list.iter().map(|flag| (*flag).to_owned()));
        // Nothing refers to what starts the Go part of a library, so it must be taken in by force.
        let start: &[&str] = match goos {
            "aix" => &["-lgolibbegin"],
            _ => &[
                "-Wl,--whole-archive",
                "-lgolibbegin",
                "-Wl,--no-whole-archive",
            ],
        };
        match mode {
            "exe" if languages.c && goos == "linux" => add(&["-Wl,-E"]),
            "exe" => {}
            "c-archive" => {
                // The program that takes the library in links libgo.
                add(&["-Wl,-r", "-nostdlib"]);
                add(start);
                if let Some(flag) = ["-no-pie", "-nopie"]
                    .into_iter()
                    .find(|flag| self.supports(run, flag))
                {
                    add(&[flag]);
                }
            }
            "c-shared" => {
                add(&["-shared", "-nostdlib"]);
                if goos != "windows" {
                    add(&["-Wl,-z,nodelete"]);
                }
                add(start);
                add(&["-lgo", "-lgcc_s", "-lgcc", "-lc", "-lgcc"]);
            }
            "shared" => {
                if goos != "aix" {
                    add(&["-zdefs"]);
                }
                add(&["-shared", "-nostdlib", "-lgo", "-lgcc_s", "-lgcc", "-lc"]);
            }
            mode => {
                return Err(Failure::new(format!(
                    "-buildmode={mode} not supported for gccgo"
                )));
            }
        }
        if matches!(mode, "exe" | "c-shared") {
            for (used, library) in [
                (languages.cxx, "-lstdc++"),
                (languages.objective_c, "-lobjc"),
                (
                    languages.fortran && run.fc_setting().contains("gfortran"),
                    "-lgfortran",
                ),
            ] {
                if used {
                    add(&[library]);
                }
            }
        }
        Ok(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_packages() {
        assert_eq!(
            library_flags("linux", &["/d/liba-b.so".to_owned()]),
            ["-L/d", "-Wl,-rpath=/d", "-la-b"]
        );
    }

    #[test]
    fn flags_for_c_libraries() {
        let text = "_CGO_CFLAGS=-g\n_CGO_LDFLAGS=-g\n_CGO_LDFLAGS=-O2\n_CGO_LDFLAGS=-L./ -Wl,--x\n_CGO_LDFLAGS=-lm\n";
        let flags: Vec<&str> = flags_in(text).collect();
        assert_eq!(flags, ["-L./ -Wl,--x", "-lm"]);
    }
}
