//! Network namespaces of a test's own, cabled with veth pairs, and what independent eyes see in them: tcpdump and ip.
//!
//! Names carry the process and a counter, so that runs side by side do not meet. Whatever a test makes goes when it
//! ends, also by a panic: dropping a [`Namespace`] deletes it, and with it every link in it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a harness: what goes wrong here ends the test with a sentence"
)]

use nix::sched::{CloneFlags, setns};
use serde_json::Value;
use std::fs::File;
use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long anything that must happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A network namespace that goes with this value.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes an empty namespace with its loopback up and without duplicate address detection.
    #[must_use]
    pub fn make(role: &str) -> Self {
        let name =
            format!("kvt{}-{}-{role}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let made = run(Command::new("ip").args(["netns", "add", &name]), "");
        if let Err(why) = made {
            panic!(
                "cannot make a network namespace; these tests must run as root (CAP_SYS_ADMIN, CAP_NET_ADMIN): {why}"
            );
        }
        let namespace = Self { name };
        namespace.ip("link set lo up");
        namespace.sysctl("net/ipv6/conf/default/accept_dad", "0");
        namespace
    }

    /// Runs `ip` with these arguments in here; what it wrote.
    pub fn ip(&self, arguments: &str) -> String {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name]).args(arguments.split_whitespace());
        run(&mut command, "").unwrap_or_else(|why| panic!("ip in {}: {why}", self.name))
    }

    /// Runs many lines of `ip`, one after the other, in one process.
    pub fn ip_batch(&self, lines: &str) -> String {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name, "-batch", "-"]);
        run(&mut command, &format!("{lines}\n"))
            .unwrap_or_else(|why| panic!("ip in {}: {why}", self.name))
    }

    /// Runs `ip -j` with these arguments in here; the objects it lists.
    #[must_use]
    pub fn ip_json(&self, arguments: &str) -> Vec<Value> {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name, "-j", "-details"]).args(arguments.split_whitespace());
        let written = run(&mut command, "")
            .unwrap_or_else(|why| panic!("ip -j {arguments} in {}: {why}", self.name));
        if written.trim().is_empty() {
            return Vec::new();
        }
        serde_json::from_str(&written)
            .unwrap_or_else(|why| panic!("ip -j {arguments} wrote no JSON: {why}"))
    }

    /// Every address of `link` as `ip` shows it.
    #[must_use]
    pub fn addresses(&self, link: &str) -> Vec<Value> {
        let listed = self.ip_json(&format!("addr show dev {link}"));
        listed
            .iter()
            .filter_map(|link| link.get("addr_info")?.as_array().cloned())
            .flatten()
            .collect()
    }

    /// The kernel's number for `link`.
    #[must_use]
    pub fn index(&self, link: &str) -> u32 {
        let listed = self.ip_json(&format!("link show dev {link}"));
        let index =
            listed.first().and_then(|link| u32::try_from(link.get("ifindex")?.as_u64()?).ok());
        index.unwrap_or_else(|| panic!("ip shows no number for {link}"))
    }

    /// Writes one setting of /proc/sys in here.
    pub fn sysctl(&self, key: &str, value: &str) {
        let mut command = self.command("tee");
        command.arg(format!("/proc/sys/{key}"));
        run(&mut command, value)
            .unwrap_or_else(|why| panic!("cannot set {key} in {}: {why}", self.name));
    }

    /// A program that is to run in here.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs what `make` makes, in here: on a thread of its own that has entered the namespace, and a runtime there.
    pub fn start<T, Made>(&self, make: impl FnOnce() -> Made + Send + 'static) -> Inside<T>
    where
        T: Send + 'static,
        Made: Future<Output = T>,
    {
        let path = format!("/run/netns/{}", self.name);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let namespace =
                File::open(&path).unwrap_or_else(|why| panic!("cannot open {path}: {why}"));
            setns(namespace, CloneFlags::CLONE_NEWNET)
                .unwrap_or_else(|why| panic!("cannot enter {path}: {why}"));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(async {
                tokio::select! {
                    made = make() => Some(made),
                    _ = stopped => None,
                }
            })
        });
        Inside { thread: Some(thread), stop: Some(stop) }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Nothing to do about a failure here; the name says whose it was.
        let _ = run(Command::new("ip").args(["netns", "delete", &self.name]), "");
    }
}

/// What runs inside a namespace; dropping it stops it.
#[derive(Debug)]
pub struct Inside<T> {
    thread: Option<JoinHandle<Option<T>>>,
    stop: Option<oneshot::Sender<()>>,
}

impl<T> Inside<T> {
    /// Waits for its end.
    pub fn finish(mut self) -> T {
        let thread = self.thread.take().expect("it is finished once");
        match thread.join() {
            Ok(made) => made.expect("nobody has stopped it"),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl<T> Drop for Inside<T> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Two hosts on one cable: each has an `eth0`, both up.
#[derive(Debug)]
pub struct Segment {
    /// The host under test; its `eth0` is 02:00:00:00:00:01.
    pub node: Namespace,
    /// Its neighbour; its `eth0` is 02:00:00:00:00:02.
    pub peer: Namespace,
}

impl Segment {
    /// Makes both hosts and the cable.
    #[must_use]
    pub fn make() -> Self {
        let segment = Self { node: Namespace::make("node"), peer: Namespace::make("peer") };
        segment.node.ip(&format!(
            "link add eth0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns {}",
            segment.peer.name
        ));
        segment.node.ip("link set eth0 up");
        segment.peer.ip("link set eth0 up");
        segment
    }
}

/// A program whose lines are read as they come; it ends with this value.
#[derive(Debug)]
pub struct Capture {
    child: Child,
    lines: Receiver<String>,
    ahead: Option<String>,
}

/// One frame as tcpdump wrote it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When the kernel saw it, since 1970.
    pub at: Duration,
    /// Everything tcpdump said about it.
    pub text: String,
}

impl Capture {
    /// Starts tcpdump on `link`; everything that `filter` lets through from here on is seen.
    #[must_use]
    pub fn start(namespace: &Namespace, link: &str, filter: &str) -> Self {
        let mut command = namespace.command("tcpdump");
        command.args([
            "-l",
            "-n",
            "-e",
            "-tt",
            "-vv",
            "--immediate-mode",
            "-Z",
            "root",
            "-B",
            "16384",
            "-i",
            link,
        ]);
        command.arg(filter).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|why| panic!("cannot start ip netns exec (iproute2): {why}"));
        let mut said = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let mut heard = String::new();
        while !heard.contains("listening on") {
            if said.read_line(&mut heard).expect("stderr can be read") == 0 {
                panic!("tcpdump (Debian package tcpdump) does not listen on {link}: {heard}");
            }
        }
        // Somebody has to read on, or tcpdump would wait for a full pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let (line_tx, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| line_tx.send(line))
        });
        Self { child, lines, ahead: None }
    }

    /// The next frame; `None` when `patience` runs out first.
    pub fn next(&mut self, patience: Duration) -> Option<Frame> {
        let end = Instant::now() + patience;
        let mut first = self.ahead.take().or_else(|| self.line(end))?;
        // Lines that are set in belong to the frame before them.
        while first.starts_with(char::is_whitespace) {
            first = self.line(end)?;
        }
        let at = first
            .split_whitespace()
            .next()
            .and_then(|stamp| stamp.parse().ok())
            .map(Duration::from_secs_f64);
        let at = at.unwrap_or_else(|| panic!("tcpdump wrote no time: {first}"));
        let mut frame = Frame { at, text: first };
        // The option of an advertisement stands on a line of its own, and so does what is inside IPv4.
        if frame.text.contains("neighbor advertisement") || frame.text.contains("proto UDP") {
            match self.line(end) {
                Some(option) if option.starts_with(char::is_whitespace) => {
                    frame.text.push_str(&option)
                }
                other => self.ahead = other,
            }
        }
        Some(frame)
    }

    /// The next frame, which must come.
    pub fn expect(&mut self) -> Frame {
        self.next(PATIENCE).unwrap_or_else(|| panic!("tcpdump saw no frame within {PATIENCE:?}"))
    }

    fn line(&self, end: Instant) -> Option<String> {
        match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("tcpdump has ended"),
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until `answer` gives something, for what announces itself to nobody.
pub fn eventually<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = answer() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a program to its end; what it wrote, or a sentence about what went wrong.
fn run(command: &mut Command, input: &str) -> Result<String, String> {
    let spawned =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child =
        spawned.map_err(|why| format!("{command:?} (Debian package iproute2): {why}"))?;
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    let text = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let mut errors = child.stderr.take().ok_or("no stderr")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });
    let mut written = String::new();
    let mut out = child.stdout.take().ok_or("no stdout")?;
    out.read_to_string(&mut written).map_err(|why| why.to_string())?;
    // A program that reads no input closes it; that is no fault.
    let _ = writer.join();
    let errors = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    let status = child.wait().map_err(|why| why.to_string())?;
    if status.success() { Ok(written) } else { Err(format!("{command:?}: {status}: {errors}")) }
}
