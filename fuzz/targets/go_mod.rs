//! go.mod: whatever is in it, reading does not panic; what was read means the same after printing, and prints the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steady_fuzz::{text, values};
use steady_module::modfile::ModFile;

fn meaning(file: &ModFile) -> Vec<Vec<String>> {
    let one = |text: String| vec![text];
    vec![
        one(format!(
            "{:?}",
            file.module.as_ref().map(|entry| &entry.value)
        )),
        one(format!("{:?}", file.go.as_ref().map(|entry| &entry.value))),
        one(format!(
            "{:?}",
            file.toolchain.as_ref().map(|entry| &entry.value)
        )),
        values(&file.godebug),
        values(&file.require),
        values(&file.exclude),
        values(&file.replace),
        values(&file.retract),
        values(&file.tool),
        values(&file.ignore),
    ]
}

fuzz_target!(|bytes: &[u8]| {
    let text = text(bytes);
    let _ = ModFile::parse_lax("go.mod", &text, None);
    let Ok(file) = ModFile::parse("go.mod", &text, None) else {
        return;
    };
    let printed = file.format();
    let again = ModFile::parse("go.mod", &printed, None).expect("what was printed can be read");
    assert_eq!(meaning(&file), meaning(&again));
    assert_eq!(printed, again.format());
});
