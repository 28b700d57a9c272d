//! Workspaces that the binary itself makes from `testdata/`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The files of the hand-written shop, in `testdata/shop/`.
pub(crate) const FILES: [&str; 4] = [
    "orders.csv",
    "products.csv",
    "customers.csv",
    "ad_spend.csv",
];

/// A directory with a workspace `shop` and the files that it is made of. Commands run in the
/// directory, so that no path in their output depends on where it is.
pub(crate) struct Shop {
    directory: tempfile::TempDir,
}

impl Shop {
    /// An empty workspace.
    pub(crate) fn empty(currency: &str) -> Self {
        let shop = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        shop.good(&["init", "shop", "--currency", currency]);
        shop
    }

    /// The hand-written shop, imported but not scored; two of its rows cannot be read.
    pub(crate) fn tiny() -> Self {
        let shop = Self::empty("EUR");
        for file in FILES {
            shop.copy(&format!("shop/{file}"));
        }
        let imported = shop.run(&[&["import"], &FILES[..]].concat());
        assert_eq!(imported.status.code(), Some(5), "{imported:?}");
        shop
    }

    /// The hand-written shop, scored at the end of January 2026.
    pub(crate) fn tiny_scored() -> Self {
        let shop = Self::tiny();
        shop.good(&["score", "--as-of", "2026-01-31"]);
        shop
    }

    /// The CDNOW sample, scored at the end of its calibration period as its papers do.
    pub(crate) fn cdnow() -> Self {
        let shop = Self::empty("USD");
        shop.copy("cdnow_sample.txt");
        let columns = "-,customer_id,date,quantity,total";
        shop.good(&["import", "cdnow_sample.txt", "--columns", columns]);
        let week = ["--unit", "week", "--grain", "day"];
        shop.good(&[&["score", "--as-of", "1997-09-30"], &week[..]].concat());
        shop
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory().join("shop")
    }

    /// Copies a file of `testdata/` beside the workspace.
    pub(crate) fn copy(&self, name: &str) {
        let from = testdata().join(name);
        let to = self.directory().join(from.file_name().unwrap());
        std::fs::copy(from, to).unwrap();
    }

    /// Writes a file beside the workspace.
    pub(crate) fn file(&self, name: &str, text: &str) {
        std::fs::write(self.directory().join(name), text).unwrap();
    }

    /// Adds a segment of the workspace's own.
    pub(crate) fn own_segment(&self, name: &str, rule: &str) {
        let title = format!("Made for a test: {name}");
        let text = format!("[[segment]]\nname = {name:?}\ntitle = {title:?}\nrule = {rule:?}\n");
        std::fs::write(self.root().join(format!("segments/{name}.toml")), text).unwrap();
    }

    /// The command, in the directory and for the workspace.
    pub(crate) fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regulars"));
        command
            .args(arguments)
            .current_dir(self.directory())
            .env("REGULARS_WORKSPACE", "shop")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE");
        command
    }

    pub(crate) fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that ends well writes to stdout.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The JSON document of a command, however it ends.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }
}

/// The directory `testdata/` of the repository.
pub(crate) fn testdata() -> PathBuf {
    repository().join("testdata")
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
