//! `mod tidy -compat`: would an older go command, which reads graphs without pruning, load the same packages from go.mod?

use super::packages::ModulePackages;
use super::reqs::{ModuleGraph, Reqs};
use super::{ImportError, Modules};
use std::fmt::Write as _;
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};
use steady_system::parallel;

/// What the older command would do otherwise.
#[derive(Debug, Default)]
pub struct Incompatible {
    /// A message for each package; a line break at the end belongs to those that have one.
    pub errors: Vec<String>,
    /// What can be done.
    pub advice: String,
}

/// Versions as they go into advice.
pub(super) struct Versions<'a> {
    /// The older command's.
    pub compat: &'a str,
    /// That of the requirements.
    pub go: &'a str,
    /// That of go.mod before.
    pub main: &'a str,
}

impl Modules {
    /// Holds packages against what the older command's requirements, `other`, would select for them.
    pub(super) fn check_compatible(
        &self,
        packages: &ModulePackages,
        reqs: &Reqs,
        other: &Arc<Reqs>,
        versions: &Versions<'_>,
    ) -> Option<Incompatible> {
        let graph = match self.graph_of(other) {
            Ok(graph) => graph,
            Err(error) => {
                let compat = versions.compat;
                return Some(Incompatible {
                    errors: vec![format!("error loading go {compat} module graph: {error}")],
                    advice: versions.advice(false, false),
                });
            }
        };
        let checked: Vec<usize> = packages
            .in_order()
            .filter(|&at| {
                let node = &packages.nodes[at];
                // The standard library does not depend on requirements.
                node.test_of.is_none() && (node.module.is_some() || node.error.is_some())
            })
            .collect();
        let again = parallel::map(&checked, parallel::WAITING, |&at| {
            let found = self.in_graph(&graph, &packages.nodes[at].path);
            found.map(|found| found.module)
        });
        let mut errors = Vec::new();
        let (mut upgrade, mut go_on) = (false, false);
        for (&at, now) in checked.iter().zip(again) {
            let node = &packages.nodes[at];
            if now.as_ref().ok().and_then(Option::as_ref) == node.module.as_ref() {
                continue;
            }
            let compat = versions.compat;
            errors.push(match now {
                Err(error) => {
                    go_on = true;
                    upgrade |= moved(reqs, &graph);
                    let from = node.module.clone().unwrap_or_default();
                    let way = packages.stack_text(at);
                    let lost = format!("{way} loaded from {from},\n\tbut go {compat} would fail to locate it");
                    match error {
                        ImportError::Missing(_) => {
                            let selected = graph.selected_or_none(&from.path);
                            format!("{lost} in {}", ModuleVersion::new(from.path, selected))
                        }
                        other => format!("{lost}:\n\t{other}"),
                    }
                }
                Ok(now) => {
                    upgrade = true;
                    let now = now.unwrap_or_default();
                    match &node.module {
                        None => format!(
                            "{} failed to load from any module,\n\tbut go {compat} would load it from {now}",
                            node.path
                        ),
                        Some(from) => format!(
                            "{} loaded from {from},\n\tbut go {compat} would select {}\n",
                            packages.stack_text(at),
                            now.version
                        ),
                    }
                }
            });
        }
        (!errors.is_empty()).then(|| Incompatible {
            errors,
            advice: versions.advice(upgrade, go_on),
        })
    }
}

/// Whether a root would not be selected as it is named.
fn moved(reqs: &Reqs, graph: &ModuleGraph) -> bool {
    let mut roots = reqs.roots.iter();
    roots.any(|root| graph.selected_or_none(&root.path) != root.version)
}

impl Versions<'_> {
    fn advice(&self, upgrade: bool, go_on: bool) -> String {
        let Versions { compat, go, main } = self;
        let go_flag = if go == main {
            String::new()
        } else {
            format!(" -go={go}")
        };
        let compat_flag = if *compat == gover::prev(go) {
            String::new()
        } else {
            format!(" -compat={compat}")
        };
        let mut text = String::new();
        if upgrade {
            let (words, flag) = if go_on {
                (", leaving some packages unresolved", " -e")
            } else {
                ("", "")
            };
            let _ = writeln!(
                text,
                "To upgrade to the versions selected by go {compat}{words}:\n\tgo mod tidy{flag} -go={compat} && go mod tidy{flag} -go={go}{compat_flag}"
            );
        } else if go_on {
            let _ = writeln!(
                text,
                "To proceed despite packages unresolved in go {compat}:\n\tgo mod tidy -e{go_flag}{compat_flag}"
            );
        }
        text + &format!(
            "If reproducibility with go {compat} is not needed:\n\tgo mod tidy{go_flag} -compat={go}\nFor information about 'go mod tidy' compatibility, see:\n\thttps://go.dev/ref/mod#graph-pruning"
        )
    }
}
