//! vendor/modules.txt: read whatever it is; every package has a module.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steady_fuzz::text;
use steady_module::modules_txt::ModulesTxt;

fuzz_target!(|bytes: &[u8]| {
    let file = ModulesTxt::parse(&text(bytes));
    assert!(
        file.packages
            .values()
            .all(|module| file.list.contains(module))
    );
});
