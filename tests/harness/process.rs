//! Other programs: run to their end, or kept running and listened to.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// Longest wait for the end of a program that was killed.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// How a program ended, and what it printed until then.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `command` until it ends by itself.
///
/// # Errors
/// It cannot be started.
pub async fn run(mut command: Command) -> Result<Ended> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let name = describe(&command);
    let output = command.output().await.with_context(|| format!("{name}: cannot be started"))?;
    Ok(Ended {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs `command` and returns what it printed.
///
/// # Errors
/// It cannot be started, or fails; its own words are in the sentence.
pub async fn output(command: Command) -> Result<String> {
    let name = describe(&command);
    let ended = run(command).await?;
    if !ended.status.success() {
        bail!("{name}: {}: {}{}", ended.status, ended.stderr.trim(), ended.stdout.trim());
    }
    Ok(ended.stdout)
}

/// Runs `program` with `arguments` without a runtime, for the places where things are put back in order.
pub fn put_back(program: &str, arguments: &[&str]) {
    let output = std::process::Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let failure = match output {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("cannot put things back with {program} {}: {failure}", arguments.join(" "));
}

/// `program`, which is killed when the thread that starts it ends, however that happens: a test that is killed leaves
/// nothing running behind it.
#[must_use]
pub fn dies_with_us(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// `kubectl` with these arguments.
#[must_use]
pub fn kubectl(arguments: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.args(arguments);
    command
}

fn describe(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A program that runs until it is told not to, and at the latest until this is dropped; then it is gone. Its lines are
/// kept.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    count_rx: watch::Receiver<usize>,
}

impl Running {
    /// Starts `command` and listens to what it prints, errors among it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = describe(&command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{name}: cannot be started"))?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (count_tx, count_rx) = watch::channel(0);
        let count_tx = Arc::new(count_tx);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(keep(stdout, Arc::clone(&lines), Arc::clone(&count_tx)));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(keep(stderr, Arc::clone(&lines), count_tx));
        }
        Ok(Self { name, child, lines, count_rx })
    }

    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first line, from the `skip`-th on, that `wanted` makes something of, as soon as it is there.
    ///
    /// # Errors
    /// The deadline passes or the program ends; the sentence has the last lines.
    pub async fn line<T>(
        &mut self,
        skip: usize,
        wanted: impl Fn(&str) -> Option<T>,
        what: &str,
        deadline: Duration,
    ) -> Result<T> {
        let mut count_rx = self.count_rx.clone();
        let search = async {
            loop {
                count_rx.borrow_and_update();
                if let Some(found) = self.lines().iter().skip(skip).find_map(|line| wanted(line)) {
                    return Some(found);
                }
                if count_rx.changed().await.is_err() {
                    return None;
                }
            }
        };
        match tokio::time::timeout(deadline, search).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => bail!("{} ended before {what}; it said:\n{}", self.name, self.last_lines()),
            Err(_) => bail!(
                "waited {deadline:?} in vain for {what} from {}; it said:\n{}",
                self.name,
                self.last_lines()
            ),
        }
    }

    /// Its number.
    ///
    /// # Errors
    /// It has ended already.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().with_context(|| format!("{} has ended already", self.name))
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends `signal` (a number) to it.
    ///
    /// # Errors
    /// It has ended already.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.pid()?;
        let mut command = Command::new("kill");
        command.args(["-s", signal, &pid.to_string()]);
        output(command).await.map(drop)
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// The deadline passes first.
    pub async fn ended(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let name = self.name.clone();
        let Ok(status) = tokio::time::timeout(deadline, self.child.wait()).await else {
            bail!(
                "waited {deadline:?} in vain for the end of {name}; it said:\n{}",
                self.last_lines()
            );
        };
        status.with_context(|| format!("cannot wait for {name}"))
    }

    /// The end of what it said, for a sentence about its failure.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let lines = self.lines();
        lines.iter().skip(lines.len().saturating_sub(20)).cloned().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Running {
    /// Whoever comes next finds its files and ports free. The kernel needs milliseconds to end what was killed.
    fn drop(&mut self) {
        let end = Instant::now() + LAST_BREATH;
        // Nothing to kill: it has ended.
        drop(self.child.start_kill());
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

async fn keep(
    source: impl AsyncRead + Unpin,
    lines: Arc<Mutex<Vec<String>>>,
    count_tx: Arc<watch::Sender<usize>>,
) {
    let mut source = BufReader::new(source).lines();
    while let Ok(Some(line)) = source.next_line().await {
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        count_tx.send_modify(|count| *count = count.saturating_add(1));
    }
}
