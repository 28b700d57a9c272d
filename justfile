# What is done often. `just` lists it.

default:
    @just --list

# Everything that must pass.
ci:
    .ci/run

# All tests.
test *args:
    cargo test --workspace {{args}}

# Format, lints, documentation.
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Licences, bans and sources of dependencies.
deny:
    cargo deny check licenses bans sources

# Accept changed snapshots, after a look at each.
snapshots:
    INSTA_UPDATE=always cargo test --workspace

# The made-up shop.
demo *args:
    cargo run --release -- demo {{args}}

# Measure against peers and write docs/benchmarks.md (needs Python; installs its peers in .bench/).
bench *args:
    bash bench/run {{args}}

# Measure the live path under load (`--quick`: a small shop, half a minute).
bench-live *args:
    bash bench/run --only live {{args}}
