//! Putting results into their places.

use std::time::SystemTime;

use super::Run;
use crate::plan::{Kind, NodeId};
use crate::shell::{Done, Failure};

impl Run<'_> {
    pub(super) fn install(&self, node: NodeId, of_link: bool) -> Done {
        self.install_result(node, of_link).map_err(|failure| {
            let package = self.plan.nodes[node].package;
            let path = package
                .map(|id| format!(" {}", self.packages[id].public.import_path))
                .unwrap_or_default();
            Failure::new(format!(
                "go {}{path}: {}",
                self.config.command, failure.text
            ))
        })
    }

    fn install_result(&self, node: NodeId, of_link: bool) -> Done {
        let node_ref = &self.plan.nodes[node];
        let from = node_ref.deps[0];
        let made = self.data(from);
        let target = node_ref.target.clone();
        let shell = self.shell(node);
        self.update(node, |data| {
            data.build_id.clone_from(&made.build_id);
            data.action_id = made.action_id;
            data.built.clone_from(&target);
            data.cached_executable.clone_from(&made.cached_executable);
        });
        let implicit = node_ref.implicit;
        if made.built == target {
            if !implicit {
                self.clean_up(from);
            }
            if self.needs.is_list || implicit {
                return Ok(());
            }
            if let Some(sightings) = &self.config.sightings {
                sightings.result(&self.config.cwd.join(&target), &made.build_id);
            }
            // Nobody shall tell from the time whether something was built.
            if self.config.flags.n {
                shell.show("", &format!("touch {target}"));
            } else {
                let file = std::fs::File::options()
                    .write(true)
                    .open(self.config.cwd.join(&target));
                let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
            }
            return Ok(());
        }
        if self.needs.is_list {
            self.update(node, |data| data.built = made.built);
            return Ok(());
        }
        shell.mkdir(&node_ref.objdir)?;
        if let Some((dir, _)) = target.rsplit_once('/') {
            shell.mkdir(&format!("{dir}/"))?;
        }
        let library = matches!(
            self.modes.buildmode.as_str(),
            "c-archive" | "c-shared" | "plugin"
        );
        let mode = if of_link && !library { 0o777 } else { 0o666 };
        let moved = shell.move_or_copy(&target, &made.built, mode, false);
        if !implicit {
            self.clean_up(from);
        }
        moved
    }

    /// Removes what an action has left, as early as nobody needs it any more.
    fn clean_up(&self, node: NodeId) {
        if !self.config.flags.work {
            self.shell(node).remove_all(&self.plan.nodes[node].objdir);
        }
    }

    pub(super) fn install_header(&self, node: NodeId) -> Done {
        let node_ref = &self.plan.nodes[node];
        let shell = self.shell(node);
        let from = format!("{}_cgo_install.h", node_ref.objdir);
        if !std::path::Path::new(&from).exists() {
            // Nothing was exported.
            if self.config.flags.x {
                shell.show("", &format!("# {from} not created"));
            }
            return Ok(());
        }
        if let Some((dir, _)) = node_ref.target.rsplit_once('/') {
            shell.mkdir(&format!("{dir}/"))?;
        }
        debug_assert_eq!(node_ref.kind, Kind::InstallHeader);
        shell.move_or_copy(&node_ref.target, &from, 0o666, true)
    }
}
