//! Linking a program.

use std::fmt::Write as _;
use steady_packages::package::Package;

use super::Run;
use crate::plan::NodeId;
use crate::quote::quote_bytes;
use crate::shell::Done;

/// Marks around the build info in a program.
const INFO_START: [u8; 16] = [
    0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6,
];
const INFO_END: [u8; 16] = [
    0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2,
];

/// Build info as it stands in a program.
pub(super) fn marked(info: &str) -> Vec<u8> {
    [&INFO_START, info.as_bytes(), &INFO_END].concat()
}

impl Run<'_> {
    pub(super) fn link(&self, node: NodeId) -> Done {
        let (id, package) = self.package(node)?;
        let hashed = self.link_action_id(node)?;
        let action = hashed.id;
        let target = self.plan.target_of(id).to_owned();
        if self.use_cache(node, action, &target, !self.needs.is_list)? {
            self.found_built(node, &hashed);
            self.update(node, |data| {
                if self.plan.nodes[node].keep_executable && data.cached_executable.is_empty() {
                    data.cached_executable.clone_from(&data.built);
                }
            });
            return Ok(());
        }
        if self.needs.is_list {
            let target = self.plan.nodes[node].target.clone();
            self.update(node, |data| data.built = target);
            return Ok(());
        }
        let linked = self.cache.hashes().subkey(&action, "steady linked");
        if self.plan.nodes[node].discard
            && self.may_skip_link()
            && self.cache.get(&linked).is_some()
        {
            self.replay(node);
            return Ok(());
        }
        self.begin_anew(node, node, &hashed);
        let done = self.link_anew(node, package);
        self.flush_output(node);
        if done.is_ok() && self.plan.nodes[node].discard && self.may_skip_link() {
            let _ = self.cache.put_bytes(&linked, b"");
        }
        done
    }

    /// A program that nobody wants is linked to see whether it can be, and for that once is enough, unless the steps themselves
    /// are wanted.
    fn may_skip_link(&self) -> bool {
        let flags = &self.config.flags;
        !(flags.a || flags.n || flags.x || flags.work) && flags.toolexec.is_empty()
    }

    fn link_anew(&self, node: NodeId, package: &Package) -> Done {
        let shell = self.shell(node);
        let node_ref = &self.plan.nodes[node];
        shell.mkdir(&node_ref.objdir)?;
        let import_config = format!("{}importcfg.link", node_ref.objdir);
        let info = package.internal.build_info.as_deref().unwrap_or_default();
        shell.write_file(&import_config, &self.link_config(node, info))?;
        let target = node_ref.target.clone();
        let (dir, _) = target.rsplit_once('/').unwrap_or((".", &target));
        shell.mkdir(&format!("{dir}/"))?;
        self.driver.link(self, node, &import_config)?;
        self.finish_build_id(node, &target)?;
        self.end_anew(node);
        self.update(node, |data| data.built.clone_from(&target));
        Ok(())
    }

    /// All packages of a program or a library, and its build info.
    pub(super) fn link_config(&self, node: NodeId, info: &str) -> Vec<u8> {
        let mut text = String::new();
        for dep in &self.plan.nodes[node].deps {
            if let Some(id) = self.plan.nodes[*dep].package {
                let public = &self.packages[id].public;
                let path = &public.import_path;
                let _ = writeln!(text, "packagefile {path}={}", self.data(*dep).built);
                if !public.shlib.is_empty() {
                    let _ = writeln!(text, "packageshlib {path}={}", public.shlib);
                }
            }
        }
        let _ = writeln!(text, "modinfo {}", quote_bytes(&marked(info)));
        text.into_bytes()
    }
}
