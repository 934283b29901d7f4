//! Vet in the graph: a node for every package, because a package is looked at with what is known of those it imports.

use steady_packages::package::{PackageId, PackageSet};

use super::{Kind, NodeId, Plan};
use crate::config::BuildConfig;
use crate::modes::Modes;

impl<'a> Plan<'a> {
    /// Plans `go vet` of packages.
    pub fn for_vet(
        packages: &'a PackageSet,
        config: &'a BuildConfig,
        modes: &'a Modes,
        work: &'a str,
        roots: &[PackageId],
    ) -> Plan<'a> {
        let mut plan = Plan::empty(packages, config, modes, work);
        let deps = roots.iter().map(|id| plan.vet(*id)).collect();
        plan.root = plan.add(Kind::Join, None, deps, String::new());
        plan.finish();
        plan
    }

    /// The node that reports on a package.
    pub(super) fn vet(&mut self, id: PackageId) -> NodeId {
        let node = self.facts(id);
        if let Kind::Vet { facts_only, .. } = &mut self.nodes[node].kind {
            *facts_only = false;
        }
        node
    }

    /// The node that at least finds out what packages that import this one must know.
    fn facts(&mut self, id: PackageId) -> NodeId {
        if let Some(node) = self.vets.get(&id) {
            return *node;
        }
        let build = match self.builds.get(&id) {
            Some(node) => *node,
            None => self.new_build(id, false),
        };
        let packages = self.packages;
        let mut deps = vec![build];
        for import in &packages[id].internal.imports {
            let dep = self.facts(*import);
            deps.push(dep);
        }
        let build = self.build_behind(build);
        let kind = if self.nodes[build].kind == Kind::BuiltIn {
            Kind::Join
        } else {
            Kind::Vet {
                build,
                facts_only: true,
            }
        };
        let objdir = self.nodes[build].objdir.clone();
        let node = self.add(kind, Some(id), deps, objdir);
        self.nodes[node].ignores_failure = true;
        self.vets.insert(id, node);
        node
    }
}
