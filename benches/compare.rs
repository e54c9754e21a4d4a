//! `cargo bench -p flask-pyjwt-benches [-- [--quick] [verify] [table] [cache] [http] [growth] [flood] [sessions] [near] [strangers]]`

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let allocations = env!("CARGO_BIN_EXE_allocations");
    flask_pyjwt_benches::run(&arguments, allocations, env!("CARGO_TARGET_TMPDIR"))
}
