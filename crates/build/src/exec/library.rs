//! Linking packages to a shared library.

use super::Run;
use super::ids::Hashed;
use crate::plan::NodeId;
use crate::shell::{Done, Failure};

impl Run<'_> {
    pub(super) fn link_library(&self, node: NodeId) -> Done {
        let hashed = self.library_action_id(node)?;
        let target = self.plan.nodes[node].target.clone();
        let found = self.use_cache(node, hashed.id, &target, !self.needs.is_list)?;
        if found || self.needs.is_list {
            return Ok(());
        }
        let done = self.link_library_anew(node, &target);
        self.flush_output(node);
        done
    }

    fn link_library_anew(&self, node: NodeId, target: &str) -> Done {
        let objdir = &self.plan.nodes[node].objdir;
        let shell = self.shell(node);
        shell.mkdir(objdir)?;
        let import_config = format!("{objdir}importcfg.link");
        shell.write_file(&import_config, &self.link_config(node, ""))?;
        // There is no place for a build id in a library, so it is never found in the cache.
        self.update(node, |data| target.clone_into(&mut data.built));
        self.driver.link_library(self, node, &import_config)
    }

    fn library_action_id(&self, node: NodeId) -> Result<Hashed, Failure> {
        let target = &self.config.target;
        let mut hash = self.cache.hashes().hash("linkShared").keeping_text();
        hash.add(format_args!("linkShared\n"));
        hash.add(format_args!(
            "goos {} goarch {}\n",
            target.goos, target.goarch
        ));
        self.driver.identify_link(self, &mut hash, None)?;
        let deps = &self.plan.nodes[node].deps;
        for dep in deps {
            let built = self.data(*dep).built;
            let Some(id) = self.plan.nodes[*dep].package else {
                continue;
            };
            if built.is_empty() {
                continue;
            }
            let public = &self.packages[id].public;
            let name = format!("packagefile {}", public.import_path);
            self.add_content(&mut hash, &name, &built);
            self.add_library(&mut hash, public);
        }
        for top in &self.plan.nodes[deps[0]].deps {
            if let Some(id) = self.plan.nodes[*top].package {
                let name = format!("top {}", self.packages[id].public.import_path);
                self.add_content(&mut hash, &name, &self.data(*top).built);
            }
        }
        Ok(Hashed::of(hash))
    }

    /// Writes beside a package's archive which library it is in.
    pub(super) fn name_library(&self, node: NodeId) -> Done {
        let node_ref = &self.plan.nodes[node];
        let shell = self.shell(node);
        if !shell.dry()
            && let Some((dir, _)) = node_ref.target.rsplit_once('/')
        {
            shell.mkdir(dir)?;
        }
        let library = &self.plan.nodes[node_ref.deps[0]].target;
        let name = library.rsplit('/').next().unwrap_or(library);
        shell.write_file(&node_ref.target, format!("{name}\n").as_bytes())
    }
}
