//! IMAP: the framer and the grammar end and do not panic, whatever comes in.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| penfold_imap::fuzz(bytes));
