//! The build cache: every entry has the form of one and stands under its own id, every output has the contents that its name is the
//! hash of.
//!
//! What an action should have put out nobody can tell without doing it again; but what lies under an id is what was put there.

use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use std::collections::HashMap;
use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use steady_module::amount::{self, amount};
use steady_system::{FileKind, Files};

use super::{BuildCache, Chain, Failure, Link, Outcome, Problem, each};
use steady_module::hex;

/// `v1 <id> <id> <size> <time>` and a line end.
const ENTRY: usize = 3 + 64 + 1 + 64 + 1 + 20 + 1 + 20 + 1;
const CRASH: &str = "a crash or a full disk while it was written";
const WRITTEN: &str = "somebody wrote into the build cache, or the disk is failing";

/// What one of the 256 directories holds.
#[derive(Default)]
struct Part {
    /// Sizes of outputs as entries give them, with the entry.
    wanted: Vec<(String, u64, Utf8PathBuf)>,
    /// Outputs with their sizes.
    outputs: HashMap<String, u64>,
    checked: usize,
    bytes: u64,
    failures: Vec<Failure>,
}

/// Looks at the whole cache.
pub(super) fn check(chain: &Chain<'_>) -> Outcome {
    let since = Instant::now();
    let mut outcome = Outcome::new(Link::Objects, ["object", "objects"]);
    let dir = match &chain.build_cache {
        BuildCache::Dir(dir) => dir,
        BuildCache::Elsewhere(reason) => {
            outcome.unverified(1, "build cache", reason.clone(), "");
            return outcome;
        }
    };
    let dirs: Vec<Utf8PathBuf> = (0..=u8::MAX)
        .map(|byte| dir.join(format!("{byte:02x}")))
        .collect();
    let done = AtomicUsize::new(0);
    let processors = steady_system::processors();
    let parts = each(processors, &dirs, |buffer: &mut Vec<u8>, dir| {
        buffer.resize(256 << 10, 0);
        let part = Part::read(chain.files, dir, buffer);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        (chain.progress)(Link::Objects, done, dirs.len());
        part
    });
    gather(parts, &mut outcome);
    outcome.timed(since)
}

fn gather(parts: Vec<Part>, outcome: &mut Outcome) {
    let mut outputs: HashMap<String, u64> = HashMap::new();
    let mut wanted = Vec::new();
    for part in parts {
        outcome.checked += part.checked;
        outcome.bytes += part.bytes;
        outcome.failures.extend(part.failures);
        outputs.extend(part.outputs);
        wanted.extend(part.wanted);
    }
    let mut trimmed = 0;
    for (output, size, entry) in wanted {
        match outputs.get(&output) {
            // Entries and outputs are trimmed each by its own age.
            None => trimmed += 1,
            Some(found) if *found == size => {}
            Some(found) => {
                // The output is told already; that it was cut, its entry alone knows.
                let its = format!("{output}-d");
                let mut told = outcome.failures.iter_mut();
                if let Some(failure) = told.find(|failure| failure.file.as_str().contains(&its)) {
                    if failure.problem == Problem::Edited && *found < size {
                        failure.problem = Problem::Truncated;
                        failure.expected += &format!(", {}", amount::bytes(size));
                        CRASH.clone_into(&mut failure.cause);
                    }
                    continue;
                }
                outcome.failures.push(
                    Failure::new(Link::Objects, Problem::Forged, entry)
                        .saying(
                            format!("{}, the size of output {output}", amount::bytes(*found)),
                            amount::bytes(size),
                        )
                        .because(WRITTEN),
                );
            }
        }
    }
    if trimmed > 0 {
        outcome.notes.push(amount(
            trimmed,
            [
                "entry whose output was trimmed",
                "entries whose outputs were trimmed",
            ],
        ));
    }
    outcome.failures.sort_by(|a, b| a.file.cmp(&b.file));
}

impl Part {
    fn read(files: &Files, dir: &Utf8Path, buffer: &mut [u8]) -> Part {
        let mut part = Part::default();
        // A directory that is not there holds nothing.
        for entry in files.read_dir(dir).unwrap_or_default() {
            let path = dir.join(&entry.name);
            let Some((id, suffix)) = entry.name.split_once('-') else {
                continue;
            };
            let own = dir.file_name().is_some_and(|name| id.starts_with(name));
            if !own || id.len() != 64 {
                continue;
            }
            match suffix {
                "a" => part.entry(files, id, &path, entry.kind),
                "d" => part.output(files, id, &path, entry.kind, buffer),
                _ => {}
            }
        }
        part
    }

    fn fail(&mut self, problem: Problem, path: &Utf8Path, words: (String, String), cause: &str) {
        self.failures.push(
            Failure::new(Link::Objects, problem, path)
                .saying(words.0, words.1)
                .because(cause),
        );
    }

    fn entry(&mut self, files: &Files, id: &str, path: &Utf8Path, kind: FileKind) {
        self.checked += 1;
        let expected = format!("an entry of action {id}");
        if kind != FileKind::File {
            let found = "a link, or no regular file".to_owned();
            return self.fail(Problem::Linked, path, (expected, found), WRITTEN);
        }
        let bytes = match files.read(path) {
            Ok(bytes) => bytes,
            // Another process trims.
            Err(error) if error.is_not_found() => return,
            Err(error) => {
                let words = (expected, error.to_string());
                return self.fail(Problem::Unreadable, path, words, WRITTEN);
            }
        };
        let words = |found: &str| (expected.clone(), found.to_owned());
        if bytes.is_empty() {
            return self.fail(Problem::Empty, path, words("0 bytes"), CRASH);
        }
        let text = String::from_utf8_lossy(&bytes);
        let fields: Vec<&str> = text.split_whitespace().collect();
        match fields[..] {
            ["v1", action, output, size, time] if bytes.len() == ENTRY => {
                let good = output.len() == 64 && time.parse::<u64>().is_ok();
                match size.parse() {
                    Ok(size) if good && action == id => {
                        self.wanted.push((output.to_owned(), size, path.to_owned()));
                    }
                    Ok(_) if good => {
                        let found = format!("an entry of action {action}");
                        self.fail(Problem::Swapped, path, (expected, found), WRITTEN);
                    }
                    _ => self.fail(Problem::Malformed, path, words(text.trim_end()), WRITTEN),
                }
            }
            _ if bytes.len() < ENTRY => {
                let found = format!("{} of {ENTRY} bytes", bytes.len());
                self.fail(Problem::Truncated, path, words(&found), CRASH);
            }
            _ => self.fail(Problem::Malformed, path, words(text.trim_end()), WRITTEN),
        }
    }

    fn output(
        &mut self,
        files: &Files,
        id: &str,
        path: &Utf8Path,
        kind: FileKind,
        buffer: &mut [u8],
    ) {
        self.checked += 1;
        let expected = format!("contents with sha256 {id}");
        let file = match kind {
            FileKind::File => path.to_owned(),
            // Programs lie in a directory, under their own names.
            FileKind::Dir => match files.read_dir(path).unwrap_or_default().as_slice() {
                [one] if one.kind == FileKind::File => path.join(&one.name),
                [] => {
                    let words = (expected, "an empty directory".to_owned());
                    return self.fail(Problem::Empty, path, words, CRASH);
                }
                _ => {
                    let words = (expected, "more than one file".to_owned());
                    return self.fail(Problem::Duplicated, path, words, WRITTEN);
                }
            },
            _ => {
                let words = (expected, "a link, or no regular file".to_owned());
                return self.fail(Problem::Linked, path, words, WRITTEN);
            }
        };
        let (size, found) = match hash(files, &file, buffer) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(error) => {
                return self.fail(Problem::Unreadable, &file, (expected, error), WRITTEN);
            }
        };
        self.bytes += size;
        self.outputs.insert(id.to_owned(), size);
        if found == id {
            return;
        }
        let other = file.with_file_name(format!("{found}-d"));
        let other = other
            .ancestors()
            .nth(2)
            .map(|root| root.join(&found[..2]).join(format!("{found}-d")));
        let words = (expected, format!("{}, sha256 {found}", amount::bytes(size)));
        if size == 0 {
            self.fail(Problem::Empty, &file, words, CRASH);
        } else if other.is_some_and(|other| files.exists(other)) {
            let cause = "outputs were exchanged";
            self.fail(Problem::Swapped, &file, words, cause);
        } else {
            self.fail(Problem::Edited, &file, words, WRITTEN);
        }
    }
}

/// Size and hash of a file; `None` if it is gone meanwhile.
fn hash(
    files: &Files,
    path: &Utf8Path,
    buffer: &mut [u8],
) -> Result<Option<(u64, String)>, String> {
    let mut file = match files.open(path) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut hash = Context::new(&SHA256);
    let mut size = 0;
    loop {
        let count = file
            .read(buffer)
            .map_err(|error| steady_system::describe_io(&error))?;
        hash.update(&buffer[..count]);
        size += count as u64;
        // A file gives less than asked for only at its end.
        if count < buffer.len() {
            break;
        }
    }
    Ok(Some((size, hex(hash.finish().as_ref()))))
}
