//! Compiling Go with gccgo.

use camino::Utf8Path;

use super::{Gccgo, Job, machine_flags, package_path};
use crate::exec::Run;
use crate::shell::Done;
use crate::shell::paths::make_absolute;

/// The name of a package's archive below a directory of links.
fn link_name(root: &str, import: &str) -> String {
    match import.rsplit_once('/') {
        Some((parent, last)) => format!("{root}/{parent}/lib{last}.a"),
        None => format!("{root}/lib{import}.a"),
    }
}

/// What an import configuration says, as links: where each stands and where it leads.
fn links(root: &str, config: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    for line in config.lines() {
        let Some((verb, (name, target))) = line
            .split_once(' ')
            .and_then(|(verb, rest)| Some((verb, rest.split_once('=')?)))
        else {
            continue;
        };
        match verb {
            "packagefile" => links.push((link_name(root, name), target.to_owned())),
            "importmap" => links.push((link_name(root, name), link_name(root, target))),
            _ => {}
        }
    }
    links
}

impl Gccgo {
    /// Compiles; returns the object.
    pub(super) fn compile_go(&self, run: &Run<'_>, job: &Job<'_>) -> Done<String> {
        let (package, objdir) = (job.package, job.objdir);
        let object = format!("{objdir}_go_.o");
        let mut words = vec![self.path.clone(), "-c".into(), "-g".into()];
        words.extend(machine_flags(run.config));
        let work = &run.shared.work;
        words.push(format!("-fdebug-prefix-map={work}=/tmp/go-build"));
        words.push("-gno-record-gcc-switches".into());
        let path = package_path(package);
        if !path.is_empty() {
            words.push(format!("-fgo-pkgpath={path}"));
        }
        let prefix = &package.internal.local_prefix;
        if !prefix.is_empty() {
            words.push(format!("-fgo-relative-import-path={prefix}"));
        }
        words.extend(["-o".to_owned(), object.clone()]);
        words.extend(run.modes.forced_gccgoflags.iter().cloned());
        self.add_imports(run, job, &mut words)?;
        if let Some(config) = job.embed_config
            && self.supports(run, "-fgo-embedcfg=/dev/null")
        {
            let path = format!("{objdir}embedcfg");
            run.shell(job.node).write_file(&path, config)?;
            words.push(format!("-fgo-embedcfg={path}"));
        }
        let mut files = job.go.to_vec();
        files.extend(self.write_build_info(run, job)?);
        self.add_prefix_maps(run, job, &files, &mut words);
        words.extend(package.internal.gccgoflags.iter().cloned());
        let dir = &package.public.dir;
        words.extend(files.iter().map(|file| run.actual(dir, file)));
        let shell = run.shell(job.node);
        let ran = shell.run_out(dir, &[], &words);
        shell.report("", "", ran)?;
        Ok(object)
    }

    fn add_imports(&self, run: &Run<'_>, job: &Job<'_>, words: &mut Vec<String>) -> Done {
        let shell = run.shell(job.node);
        if self.supports(run, "-fgo-importcfg=/dev/null") {
            let path = format!("{}importcfg", job.objdir);
            shell.write_file(&path, job.import_config)?;
            words.push(format!("-fgo-importcfg={path}"));
            return Ok(());
        }
        let root = format!("{}_importcfgroot_", job.objdir);
        let config = String::from_utf8_lossy(job.import_config);
        for (link, target) in links(&root, &config) {
            for path in [&link, &target] {
                if path.starts_with(&root) {
                    shell.mkdir(path.rsplit_once('/').map_or("", |(dir, _)| dir))?;
                }
            }
            shell.symlink(&link, &target)?;
        }
        words.extend(["-I".to_owned(), root]);
        Ok(())
    }

    /// Programs learn from a file of their own what they were built from: gccgo's linker knows nothing of it.
    fn write_build_info(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Option<String>> {
        let info = job.package.internal.build_info.as_ref();
        let Some(info) = info.filter(|_| run.config.modules_enabled) else {
            return Ok(None);
        };
        let marked = crate::exec::link::marked(info);
        let text = format!(
            "package main\nimport _ \"unsafe\"\n\
             //go:linkname __set_debug_modinfo__ runtime.setmodinfo\n\
             func __set_debug_modinfo__(string)\n\
             func init() {{ __set_debug_modinfo__({}) }}\n",
            crate::quote::quote_bytes(&marked)
        );
        let path = format!("{}_gomod_.go", job.objdir);
        run.shell(job.node).write_file(&path, text.as_bytes())?;
        Ok(Some(path))
    }

    /// What of paths does not go into the output. gccgo heeds only the last flag that fits.
    fn add_prefix_maps(
        &self,
        run: &Run<'_>,
        job: &Job<'_>,
        files: &[String],
        words: &mut Vec<String>,
    ) {
        if !self.supports(run, "-ffile-prefix-map=a=b") {
            return;
        }
        let (config, cwd) = (run.config, &run.config.cwd);
        let mut map = |from: &str, to: &str| words.push(format!("-ffile-prefix-map={from}={to}"));
        if config.flags.trimpath {
            map(cwd.as_str(), ".");
            map(&run.shared.work, "/tmp/go-build");
        }
        for file in files {
            let path = make_absolute(&job.package.public.dir, file);
            let Some(actual) = config.overlay.get(Utf8Path::new(&path)) else {
                continue;
            };
            match Utf8Path::new(&path).strip_prefix(cwd) {
                Ok(rest) if config.flags.trimpath => map(actual.as_str(), &format!("./{rest}")),
                _ => map(actual.as_str(), &path),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_as_links() {
        let config = "# import config\nimportmap old/x=new/x\npackagefile a/b=/w/b002/_pkg_.a\n";
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            links("/r", config),
            [
                pair("/r/old/libx.a", "/r/new/libx.a"),
                pair("/r/a/libb.a", "/w/b002/_pkg_.a")
            ]
        );
        assert_eq!(link_name("/r", "p"), "/r/libp.a");
    }
}
