//! What the decision on one address costs, whatever the pool and however many have one already.

use crate::report::{Table, Unit};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;
use tests::figures::percentile;

/// Shapes of the pool from which the next address is given.
const SHAPES: [&str; 4] = ["/29", "/8", "/64", "fragmented"];
/// How many Services have an address already.
const HOLDERS: [u32; 5] = [10, 100, 1_000, 10_000, 50_000];
/// Of these the instructions are counted, too, which takes a while.
const COUNTED: [u32; 3] = [10, 1_000, 50_000];
/// Allocations that are timed.
const TIMED: u32 = 2_000;
/// Allocations whose instructions are counted together: so many that what the heap puts off now and then is spread.
const TOGETHER: u32 = 500;
/// What is asked for with most holders, in microseconds.
const ASKED: f64 = 5.0;

/// Time of one allocation.
pub(crate) fn times() -> Result<Table> {
    let mut table = Table::new("The allocator alone: median time of one", &SHAPES);
    for holders in HOLDERS {
        let times = SHAPES.iter().map(|shape| time(shape, holders)).collect::<Result<Vec<_>>>()?;
        // The first value is compared; the fragmented pool is the hard one, and has a line of its own.
        table.line(format!("{holders} addresses in use"), Unit::Microseconds, &times);
        if let (true, Some(worst)) = (Some(&holders) == HOLDERS.last(), times.last()) {
            let what = format!("{holders} in use, fragmented pool");
            table.bounded_line(what, Unit::Microseconds, &[*worst], ASKED);
        }
    }
    Ok(table)
}

/// Instructions of one allocation.
pub(crate) fn instructions() -> Result<Table> {
    let mut table =
        Table::new("The allocator alone: instructions to give one and take it back", &SHAPES);
    for holders in COUNTED {
        let counts =
            SHAPES.iter().map(|shape| count(shape, holders)).collect::<Result<Vec<_>>>()?;
        table.line(format!("{holders} addresses in use"), Unit::Instructions, &counts);
    }
    Ok(table)
}

fn time(shape: &str, holders: u32) -> Result<f64> {
    let printed = run(&mut allocator("time", shape, holders, TIMED)?)?.0;
    let nanoseconds = printed.lines().map(|line| Ok(Duration::from_nanos(line.parse()?)));
    let times = nanoseconds.collect::<Result<Vec<_>>>()?;
    Ok(Unit::Microseconds.of(percentile(&times, 50)))
}

fn count(shape: &str, holders: u32) -> Result<f64> {
    let some = references(shape, holders, TOGETHER.saturating_add(1))?;
    let one = references(shape, holders, 1)?;
    let more = some.checked_sub(one).context("fewer instructions for more work")?;
    Ok(f64::from(u32::try_from(more)?) / f64::from(TOGETHER))
}

/// All instructions of a run with `allocations`, as cachegrind counts them.
fn references(shape: &str, holders: u32, allocations: u32) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    let allocator = allocator("make", shape, holders, allocations)?;
    let said = run(command.arg(allocator.get_program()).args(allocator.get_args()))?.1;
    let line = said.lines().find_map(|line| line.split_once("refs:"));
    let count = line.context("valgrind counts nothing")?.1.trim().replace(',', "");
    count.parse().with_context(|| format!("{count} is not a count"))
}

fn allocator(what: &str, shape: &str, holders: u32, count: u32) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name("allocator"));
    command.args([what, shape, &holders.to_string(), &count.to_string()]);
    Ok(command)
}

/// What a command printed and what it said.
fn run(command: &mut Command) -> Result<(String, String)> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{command:?} failed: {said}");
    Ok((String::from_utf8(output.stdout)?, said))
}
