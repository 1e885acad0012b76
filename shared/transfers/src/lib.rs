//! Imports and exports: what takes longer than a request. Each is a row that says how far it is; its content lies in blobs,
//! sealed like mail; a worker (`functions/transfer`) carries it on step by step, and each step is one commit of what it came
//! to, so that one that is cut off goes on where it was. Decision 32.
//!
//! | file | what |
//! |---|---|
//! | transfer.rs | one of them, as its row holds it |
//! | transfers.rs | ordering, finding, cancelling, removing |
//! | upload.rs, content.rs | content: what comes in, and what goes out |
//! | progress.rs | steps, turns and the end |
//! | tidy.rs | upkeep's part |
//! | people.rs, sheet.rs | people as rows of a CSV file (RFC 4180) |
//! | archive.rs | messages as files of a tar archive |

mod archive;
mod content;
mod people;
mod progress;
mod sheet;
mod tidy;
mod transfer;
mod transfers;
mod upload;

pub use archive::{Entry, entry, file, file_name, own_name, trailer};
pub use content::Part;
pub use people::{COLUMNS, PersonRow, header, person_record};
pub use progress::{Step, Turn};
pub use sheet::{Layout, Place, Read, Sheet};
pub use transfer::{Existing, Holds, Order, State, Transfer, Visit, Wrong};
pub use transfers::Transfers;
pub use upload::{LOOKED_AT, Upload};
