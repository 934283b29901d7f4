//! What the build mode and the sanitizers decide for every compilation and link.

use crate::config::{BuildConfig, Compiler};
use crate::error::{BuildError, Result};
use crate::platform::Platform;

/// What the build mode and the sanitizers decide. The loader needs the suffixes and tags too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modes {
    /// `-buildmode` as meant: `-msan` turns the default into `pie` on some platforms.
    pub buildmode: String,
    /// Flags of every compilation.
    pub forced_gcflags: Vec<String>,
    /// Flags of every assembly.
    pub forced_asmflags: Vec<String>,
    /// Flags of every compilation and link with gccgo.
    pub forced_gccgoflags: Vec<String>,
    /// Flags of every link.
    pub forced_ldflags: Vec<String>,
    /// The linker's `-buildmode`.
    pub ld_buildmode: String,
    /// What executables end in (`.exe`, `.so`, `.a` or nothing).
    pub exe_suffix: String,
    /// Suffix of installed package directories (`race`, `shared`), joined with `_`.
    pub install_suffix: String,
    /// Build tags that follow (`race`, `msan`, `asan`).
    pub tool_tags: Vec<String>,
    /// Which packages the mode can be applied to.
    pub filter: PackageFilter,
}

/// Which of the packages named a build mode takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PackageFilter {
    /// All of them.
    #[default]
    All,
    /// Main packages.
    Main,
    /// All but main packages.
    NotMain,
    /// There must be one, and it a main package.
    OneMain,
}

fn fatal(exit: i32, line: String) -> BuildError {
    BuildError::Fatal { line, exit }
}

impl Modes {
    /// Works out the modes of a configuration.
    ///
    /// # Errors
    /// [`BuildError::Fatal`] for what the platform cannot do and for flags that exclude one another.
    pub fn derive(config: &BuildConfig) -> Result<Modes> {
        let flags = &config.flags;
        let mut modes = Modes {
            buildmode: flags.buildmode.clone(),
            install_suffix: flags.installsuffix.clone(),
            exe_suffix: if config.target.goos == "windows" {
                ".exe".into()
            } else {
                String::new()
            },
            ..Modes::default()
        };
        modes.sanitizer(config)?;
        let codegen = modes.apply_buildmode(config)?;
        modes.linkshared(config)?;
        let gccgo = flags.compiler == Compiler::Gccgo;
        let codegen = match (flags.linkshared, gccgo) {
            (true, true) => Some("-fPIC"),
            (true, false) => Some("-dynlink"),
            (false, true) => modes.position_flag(),
            (false, false) => codegen,
        };
        if let Some(flag) = codegen {
            if gccgo {
                modes.forced_gccgoflags.insert(0, flag.to_owned());
            } else {
                modes.forced_asmflags.insert(0, flag.to_owned());
                modes.forced_gcflags.insert(0, flag.to_owned());
            }
            if modes.buildmode != "default" || flags.linkshared {
                modes.add_suffix(&flag[1..]);
            }
        }
        Ok(modes)
    }

    /// What makes gccgo's code fit for the mode.
    fn position_flag(&self) -> Option<&'static str> {
        match self.buildmode.as_str() {
            "c-archive" | "c-shared" | "shared" | "plugin" => Some("-fPIC"),
            "pie" => Some("-fPIE"),
            _ => None,
        }
    }

    fn add_suffix(&mut self, suffix: &str) {
        if !self.install_suffix.is_empty() {
            self.install_suffix.push('_');
        }
        self.install_suffix.push_str(suffix);
    }

    fn sanitizer(&mut self, config: &BuildConfig) -> Result<()> {
        let flags = &config.flags;
        let (goos, goarch) = (config.target.goos.as_str(), config.target.goarch.as_str());
        let platform = Platform { goos, goarch };
        let chosen = [
            ("race", flags.race),
            ("msan", flags.msan),
            ("asan", flags.asan),
        ];
        let mut given = chosen
            .iter()
            .filter(|(_, given)| *given)
            .map(|(name, _)| *name);
        let Some(mode) = given.next() else {
            return Ok(());
        };
        if let Some(other) = given.next() {
            return Err(fatal(
                2,
                format!("go: may not use -{mode} and -{other} simultaneously"),
            ));
        }
        let supported = match mode {
            "race" => platform.has_race_detector(),
            "msan" => platform.has_msan(),
            _ => platform.has_asan(),
        };
        if !supported {
            return Err(fatal(
                2,
                format!("-{mode} is not supported on {goos}/{goarch}"),
            ));
        }
        if mode == "msan" && self.buildmode == "default" && (goos, goarch) != ("linux", "amd64") {
            self.buildmode = "pie".into();
        }
        if !config.target.cgo_enabled && (goos != "darwin" || mode != "race") {
            let same = config.toolchain.host_os == goos && config.toolchain.host_arch == goarch;
            let hint = if same {
                "; enable cgo by setting CGO_ENABLED=1"
            } else {
                ""
            };
            return Err(fatal(2, format!("go: -{mode} requires cgo{hint}")));
        }
        self.forced_gcflags.push(format!("-{mode}"));
        self.forced_ldflags.push(format!("-{mode}"));
        self.add_suffix(mode);
        self.tool_tags.push(mode.to_owned());
        Ok(())
    }

    /// Returns the flag that makes code fit for the mode.
    fn apply_buildmode(&mut self, config: &BuildConfig) -> Result<Option<&'static str>> {
        let flags = &config.flags;
        let (goos, goarch) = (config.target.goos.as_str(), config.target.goarch.as_str());
        let platform = Platform { goos, goarch };
        let mut codegen = None;
        match self.buildmode.as_str() {
            "archive" => self.filter = PackageFilter::NotMain,
            "c-archive" => {
                self.filter = PackageFilter::OneMain;
                let shared = match goos {
                    "darwin" | "ios" => goarch == "arm64",
                    "dragonfly" | "freebsd" | "illumos" | "linux" | "netbsd" | "openbsd"
                    | "solaris" => true,
                    _ => false,
                };
                codegen = shared.then_some("-shared");
                self.exe_suffix = ".a".into();
                self.ld_buildmode = "c-archive".into();
            }
            "c-shared" => {
                self.filter = PackageFilter::OneMain;
                codegen = matches!(goos, "linux" | "android" | "freebsd").then_some("-shared");
                if goos == "windows" && flags.compiler == Compiler::Gc {
                    self.exe_suffix.clear();
                }
                self.ld_buildmode = "c-shared".into();
            }
            "default" => {
                self.ld_buildmode = "exe".into();
                if platform.default_pie(flags.race) {
                    self.ld_buildmode = "pie".into();
                    codegen = (goos != "windows").then_some("-shared");
                }
            }
            "exe" => {
                self.filter = if flags.o.is_empty() {
                    PackageFilter::Main
                } else {
                    PackageFilter::OneMain
                };
                self.ld_buildmode = "exe".into();
            }
            "pie" => {
                if flags.race && !platform.default_pie(flags.race) {
                    return Err(fatal(
                        1,
                        format!(
                            "-buildmode=pie not supported when -race is enabled on {goos}/{goarch}"
                        ),
                    ));
                }
                codegen = (!matches!(goos, "aix" | "windows")).then_some("-shared");
                self.ld_buildmode = "pie".into();
            }
            "shared" => {
                self.filter = PackageFilter::NotMain;
                codegen = Some("-dynlink");
                if !flags.o.is_empty() {
                    return Err(fatal(
                        1,
                        "-buildmode=shared and -o not supported together".into(),
                    ));
                }
                self.ld_buildmode = "shared".into();
            }
            "plugin" => {
                self.filter = PackageFilter::OneMain;
                codegen = Some("-dynlink");
                self.exe_suffix = ".so".into();
                self.ld_buildmode = "plugin".into();
            }
            other => return Err(fatal(1, format!("buildmode={other} not supported"))),
        }
        let known = flags.compiler == Compiler::Gc; // what gccgo can do is its own affair
        if known && self.buildmode != "default" && !platform.supports(&self.buildmode) {
            return Err(fatal(
                1,
                format!(
                    "-buildmode={} not supported on {goos}/{goarch}",
                    self.buildmode
                ),
            ));
        }
        Ok(codegen)
    }

    fn linkshared(&mut self, config: &BuildConfig) -> Result<()> {
        if !config.flags.linkshared || config.flags.compiler == Compiler::Gccgo {
            return Ok(());
        }
        let (goos, goarch) = (config.target.goos.as_str(), config.target.goarch.as_str());
        if !(Platform { goos, goarch }).supports("shared") {
            return Err(fatal(
                1,
                format!("-linkshared not supported on {goos}/{goarch}"),
            ));
        }
        self.forced_asmflags.extend([
            "-D=GOBUILDMODE_shared=1".to_owned(),
            "-linkshared".to_owned(),
        ]);
        self.forced_gcflags.push("-linkshared".into());
        self.forced_ldflags
            .extend(["-linkshared".to_owned(), "-w".to_owned()]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(goos: &str, goarch: &str) -> BuildConfig {
        let mut config = BuildConfig::default();
        config.target.goos = goos.into();
        config.target.goarch = goarch.into();
        config.target.cgo_enabled = true;
        config
    }

    #[test]
    fn plain() {
        let modes = Modes::derive(&config("linux", "amd64")).unwrap();
        assert_eq!(modes.ld_buildmode, "exe");
        assert!(modes.forced_gcflags.is_empty() && modes.install_suffix.is_empty());
        let modes = Modes::derive(&config("darwin", "arm64")).unwrap();
        assert_eq!(
            (modes.ld_buildmode.as_str(), modes.forced_gcflags),
            ("pie", vec!["-shared".to_owned()])
        );
        assert_eq!(
            modes.install_suffix, "",
            "the platform's default has no suffix"
        );
    }

    #[test]
    fn race_and_pie() {
        let mut race = config("linux", "amd64");
        race.flags.race = true;
        let modes = Modes::derive(&race).unwrap();
        assert_eq!(
            (modes.forced_ldflags, modes.install_suffix),
            (vec!["-race".to_owned()], "race".into())
        );
        race.flags.buildmode = "pie".into();
        let error = Modes::derive(&race).unwrap_err().to_string();
        assert_eq!(
            error,
            "-buildmode=pie not supported when -race is enabled on linux/amd64"
        );
        race.flags.msan = true;
        assert_eq!(
            Modes::derive(&race).unwrap_err().to_string(),
            "go: may not use -race and -msan simultaneously"
        );
        race.flags = crate::BuildFlags {
            race: true,
            ..Default::default()
        };
        race.target.cgo_enabled = false;
        assert_eq!(
            Modes::derive(&race).unwrap_err().to_string(),
            "go: -race requires cgo"
        );
    }

    #[test]
    fn pie_by_name() {
        let mut pie = config("linux", "amd64");
        pie.flags.buildmode = "pie".into();
        let modes = Modes::derive(&pie).unwrap();
        assert_eq!(modes.install_suffix, "shared");
        assert_eq!(modes.forced_asmflags, ["-shared"]);
    }
}
