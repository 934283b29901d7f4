//! A module zip: opened, checked, and every entry that is not declared enormous unpacked; nothing panics or grows without bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use steady_module::ModuleVersion;
use steady_proxy::zip::{Archive, check_zip};

thread_local! {
    static FILE: RefCell<File> = RefCell::new(tempfile::tempfile_in("/dev/shm").expect("a file in memory"));
}

fuzz_target!(|bytes: &[u8]| {
    let file = FILE.with_borrow_mut(|file| {
        file.set_len(0).expect("shorten");
        file.seek(SeekFrom::Start(0)).expect("seek");
        file.write_all(bytes).expect("write");
        file.try_clone().expect("another handle")
    });
    let Ok(archive) = Archive::open(file) else {
        return;
    };
    let module = ModuleVersion::new("example.com/m", "v1.0.0");
    let _ = check_zip(&module, &archive, bytes.len() as u64);
    for entry in archive
        .entries()
        .iter()
        .filter(|entry| entry.size < 1 << 20)
    {
        if let Ok(contents) = archive.read(entry) {
            assert_eq!(contents.len() as u64, entry.size);
        }
    }
});
