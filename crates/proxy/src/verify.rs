//! Is what lies in the module cache still what was verified when it was fetched? (`go mod verify`)
//!
//! The `.ziphash` file remembers the sum of a zip; the zip is hashed again, and the extracted directory held against it, byte by byte.
//! Only a directory that is not the same, or has no zip, is hashed too. Modules are spread over threads, large ones do not wait for one
//! another.

use camino::Utf8Path;
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::Read;
use steady_module::ModuleVersion;
use steady_system::{FileKind, Files, Walk, interrupt, parallel};

use crate::zip::{Archive, Buffers, Hash1, Twin, Unpack, hash1};
use crate::{Error, Fetcher, Result};

/// What is wrong with each module, in the order of the question; nothing for those that are as they were, or not in the cache.
#[must_use]
pub fn verify(fetcher: &Fetcher, files: &Files, modules: &[ModuleVersion]) -> Vec<Vec<String>> {
    let buffers = Buffers::default();
    parallel::map(modules, steady_system::processors(), |module| {
        one(fetcher, files, module, &buffers)
    })
}

fn one(fetcher: &Fetcher, files: &Files, module: &ModuleVersion, buffers: &Buffers) -> Vec<String> {
    let ModuleVersion { path, version, .. } = module;
    let say = |what: String| format!("{path} {version}: {what}");
    let zip = fetcher
        .cache_path(module, "zip")
        .ok()
        .filter(|zip| files.exists(zip));
    let dir = fetcher.download_dir(module).ok();
    let recorded = match fetcher.sum(module) {
        Some(sum) => sum,
        None if zip.is_none() && dir.is_none() => return Vec::new(),
        None => {
            let file = fetcher.cache_path(module, "ziphash").unwrap_or_default();
            return vec![say(format!(
                "missing ziphash: open {file}: no such file or directory"
            ))];
        }
    };
    let mut wrong = Vec::new();
    let mut is_same = false;
    if let Some(zip) = &zip {
        match hash_zip(
            files,
            zip,
            dir.as_deref(),
            &format!("{path}@{version}/"),
            buffers,
        ) {
            Ok((sum, same)) if sum == recorded => is_same = same,
            Ok(_) => wrong.push(say(format!("zip has been modified ({zip})"))),
            Err(error) => return vec![say(error.to_string())],
        }
    }
    if let Some(dir) = dir.as_ref().filter(|_| !is_same) {
        match hash_dir(files, dir, &format!("{path}@{version}"), buffers) {
            Ok(sum) if sum == recorded => {}
            Ok(_) => wrong.push(say(format!("dir has been modified ({dir})"))),
            Err(error) => wrong.push(say(error.to_string())),
        }
    }
    wrong
}

/// The `h1:` sum of a zip, and whether the directory has just its files. Their names begin with `prefix`, or it has not.
fn hash_zip(
    files: &Files,
    zip: &Utf8Path,
    dir: Option<&Utf8Path>,
    prefix: &str,
    buffers: &Buffers,
) -> Result<(String, bool)> {
    let archive =
        Archive::open(files.open(zip)?).map_err(|error| Error::other(error.to_string()))?;
    let twin = dir.map(|dir| Twin::new(files, dir));
    let pass = Unpack {
        archive: &archive,
        prefix,
        target: None,
        twin: twin.as_ref(),
        buffers,
        threads: 1,
        progress: &|_, _| {},
    };
    let sum = hash1(pass.run()?)?;
    let all = archive.entries().len();
    let is_same = match (twin, dir) {
        (Some(twin), Some(dir)) if twin.same() == all => count(files, dir)? == all,
        _ => false,
    };
    Ok((sum, is_same))
}

/// How many files a directory has.
fn count(files: &Files, dir: &Utf8Path) -> Result<usize> {
    let mut count = 0;
    files.walk::<Error>(dir, &mut |entry| {
        interrupt::check()?;
        count += usize::from(entry.kind != FileKind::Dir);
        Ok(Walk::Continue)
    })?;
    Ok(count)
}

/// The `h1:` sum of a directory, as if its files were named `prefix/…`. Names lie in one piece of memory: a module may have a hundred
/// thousand of them.
///
/// # Errors
/// A file that cannot be read, or whose name has a newline.
fn hash_dir(files: &Files, dir: &Utf8Path, prefix: &str, buffers: &Buffers) -> Result<String> {
    let (mut names, mut places) = (String::new(), Vec::new());
    files.walk::<Error>(dir, &mut |entry| {
        interrupt::check()?;
        if entry.kind != FileKind::Dir {
            let start = names.len();
            names += entry.path.strip_prefix(dir).unwrap_or(&entry.path).as_str();
            places.push(start..names.len());
        }
        Ok(Walk::Continue)
    })?;
    places.sort_unstable_by(|one, other| names[one.clone()].cmp(&names[other.clone()]));
    let mut tools = buffers.take();
    let buffer = tools.piece();
    let mut hash = Hash1::default();
    let (mut path, mut name) = (format!("{dir}/"), format!("{prefix}/"));
    let starts = (path.len(), name.len());
    for place in places {
        path.truncate(starts.0);
        name.truncate(starts.1);
        path += &names[place.clone()];
        name += &names[place];
        let path = Utf8Path::new(&path);
        hash.add(&name, &hash_file(files.open(path)?, path, buffer)?)?;
    }
    buffers.give(tools);
    Ok(hash.sum())
}

fn hash_file(mut file: File, path: &Utf8Path, buffer: &mut [u8]) -> Result<[u8; 32]> {
    let mut hash = Context::new(&SHA256);
    loop {
        let count = file.read(buffer).map_err(|error| {
            Error::other(format!(
                "read {path}: {}",
                steady_system::describe_io(&error)
            ))
        })?;
        hash.update(&buffer[..count]);
        // A file gives less than asked for only at its end; asking once more would double the calls for nearly all files.
        if count < buffer.len() {
            break;
        }
    }
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_the_sum_of_its_files() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let files = Files::new(dir);
        files.create_dir_all(dir.join("b")).unwrap();
        files
            .write(dir.join("b/x.go"), b"package x\n", 0o666)
            .unwrap();
        files
            .write(dir.join("go.mod"), b"module m\n", 0o666)
            .unwrap();
        let sum = |text: &[u8]| {
            let mut out = [0; 32];
            out.copy_from_slice(ring::digest::digest(&SHA256, text).as_ref());
            out
        };
        let wanted = vec![
            ("m@v1.0.0/go.mod".to_owned(), sum(b"module m\n")),
            ("m@v1.0.0/b/x.go".to_owned(), sum(b"package x\n")),
        ];
        let buffers = Buffers::default();
        let found = hash_dir(&files, dir, "m@v1.0.0", &buffers).unwrap();
        assert_eq!(found, hash1(wanted).unwrap());
        files
            .write(dir.join("go.mod"), b"module n\n", 0o666)
            .unwrap();
        assert_ne!(hash_dir(&files, dir, "m@v1.0.0", &buffers).unwrap(), found);
    }
}
