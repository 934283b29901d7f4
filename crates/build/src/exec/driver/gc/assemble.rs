//! The toolchain's own assembler.

use steady_packages::package::Package;

use super::Run;
use crate::plan::NodeId;
use crate::shell::Done;

impl Run<'_> {
    fn assembler(&self, node: NodeId, package: &Package) -> Done<Vec<String>> {
        let target = &self.config.target;
        let mut words = self.config.flags.toolexec.clone();
        words.extend([
            self.tool("asm"),
            "-p".into(),
            self.package_path(node, package)?,
            "-trimpath".into(),
        ]);
        words.push(self.trimpath(node, package));
        words.extend([
            "-I".to_owned(),
            self.plan.nodes[node].objdir.clone(),
            "-I".to_owned(),
        ]);
        words.push(
            self.config
                .toolchain
                .goroot
                .join("pkg/include")
                .into_string(),
        );
        let mut define = |name: String| words.extend(["-D".to_owned(), name]);
        define(format!("GOOS_{}", target.goos));
        define(format!("GOARCH_{}", target.goarch));
        words.extend(
            self.modes
                .forced_asmflags
                .iter()
                .chain(&package.internal.asmflags)
                .cloned(),
        );
        let runtime = package.public.import_path == "runtime";
        if runtime
            && target.goarch == "386"
            && self
                .modes
                .forced_asmflags
                .iter()
                .any(|flag| flag == "-dynlink")
        {
            words.push("-D=GOBUILDMODE_shared=1".into());
        }
        if self.release.is_27_or_later() && package.public.standard {
            words.push("-std".into());
        }
        for name in architecture_defines(&target.arch_env.0, &target.arch_env.1) {
            words.extend(["-D".to_owned(), name]);
        }
        Ok(words)
    }

    pub(super) fn symabis(
        &self,
        node: NodeId,
        package: &Package,
        files: &[String],
    ) -> Done<Option<String>> {
        if files.is_empty() {
            return Ok(None);
        }
        let objdir = &self.plan.nodes[node].objdir;
        let path = format!("{objdir}symabis");
        let mut words = self.assembler(node, package)?;
        words.extend(["-gensymabis".to_owned(), "-o".to_owned(), path.clone()]);
        words.extend(
            files
                .iter()
                .map(|file| self.actual(&package.public.dir, file)),
        );
        let shell = self.shell(node);
        shell.write_file(&format!("{objdir}go_asm.h"), b"")?;
        shell.run(
            &package.public.dir,
            &package.public.import_path,
            &[],
            &words,
        )?;
        Ok(Some(path))
    }

    pub(super) fn assemble_gc(
        &self,
        node: NodeId,
        package: &Package,
        files: &[String],
    ) -> Done<Vec<String>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let objdir = &self.plan.nodes[node].objdir;
        let assembler = self.assembler(node, package)?;
        let mut objects = Vec::new();
        for file in files {
            let object = format!("{objdir}{}.o", file.strip_suffix(".s").unwrap_or(file));
            let mut words = assembler.clone();
            words.extend([
                "-o".to_owned(),
                object.clone(),
                self.actual(&package.public.dir, file),
            ]);
            self.shell(node).run(
                &package.public.dir,
                &package.public.import_path,
                &[],
                &words,
            )?;
            objects.push(object);
        }
        Ok(objects)
    }
}

/// Names that assembly can ask for, by the architecture's variable.
fn architecture_defines(variable: &str, value: &str) -> Vec<String> {
    match variable {
        "GO386" | "GOAMD64" | "GOMIPS" | "GOMIPS64" | "GORISCV64" => {
            vec![format!("{variable}_{value}")]
        }
        "GOPPC64" => {
            let all = ["power10", "power9", "power8"];
            let from = all.iter().position(|level| *level == value).unwrap_or(2);
            all[from..]
                .iter()
                .map(|level| format!("GOPPC64_{level}"))
                .collect()
        }
        "GOARM" => {
            let from = if value.contains('7') {
                7
            } else if value.contains('6') {
                6
            } else {
                5
            };
            (5..=from)
                .rev()
                .map(|level| format!("GOARM_{level}"))
                .collect()
        }
        "GOARM64" if has_lse(value) => vec!["GOARM64_LSE".into()],
        _ => Vec::new(),
    }
}

/// From v8.1 on all processors have the atomic instructions.
fn has_lse(goarm64: &str) -> bool {
    let mut parts = goarm64.split(',');
    let base = parts.next().unwrap_or_default();
    (base.starts_with('v') && base != "v8.0") || parts.any(|part| part == "lse")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defines() {
        assert_eq!(
            architecture_defines("GOARM", "6,softfloat"),
            ["GOARM_6", "GOARM_5"]
        );
        assert_eq!(
            architecture_defines("GOPPC64", "power9"),
            ["GOPPC64_power9", "GOPPC64_power8"]
        );
        assert_eq!(architecture_defines("GOAMD64", "v1"), ["GOAMD64_v1"]);
        assert_eq!(architecture_defines("GOARM64", "v8.0,lse"), ["GOARM64_LSE"]);
        assert!(architecture_defines("GOARM64", "v8.0").is_empty());
        assert!(architecture_defines("", "").is_empty());
    }
}
