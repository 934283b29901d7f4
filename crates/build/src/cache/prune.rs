//! Making a build cache smaller: what was used longest ago goes first.
//!
//! Others may use the cache at the same moment. An entry goes before the output that it leads to, so whoever finds an entry finds the
//! output or takes it for a miss; whoever writes either anew meanwhile has, at worst, a miss later. A build keeps using outputs that
//! it looked up at its start. go and Steady note a use by the modification time, once an hour, so nothing goes that was used within
//! [`IN_USE`]: that is an hour for the note and another one for the build.

use camino::Utf8Path;
use std::fs;
use std::time::{Duration, SystemTime};

use super::survey::{Survey, Unit, used};

/// What was used this recently may be in use.
pub const IN_USE: Duration = Duration::from_secs(2 * 3600);

/// How far a cache is to be pruned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Bytes that may be left.
    pub size: Option<u64>,
    /// What was not used for so long goes in any case.
    pub age: Option<Duration>,
    /// Nothing is removed, only counted.
    pub dry: bool,
}

/// What became of a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Outputs with their entries that went (or would go).
    pub removed: usize,
    /// Bytes that they took.
    pub freed: u64,
    /// Bytes that are left.
    pub left: u64,
    /// Bytes of what would have gone, but may be in use.
    pub in_use: u64,
    /// Outputs that could not be removed, or that somebody used meanwhile.
    pub kept: usize,
}

/// Prunes a cache that was looked at.
#[must_use]
pub fn prune(survey: &Survey, limits: Limits, now: SystemTime) -> Pruned {
    let mut units: Vec<&Unit> = survey.units.iter().collect();
    units.sort_by_key(|unit| unit.used);
    let mut pruned = Pruned {
        left: survey.size(),
        ..Pruned::default()
    };
    for unit in units {
        let age = now.duration_since(unit.used).unwrap_or_default();
        let too_old = limits.age.is_some_and(|limit| age >= limit);
        let too_much = |limit| pruned.left - pruned.in_use > limit;
        if !too_old && !limits.size.is_some_and(too_much) {
            break; // the rest is younger, and there is room for it
        }
        if age < IN_USE {
            pruned.in_use += unit.size;
            continue;
        }
        if limits.dry || remove(unit) {
            pruned.removed += 1;
            pruned.freed += unit.size;
            pruned.left -= unit.size;
        } else {
            pruned.kept += 1;
        }
    }
    pruned
}

/// Removes a unit, entries first, unless somebody has used it since it was looked at.
fn remove(unit: &Unit) -> bool {
    let is_idle = |path: &Utf8Path| match path.symlink_metadata() {
        Ok(meta) => used(&meta) <= unit.used,
        Err(_) => true,
    };
    if !unit.files.iter().all(|path| is_idle(path)) {
        return false;
    }
    unit.files.iter().all(|path| {
        let removed = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        match removed {
            Ok(()) => true,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::super::{Cache, HashContext, Id};
    use super::*;
    use camino::Utf8PathBuf;
    use std::fs::File;

    const HOUR: Duration = Duration::from_secs(3600);

    struct Place {
        _dir: tempfile::TempDir,
        cache: Cache,
        now: SystemTime,
    }

    impl Place {
        fn new() -> Place {
            let dir = tempfile::tempdir().unwrap();
            let path = Utf8PathBuf::from_path_buf(dir.path().join("go-build")).unwrap();
            let hashes = HashContext::new("go1", None, false);
            Place {
                cache: Cache::open(&path, hashes, false).unwrap(),
                _dir: dir,
                now: SystemTime::now(),
            }
        }

        /// Puts 100 KB of this byte under the action of the same byte, last used some hours ago.
        fn put(&self, byte: u8, hours: u32) {
            let output = self.cache.put_bytes(&[byte; 32], &[byte; 100_000]).unwrap();
            for path in [self.cache.file(&[byte; 32], "-a"), output] {
                let file = File::open(path).unwrap();
                file.set_modified(self.now - hours * HOUR).unwrap();
            }
        }

        fn has(&self, bytes: &[u8]) -> Vec<bool> {
            let has = |byte: &u8| self.cache.get_bytes(&Id::from([*byte; 32])).is_some();
            bytes.iter().map(has).collect()
        }

        fn prune(&self, size: Option<u64>, age: Option<Duration>, dry: bool) -> Pruned {
            let limits = Limits { size, age, dry };
            prune(&Survey::of(self.cache.dir()), limits, self.now)
        }
    }

    #[test]
    fn the_longest_unused_goes_first_until_the_rest_fits() {
        let place = Place::new();
        for (byte, hours) in [(1, 30), (2, 50), (3, 10), (4, 20)] {
            place.put(byte, hours);
        }
        let before = Survey::of(place.cache.dir());
        assert_eq!(before.units.len(), 4);
        assert!(before.size() >= 400_000);
        let dry = place.prune(Some(before.size() / 2), None, true);
        assert_eq!((dry.removed, place.has(&[1, 2, 3, 4])), (2, vec![true; 4]));
        // They were looked up, and so used.
        for (byte, hours) in [(1, 30), (2, 50), (3, 10), (4, 20)] {
            place.put(byte, hours);
        }
        let done = place.prune(Some(before.size() / 2), None, false);
        assert_eq!(done, dry);
        assert_eq!(place.has(&[1, 2, 3, 4]), [false, false, true, true]);
        assert_eq!(Survey::of(place.cache.dir()).size(), done.left);
    }

    #[test]
    fn what_is_old_goes_and_what_may_be_in_use_stays() {
        let place = Place::new();
        for (byte, hours) in [(1, 30), (2, 3), (3, 1), (4, 0)] {
            place.put(byte, hours);
        }
        assert_eq!(place.prune(None, Some(24 * HOUR), false).removed, 1);
        let pruned = place.prune(Some(0), None, false);
        assert_eq!(pruned.removed, 1);
        assert!(pruned.in_use >= 200_000 && pruned.left == pruned.in_use);
        assert_eq!(place.has(&[1, 2, 3, 4]), [false, false, true, true]);
    }

    #[test]
    fn an_output_stays_as_long_as_one_of_its_entries_is_used() {
        let place = Place::new();
        place.put(1, 30);
        place.cache.put_bytes(&[9; 32], &[1; 100_000]).unwrap();
        let survey = Survey::of(place.cache.dir());
        assert_eq!(survey.units.len(), 1);
        assert_eq!(survey.units[0].actions.len(), 2);
        assert_eq!(place.prune(Some(0), None, false).removed, 0);
    }

    #[test]
    fn what_is_used_meanwhile_stays() {
        let place = Place::new();
        place.put(1, 30);
        let survey = Survey::of(place.cache.dir());
        assert!(place.cache.get_bytes(&[1; 32]).is_some()); // marks it as used
        let limits = Limits {
            size: Some(0),
            ..Limits::default()
        };
        assert_eq!(prune(&survey, limits, place.now).removed, 0);
        assert_eq!(place.has(&[1]), [true]);
    }

    #[test]
    fn programs_damaged_entries_and_orphans_go_too() {
        let place = Place::new();
        let program = place
            .cache
            .put_executable(&[1; 32], "p", std::io::Cursor::new(b"ELF"))
            .unwrap();
        let dir = program.parent().unwrap().to_owned();
        place.put(2, 30);
        fs::remove_file(place.cache.file(&[2; 32], "-a")).unwrap();
        place.put(3, 30);
        fs::write(place.cache.file(&[3; 32], "-a"), "torn").unwrap();
        let old = place.now - 30 * HOUR;
        for path in [&dir, &place.cache.file(&[1; 32], "-a")] {
            File::open(path).unwrap().set_modified(old).unwrap();
        }
        let torn = place.cache.file(&[3; 32], "-a");
        File::open(torn).unwrap().set_modified(old).unwrap();
        assert_eq!(place.prune(Some(0), None, false).left, 0);
        assert!(!dir.exists());
    }

    /// Builds at the same time: whatever they find is right, and what they do not find they make again.
    #[test]
    fn pruning_beside_others_never_gives_a_wrong_result() {
        let place = Place::new();
        let later = SystemTime::now() + 3 * HOUR;
        std::thread::scope(|scope| {
            for seed in 0..3_u8 {
                let cache = &place.cache;
                scope.spawn(move || {
                    for round in 0..200_u16 {
                        let byte = (round as u8).wrapping_mul(7).wrapping_add(seed) % 16;
                        let action = Id::from([byte; 32]);
                        match cache.get_bytes(&action) {
                            Some((data, _)) => assert_eq!(data, [byte; 1000]),
                            None => drop(cache.put_bytes(&action, &[byte; 1000]).unwrap()),
                        }
                    }
                });
            }
            for _ in 0..50 {
                let limits = Limits {
                    size: Some(4000),
                    ..Limits::default()
                };
                let _ = prune(&Survey::of(place.cache.dir()), limits, later);
            }
        });
    }
}
