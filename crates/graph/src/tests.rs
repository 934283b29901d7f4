use super::*;
use std::collections::BTreeMap;

/// `module: requirement…`, a line each; a path that begins with `old` is from before pruning.
struct Fixture(HashMap<ModuleVersion, Arc<Summary>>);

fn module(word: &str) -> ModuleVersion {
    let (path, version) = word.split_once('@').unwrap_or((word, ""));
    ModuleVersion::new(path, version)
}

fn modules(words: &str) -> Vec<ModuleVersion> {
    words.split_whitespace().map(module).collect()
}

fn words(list: &[ModuleVersion]) -> String {
    let words: Vec<String> = list.iter().map(ToString::to_string).collect();
    words.join(" ")
}

impl Fixture {
    fn new(text: &str) -> Fixture {
        Fixture(
            text.lines()
                .map(|line| {
                    let (name, requires) = line.split_once(':').unwrap();
                    let pruning = if name.trim().starts_with("old") {
                        Pruning::Unpruned
                    } else {
                        Pruning::Pruned
                    };
                    let summary = Summary {
                        requires: modules(requires),
                        pruning,
                    };
                    (module(name.trim()), Arc::new(summary))
                })
                .collect(),
        )
    }
}

impl Requirements for Fixture {
    type Error = String;
    fn summaries(&self, modules: &[ModuleVersion]) -> Vec<Result<Arc<Summary>, String>> {
        modules
            .iter()
            .map(|module| {
                self.0
                    .get(module)
                    .cloned()
                    .ok_or_else(|| format!("no {module}"))
            })
            .collect()
    }
}

fn read(source: &Fixture, roots: &str, pruning: Pruning) -> Graph<String> {
    let reading = Reading {
        main: Some(&module("main")),
        roots: &modules(roots),
        pruning,
        unprune: None,
    };
    Graph::read(reading, source)
}

#[test]
fn newest_version_asked_for_is_selected() {
    let source = Fixture::new(
        "old-b@v1.2.0: d@v1.4.0\nc@v1.0.0: d@v1.3.0\nd@v1.4.0:\nd@v1.3.0: e@v1.0.0\ne@v1.0.0:",
    );
    let graph = read(&source, "old-b@v1.2.0 c@v1.0.0", Pruning::Unpruned);
    assert!(graph.error().is_none());
    assert_eq!(
        words(&graph.build_list()),
        "main c@v1.0.0 d@v1.4.0 e@v1.0.0 old-b@v1.2.0"
    );
    assert_eq!(
        (graph.selected("d"), graph.selected_or_none("x")),
        (Some("v1.4.0"), "none")
    );
    assert_eq!(
        words(&graph.find_path(|m| m.path == "e")),
        "main c@v1.0.0 d@v1.3.0 e@v1.0.0"
    );
}

#[test]
fn pruned_dependencies_hide_what_is_behind_them() {
    let source = Fixture::new(
        "b@v1.0.0: c@v1.0.0\nc@v1.0.0: d@v1.0.0\nold-e@v1.0.0: c@v1.1.0\nc@v1.1.0: f@v1.0.0\nf@v1.0.0:",
    );
    let graph = read(&source, "b@v1.0.0", Pruning::Pruned);
    assert_eq!(
        (words(&graph.build_list()).as_str(), graph.read_count()),
        ("main b@v1.0.0 c@v1.0.0", 1)
    );
    assert!(!graph.was_read(&module("c@v1.0.0")));
    let graph = read(&source, "b@v1.0.0 old-e@v1.0.0", Pruning::Pruned);
    assert!(graph.error().is_none());
    assert_eq!(
        graph.selected("f"),
        Some("v1.0.0"),
        "behind an old module everything counts"
    );
    let unprune = HashSet::from([module("c@v1.0.0")]);
    let reading = Reading {
        main: Some(&module("main")),
        roots: &modules("b@v1.0.0"),
        pruning: Pruning::Pruned,
        unprune: Some(&unprune),
    };
    assert_eq!(
        Graph::read(reading, &source).selected("d"),
        Some("v1.0.0"),
        "unpruned on request"
    );
}

#[test]
fn an_error_names_the_way_to_it() {
    let source = Fixture::new("old-a@v1.0.0: b@v1.0.0 c@v1.0.0\nc@v1.0.0:");
    let graph = read(&source, "old-a@v1.0.0", Pruning::Pruned);
    let error = graph.error().unwrap();
    assert_eq!(
        error.to_string(),
        "old-a@v1.0.0 requires\n\tb@v1.0.0: no b@v1.0.0"
    );
    assert_eq!(error.module(), &module("b@v1.0.0"));
    assert!(
        graph.was_read(&module("c@v1.0.0")),
        "the rest is read all the same"
    );
    assert_eq!(graph.error_of(&module("b@v1.0.0")).unwrap(), "no b@v1.0.0");
}

#[test]
fn workspace_members_are_the_tops_and_their_choices_meet() {
    // x selects c v1.1, which y, pruned, sees only as v1.0 behind b: its requirements must be read too.
    let source = Fixture::new(
        "x: c@v1.1.0\ny: b@v1.0.0\nb@v1.0.0: c@v1.0.0\nc@v1.0.0:\nc@v1.1.0: d@v1.0.0\nd@v1.0.0: f@v1.0.0\nf@v1.0.0:\ngo@1.21:",
    );
    let reading = Reading {
        main: None,
        roots: &modules("go@1.21 x y"),
        pruning: Pruning::Workspace,
        unprune: None,
    };
    let graph = Graph::read(reading, &source);
    assert_eq!(
        words(&graph.build_list()),
        "go@1.21 x y b@v1.0.0 c@v1.1.0 d@v1.0.0"
    );
    let mut walked = Vec::new();
    graph.walk(|m| walked.push(m.clone()));
    assert_eq!(
        words(&walked),
        "go@1.21 x y c@v1.1.0 b@v1.0.0 d@v1.0.0 c@v1.0.0"
    );
}

#[test]
fn req_keeps_only_what_nothing_else_leads_to() {
    let source = Fixture::new(
        "a@v1.0.0: b@v1.0.0 c@v1.0.0\nb@v1.0.0: d@v1.0.0\nb@v1.1.0: d@v1.0.0\nc@v1.0.0:\nd@v1.0.0:\ne@v1.0.0:",
    );
    let main = module("main");
    let roots = modules("a@v1.0.0 b@v1.1.0 c@v1.0.0 d@v1.0.0 e@v1.0.0");
    let least = req(&main, &[], &roots, &source).unwrap();
    assert_eq!(words(&least), "a@v1.0.0 b@v1.1.0 e@v1.0.0");
    let least = req(&main, &["d".into(), "d".into()], &roots, &source).unwrap();
    assert_eq!(
        words(&least),
        "a@v1.0.0 b@v1.1.0 d@v1.0.0 e@v1.0.0",
        "what is asked for stays"
    );
}

#[test]
fn req_lives_with_cycles() {
    let source =
        Fixture::new("a@v1.0.0: b@v1.0.0\nb@v1.0.0: a@v1.0.0 main@v1.0.0\nmain@v1.0.0: b@v1.0.0");
    let least = req(&module("main"), &[], &modules("a@v1.0.0 b@v1.0.0"), &source).unwrap();
    assert_eq!(least.len(), 1);
    assert_eq!(
        words(&build_list(&module("main"), &least, &source).unwrap()),
        "main a@v1.0.0 b@v1.0.0"
    );
}

/// A small generator of numbers, so that failures can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn module(&mut self) -> String {
        let path = ["a", "b", "c", "old-d", "old-e", "f"][self.roll(6) as usize];
        format!("{path}@v1.{}.0", self.roll(4))
    }

    fn graph(&mut self) -> Fixture {
        let mut text = String::new();
        for path in ["a", "b", "c", "old-d", "old-e", "f"] {
            for minor in 0..4 {
                text += &format!("{path}@v1.{minor}.0:");
                for _ in 0..self.roll(4) {
                    text += &format!(" {}", self.module());
                }
                text.push('\n');
            }
        }
        Fixture::new(&text)
    }
}

/// The definition, read literally: a set of (module, pruning) closed under requirements, then the newest of each path.
fn naive(source: &Fixture, roots: &[ModuleVersion], pruning: Pruning) -> BTreeMap<String, String> {
    let mut reached: Vec<(ModuleVersion, Pruning)> =
        roots.iter().map(|root| (root.clone(), pruning)).collect();
    let mut known: Vec<ModuleVersion> = roots.to_vec();
    let mut at = 0;
    while at < reached.len() {
        let (module, pruning) = reached[at].clone();
        at += 1;
        let summary = &source.0[&module];
        known.extend(summary.requires.iter().cloned());
        if pruning == Pruning::Pruned && summary.pruning == Pruning::Pruned {
            continue;
        }
        let onward = if pruning == Pruning::Unpruned {
            pruning
        } else {
            summary.pruning
        };
        for require in &summary.requires {
            let next = (require.clone(), onward);
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
    }
    let mut selected: BTreeMap<String, String> = BTreeMap::new();
    for module in known {
        let best = selected.entry(module.path).or_insert_with(|| "none".into());
        if compare("", best, &module.version).is_lt() {
            *best = module.version;
        }
    }
    selected
}

#[test]
fn reading_equals_the_definition() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for round in 0..400 {
        let source = dice.graph();
        let roots: Vec<ModuleVersion> =
            (0..=dice.roll(4)).map(|_| module(&dice.module())).collect();
        for pruning in [Pruning::Pruned, Pruning::Unpruned] {
            let reading = Reading {
                main: Some(&module("main")),
                roots: &roots,
                pruning,
                unprune: None,
            };
            let graph = Graph::read(reading, &source);
            let list: BTreeMap<String, String> = graph
                .build_list()
                .into_iter()
                .skip(1)
                .map(|m| (m.path, m.version))
                .collect();
            assert_eq!(
                list,
                naive(&source, &roots, pruning),
                "round {round}, {pruning:?}"
            );
        }
    }
}

#[test]
fn req_gives_the_same_build_list_and_nothing_can_be_left_out() {
    let mut dice = Dice(0xD1B5_4A32_D192_ED03);
    let main = module("main");
    for round in 0..200 {
        let source = dice.graph();
        let roots: Vec<ModuleVersion> =
            (0..=dice.roll(5)).map(|_| module(&dice.module())).collect();
        let whole = build_list(&main, &roots, &source).unwrap();
        let least = req(&main, &[], &roots, &source).unwrap();
        assert_eq!(
            build_list(&main, &least, &source).unwrap(),
            whole,
            "round {round}"
        );
        for left_out in 0..least.len() {
            let mut fewer = least.clone();
            fewer.remove(left_out);
            assert_ne!(
                build_list(&main, &fewer, &source).unwrap(),
                whole,
                "round {round}"
            );
        }
    }
}
