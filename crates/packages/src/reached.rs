//! What each package of a set imports, directly or not.

use crate::package::{PackageId, PackageSet};

/// For each package of a set a bit for each package: a union is a few hundred words, where sets of paths would be megabytes.
pub struct Reached(Vec<Vec<u64>>);

impl Reached {
    /// Follows the imports of a set, dependencies first. In a cycle, as in go, those that are met first miss what is met after them.
    #[must_use]
    pub fn of(set: &PackageSet) -> Reached {
        let count = set.packages.len();
        let mut all = vec![Vec::new(); count];
        for id in set.with_dependencies(&set.ids().collect::<Vec<_>>()) {
            let mut mine = vec![0u64; count.div_ceil(64)];
            for import in &set[id].internal.imports {
                let import = import.0 as usize;
                mine[import / 64] |= 1 << (import % 64);
                mine.iter_mut()
                    .zip(&all[import])
                    .for_each(|(mine, theirs)| *mine |= theirs);
            }
            all[id.0 as usize] = mine;
        }
        Reached(all)
    }

    /// Whether one package imports another, directly or not.
    #[must_use]
    pub fn has(&self, id: PackageId, dep: PackageId) -> bool {
        let (bits, at) = (&self.0[id.0 as usize], dep.0 as usize);
        bits.get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// All that a package imports: in a cycle itself too.
    pub fn all(&self, id: PackageId) -> impl Iterator<Item = PackageId> {
        let all = (0..self.0.len()).filter_map(|at| u32::try_from(at).ok().map(PackageId));
        all.filter(move |dep| self.has(id, *dep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Package;

    /// A set of packages, each with the numbers of those that it imports.
    fn set(imports: &[&[u32]]) -> PackageSet {
        let mut set = PackageSet::default();
        for list in imports {
            let id = set.add(Package::default());
            set[id].internal.imports = list.iter().copied().map(PackageId).collect();
        }
        set
    }

    fn all(imports: &[&[u32]]) -> Vec<Vec<u32>> {
        let set = set(imports);
        let reached = Reached::of(&set);
        set.ids()
            .map(|id| reached.all(id).map(|dep| dep.0).collect())
            .collect()
    }

    #[test]
    fn follows_imports_whatever_the_order() {
        assert_eq!(
            all(&[&[1], &[2, 3], &[], &[2]]),
            [vec![1, 2, 3], vec![2, 3], vec![], vec![2]]
        );
        assert_eq!(all(&[&[], &[0], &[1]]), [vec![], vec![0], vec![0, 1]]);
    }

    #[test]
    fn in_a_cycle_the_first_of_all_reaches_itself() {
        assert_eq!(
            all(&[&[1], &[2, 3], &[0], &[]]),
            [vec![0, 1, 2, 3], vec![0, 2, 3], vec![0], vec![]]
        );
    }
}
