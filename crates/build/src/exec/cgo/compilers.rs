//! C compilers: which, with which flags, and what they understand.

use camino::Utf8Path;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;
use steady_packages::package::Package;
use steady_system::calendar::Civil;

use super::Run;
use crate::cache::Id;
use crate::cflags::{Rules, check};
use crate::config::BuildConfig;
use crate::quote::{command_line, quote, quote_list, split_words};
use crate::shell::process::{self, Spec};
use crate::shell::{Shell, lock};

/// What was found out about C compilers in this run.
#[derive(Default)]
pub(crate) struct CCompilers {
    flags: Mutex<HashMap<(String, String), bool>>,
    ids: Mutex<HashMap<String, Option<Id>>>,
}

/// Flags of a package for its compilers: the user's and its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CFlags {
    pub cpp: Vec<String>,
    pub c: Vec<String>,
    pub cxx: Vec<String>,
    pub f: Vec<String>,
    pub ld: Vec<String>,
}

const DEFAULT_FLAGS: &str = "-O2 -g";

/// What compilers say of a flag that they do not know.
const UNKNOWN: [&str; 6] = [
    "unrecognized",
    "unknown",
    "unrecognised",
    "is not supported",
    "not recognized",
    "unsupported",
];

pub(in crate::exec) fn words_of(config: &BuildConfig, name: &str, default: &str) -> Vec<String> {
    let value = config.setting(name);
    let value = if value.is_empty() { default } else { value };
    // Values that cannot be split were refused before the build began.
    split_words(value).unwrap_or_else(|_| vec![value.to_owned()])
}

fn flags_of(
    config: &BuildConfig,
    name: &str,
    default: &str,
    own: &[String],
    rules: Rules,
) -> Result<Vec<String>, String> {
    check(Some(config), name, &format!("#cgo {name}"), own, rules)?;
    let mut flags = words_of(config, &format!("CGO_{name}"), default);
    flags.extend(own.iter().cloned());
    Ok(flags)
}

impl Run<'_> {
    fn default_compiler<'a>(&'a self, given: &'a str, clang: &'a str, gcc: &'a str) -> &'a str {
        match self.config.target.goos.as_str() {
            _ if !given.is_empty() => given,
            "darwin" | "ios" | "freebsd" | "openbsd" => clang,
            _ => gcc,
        }
    }

    pub(in crate::exec) fn cc(&self) -> Vec<String> {
        let default = self.default_compiler(&self.config.toolchain.default_cc, "clang", "gcc");
        words_of(self.config, "CC", default)
    }

    pub(in crate::exec) fn cxx(&self) -> Vec<String> {
        let default = self.default_compiler(&self.config.toolchain.default_cxx, "clang++", "g++");
        words_of(self.config, "CXX", default)
    }

    pub(in crate::exec) fn fc(&self) -> Vec<String> {
        words_of(self.config, "FC", "gfortran")
    }

    pub(super) fn pkg_config(&self) -> String {
        let default = match self.config.toolchain.default_pkg_config.as_str() {
            "" => "pkg-config",
            given => given,
        };
        words_of(self.config, "PKG_CONFIG", default)
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    /// The flags of a package, checked.
    pub(in crate::exec) fn c_flags(&self, package: &Package) -> Result<CFlags, String> {
        let (config, files) = (self.config, &package.public.files);
        Ok(CFlags {
            cpp: flags_of(config, "CPPFLAGS", "", &files.cgo_cppflags, Rules::Compiler)?,
            c: flags_of(
                config,
                "CFLAGS",
                DEFAULT_FLAGS,
                &files.cgo_cflags,
                Rules::Compiler,
            )?,
            cxx: flags_of(
                config,
                "CXXFLAGS",
                DEFAULT_FLAGS,
                &files.cgo_cxxflags,
                Rules::Compiler,
            )?,
            f: flags_of(
                config,
                "FFLAGS",
                DEFAULT_FLAGS,
                &files.cgo_fflags,
                Rules::Compiler,
            )?,
            ld: flags_of(
                config,
                "LDFLAGS",
                DEFAULT_FLAGS,
                &files.cgo_ldflags,
                Rules::Linker,
            )?,
        })
    }

    /// A compiler with the flags that every compilation has. `work` is the directory whose name must not get into the output.
    pub(in crate::exec) fn compiler_command(
        &self,
        compiler: &[String],
        include: &str,
        work: &str,
    ) -> Vec<String> {
        let target = &self.config.target;
        let goos = target.goos.as_str();
        let mut words = compiler.to_vec();
        words.extend(["-I".to_owned(), include.to_owned()]);
        let mut add = |flag: &str| words.push(flag.to_owned());
        if goos != "windows" {
            add("-fPIC");
        }
        for flag in architecture_flags(goos, &target.goarch, &target.arch_env.1) {
            add(flag);
        }
        if target.goarch == "loong64" && self.release.is_27_or_later() {
            add("-mno-relax");
        }
        if target.cgo_enabled {
            add(if goos == "windows" {
                "-mthreads"
            } else {
                "-pthread"
            });
        }
        if goos == "aix" {
            add("-mcmodel=large");
        }
        for flag in [
            "-fno-caret-diagnostics",
            "-Qunused-arguments",
            "-Wl,--no-gc-sections",
        ] {
            if self.supports(compiler, flag) {
                add(flag);
            }
        }
        add("-fmessage-length=0");
        if self.supports(compiler, "-fdebug-prefix-map=a=b") {
            let work = work.trim_end_matches('/');
            let flag = self.prefix_map_flag(compiler);
            add(&format!("{flag}={work}=/tmp/go-build"));
        }
        if self.supports(compiler, "-gno-record-gcc-switches") {
            add("-gno-record-gcc-switches");
        }
        if matches!(goos, "darwin" | "ios") {
            add("-fno-common");
        }
        words
    }

    /// The flags of [`Run::compiler_command`] for the C compiler, without the directory to include from.
    pub(crate) fn plain_c_flags(&self) -> Vec<String> {
        let compiler = self.cc();
        let mut words = self.compiler_command(&compiler, ".", &self.shared.work);
        words.split_off(compiler.len() + 2)
    }

    pub(super) fn prefix_map_flag(&self, compiler: &[String]) -> &'static str {
        if self.supports(compiler, "-ffile-prefix-map=a=b") {
            "-ffile-prefix-map"
        } else {
            "-fdebug-prefix-map"
        }
    }

    /// Whether a compiler knows a flag; asked once and remembered in the build cache.
    pub(in crate::exec) fn supports(&self, compiler: &[String], flag: &str) -> bool {
        let shell = Shell::background(self.shared);
        let mut words = compiler.to_vec();
        words.push(flag.to_owned());
        if flag.starts_with("-Wl,") {
            words.extend(words_of(self.config, "CGO_LDFLAGS", DEFAULT_FLAGS));
        } else {
            words.extend(words_of(self.config, "CGO_CFLAGS", DEFAULT_FLAGS));
            words.push("-c".into());
        }
        words.extend(["-x", "c", "-", "-o", "/dev/null"].map(str::to_owned));
        let line = format!("{} || true", command_line(&words));
        if shell.dry() {
            shell.show(&self.shared.work, &line);
            return false;
        }
        let id = self.compiler_id(&compiler[0]);
        let mut known = lock(&self.compilers.flags);
        let key = (compiler[0].clone(), flag.to_owned());
        if let Some(answer) = known.get(&key) {
            return *answer;
        }
        let flag_id = id.map(|id| {
            self.cache
                .hashes()
                .subkey(&id, &format!("gccSupportsFlag {flag}"))
        });
        if let Some((answer, _)) = flag_id.and_then(|id| self.cache.get_bytes(&id)) {
            let answer = answer == b"true";
            known.insert(key, answer);
            return answer;
        }
        if self.config.flags.x {
            shell.show(&self.shared.work, &line);
        }
        let env = ["LC_ALL=C".to_owned()];
        let ran = process::run(
            self.shared,
            &Spec {
                words: &words,
                dir: &self.shared.work,
                env: &env,
            },
        );
        let output = String::from_utf8_lossy(&ran.output);
        let answer = !UNKNOWN.iter().any(|words| output.contains(words));
        if let Some(id) = flag_id {
            let _ = self
                .cache
                .put_bytes(&id, if answer { b"true" } else { b"false" });
        }
        known.insert(key, answer);
        answer
    }

    /// An id of the compiler, under which the cache keeps what is known of it. Found in the cache itself as long as the files
    /// that the compiler consists of have not changed.
    pub(in crate::exec) fn compiler_id(&self, compiler: &str) -> Option<Id> {
        let mut known = lock(&self.compilers.ids);
        if let Some(id) = known.get(compiler) {
            return *id;
        }
        let found = self.find_compiler_id(compiler);
        known.insert(compiler.to_owned(), found);
        found
    }

    fn find_compiler_id(&self, compiler: &str) -> Option<Id> {
        let program = self.shared.environment.look_path(compiler).ok()?;
        let mut hash = self.cache.hashes().hash("gccCompilerID");
        hash.add(format_args!("gccCompilerID {}", quote(program.as_str())));
        let key = hash.sum();
        if let Some((data, _)) = self.cache.get_bytes(&key)
            && let Some(id) = validated_id(&data)
        {
            return Some(id);
        }
        let tool = self.c_tool_id(&[compiler.to_owned()], "c").ok()?;
        let mut programs = vec![program.into_string()];
        if programs[0] != tool.program {
            programs.push(tool.program);
        }
        hash.add(format_args!(
            "gccCompilerID {} {}\n",
            quote_list(&programs),
            quote(&tool.id)
        ));
        let id = hash.sum();
        let mut data = Vec::new();
        for program in programs.iter().filter(|program| !program.is_empty()) {
            data.extend_from_slice(
                format!("{program}\0{}\0", describe_file(Utf8Path::new(program))?).as_bytes(),
            );
        }
        data.extend_from_slice(&id);
        let _ = self.cache.put_bytes(&key, &data);
        Some(id)
    }
}

/// The id at the end of a record whose files are all as they were.
fn validated_id(data: &[u8]) -> Option<Id> {
    let (head, id) = data.split_at_checked(data.len().checked_sub(32)?)?;
    let text = std::str::from_utf8(head).ok()?;
    let mut parts: Vec<&str> = text.split('\0').collect();
    if parts.pop() != Some("") {
        return None;
    }
    for pair in parts.chunks(2) {
        let [path, described] = pair else { return None };
        let now = describe_file(Utf8Path::new(path))?;
        if !same_description(&now, described) {
            return None;
        }
    }
    id.try_into().ok()
}

/// Size, mode and time of a file as go writes them: `stat 1095744 1ed 2022-01-08 09:48:12.5 +0000 UTC false`.
fn describe_file(path: &Utf8Path) -> Option<String> {
    let meta = path.as_std_path().metadata().ok()?;
    let mode = go_mode(meta.mode());
    let time = format_utc(meta.mtime(), u32::try_from(meta.mtime_nsec()).ok()?);
    Some(format!(
        "stat {} {mode:x} {time} {}\n",
        meta.len(),
        meta.is_dir()
    ))
}

/// Go keeps the permission bits and moves the rest.
fn go_mode(mode: u32) -> u32 {
    let moved = [
        (0o4000, 1 << 23),
        (0o2000, 1 << 22),
        (0o1000, 1 << 20),
        (0o040_000, 1 << 31),
    ];
    let is_dir = mode & 0o170_000 == 0o040_000;
    let extra = moved.iter().filter(|(bit, _)| {
        if *bit == 0o040_000 {
            is_dir
        } else {
            mode & bit != 0
        }
    });
    extra.fold(mode & 0o777, |all, (_, bit)| all | bit)
}

fn format_utc(seconds: i64, nanoseconds: u32) -> String {
    let at = Civil::of_unix(seconds);
    let mut fraction = String::new();
    if nanoseconds != 0 {
        fraction = format!(".{nanoseconds:09}")
            .trim_end_matches('0')
            .to_owned();
    }
    let (date, hour, minute, second) = (at.date(), at.hour, at.minute, at.second);
    format!("{date} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC")
}

/// Whether two descriptions mean the same: go writes the time in the local zone.
fn same_description(ours: &str, theirs: &str) -> bool {
    ours == theirs || normalised(ours).is_some_and(|ours| normalised(theirs) == Some(ours))
}

fn normalised(text: &str) -> Option<(String, i64, String)> {
    let words: Vec<&str> = text.trim_end().split(' ').collect();
    let [stat, size, mode, date, time, offset, .., dir] = words.as_slice() else {
        return None;
    };
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    let shift: i64 = offset.parse().ok()?;
    let shift = shift / 100 * 3600 + shift % 100 * 60;
    let civil = Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
    };
    let seconds = civil.unix() - shift;
    Some((
        format!("{stat} {size} {mode} {dir}"),
        seconds,
        fraction.to_owned(),
    ))
}

pub(in crate::exec) fn architecture_flags<'a>(
    goos: &str,
    goarch: &str,
    variant: &str,
) -> &'a [&'a str] {
    match (goarch, goos, variant) {
        ("386", ..) => &["-m32"],
        ("amd64", "darwin", _) => &["-arch", "x86_64", "-m64"],
        ("amd64", ..) => &["-m64"],
        ("arm64", "darwin", _) => &["-arch", "arm64"],
        ("arm", ..) => &["-marm"],
        ("s390x", ..) => &["-m64", "-march=z13"],
        ("mips64" | "mips64le", _, "hardfloat") => &["-mabi=64", "-mhard-float"],
        ("mips64" | "mips64le", _, "softfloat") => &["-mabi=64", "-msoft-float"],
        ("mips" | "mipsle", _, "hardfloat") => &[
            "-mabi=32",
            "-march=mips32",
            "-mhard-float",
            "-mfp32",
            "-mno-odd-spreg",
        ],
        ("mips" | "mipsle", _, "softfloat") => &["-mabi=32", "-march=mips32", "-msoft-float"],
        ("loong64", ..) => &["-mabi=lp64d"],
        ("ppc64", "aix", _) => &["-maix64"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(format_utc(0, 0), "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(
            format_utc(1_709_210_096, 120_000_000),
            "2024-02-29 12:34:56.12 +0000 UTC"
        );
    }

    #[test]
    fn descriptions_in_other_zones() {
        let ours = "stat 12 1ed 2024-02-29 12:34:56.12 +0000 UTC false\n";
        assert!(same_description(
            ours,
            "stat 12 1ed 2024-02-29 13:34:56.12 +0100 CET false\n"
        ));
        assert!(same_description(
            ours,
            "stat 12 1ed 2024-02-29 09:04:56.12 -0330 NST false\n"
        ));
        assert!(!same_description(
            ours,
            "stat 12 1ed 2024-02-29 12:34:56.12 +0100 CET false\n"
        ));
        assert!(!same_description(
            ours,
            "stat 13 1ed 2024-02-29 12:34:56.12 +0000 UTC false\n"
        ));
    }

    #[test]
    fn modes() {
        assert_eq!(go_mode(0o100_755), 0o755);
        assert_eq!(go_mode(0o104_755), 0o755 | 1 << 23);
        assert_eq!(go_mode(0o041_777), 0o777 | 1 << 20 | 1 << 31);
    }
}
