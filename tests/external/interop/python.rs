//! The real `Flask_PyJWT`: a virtual environment of pinned packages, and the scripts that run in it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// The packages of a virtual environment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packages {
    /// The lock file of the release.
    Release,
    /// The newest versions that the release allows.
    Newest,
}

/// A Python interpreter that has `Flask_PyJWT`.
pub(crate) struct Python(PathBuf);

impl Python {
    /// The interpreter of the virtual environment under `target`, which is created on first use. Returns `None`
    /// and prints why if that fails. With `CI=true` it panics.
    pub(crate) fn with(packages: Packages) -> Option<Self> {
        match Self::make(packages) {
            Ok(python) => Some(python),
            Err(reason) => {
                let ci = env::var_os("CI").is_some_and(|value| value == "true");
                assert!(!ci, "Flask_PyJWT cannot be run: {reason}");
                println!("skipped, Flask_PyJWT cannot be run: {reason}");
                None
            }
        }
    }

    fn make(packages: Packages) -> Result<Self, String> {
        let (name, requirements) = match packages {
            Packages::Release => ("release", "requirements-release.txt"),
            Packages::Newest => ("newest", "requirements-newest.txt"),
        };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("flask-pyjwt-{name}"));
        let requirements = script(requirements);
        let python = folder.join("bin/python");
        let version = output_of(Command::new("python3").arg("-VV"))?;
        let wanted = fs::read_to_string(&requirements).map_err(|e| e.to_string())? + &version;

        // Tests run concurrently, in threads or processes: one creates it, and the others wait.
        let lock = fs::File::create(folder.with_extension("lock")).map_err(|e| e.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let made = folder.join("made-of.txt");
        if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
            return Ok(Self(python));
        }
        println!(
            "making {} with {}",
            folder.display(),
            requirements.display()
        );
        let pip = [
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            "-q",
        ];
        output_of(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        output_of(
            Command::new(&python)
                .args(pip)
                .args(["install", "--no-deps", "--only-binary", ":all:", "-r"])
                .arg(&requirements),
        )?;
        // pip itself reports that the versions are compatible.
        output_of(Command::new(&python).args(pip).arg("check"))?;
        fs::write(made, wanted).map_err(|error| error.to_string())?;
        Ok(Self(python))
    }

    /// Starts server.py with this `.env` file.
    pub(crate) fn serve(&self, dotenv: &Path) -> Flask {
        self.serve_script("server.py", &[&dotenv.to_string_lossy()])
    }

    /// Starts a server that prints its port.
    pub(crate) fn serve_script(&self, name: &str, arguments: &[&str]) -> Flask {
        let mut child = Command::new(&self.0)
            .arg(script(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .expect("its output can be read");
        }
        let mut flask = Flask { child, port: 0 };
        flask.port = line
            .trim()
            .parse()
            .expect("Flask starts and prints its port");
        flask
    }

    /// The values that python-dotenv reads from these files.
    pub(crate) fn dotenv_values(&self, files: &Value) -> Value {
        let mut child = Command::new(&self.0)
            .arg(script("dotenv_values.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let input = child.stdin.take().expect("its input is piped");
        write!(&input, "{files}").expect("its input can be written");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "dotenv_values.py failed");
        serde_json::from_slice(&output.stdout).expect("it prints JSON")
    }
}

/// A running server, which stops when it is dropped.
pub(crate) struct Flask {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Flask {
    fn drop(&mut self) {
        // An error means that it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("external/interop")
        .join(name)
}

/// The output of a command that succeeds.
fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "{command:?} failed: {stderr}{}",
            String::from_utf8_lossy(&output.stdout)
        ))
    }
}
