#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| herringbone_fuzz::targets::run("conditions", data));
