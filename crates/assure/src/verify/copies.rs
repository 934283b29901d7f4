//! Copies of a module's files in a vendor directory, each against the file that it is a copy of.

use camino::{Utf8Path, Utf8PathBuf};
use std::time::Instant;

use super::cache::Place;
use super::pass::{Look, Passed, Share, Tools};
use super::tree::{Against, Print};
use super::vendor::failure;
use super::{Chain, Failure, Problem, sha256};

/// Opens a copy, to be held against the bytes that it should have.
pub(super) fn open(chain: &Chain<'_>, path: Utf8PathBuf) -> Against {
    let kind = chain.files.lstat(&path).map(|meta| meta.kind).ok();
    Against::open(chain.files, path, kind)
}

/// What is wrong with a copy that should have been this.
pub(super) fn settle(chain: &Chain<'_>, copy: Against, want: Print) -> Option<Failure> {
    let (path, seen) = copy.finish();
    let fail = |problem, found: String| {
        failure(chain, problem, path.clone()).saying(want.to_string(), found)
    };
    let seen = match seen {
        Ok(seen) => seen,
        Err((problem, found)) => return Some(fail(problem, found)),
    };
    if let Some(difference) = &seen.differs {
        let (problem, cause) = difference.kind();
        let cause = match cause {
            _ if only_line_ends(chain, &path, want) => {
                Some("git changed the line ends (core.autocrlf, or text in .gitattributes)")
            }
            cause => cause,
        };
        let failure = fail(problem, difference.print.to_string());
        return Some(match cause {
            Some(cause) => failure.because(cause),
            None => failure,
        });
    }
    if seen.mode & 0o7111 != 0 {
        let found = format!("{:04o}: it can be executed", seen.mode);
        let mut failure = fail(Problem::Mode, found);
        "-rw-r--r--".clone_into(&mut failure.expected);
        return Some(failure.because("chmod, or a copy that did not keep permissions"));
    }
    None
}

fn only_line_ends(chain: &Chain<'_>, path: &Utf8Path, want: Print) -> bool {
    let Ok(found) = chain.files.read(path) else {
        return false;
    };
    let mut plain = Vec::with_capacity(found.len());
    for (at, byte) in found.iter().enumerate() {
        if *byte != b'\r' || found.get(at + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    found.len() != plain.len() && sha256(&plain) == want.hash
}

impl Look<'_> {
    /// The copies of one file.
    pub fn open_copies(&self, copies: &[Utf8PathBuf]) -> Vec<Against> {
        let Some(place) = self.place else {
            return Vec::new();
        };
        let copies = copies.iter();
        copies
            .map(|copy| open(self.chain, place.join(copy)))
            .collect()
    }

    /// What came of one of them.
    pub fn settle_copy(&self, copy: Against, want: Print, share: &mut Share) {
        share.checked += 1;
        share.bytes += want.size;
        let failure = settle(self.chain, copy, want);
        let module = &self.item.module;
        let failures = failure.into_iter().map(|failure| failure.of(module));
        share.failures.extend(failures);
    }

    /// Copies without a zip: the extracted tree does as well if it is in order.
    pub fn vendor_alone(&self, sound: bool, tools: &mut Tools, passed: &mut Passed) {
        let since = Instant::now();
        let dir = match &self.item.place {
            Place::Complete(dir) if sound => Some(dir),
            _ => None,
        };
        for (name, copies) in self.copies {
            let Some(dir) = dir else {
                passed.vendor.skipped += copies.len();
                continue;
            };
            let Ok(bytes) = self.chain.files.read(dir.join(name)) else {
                for copy in copies {
                    self.not_in_zip(copy, &mut passed.vendor);
                }
                continue;
            };
            let want = Print::of(&bytes);
            for mut copy in self.open_copies(copies) {
                copy.take(&bytes, &mut tools.buffer);
                self.settle_copy(copy, want, &mut passed.vendor);
            }
        }
        passed.vendor.elapsed += since.elapsed();
    }

    /// Tells of a copy that nothing in the module is the measure for.
    pub fn not_in_zip(&self, copy: &Utf8Path, share: &mut Share) {
        let Some(place) = self.place else { return };
        let path = place.join(copy);
        if self.chain.files.lstat(&path).is_err() {
            return;
        }
        share.checked += 1;
        share.failures.push(
            failure(self.chain, Problem::Added, path)
                .of(&self.item.module)
                .saying("no file: the module's zip has none of that name", "a file"),
        );
    }
}
