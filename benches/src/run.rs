//! The command line of `cargo bench`.

use std::{fs, io, path::Path};

use crate::{
    cache, chart, flood, growth, http,
    report::Report,
    server::{self, Site as _},
    sessions,
    settings::Settings,
    table, verify,
};

/// A section: it measures and reports its results.
type Section = fn(&Settings, &mut Report);

const SECTIONS: [(&str, Section); 9] = [
    ("verify", verify::run),
    ("table", table::run),
    ("cache", cache::run),
    ("http", http::run),
    ("growth", growth::run),
    ("flood", flood::run),
    ("sessions", sessions::run),
    ("near", sessions::near::run),
    ("strangers", sessions::strangers::run),
];

/// The body of a process that this program has started, selected by an argument.
type Mode = fn() -> io::Result<()>;

const MODES: [(&str, Mode); 10] = [
    (http::Route::MODE, server::serve::<http::Route>),
    (flood::Resource::MODE, server::serve::<flood::Resource>),
    (sessions::MODE, sessions::carry_out),
    (sessions::near::RATES, sessions::near::carry_out),
    (sessions::near::DELAY, sessions::near::watch),
    (
        sessions::near::Stored::MODE,
        server::serve::<sessions::near::Stored>,
    ),
    (sessions::strangers::MODE, sessions::strangers::carry_out),
    (sessions::attack::MODE, sessions::attack::carry_out),
    (flood::SENDER, flood::send),
    (flood::HONEST, flood::ask),
];

/// Measures the named sections, or all, and writes the results to `bench-results` next to the folder
/// `temporary`. `allocations` is the path of the program that counts allocations.
///
/// # Errors
///
/// An argument that is neither a section nor `--quick`, or a file that cannot be written.
pub fn run(arguments: &[String], allocations: &str, temporary: &str) -> io::Result<()> {
    let is_asked_for = |mode: &str| arguments.iter().any(|argument| argument == mode);
    if let Some((_, carry_out)) = MODES.into_iter().find(|(mode, _)| is_asked_for(mode)) {
        return carry_out();
    }
    let mut named = Vec::new();
    let mut quick = false;
    for argument in arguments {
        match argument.as_str() {
            "--bench" => {} // added by cargo
            "--quick" => quick = true,
            section if SECTIONS.iter().any(|(name, _)| *name == section) => named.push(section),
            other => {
                let known = SECTIONS.map(|(name, _)| name).join(", ");
                let message = format!("`{other}` is not one of --quick, {known}");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
    }
    let settings = Settings::new(quick, allocations.into());
    let mut report = Report::default();
    for (name, measure) in SECTIONS {
        if named.is_empty() || named.contains(&name) {
            measure(&settings, &mut report);
        }
    }
    settings.done();
    report.conclude();
    if quick {
        println!("A quick run: it shows that everything works; the results mean little.");
    }
    save(&report, Path::new(temporary))
}

fn save(report: &Report, temporary: &Path) -> io::Result<()> {
    let folder = temporary.with_file_name("bench-results");
    fs::create_dir_all(&folder)?;
    let json = serde_json::to_string_pretty(&report.json())?;
    fs::write(folder.join("results.json"), json)?;
    fs::write(folder.join("results.md"), report.markdown())?;
    if !report.charts.is_empty() {
        chart::draw(&report.charts, &folder.join("results.svg")).map_err(io::Error::other)?;
    }
    println!("Results: {}", folder.display());
    Ok(())
}
