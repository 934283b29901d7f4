//! Files of a tree against the bytes that they should hold.

use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use steady_module::amount::{self, amount};
use steady_module::hex;
use steady_system::{Error, FileKind, Files, Walk};

use super::{CRASH, Problem};

const NO_FILE: &str = "a link, or no regular file";

/// The files below a directory by their names below it.
pub(super) struct Listed {
    root: Utf8PathBuf,
    kinds: HashMap<String, (FileKind, bool)>,
    /// Links where directories should be, and how many files should lie below each.
    instead: HashMap<String, usize>,
}

/// Something that nobody asked for.
pub(super) struct Extra<'l> {
    pub name: &'l str,
    pub problem: Problem,
    /// What should be there, if anything.
    pub expected: Option<String>,
    pub found: &'static str,
}

impl Listed {
    /// Lists a tree, links not followed.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn new(files: &Files, root: &Utf8Path) -> Result<Listed, Error> {
        let mut kinds = HashMap::new();
        let prefix = root.as_str().len() + 1;
        files.walk::<Error>(root, &mut |entry| {
            if entry.kind != FileKind::Dir
                && let Some(name) = entry.path.as_str().get(prefix..)
            {
                kinds.insert(name.to_owned(), (entry.kind, false));
            }
            Ok(Walk::Continue)
        })?;
        Ok(Listed {
            root: root.to_owned(),
            kinds,
            instead: HashMap::new(),
        })
    }

    /// What a name is, which from now on is known to belong there.
    pub fn take(&mut self, name: &str) -> Option<FileKind> {
        let (kind, taken) = self.kinds.get_mut(name)?;
        *taken = true;
        Some(*kind)
    }

    /// Where a name is.
    pub fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    /// Whether a name that is not there could not be, for a link stands where one of its directories should be. That is told of the
    /// link, once.
    pub fn is_behind_link(&mut self, name: &str) -> bool {
        let above = Utf8Path::new(name).ancestors().skip(1);
        let mut above = above.map(Utf8Path::as_str);
        let Some(link) = above.find(|dir| self.kinds.contains_key(*dir)) else {
            return false;
        };
        *self.instead.entry(link.to_owned()).or_default() += 1;
        true
    }

    /// What nobody asked for.
    pub fn rest(&self) -> Vec<Extra<'_>> {
        let rest = self.kinds.iter().filter(|(_, (_, taken))| !taken);
        let mut rest: Vec<Extra<'_>> = rest
            .map(|(name, (kind, _))| {
                let below = self.instead.get(name);
                Extra {
                    name,
                    problem: below.map_or(Problem::Added, |_| Problem::Linked),
                    expected: below.map(|count| {
                        format!("a directory with {}", amount(*count, ["file", "files"]))
                    }),
                    found: match (below, kind) {
                        (Some(_), _) => "a link, or no directory",
                        (None, FileKind::File) => "a file",
                        (None, _) => NO_FILE,
                    },
                }
            })
            .collect();
        rest.sort_unstable_by_key(|extra| extra.name);
        rest
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }
}

/// What bytes amount to, as messages tell it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Print {
    pub size: u64,
    pub hash: [u8; 32],
}

impl Print {
    pub fn of(bytes: &[u8]) -> Print {
        Print {
            size: bytes.len() as u64,
            hash: super::sha256(bytes),
        }
    }

    /// What a file amounts to.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(files: &Files, path: &Utf8Path) -> Result<Print, String> {
        let mut file = files.open(path).map_err(|error| error.to_string())?;
        Print::of_rest(&mut file).map_err(told)
    }

    fn of_rest(file: &mut File) -> std::io::Result<Print> {
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0; 64 << 10];
        let mut size = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => {
                    hash.update(&buffer[..count]);
                    size += count as u64;
                }
            }
        }
        Ok(Print {
            size,
            hash: super::array(&hash.finish()),
        })
    }
}

impl std::fmt::Display for Print {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = amount::bytes(self.size);
        write!(out, "{size}, sha256 {}", hex(&self.hash))
    }
}

/// What a file turned out to be.
pub(super) struct Seen {
    pub mode: u32,
    /// Number of its names.
    pub links: u64,
    /// How its contents differ, if they do.
    pub differs: Option<Difference>,
}

/// How a file's contents differ.
pub(super) struct Difference {
    pub print: Print,
    /// It is the beginning of what it should be.
    pub cut: bool,
}

impl Difference {
    /// What it is called, and what probably made it if that shows.
    pub fn kind(&self) -> (Problem, Option<&'static str>) {
        match self {
            Difference {
                print: Print { size: 0, .. },
                ..
            } => (Problem::Empty, Some(CRASH)),
            Difference { cut: true, .. } => (Problem::Truncated, Some(CRASH)),
            _ => (Problem::Edited, None),
        }
    }
}

/// A place where a file should be, held against the bytes that it should have as they come.
pub(super) struct Against {
    /// Where.
    pub path: Utf8PathBuf,
    found: Result<Held, (Problem, String)>,
}

impl Against {
    /// Opens what is there. `kind`: what it is, if it is there at all.
    pub fn open(files: &Files, path: Utf8PathBuf, kind: Option<FileKind>) -> Against {
        let found = match kind {
            Some(FileKind::File) => {
                Held::open(files, &path).map_err(|error| (Problem::Unreadable, error))
            }
            Some(_) => Err((Problem::Linked, NO_FILE.to_owned())),
            None => Err((Problem::Missing, "no file".to_owned())),
        };
        Against { path, found }
    }

    /// Compares the next bytes.
    pub fn take(&mut self, part: &[u8], buffer: &mut Vec<u8>) {
        if let Ok(held) = &mut self.found
            && let Err(error) = held.take(part, buffer)
        {
            self.found = Err((Problem::Unreadable, told(error)));
        }
    }

    /// What came of it after the last bytes: what the file is, or what keeps it from being compared.
    pub fn finish(self) -> (Utf8PathBuf, Result<Seen, (Problem, String)>) {
        let unreadable = |error| (Problem::Unreadable, told(error));
        let seen = self
            .found
            .and_then(|held| held.finish().map_err(unreadable));
        (self.path, seen)
    }
}

struct Held {
    file: File,
    mode: u32,
    links: u64,
    size: u64,
    compared: u64,
    so_far: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Same,
    /// It has ended too early.
    Cut,
    Other,
}

impl Held {
    fn open(files: &Files, path: &Utf8Path) -> Result<Held, String> {
        let file = files.open(path).map_err(|error| error.to_string())?;
        let meta = file.metadata().map_err(told)?;
        Ok(Held {
            file,
            mode: meta.permissions().mode() & 0o7777,
            links: meta.nlink(),
            size: meta.len(),
            so_far: Standing::Same,
            compared: 0,
        })
    }

    fn take(&mut self, part: &[u8], buffer: &mut Vec<u8>) -> std::io::Result<()> {
        if self.so_far != Standing::Same {
            return Ok(());
        }
        if buffer.len() < part.len() {
            buffer.resize(part.len(), 0);
        }
        let mut have = 0;
        while have < part.len() {
            match self.file.read(&mut buffer[have..part.len()]) {
                Ok(0) => break,
                Ok(count) => have += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.compared += have as u64;
        self.so_far = match buffer[..have] == part[..have] {
            true if have == part.len() => Standing::Same,
            true => Standing::Cut,
            false => Standing::Other,
        };
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<Seen> {
        if self.so_far == Standing::Same && self.size > self.compared {
            self.so_far = Standing::Other;
        }
        let differs = match self.so_far {
            Standing::Same => None,
            standing => Some(Difference {
                print: {
                    self.file.rewind()?;
                    Print::of_rest(&mut self.file)?
                },
                cut: standing == Standing::Cut,
            }),
        };
        Ok(Seen {
            mode: self.mode,
            links: self.links,
            differs,
        })
    }
}

fn told(error: std::io::Error) -> String {
    steady_system::describe_io(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(found: &[u8], wanted: &[&[u8]]) -> Option<(Problem, u64)> {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let files = Files::new(dir);
        let path = dir.join("f");
        files.write(&path, found, 0o600).unwrap();
        let mut held = Against::open(&files, path, Some(FileKind::File));
        let mut buffer = Vec::new();
        for part in wanted {
            held.take(part, &mut buffer);
        }
        let difference = held.finish().1.unwrap().differs?;
        assert_eq!(difference.print.to_string(), Print::of(found).to_string());
        Some((difference.kind().0, difference.print.size))
    }

    #[test]
    fn bytes_in_parts() {
        assert_eq!(seen(b"", &[]), None);
        assert_eq!(seen(b"", &[b""]), None);
        assert_eq!(seen(b"abcd", &[b"ab", b"cd"]), None);
        assert_eq!(seen(b"abc", &[b"ab", b"cd"]), Some((Problem::Truncated, 3)));
        assert_eq!(seen(b"ab", &[b"ab", b"cd"]), Some((Problem::Truncated, 2)));
        assert_eq!(seen(b"", &[b"ab"]), Some((Problem::Empty, 0)));
        assert_eq!(seen(b"abcde", &[b"ab", b"cd"]), Some((Problem::Edited, 5)));
        assert_eq!(seen(b"a", &[]), Some((Problem::Edited, 1)));
        assert_eq!(seen(b"axcd", &[b"ab", b"cd"]), Some((Problem::Edited, 4)));
    }
}
