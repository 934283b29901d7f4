//! go.mod and go.work files made up at random: what was read means the same after printing, whatever was edited in between.

use super::{ModFile, Require, WorkFile};
use crate::ModuleVersion;
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Debug;

fn path() -> impl Strategy<Value = String> {
    "[a-d]\\.com/[a-c]{1,2}".prop_map(|path| format!("example{path}"))
}

fn version() -> impl Strategy<Value = String> {
    (
        0..2u8,
        0..4u8,
        0..3u8,
        prop::option::of("-(rc|beta)\\.[1-9]"),
    )
        .prop_map(|(major, minor, patch, pre)| {
            format!("v{major}.{minor}.{patch}{}", pre.unwrap_or_default())
        })
}

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => Just(" // indirect".to_owned()),
        1 => "[a-z ;]{0,8}".prop_map(|text| format!(" // {text}")),
    ]
}

/// A verb and what may stand behind it.
fn directive() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        (path(), version(), comment())
            .prop_map(|(path, version, comment)| ("require", format!("{path} {version}{comment}"))),
        (path(), version()).prop_map(|(path, version)| ("exclude", format!("{path} {version}"))),
        (path(), path(), version())
            .prop_map(|(old, new, version)| ("replace", format!("{old} => {new} {version}"))),
        (path(), version())
            .prop_map(|(old, version)| ("replace", format!("{old} {version} => ../x"))),
        (version(), comment())
            .prop_map(|(version, comment)| ("retract", format!("{version}{comment}"))),
        (version(), version()).prop_map(|(low, high)| ("retract", format!("[{low}, {high}]"))),
        path().prop_map(|path| ("tool", path)),
        "[a-z]{1,3}".prop_map(|dir| ("ignore", format!("./{dir}"))),
        "[a-z]{1,4}=[0-9]".prop_map(|setting| ("godebug", setting)),
    ]
}

/// The text of a file: directives alone and in blocks, with comments and blank lines between them.
fn text(
    directives: impl Strategy<Value = (&'static str, String)>,
) -> impl Strategy<Value = String> {
    let piece = (directives, 0..6u8, any::<bool>());
    vec(piece, 0..12).prop_map(|pieces| {
        let mut text = String::from("go 1.21\n");
        for (number, ((verb, rest), space, block)) in pieces.into_iter().enumerate() {
            match space {
                0 => text += "\n",
                1 => text += &format!("// comment {number}\n"),
                2 => text += "\n// alone\n\n",
                _ => {}
            }
            text += &match block {
                true => format!("{verb} (\n\n\t// inside\n\t{rest}\n)\n"),
                false => format!("{verb}   {rest}\n"),
            };
        }
        text
    })
}

fn values<T: Debug>(entries: &[super::Entry<T>]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| format!("{:?}", entry.value))
        .collect()
}

fn meaning(file: &ModFile) -> Vec<Vec<String>> {
    vec![
        values(&file.require),
        values(&file.exclude),
        values(&file.replace),
        values(&file.retract),
        values(&file.tool),
        values(&file.ignore),
        values(&file.godebug),
    ]
}

fn parsed(text: &str) -> ModFile {
    ModFile::parse("go.mod", text, None).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

proptest! {
    #[test]
    fn go_mod_means_the_same_after_printing(text in text(directive())) {
        let Ok(file) = ModFile::parse("go.mod", &format!("module example.com/m\n{text}"), None) else {
            // Intervals the wrong way round.
            return Ok(());
        };
        let printed = file.format();
        let again = parsed(&printed);
        prop_assert_eq!(meaning(&file), meaning(&again));
        prop_assert_eq!(printed, again.format());
    }

    #[test]
    fn requirements_that_were_set_are_there_after_printing(
        text in text(directive()),
        wanted in prop::collection::btree_map(path(), (version(), any::<bool>()), 0..8),
        separate in any::<bool>(),
    ) {
        let Ok(mut file) = ModFile::parse("go.mod", &format!("module example.com/m\n{text}"), None) else {
            return Ok(());
        };
        let wanted: Vec<Require> = wanted
            .into_iter()
            .map(|(path, (version, indirect))| Require { module: ModuleVersion::new(path, version), indirect })
            .collect();
        match separate {
            true => file.set_require_separate_indirect(&wanted),
            false => file.set_require(&wanted),
        }
        file.cleanup();
        let printed = file.format();
        let again = parsed(&printed);
        let mut found: Vec<Require> = again.require.iter().map(|entry| entry.value.clone()).collect();
        found.sort_by(|a, b| a.module.cmp(&b.module));
        prop_assert_eq!(&found, &wanted, "{}", printed);
        // What is printed is a fixed point of the same edit.
        let mut same = again;
        match separate {
            true => same.set_require_separate_indirect(&wanted),
            false => same.set_require(&wanted),
        }
        same.cleanup();
        prop_assert_eq!(printed, same.format());
    }

    #[test]
    fn go_work_means_the_same_after_printing(
        uses in vec("\\./[a-e]{1,2}", 0..6),
        text in text(prop_oneof![
            (path(), path(), version()).prop_map(|(old, new, version)| ("replace", format!("{old} => {new} {version}"))),
            "[a-z]{1,4}=[0-9]".prop_map(|setting| ("godebug", setting)),
        ]),
    ) {
        let uses: String = uses.iter().map(|dir| format!("use {dir}\n")).collect();
        let Ok(file) = WorkFile::parse("go.work", &format!("{text}{uses}"), None) else {
            return Ok(());
        };
        let printed = file.format();
        let again = WorkFile::parse("go.work", &printed, None);
        let again = again.unwrap_or_else(|error| panic!("{error}\n{printed}"));
        prop_assert_eq!(values(&file.uses), values(&again.uses));
        prop_assert_eq!(values(&file.replace), values(&again.replace));
        prop_assert_eq!(values(&file.godebug), values(&again.godebug));
        prop_assert_eq!(printed, again.format());
    }
}
