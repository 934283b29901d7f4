//! Instrumenting a package for coverage before it is compiled.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use steady_packages::package::Package;

use super::Run;
use crate::cache::{Id, hex};
use crate::plan::NodeId;
use crate::shell::paths::make_absolute;
use crate::shell::{Done, Failure};

/// Files that the coverage tool has made from a package's.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    /// Go files for the compiler, instrumented where they are not tests.
    pub go: Vec<String>,
    /// The same for cgo.
    pub cgo: Vec<String>,
    /// The tool has run, and left a configuration for the compiler.
    pub configured: bool,
}

/// What the coverage tool is told of a package.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PackageConfig<'a> {
    out_config: String,
    pkg_path: &'a str,
    pkg_name: &'a str,
    granularity: &'a str,
    module_path: &'a str,
    local: bool,
    emit_meta_file: String,
}

/// Name of the fragment of coverage meta-data of a package.
pub(super) fn meta_file(package: &Package) -> String {
    let sum: Id = Sha256::digest(package.public.import_path.as_bytes()).into();
    format!("covmeta.{}", hex(&sum))
}

impl Run<'_> {
    /// Runs the coverage tool over a package's files.
    pub(super) fn cover(&self, node: NodeId, build: NodeId) -> Done {
        if self.need_of(node).is_empty() {
            return Ok(());
        }
        let (_, package) = self.package(node)?;
        let objdir = self.plan.nodes[node].objdir.clone();
        self.shell(node).mkdir(&objdir)?;
        let files = &package.public.files;
        let mut covered = Covered {
            go: files.go_files.clone(),
            cgo: files.cgo_files.clone(),
            configured: false,
        };
        let (mut from, mut to) = (Vec::new(), Vec::new());
        for file in covered.go.iter_mut().chain(&mut covered.cgo) {
            if file.ends_with("_test.go") {
                continue;
            }
            let made = format!(
                "{objdir}{}.cover.go",
                file.strip_suffix(".go").unwrap_or(file)
            );
            let source = match package.internal.generated.get(file) {
                None => make_absolute(&package.public.dir, file),
                Some(content) => {
                    let path = format!("{objdir}{file}");
                    self.shell(node).write_file(&path, content)?;
                    path
                }
            };
            from.push(source);
            to.push(made.clone());
            *file = made;
        }
        if !from.is_empty() {
            let variables = format!("{objdir}covervars.go");
            to.insert(0, variables.clone());
            self.run_cover_tool(node, package, &from, &to)?;
            covered.go.insert(0, variables);
            covered.configured = true;
            if package.internal.cover_gen_meta {
                self.keep_objdir_file(build, &meta_file(package));
            }
        }
        self.update(node, |data| data.covered = Some(Arc::new(covered)));
        Ok(())
    }

    fn run_cover_tool(
        &self,
        node: NodeId,
        package: &Package,
        from: &[String],
        to: &[String],
    ) -> Done {
        let (public, internal) = (&package.public, &package.internal);
        let objdir = &self.plan.nodes[node].objdir;
        let shell = self.shell(node);
        let meta = if internal.cover_gen_meta {
            format!("{objdir}{}", meta_file(package))
        } else {
            String::new()
        };
        let config = PackageConfig {
            out_config: format!("{objdir}coveragecfg"),
            pkg_path: &public.import_path,
            pkg_name: &public.name,
            granularity: "perblock",
            module_path: public.module.as_ref().map_or("", |module| &module.path),
            local: internal.local,
            emit_meta_file: meta,
        };
        let mut json =
            serde_json::to_vec(&config).map_err(|error| Failure::new(error.to_string()))?;
        json.push(b'\n');
        let config = format!("{objdir}pkgcfg.txt");
        shell.write_file(&config, &json)?;
        let outputs = format!("{objdir}coveroutfiles.txt");
        let list = to.iter().fold(String::new(), |mut all, file| {
            let _ = writeln!(all, "{file}");
            all
        });
        shell.write_file(&outputs, list.as_bytes())?;
        // The name of the counters must not meet a name of the package's own.
        let sum: Id = Sha256::digest(public.import_path.as_bytes()).into();
        let name = format!("goCover_{}_", &hex(&sum)[..12]);
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("cover"));
        let mode = internal.cover_mode.as_str();
        let options = [
            "-pkgcfg",
            &config,
            "-mode",
            mode,
            "-var",
            &name,
            "-outfilelist",
            &outputs,
        ];
        words.extend(options.map(str::to_owned));
        words.extend(from.iter().cloned());
        shell.run(objdir, "", &[], &words)
    }
}
