//! What each package of a set imports, directly or not.

use crate::package::{PackageId, PackageSet};
use std::collections::HashSet;

/// For each package of a set a bit for each package: a union is a few hundred words, where sets of paths would be megabytes.
pub struct Reached(Vec<Vec<u64>>);

impl Reached {
    /// Follows the imports of a set.
    #[must_use]
    pub fn of(set: &PackageSet) -> Reached {
        let count = set.packages.len();
        let mut bits: Vec<Option<Vec<u64>>> = vec![None; count];
        for at in 0..count {
            reach(set, at, &mut bits, &mut HashSet::new());
        }
        Reached(bits.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Whether one package imports another, directly or not.
    #[must_use]
    pub fn has(&self, id: PackageId, dep: PackageId) -> bool {
        let (bits, at) = (&self.0[id.0 as usize], dep.0 as usize);
        bits.get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// All that a package imports, itself left out.
    pub fn all(&self, id: PackageId) -> impl Iterator<Item = PackageId> {
        let all = (0..self.0.len()).filter_map(|at| u32::try_from(at).ok().map(PackageId));
        all.filter(move |dep| *dep != id && self.has(id, *dep))
    }
}

fn reach(set: &PackageSet, at: usize, bits: &mut Vec<Option<Vec<u64>>>, open: &mut HashSet<usize>) {
    if bits[at].is_some() || !open.insert(at) {
        return;
    }
    let mut mine = vec![0u64; set.packages.len().div_ceil(64)];
    for import in &set.packages[at].internal.imports {
        let import = import.0 as usize;
        reach(set, import, bits, open);
        mine[import / 64] |= 1 << (import % 64);
        if let Some(theirs) = &bits[import] {
            mine.iter_mut()
                .zip(theirs)
                .for_each(|(mine, theirs)| *mine |= theirs);
        }
    }
    open.remove(&at);
    bits[at] = Some(mine);
}
