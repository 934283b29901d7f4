//! Which flags for C compilers and linkers a package may ask for.
//!
//! What a `#cgo` line or pkg-config says is outside data: `-fplugin=` and its like would run code of its choosing during the
//! build. So only flags known to be harmless pass, each matched as a whole; no flag may begin with `@` after its letter, for
//! that reads further arguments from a file; and what `-Wl,` carries must not hold a further comma. Users widen or narrow this
//! with CGO_CFLAGS_ALLOW, CGO_CFLAGS_DISALLOW and their kin. The lists are go's, and are the interface.

use regex_lite::Regex;
use std::sync::LazyLock;

use crate::config::BuildConfig;

/// Which rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Compiler,
    Linker,
    PkgConfig,
}

const COMPILER: &[&str] = &[
    r"-D([A-Za-z_][A-Za-z0-9_]*)(=[^@\-]*)?",
    r"-U([A-Za-z_][A-Za-z0-9_]*)",
    r"-F([^@\-].*)",
    r"-I([^@\-].*)",
    r"-O",
    r"-O([^@\-].*)",
    r"-W",
    r"-W([^@,]+)",
    r"-Wa,-mbig-obj",
    r"-Wp,-D([A-Za-z_][A-Za-z0-9_]*)(=[^@,\-]*)?",
    r"-Wp,-U([A-Za-z_][A-Za-z0-9_]*)",
    r"-ansi",
    r"-f(no-)?asynchronous-unwind-tables",
    r"-f(no-)?blocks",
    r"-f(no-)builtin-[a-zA-Z0-9_]*",
    r"-f(no-)?common",
    r"-f(no-)?constant-cfstrings",
    r"-fdebug-prefix-map=([^@]+)=([^@]+)",
    r"-fdiagnostics-show-note-include-stack",
    r"-ffile-prefix-map=([^@]+)=([^@]+)",
    r"-fno-canonical-system-headers",
    r"-f(no-)?eliminate-unused-debug-types",
    r"-f(no-)?exceptions",
    r"-f(no-)?fast-math",
    r"-f(no-)?inline-functions",
    r"-finput-charset=([^@\-].*)",
    r"-f(no-)?fat-lto-objects",
    r"-f(no-)?keep-inline-dllexport",
    r"-f(no-)?lto",
    r"-fmacro-backtrace-limit=(.+)",
    r"-fmessage-length=(.+)",
    r"-f(no-)?modules",
    r"-f(no-)?objc-arc",
    r"-f(no-)?objc-nonfragile-abi",
    r"-f(no-)?objc-legacy-dispatch",
    r"-f(no-)?omit-frame-pointer",
    r"-f(no-)?openmp(-simd)?",
    r"-f(no-)?permissive",
    r"-f(no-)?(pic|PIC|pie|PIE)",
    r"-f(no-)?plt",
    r"-f(no-)?rtti",
    r"-f(no-)?split-stack",
    r"-f(no-)?stack-(.+)",
    r"-f(no-)?strict-aliasing",
    r"-f(un)signed-char",
    r"-f(no-)?use-linker-plugin",
    r"-f(no-)?visibility-inlines-hidden",
    r"-fsanitize=(.+)",
    r"-fsanitize-undefined-strip-path-components=(-)?[0-9]+",
    r"-ftemplate-depth-(.+)",
    r"-ftls-model=(global-dynamic|local-dynamic|initial-exec|local-exec)",
    r"-fvisibility=(.+)",
    r"-g([^@\-].*)?",
    r"-m32",
    r"-m64",
    r"-m(abi|arch|cpu|fpu|simd|tls-dialect|tune)=([^@\-].*)",
    r"-m(no-)?v?aes",
    r"-marm",
    r"-mcmodel=[0-9a-z-]+",
    r"-mfloat-abi=([^@\-].*)",
    r"-m(soft|single|double)-float",
    r"-mfpmath=[0-9a-z,+]*",
    r"-m(no-)?avx[0-9a-z.]*",
    r"-m(no-)?ms-bitfields",
    r"-m(no-)?stack-(.+)",
    r"-mmacosx-(.+)",
    r"-m(no-)?relax",
    r"-m(no-)?strict-align",
    r"-m(no-)?(lsx|lasx|frecipe|div32|lam-bh|lamcas|ld-seq-sa)",
    r"-mios-simulator-version-min=(.+)",
    r"-miphoneos-version-min=(.+)",
    r"-mlarge-data-threshold=[0-9]+",
    r"-mtvos-simulator-version-min=(.+)",
    r"-mtvos-version-min=(.+)",
    r"-mwatchos-simulator-version-min=(.+)",
    r"-mwatchos-version-min=(.+)",
    r"-mnop-fun-dllimport",
    r"-m(no-)?sse[0-9.]*",
    r"-m(no-)?ssse3",
    r"-mthumb(-interwork)?",
    r"-mthreads",
    r"-mwindows",
    r"-no-canonical-prefixes",
    r"--param=ssp-buffer-size=[0-9]*",
    r"-pedantic(-errors)?",
    r"-pipe",
    r"-pthread",
    r"--static",
    r"-?-std=([^@\-].*)",
    r"-?-stdlib=([^@\-].*)",
    r"--sysroot=([^@\-].*)",
    r"-w",
    r"-x([^@\-].*)",
    r"-v",
];

const COMPILER_WITH_NEXT: &[&str] = &[
    "-arch",
    "-D",
    "-U",
    "-I",
    "-F",
    "-framework",
    "-include",
    "-isysroot",
    "-isystem",
    "--sysroot",
    "-target",
    "-x",
];

/// On macOS this makes the linker load what comes next; `-l` alone would let it pass.
const LINKER_REFUSED: &[&str] = &[r"-lto_library"];

const LINKER: &[&str] = &[
    r"-F([^@\-].*)",
    r"-l([^@\-].*)",
    r"-L([^@\-].*)",
    r"-O",
    r"-O([^@\-].*)",
    r"-f(no-)?(pic|PIC|pie|PIE)",
    r"-f(no-)?openmp(-simd)?",
    r"-fsanitize=([^@\-].*)",
    r"-flat_namespace",
    r"-g([^@\-].*)?",
    r"-headerpad_max_install_names",
    r"-m(abi|arch|cpu|fpu|simd|tls-dialect|tune)=([^@\-].*)",
    r"-mcmodel=[0-9a-z-]+",
    r"-mfloat-abi=([^@\-].*)",
    r"-m(soft|single|double)-float",
    r"-m(no-)?relax",
    r"-m(no-)?strict-align",
    r"-m(no-)?(lsx|lasx|frecipe|div32|lam-bh|lamcas|ld-seq-sa)",
    r"-mmacosx-(.+)",
    r"-mios-simulator-version-min=(.+)",
    r"-miphoneos-version-min=(.+)",
    r"-mthreads",
    r"-mwindows",
    r"-(pic|PIC|pie|PIE)",
    r"-pthread",
    r"-rdynamic",
    r"-shared",
    r"-?-static([-a-z0-9+]*)",
    r"-?-stdlib=([^@\-].*)",
    r"-v",
    r"-Wl,--(no-)?allow-multiple-definition",
    r"-Wl,--(no-)?allow-shlib-undefined",
    r"-Wl,--(no-)?as-needed",
    r"-Wl,-Bdynamic",
    r"-Wl,-berok",
    r"-Wl,-Bstatic",
    r"-Wl,-Bsymbolic-functions",
    r"-Wl,-O[0-9]+",
    r"-Wl,-d[ny]",
    r"-Wl,--disable-new-dtags",
    r"-Wl,-e[=,][a-zA-Z0-9]+",
    r"-Wl,--enable-new-dtags",
    r"-Wl,--end-group",
    r"-Wl,--(no-)?export-dynamic",
    r"-Wl,-E",
    r"-Wl,-framework,[^,@\-][^,]*",
    r"-Wl,--hash-style=(sysv|gnu|both)",
    r"-Wl,-headerpad_max_install_names",
    r"-Wl,--no-undefined",
    r"-Wl,--pop-state",
    r"-Wl,--push-state",
    r"-Wl,-R,?([^@\-,][^,@]*$)",
    r"-Wl,--just-symbols[=,]([^,@\-][^,@]*)",
    r"-Wl,-rpath(-link)?[=,]([^,@\-][^,]*)",
    r"-Wl,-s",
    r"-Wl,-search_paths_first",
    r"-Wl,-sectcreate,([^,@\-][^,]*),([^,@\-][^,]*),([^,@\-][^,]*)",
    r"-Wl,--start-group",
    r"-Wl,-?-static",
    r"-Wl,-?-subsystem,(native|windows|console|posix|xbox)",
    r"-Wl,-syslibroot[=,]([^,@\-][^,]*)",
    r"-Wl,-undefined[=,]([^,@\-][^,]*)",
    r"-Wl,-?-unresolved-symbols=[^,]+",
    r"-Wl,--(no-)?warn-([^,]+)",
    r"-Wl,-?-wrap[=,][^,@\-][^,]*",
    r"-Wl(,-z,(relro|now|(no)?execstack))+",
    r"[a-zA-Z0-9_/].*\.(a|o|obj|dll|dylib|so|tbd)",
    r"\./.*\.(a|o|obj|dll|dylib|so|tbd)",
];

const LINKER_WITH_NEXT: &[&str] = &[
    "-arch",
    "-F",
    "-l",
    "-L",
    "-framework",
    "-isysroot",
    "--sysroot",
    "-target",
    "-Wl,-framework",
    "-Wl,-rpath",
    "-Wl,-R",
    "-Wl,--just-symbols",
    "-Wl,-undefined",
];

const PKG_CONFIG: &[&str] = &[
    r"--atleast-pkgconfig-version=\d+\.\d+\.\d+",
    r"--atleast-version=\d+\.\d+\.\d+",
    r"--cflags-only-I",
    r"--cflags",
    r"--define-prefix",
    r"--define-variable=[A-Za-z_][A-Za-z0-9_]*=[^@\-]*",
    r"--digraph",
    r"--dont-define-prefix",
    r"--dont-relocate-paths",
    r"--dump-personality",
    r"--env-only",
    r"--errors-to-stdout",
    r"--exact-version=\d+\.\d+\.\d+",
    r"--exists",
    r"--fragment-filter=[A-Za-z_][a-zA-Z0-9_]*",
    r"--ignore-conflicts",
    r"--internal-cflags",
    r"--keep-system-cflags",
    r"--keep-system-libs",
    r"--libs-only-l",
    r"--libs-only-L",
    r"--libs",
    r"--list-all",
    r"--list-package-names",
    r"--max-version=\d+\.\d+\.\d+",
    r"--maximum-traverse-depth=[0-9]+",
    r"--modversion",
    r"--msvc-syntax",
    r"--no-cache",
    r"--no-provides",
    r"--no-uninstalled",
    r"--path",
    r"--personality=(triplet|filename)",
    r"--prefix-variable=[A-Za-z_][a-zA-Z0-9_]*",
    r"--print-errors",
    r"--print-provides",
    r"--print-requires-private",
    r"--print-requires",
    r"--print-variables",
    r"--pure",
    r"--shared",
    r"--short-errors",
    r"--silence-errors",
    r"--simulate",
    r"--static",
    r"--uninstalled",
    r"--validate",
    r"--variable=[A-Za-z_][a-zA-Z0-9_]*",
    r"--with-path=[^@\-].*",
];

/// One pattern that matches what any of a list matches as a whole. What their groups match is of no interest, and keeping it for
/// each of thousands of states would take megabytes.
fn any_of(patterns: &[&str]) -> Regex {
    let joined = patterns
        .iter()
        .map(|pattern| format!("(?:{})", pattern.replace('(', "(?:")))
        .collect::<Vec<_>>()
        .join("|");
    Regex::new(&format!("^(?:{joined})$")).expect("a fixed pattern")
}

static COMPILER_FLAGS: LazyLock<Regex> = LazyLock::new(|| any_of(COMPILER));
static LINKER_FLAGS: LazyLock<Regex> = LazyLock::new(|| any_of(LINKER));
static LINKER_FLAGS_REFUSED: LazyLock<Regex> = LazyLock::new(|| any_of(LINKER_REFUSED));
static PKG_CONFIG_FLAGS: LazyLock<Regex> = LazyLock::new(|| any_of(PKG_CONFIG));

struct Checker {
    allow: Option<Regex>,
    disallow: Option<Regex>,
    rules: Rules,
}

impl Checker {
    fn new(config: Option<&BuildConfig>, name: &str, rules: Rules) -> Result<Checker, String> {
        let user = |suffix: &str| {
            let variable = format!("CGO_{name}_{suffix}");
            let Some(text) = config
                .map(|config| config.setting(&variable))
                .filter(|text| !text.is_empty())
            else {
                return Ok(None);
            };
            let pattern =
                Regex::new(text).map_err(|error| format!("parsing ${variable}: {error}"))?;
            Ok::<_, String>(Some(pattern))
        };
        Ok(Checker {
            allow: user("ALLOW")?,
            disallow: user("DISALLOW")?,
            rules,
        })
    }

    fn is_refused(&self, flag: &str) -> bool {
        self.rules == Rules::Linker && LINKER_FLAGS_REFUSED.is_match(flag)
    }

    fn is_valid(&self, flag: &str) -> bool {
        if flag.contains('\n') {
            return false; // no list lets a line end pass
        }
        match self.rules {
            Rules::Compiler => COMPILER_FLAGS.is_match(flag),
            Rules::Linker => LINKER_FLAGS.is_match(flag),
            Rules::PkgConfig => PKG_CONFIG_FLAGS.is_match(flag),
        }
    }

    fn with_next(&self) -> &'static [&'static str] {
        match self.rules {
            Rules::Compiler => COMPILER_WITH_NEXT,
            Rules::Linker => LINKER_WITH_NEXT,
            Rules::PkgConfig => &[],
        }
    }

    /// `Some(true)`: passes; `Some(false)`: is refused; `None`: it depends on the argument after it.
    fn judge(&self, flag: &str) -> Option<bool> {
        let whole = |pattern: &Option<Regex>| {
            pattern.as_ref().is_some_and(|pattern| {
                pattern
                    .find(flag)
                    .is_some_and(|found| found.as_str() == flag)
            })
        };
        if whole(&self.disallow) {
            return Some(false);
        }
        if whole(&self.allow) {
            return Some(true);
        }
        if self.is_refused(flag) {
            return Some(false);
        }
        if self.is_valid(flag) {
            return Some(true);
        }
        if flag.starts_with("-Wl,--push-state,") {
            let fine = |part: &str| {
                let part = format!("-Wl,{part}");
                self.is_valid(&part) && !self.is_refused(&part)
            };
            return Some(flag.split(',').skip(1).all(fine));
        }
        None
    }
}

/// Whether a word cannot be taken for a flag or for the name of a file of flags.
pub(crate) fn is_safe_argument(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/') || !c.is_ascii())
}

/// Whether the word after a flag makes the two of them fit to pass.
fn is_safe_pair(flag: &str, next: &str) -> bool {
    if is_safe_argument(next) {
        return true;
    }
    let next_linker = next.strip_prefix("-Wl,");
    if flag.starts_with("-Wl,")
        && let Some(rest) = next_linker
    {
        return is_safe_argument(rest) && !rest.contains(',');
    }
    flag == "-I"
        && (next.starts_with('=') || next.starts_with("$SYSROOT"))
        && next.get(1..).is_some_and(is_safe_argument)
}

/// Checks flags of a kind (`CFLAGS`, `LDFLAGS`, …) that come from `source` (`#cgo CFLAGS`). With a configuration, the user's
/// own rules count.
///
/// # Errors
/// go's words for the first flag that does not pass.
pub(crate) fn check(
    config: Option<&BuildConfig>,
    name: &str,
    source: &str,
    flags: &[String],
    rules: Rules,
) -> Result<(), String> {
    if flags.is_empty() && config.is_none() {
        return Ok(());
    }
    let checker = Checker::new(config, name, rules)?;
    let bad = |text: String| {
        Err(format!(
            "invalid flag in {source}: {text} (see https://go.dev/s/invalidflag)"
        ))
    };
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match checker.judge(flag) {
            Some(true) => continue,
            Some(false) => return bad(flag.clone()),
            None => {}
        }
        if !checker.with_next().contains(&flag.as_str()) {
            return bad(flag.clone());
        }
        match flags.next() {
            Some(next) if is_safe_pair(flag, next) => {}
            Some(next) => return bad(format!("{flag} {next}")),
            None => return bad(format!("{flag} without argument")),
        }
    }
    Ok(())
}

/// Whether flags may keep the Go linker from doing its work alone: unknown ones, link-time optimisation and, if `statics`, those
/// that ask for static linking.
pub(crate) fn need_external_link(flags: &[String], statics: bool) -> bool {
    let special = |flag: &String| {
        flag.starts_with("-flto") || (statics && (flag == "-static" || flag == "--static"))
    };
    check(None, "", "", flags, Rules::Compiler).is_err() || flags.iter().any(special)
}

/// The same for flags of the linker.
pub(crate) fn link_flags_need_external_link(flags: &[String]) -> bool {
    const STATIC: [&str; 5] = [
        "-static",
        "--static",
        "-Wl,-static",
        "-Wl,--static",
        "-Wl,-Bstatic",
    ];
    check(None, "", "", flags, Rules::Linker).is_err()
        || flags.iter().any(|flag| STATIC.contains(&flag.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(rules: Rules, flags: &[&str]) -> bool {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        check(
            Some(&BuildConfig::default()),
            "CFLAGS",
            "#cgo CFLAGS",
            &flags,
            rules,
        )
        .is_ok()
    }

    #[test]
    fn compiler_flags() {
        for good in [
            &["-DFOO"][..],
            &["-Dfoo=bar"],
            &["-I/"],
            &["-Iobj"],
            &["-O2"],
            &["-Osmall"],
            &["-fobjc-arc"],
            &["-ftls-model=local-dynamic"],
            &["-g"],
            &["-ggdb"],
            &["-march=souza"],
            &["-mcpu=123"],
            &["-std=c99"],
            &["-I", "dir"],
            &["-I", "$SYSROOT/dir"],
            &["-I", "世界"],
            &["-isystem", "/usr/include/mozjs-68"],
            &["-include", "/usr/include/mozjs-68/RequiredDefines.h"],
            &["-xc"],
        ] {
            assert!(passes(Rules::Compiler, good), "{good:?}");
        }
        for bad in [
            &["-D@X"][..],
            &["-D-X"],
            &["-Ufoo=bar"],
            &["-F@dir"],
            &["-F-dir"],
            &["-I@dir"],
            &["-O@1"],
            &["-Wa,-foo"],
            &["-W@foo"],
            &["-g@gdb"],
            &["-g-gdb"],
            &["-march=@dawn"],
            &["-march=-dawn"],
            &["-std=@c99"],
            &["-x@c++"],
            &["-D", "@foo"],
            &["-D", "-foo"],
            &["-I", "@foo"],
            &["-I", "=@obj"],
            &["-include", "@foo"],
            &["-fplugin=x.so"],
            &["-I"],
            &["-B/dir"],
        ] {
            assert!(!passes(Rules::Compiler, bad), "{bad:?}");
        }
    }

    #[test]
    fn linker_flags() {
        for good in [
            &["-Fbar"][..],
            &["-lbar"],
            &["-Lbar"],
            &["-fpic"],
            &["-pthread"],
            &["-Wl,--as-needed"],
            &["-Wl,-Bstatic", "-la"],
            &["-Wl,-rpath,/a"],
            &["-Wl,-z,now,-z,relro"],
            &["/x.o"],
            &["./x.dylib"],
            &["libfoo.so"],
            &["-Wl,-framework", "-Wl,Chocolate"],
            &["-L", "framework"],
            &["-Wl,--push-state,--as-needed"],
            &["-Wl,-R,/foo"],
            &["-Wl,--wrap=wrapped_function"],
        ] {
            assert!(passes(Rules::Linker, good), "{good:?}");
        }
        for bad in [
            &["-DFOO"][..],
            &["-lto_library"],
            &["-l@foo"],
            &["-Wl,-R,foo,bar"],
            &["-Wl,-R,@foo"],
            &["-Wl,-R,-foo"],
            &["../x.o"],
            &["@foo.o"],
            &["-Wl,-e,@foo"],
            &["-Wl,-rpath,-dir"],
            &["-x", "--c"],
            &["-Wl,--push-state,-bad"],
            &["-Wl,-z,now,-x,foo"],
        ] {
            assert!(!passes(Rules::Linker, bad), "{bad:?}");
        }
    }

    #[test]
    fn users_rules_and_words() {
        let mut config = BuildConfig::default();
        config
            .settings
            .insert("CGO_CFLAGS_ALLOW".into(), "-fplugin=.*".into());
        config
            .settings
            .insert("CGO_CFLAGS_DISALLOW".into(), "-O.".into());
        let check = |flag: &str| {
            check(
                Some(&config),
                "CFLAGS",
                "#cgo CFLAGS",
                &[flag.to_owned()],
                Rules::Compiler,
            )
        };
        assert!(check("-fplugin=x.so").is_ok());
        assert_eq!(
            check("-O2").unwrap_err(),
            "invalid flag in #cgo CFLAGS: -O2 (see https://go.dev/s/invalidflag)"
        );
        assert_eq!(
            check("-I").unwrap_err(),
            "invalid flag in #cgo CFLAGS: -I without argument (see https://go.dev/s/invalidflag)"
        );
        assert!(check("-w\n-fplugin=x").is_err());
    }

    #[test]
    fn links() {
        assert!(!need_external_link(
            &["-O2".to_owned(), "-g".to_owned()],
            true
        ));
        assert!(need_external_link(&["-flto".to_owned()], false));
        assert!(need_external_link(&["--static".to_owned()], true));
        assert!(link_flags_need_external_link(&["-Wl,-Bstatic".to_owned()]));
        assert!(!link_flags_need_external_link(&["-lm".to_owned()]));
        assert!(need_external_link(&["-fplugin=x".to_owned()], false));
    }
}
