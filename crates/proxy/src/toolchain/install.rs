//! A toolchain from the module cache made fit for use.
//!
//! As a module it has neither executable bits nor files named go.mod. Both are put in place after extraction: the bits of the tools
//! first and those of `bin` last; each `_go.mod` copied to `go.mod`, the one of `src` last of all, so that its presence tells
//! everybody, go included, that the tree is complete. Two runs doing this at the same time do the same and do not disturb each other.

use camino::{Utf8Path, Utf8PathBuf};
use std::io::Write;

use steady_module::{ModuleVersion, gover};
use steady_system::{Error as SystemError, FileKind, Files, Walk};

use crate::{Error, Fetcher, Kind, Result, toolchain_repo};

/// Fetches a toolchain (`go1.26.8`) for GOOS/GOARCH into the module cache, verified, with its executable bits and `go.mod` files in
/// place, and gives its GOROOT. What is there and complete is only looked at.
///
/// # Errors
/// Go's: `download go1.99.0 for linux/amd64: toolchain not available`, ...
pub fn install(fetcher: &Fetcher, name: &str, os: &str, arch: &str) -> Result<Utf8PathBuf> {
    let module = ModuleVersion::new(
        toolchain_repo::MODULE,
        toolchain_repo::download_version(name, os, arch),
    );
    let dir = fetcher.download(&module).map_err(|error| {
        if matches!(error.kind(), Kind::Security(_)) {
            return error;
        }
        if !error.is_not_exist() {
            return error.context(format!("download {name}"));
        }
        let version = gover::from_toolchain(name);
        if gover::is_lang(version) && gover::compare(version, "1.21").is_ge() {
            let text = format!("invalid toolchain: {name} is a language version but not a toolchain version ({name}.x)");
            return Error::other(text);
        }
        Error::other(format!("download {name} for {os}/{arch}: toolchain not available"))
    })?;
    let files = Files::new(&dir);
    finish(&files, &dir, os, arch).map_err(|error| error.context(format!("download {name}")))?;
    Ok(dir)
}

/// Puts bits and go.mod files in place if they are not.
fn finish(files: &Files, dir: &Utf8Path, os: &str, arch: &str) -> Result<()> {
    // Some take the `go` program out of a toolchain, so the compiler is looked at too.
    let tools = [
        dir.join("bin/go"),
        dir.join(format!("pkg/tool/{os}_{arch}/compile")),
    ];
    let lacks_bits = |path: &Utf8PathBuf| files.stat(path).is_ok_and(|meta| meta.mode & 0o111 == 0);
    if os != "windows" && tools.iter().any(lacks_bits) {
        let any = |_: &str| true;
        allow_exec(files, &dir.join("pkg/tool"), &any)?;
        allow_exec(files, &dir.join("lib"), &is_exec_wrapper)?;
        allow_exec(files, &dir.join("bin/gofmt"), &any)?;
        allow_exec(files, &dir.join("bin"), &any)?;
    }
    let (from, to) = (dir.join("src/_go.mod"), dir.join("src/go.mod"));
    if size(files, &from) == size(files, &to) {
        return Ok(());
    }
    let mut found = Vec::new();
    files.walk::<SystemError>(dir, &mut |entry| {
        if entry.name == "_go.mod" && entry.kind == FileKind::File && entry.path != from {
            found.push(entry.path.clone());
        }
        Ok(Walk::Continue)
    })?;
    found.push(from);
    found
        .iter()
        .try_for_each(|path| copy(files, path, &path.with_file_name("go.mod")))
}

fn size(files: &Files, path: &Utf8Path) -> Option<u64> {
    files.stat(path).ok().map(|meta| meta.size)
}

/// `go_<os>_<arch>_exec`, both parts given.
fn is_exec_wrapper(name: &str) -> bool {
    let middle = name
        .strip_prefix("go_")
        .and_then(|rest| rest.strip_suffix("_exec"));
    middle.is_some_and(|middle| {
        middle
            .char_indices()
            .any(|(at, c)| c == '_' && at > 0 && at + 1 < middle.len())
    })
}

fn allow_exec(files: &Files, below: &Utf8Path, which: &dyn Fn(&str) -> bool) -> Result<()> {
    if !files.exists(below) {
        return Ok(());
    }
    files.walk::<Error>(below, &mut |entry| {
        if entry.kind != FileKind::Dir && which(&entry.name) {
            files.set_mode(&entry.path, files.stat(&entry.path)?.mode & 0o777 | 0o111)?;
        }
        Ok(Walk::Continue)
    })
}

/// Copies a file whose contents never change. Not through a rename: somebody else may do the same at this moment, and what he sees
/// is the right bytes or fewer of them.
fn copy(files: &Files, from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    if size(files, from) == size(files, to) {
        return Ok(());
    }
    let bytes = files.read(from)?;
    let dir = from.parent().unwrap_or(from);
    let (dir_mode, mode) = (files.stat(dir)?.mode, files.stat(from)?.mode);
    // The module cache's directories are read-only.
    files.set_mode(dir, dir_mode | 0o700)?;
    let written = files.open_or_create(to, 0o644).and_then(|mut file| {
        file.write_all(&bytes).map_err(|source| SystemError::Path {
            op: "write",
            path: to.to_owned(),
            source,
        })?;
        files.set_mode(to, mode)
    });
    let _ = files.set_mode(dir, dir_mode);
    match written {
        // Somebody else was faster, and the file is read-only now.
        Err(_) if size(files, from) == size(files, to) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::tests::{scene_for, zip_of};
    use crate::testing::{Answer, Server};

    fn toolchain_zip() -> Vec<u8> {
        let module = ModuleVersion::new(toolchain_repo::MODULE, "v0.0.1-go1.30.0.linux-amd64");
        let files = [
            ("go.mod", "module golang.org/toolchain\n"),
            ("VERSION", "go1.30.0\n"),
            ("bin/go", "#!go"),
            ("bin/gofmt", "#!gofmt"),
            ("lib/wasm/go_js_wasm_exec", "#!exec"),
            ("lib/wasm/readme", "text"),
            ("pkg/tool/linux_amd64/compile", "#!compile"),
            ("src/_go.mod", "module std\n"),
            ("src/cmd/_go.mod", "module cmd\n"),
            ("src/fmt/print.go", "package fmt\n"),
        ];
        zip_of(&module, &files)
    }

    /// A directory that is a proxy: alone in GOPROXY it needs no checksum database.
    fn proxy() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(Utf8Path::from_path(dir.path()).unwrap());
        files.create_dir_all("golang.org/toolchain/@v").unwrap();
        let name = "golang.org/toolchain/@v/v0.0.1-go1.30.0.linux-amd64.zip";
        files.write(name, &toolchain_zip(), 0o644).unwrap();
        let url = format!("file://{}", files.cwd());
        (dir, url)
    }

    #[test]
    fn a_toolchain_is_made_fit_for_use() {
        let (_proxy, url) = proxy();
        let (_dir, files, fetcher) = scene_for(&url);
        let root = install(&fetcher, "go1.30.0", "linux", "amd64").unwrap();
        let mode = |path: &str| files.stat(root.join(path)).unwrap().mode & 0o777;
        for path in [
            "bin/go",
            "bin/gofmt",
            "lib/wasm/go_js_wasm_exec",
            "pkg/tool/linux_amd64/compile",
        ] {
            assert_eq!(mode(path), 0o555, "{path}");
        }
        assert_eq!(
            (mode("lib/wasm/readme"), mode("src/go.mod"), mode("src")),
            (0o444, 0o444, 0o555)
        );
        assert_eq!(
            files.read(root.join("src/go.mod")).unwrap(),
            b"module std\n"
        );
        assert_eq!(
            files.read(root.join("src/cmd/go.mod")).unwrap(),
            b"module cmd\n"
        );
        assert_eq!(
            install(&fetcher, "go1.30.0", "linux", "amd64").unwrap(),
            root
        );
    }

    #[test]
    fn what_was_interrupted_is_finished() {
        let (_proxy, url) = proxy();
        let (_dir, files, fetcher) = scene_for(&url);
        let root = install(&fetcher, "go1.30.0", "linux", "amd64").unwrap();
        files.set_mode(root.join("src"), 0o755).unwrap();
        files.set_mode(root.join("src/go.mod"), 0o644).unwrap();
        files.write(root.join("src/go.mod"), b"mod", 0o644).unwrap();
        files.set_mode(root.join("bin/go"), 0o444).unwrap();
        install(&fetcher, "go1.30.0", "linux", "amd64").unwrap();
        assert_eq!(
            files.read(root.join("src/go.mod")).unwrap(),
            b"module std\n"
        );
        assert_eq!(files.stat(root.join("bin/go")).unwrap().mode & 0o777, 0o555);
    }

    #[test]
    fn refusals_read_like_gos() {
        let (_proxy, url) = proxy();
        let text = |url: &str, name: &str| {
            let (_dir, _files, fetcher) = scene_for(url);
            install(&fetcher, name, "linux", "amd64")
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            text(&url, "go1.29.9"),
            "download go1.29.9 for linux/amd64: toolchain not available"
        );
        let lang = "invalid toolchain: go1.22 is a language version but not a toolchain version (go1.22.x)";
        assert_eq!(text(&url, "go1.22"), lang);
        let broken = Server::new(|_| Answer::new(500, "text/plain", "broken"));
        let reading =
            "download go1.31.0: golang.org/toolchain@v0.0.1-go1.31.0.linux-amd64: reading ";
        assert!(text(&broken.url(""), "go1.31.0").starts_with(reading));
    }

    #[test]
    fn the_database_has_a_say_even_where_it_is_off() {
        let server = Server::new(|_| Answer::new(200, "application/zip", toolchain_zip()));
        let (_dir, _files, fetcher) = scene_for(&server.url(""));
        let error = install(&fetcher, "go1.30.0", "linux", "amd64").unwrap_err();
        let want = "verifying module: checksum database disabled by GOSUMDB=off";
        assert!(error.to_string().ends_with(want), "{error}");
    }

    #[test]
    fn wrappers_have_both_parts() {
        let good = ["go_js_wasm_exec", "go_android_arm64_exec"];
        assert!(good.iter().all(|name| is_exec_wrapper(name)));
        assert!(
            !["go_js_exec", "go__exec", "go_exec", "x_js_wasm_exec"]
                .iter()
                .any(|name| is_exec_wrapper(name))
        );
    }
}
