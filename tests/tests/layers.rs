//! The rules of the map, read off `cargo metadata` and the sources: who may import whom, who may name which engine, and
//! where rights are granted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Libraries in the order in which they may import: only those above.
const SHARED: [&str; 20] = [
    "types",
    "formats",
    "ports",
    "authentication",
    "directory",
    "domains",
    "certificates",
    "reports",
    "mailbox",
    "calendar",
    "transport",
    "transfers",
    "subscriptions",
    "metering",
    "embedded",
    "aws",
    "simulated",
    "runtime",
    "rest",
    "testing",
];
/// Adapters: they know ports and types only.
const ADAPTERS: [&str; 3] = ["embedded", "aws", "simulated"];
/// Crates that know no protocol and no adapter.
const DOMAIN: [&str; 11] = [
    "authentication",
    "directory",
    "domains",
    "certificates",
    "reports",
    "mailbox",
    "calendar",
    "transport",
    "transfers",
    "subscriptions",
    "metering",
];
/// What a protocol or an adapter is made of. A name that ends in `-` stands for all that begin so.
const PROTOCOL: [&str; 23] = [
    "axum",
    "hyper",
    "hyper-",
    "http",
    "http-",
    "tower",
    "tower-",
    "reqwest",
    "rustls",
    "tokio-rustls",
    "rcgen",
    "smtp-",
    "imap-",
    "lettre",
    "hickory-",
    "instant-acme",
    "mail-auth",
    "jmap-",
    "fjall",
    "rocksdb",
    "redb",
    "sled",
    "aws-sdk-",
];

struct Package {
    name: String,
    /// `shared`, `functions`, `edges` or `tests`, and the directory in it.
    place: (String, String),
    root: PathBuf,
    /// Kind (`normal`, `dev`, `build`) and name.
    needs: Vec<(String, String)>,
    targets: Vec<String>,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |package: &Value| {
        let root = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned();
        let inside = root.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
        let (group, name) = inside.split_once('/').unwrap_or((&inside, ""));
        let needs = package["dependencies"].as_array().unwrap().iter();
        Package {
            name: text(&package["name"]),
            place: (group.to_owned(), name.to_owned()),
            needs: needs.map(|d| (d["kind"].as_str().unwrap_or("normal").to_owned(), text(&d["name"]))).collect(),
            targets: package["targets"].as_array().unwrap().iter().flat_map(|t| t["kind"].as_array().unwrap().iter().map(text)).collect(),
            root,
        }
    };
    metadata["packages"].as_array().unwrap().iter().map(read).collect()
}

/// How far down a crate stands; it may import only what has a smaller number.
fn depth(package: &Package) -> Option<usize> {
    match package.place.0.as_str() {
        "shared" => SHARED.iter().position(|name| *name == package.place.1),
        "functions" => Some(100),
        // An edge mounts functions; the binary of all of them stands below every edge.
        "edges" if package.place.1 == "solo" => Some(300),
        "edges" => Some(200),
        "tests" => Some(400),
        _ => None,
    }
}

fn is(name: &str, rule: &str) -> bool {
    if rule.ends_with('-') { name.starts_with(rule) } else { name == rule }
}

/// Sentences, one for each need that breaks a rule.
fn broken(packages: &[Package]) -> Vec<String> {
    let mut out = Vec::new();
    let by_name: BTreeMap<&str, &Package> = packages.iter().map(|p| (p.name.as_str(), p)).collect();
    for package in packages {
        let (group, place) = (package.place.0.as_str(), package.place.1.as_str());
        let Some(own) = depth(package) else {
            out.push(format!("{} lies at {group}/{place}, which is not on the map", package.name));
            continue;
        };
        for (kind, need) in &package.needs {
            let tested = kind == "dev";
            if let Some(other) = by_name.get(need.as_str()) {
                let theirs = depth(other).unwrap_or(usize::MAX);
                // Tests bring a world: `simulated`, or what a suite needs of the libraries; never an edge or a function.
                let allowed = if tested { theirs < own || (theirs < 100 && own < 400) } else { theirs < own };
                if !allowed {
                    out.push(format!("{} imports {need} ({kind}): up or sideways", package.name));
                }
                let port_or_type = matches!(other.place.1.as_str(), "ports" | "types");
                if !tested && ADAPTERS.contains(&place) && !port_or_type {
                    out.push(format!("{} imports {need}: an adapter knows ports and types only", package.name));
                }
                if !tested && DOMAIN.contains(&place) && ADAPTERS.contains(&other.place.1.as_str()) {
                    out.push(format!("{} imports {need}: a domain crate knows no adapter", package.name));
                }
                continue;
            }
            if need == "fjall" && (group, place) != ("shared", "embedded") {
                out.push(format!("{} names fjall ({kind})", package.name));
            }
            let aws = need.starts_with("aws-sdk-") || need == "aws-config" || need.starts_with("aws-smithy");
            if aws && (group, place) != ("shared", "aws") {
                out.push(format!("{} names {need} ({kind})", package.name));
            }
            if need.starts_with("lambda_") && !(group == "functions" && package.targets.iter().any(|t| t == "bin")) {
                out.push(format!("{} names {need}: only a function's main is hosted there", package.name));
            }
            if need == "axum" && !tested && !matches!(group, "functions" | "edges") && (group, place) != ("shared", "rest") {
                out.push(format!("{} names axum", package.name));
            }
            if !tested && DOMAIN.contains(&place) && PROTOCOL.iter().any(|rule| is(need, rule)) {
                out.push(format!("{} names {need}: a domain crate knows no protocol and no adapter", package.name));
            }
        }
    }
    out
}

#[test]
fn imports_run_down_the_map() {
    let packages = packages();
    assert!(packages.len() >= 14, "the workspace was read");
    let broken = broken(&packages);
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A rule that could not fail would prove nothing.
#[test]
fn a_wrong_import_is_noticed() {
    let package = |group: &str, place: &str, needs: &[(&str, &str)]| Package {
        name: format!("penfold-{place}"),
        place: (group.into(), place.into()),
        root: PathBuf::new(),
        needs: needs.iter().map(|(kind, name)| ((*kind).into(), (*name).into())).collect(),
        targets: vec!["lib".into()],
    };
    let n = "normal";
    let wrong = [
        package("shared", "types", &[(n, "penfold-ports")]),
        package("shared", "ports", &[(n, "fjall"), ("dev", "penfold-imap")]),
        package("shared", "mailbox", &[(n, "penfold-simulated"), (n, "axum"), (n, "smtp-proto"), (n, "aws-sdk-s3")]),
        package("shared", "embedded", &[(n, "penfold-mailbox")]),
        package("shared", "simulated", &[]),
        package("shared", "runtime", &[(n, "axum")]),
        package("functions", "deliver", &[(n, "penfold-imap")]),
        package("edges", "smtp", &[(n, "penfold-imap"), (n, "lambda_runtime")]),
        package("edges", "imap", &[]),
        package("common", "util", &[]),
    ];
    assert_eq!(broken(&wrong).len(), 16, "{:#?}", broken(&wrong));
    let right = [
        package("shared", "types", &[]),
        package("shared", "ports", &[(n, "penfold-types")]),
        package("shared", "mailbox", &[(n, "penfold-ports"), ("dev", "penfold-simulated")]),
        package("shared", "simulated", &[(n, "penfold-ports"), (n, "penfold-types")]),
        package("functions", "deliver", &[(n, "penfold-mailbox")]),
        package("edges", "http", &[(n, "penfold-deliver"), (n, "axum")]),
        package("edges", "solo", &[(n, "penfold-http"), (n, "penfold-deliver")]),
    ];
    assert!(broken(&right).is_empty(), "{:#?}", broken(&right));
}

/// All that a package compiles with its default features, tests apart.
fn compiled(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--package", package, "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--offline", "--locked"])
        .current_dir(workspace())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// `make run` must not wait for the SDK of a cloud that it does not use.
#[test]
fn the_default_binary_compiles_no_cloud() {
    let of_the_cloud =
        |names: &BTreeSet<String>| names.iter().filter(|name| *name == "penfold-aws" || name.starts_with("aws-sdk-")).count();
    let solo = compiled("penfold-solo");
    assert!(solo.contains("penfold-embedded") && solo.len() >= 50, "{solo:?}");
    assert_eq!(of_the_cloud(&solo), 0, "{solo:?}");
    assert!(of_the_cloud(&compiled("penfold-aws")) > 3);
}

fn sources(root: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(root) else { return };
    for path in entries.map(|e| e.unwrap().path()).collect::<BTreeSet<_>>() {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Whether a file is compiled for tests only; the contract suite is one, behind its feature.
fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(workspace()).unwrap();
    inside.components().any(|c| matches!(c.as_os_str().to_str(), Some("tests" | "benches" | "tests.rs" | "fuzz" | "examples" | "contract")))
}

#[test]
fn rights_are_granted_in_one_file() {
    let access = workspace().join("shared/directory/src/access.rs");
    let mut found = Vec::new();
    for package in packages() {
        sources(&package.root, &mut found);
    }
    assert!(found.contains(&access) && found.len() > 100);
    // The words are put together here so that this file does not hold them.
    let words = ["Scope", "TenantScope"].map(|name| format!("{name}::{}", "grant"));
    let mut granting = Vec::new();
    for path in found.iter().filter(|path| **path != access && !is_test(path)) {
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        if words.iter().any(|word| code.contains(word.as_str())) || code.contains(&format!(", {}(", "grant")) {
            granting.push(path.clone());
        }
    }
    assert!(granting.is_empty(), "rights are granted in {granting:#?}");
    let text = std::fs::read_to_string(access).unwrap();
    assert!(words.iter().all(|word| text.contains(word.as_str())));
}

/// A file may import what its crate does not; only the map's own names are looked for.
#[test]
fn engines_are_named_where_they_belong() {
    let mut found = Vec::new();
    for package in packages() {
        sources(&package.root, &mut found);
    }
    let rules = [("fjall::", "shared/embedded"), ("aws_sdk_", "shared/aws"), ("aws_config::", "shared/aws")];
    for path in &found {
        let inside = path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
        if inside == "tests/tests/layers.rs" {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for (word, place) in rules {
            assert!(!text.contains(word) || inside.starts_with(place), "{inside} names {word}");
        }
    }
}

/// Ambient time, randomness and sleeping stay banned, and the lints stay on in every crate.
#[test]
fn every_crate_has_the_lints() {
    for package in packages() {
        let manifest = std::fs::read_to_string(package.root.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has no lints", package.name);
    }
}
