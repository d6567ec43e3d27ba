#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| herringbone_fuzz::targets::run("whole_file", data));
