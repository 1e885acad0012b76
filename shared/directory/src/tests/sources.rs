//! Rules that are read off the sources.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            sources(&path, out);
        } else if name.ends_with(".rs") {
            out.push(path);
        }
    }
}

#[test]
fn scopes_are_granted_in_one_file_of_the_directory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["shared", "functions", "edges"] {
        sources(&root.join(folder), &mut files);
    }
    let granted: Vec<_> = files
        .into_iter()
        .filter(|file| {
            !file.components().any(|part| ["tests", "examples", "benches", "contract"].iter().any(|name| part.as_os_str() == *name))
        })
        .filter(|file| !["tests.rs", "directory/src/access.rs", "ports/src/contract.rs"].iter().any(|name| file.ends_with(name)))
        .filter(|file| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            // Tests inside a file stand at its end.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            code.contains("Scope::grant")
        })
        .collect();
    assert_eq!(granted, Vec::<PathBuf>::new());
}
