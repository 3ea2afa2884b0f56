use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// How long a test waits for something that should happen before it gives up. Generous: it is
/// spent only when the test is about to fail.
const PATIENCE: Duration = Duration::from_secs(60);

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned()
}

/// The `hilum` binary, as `make build` leaves it.
pub fn hilum() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(repository().join("target"), Into::into);
    repository().join(target).join("debug/hilum")
}

/// Runs `hilum` in a folder, to success; what it printed.
pub fn hilum_in(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(hilum())
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .context("hilum runs; `make build` makes it")?;
    let err = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "hilum {arguments:?}: {err}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A whole site in a temporary folder.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// A site with this configuration, the first-party plugins under `plugins/` and the example
    /// table under `tables/`.
    pub fn new(configuration: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let example = repository().join("examples/st-anna");
        for part in ["plugins", "tables"] {
            std::fs::create_dir(folder.path().join(part))?;
            for entry in std::fs::read_dir(example.join(part))? {
                let entry = entry?;
                std::fs::copy(entry.path(), folder.path().join(part).join(entry.file_name()))?;
            }
        }
        let site = Self { folder };
        site.write("hilum.toml", configuration)?;
        Ok(site)
    }

    /// The example site itself, on free ports, sending to the FHIR endpoint at `fhir`.
    pub fn example(fhir: &str) -> Result<Self> {
        let text = std::fs::read_to_string(repository().join("examples/st-anna/hilum.toml"))?;
        let text = text
            .replace("127.0.0.1:2575", "127.0.0.1:0")
            .replace("127.0.0.1:9464", "127.0.0.1:0")
            .replace("first = \"1s\"", "first = \"50ms\"")
            .replace("http://127.0.0.1:8090/fhir", fhir);
        Self::new(&text)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The content of a file of the site.
    pub fn read(&self, name: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.path().join(name))?)
    }

    /// Writes a file of the site.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        Ok(std::fs::write(self.path().join(name), content)?)
    }

    /// Replaces text in a file of the site; it must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) -> Result<()> {
        let text = self.read(name)?;
        ensure!(text.contains(from), "{name} does not hold {from:?}");
        self.write(name, text.replace(from, to))
    }

    /// Runs `hilum` with these arguments and `-c` this site; standard output and exit code.
    pub fn run(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        self.run_in(&[], arguments)
    }

    /// The same with these variables in its environment.
    pub fn run_in(
        &self,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<(i32, String, String)> {
        let output = Command::new(hilum())
            .args(arguments)
            .args(["-c".as_ref(), self.path().join("hilum.toml").as_os_str()])
            .env("NO_COLOR", "1")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .context("hilum runs; `make build` makes it")?;
        Ok((
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }

    /// Starts `hilum serve` and waits until it is ready.
    pub fn serve(&self) -> Result<Running<'_>> {
        self.serve_in(&[])
    }

    /// The same with these variables in its environment.
    pub fn serve_in(&self, environment: &[(&str, &str)]) -> Result<Running<'_>> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path().join("serve.log"))?;
        let process = Command::new(hilum())
            .args(["serve".as_ref(), "-c".as_ref(), self.path().join("hilum.toml").as_os_str()])
            .env("HILUM_LOG", "debug")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("hilum serve starts")?;
        let mut running = Running { site: self, process };
        let started = Instant::now();
        loop {
            if let Some(status) = running.process.try_wait()? {
                bail!("hilum serve ended with {status}:\n{}", self.log());
            }
            if running.json(&["status"]).is_ok_and(|it| it["ready"] == true) {
                return Ok(running);
            }
            ensure!(started.elapsed() < PATIENCE, "hilum serve is not ready:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that `hilum serve` logged.
    pub fn log(&self) -> String {
        self.read("serve.log").unwrap_or_default()
    }
}

/// A real `hilum serve` process on a site. Killed when dropped.
pub struct Running<'a> {
    site: &'a Site,
    process: Child,
}

impl Running<'_> {
    /// What `hilum` prints as JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let arguments = [arguments, &["--format", "json"]].concat();
        let (code, out, err) = self.site.run(&arguments)?;
        ensure!(code == 0, "hilum {arguments:?} exited {code}: {err}");
        Ok(serde_json::from_str(&out)?)
    }

    /// What `hilum message list` or `hilum parked list` lists.
    pub fn list(&self, what: &str) -> Result<Value> {
        let listed = self.json(&[what, "list"])?;
        let member = if what == "message" { "messages" } else { what };
        Ok(listed.get(member).context("a list")?.clone())
    }

    /// The address of a listener, with its real port.
    pub fn listener(&self, name: &str) -> Result<String> {
        let status = self.json(&["status"])?;
        let all = status["listeners"].as_array().context("listeners")?;
        let this = all.iter().find(|it| it["name"] == name).context("the listener")?;
        Ok(this["address"].as_str().context("an address")?.to_owned())
    }

    /// The address of `/metrics` and its like.
    pub fn admin(&self) -> Result<String> {
        let status = self.json(&["status"])?;
        Ok(status["admin"].as_str().context("an admin address")?.to_owned())
    }

    /// The id of the process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// A connection to an address that a listener has.
    pub fn client_at(&self, address: &str) -> Result<Client> {
        Client::connect(address)
    }

    /// A connection to a listener.
    pub fn client(&self, listener: &str) -> Result<Client> {
        Client::connect(&self.listener(listener)?)
    }

    /// Waits until `done` answers true.
    pub fn wait(&self, what: &str, mut done: impl FnMut(&Self) -> Result<bool>) -> Result<()> {
        let started = Instant::now();
        while !done(self)? {
            ensure!(
                started.elapsed() < PATIENCE,
                "waited in vain for {what}:\n{}",
                self.site.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until every run is settled or parked.
    pub fn wait_until_idle(&self) -> Result<()> {
        self.wait("the gateway to be idle", |it| {
            let counts = &it.json(&["status"])?["counts"];
            Ok(counts["undecided"] == 0 && counts["queued"] == 0)
        })
    }

    /// Kills the process without warning.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Asks the process to read its configuration again (SIGHUP).
    pub fn hang_up(&self) -> Result<()> {
        let process =
            i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        let process = process.context("a process id")?;
        Ok(rustix::process::kill_process(process, rustix::process::Signal::HUP)?)
    }

    /// Asks the process to stop (SIGTERM) and gives its exit code.
    pub fn terminate(mut self) -> Result<i32> {
        // By the system call: a minimal machine has no `kill` to run.
        let process =
            i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        let process = process.context("a process id")?;
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status.code().unwrap_or(-1));
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "hilum serve does not stop:\n{}",
                self.site.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An MLLP client of the plainest kind: one message, one answer.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    /// Connects to `host:port`.
    pub fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends raw bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next framed answer; an error if the connection ends first.
    pub fn answer(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == [0x1c, 0x0d]) {
                let frame: Vec<u8> = self.read.drain(..end + 2).collect();
                ensure!(frame.first() == Some(&0x0b), "an answer begins with VT");
                let content = frame.get(1..end).unwrap_or_default();
                return Ok(String::from_utf8_lossy(content).into_owned());
            }
            let mut more = [0; 4096];
            match self.stream.read(&mut more)? {
                0 => bail!("the connection ended"),
                count => self.read.extend_from_slice(more.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Whether the gateway has closed the connection without saying anything more.
    pub fn is_closed(&mut self) -> bool {
        let mut more = [0; 1];
        matches!(self.stream.read(&mut more), Ok(0) | Err(_))
    }

    /// Sends one message and waits for its answer.
    pub fn send(&mut self, message: &[u8]) -> Result<String> {
        self.write(&[&[0x0b], message, &[0x1c, 0x0d]].concat())?;
        self.answer()
    }
}

/// A small ADT^A01 with this control id and patient number.
pub fn adt(control_id: &str, patient: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|ADT|ST-ANNA|HILUM|ST-ANNA|20261124090000+0100||ADT^A01^ADT_A01|{control_id}|P|2.5.1\r\
         EVN|A01|20261124090000+0100\r\
         PID|1||{patient}^^^ST-ANNA^MR||Zedlitz^Quirina^Maria||19800312|F|||Uhlenweg 7^^Wien^^1090^AUT\r\
         PV1|1|I|2W^204^A^ST-ANNA|||||||||||1|||||V{control_id}^^^ST-ANNA^VN\r"
    )
    .into_bytes()
}

/// A plain `GET`; the whole answer, head included.
pub fn http_get(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/openmetrics-text\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
