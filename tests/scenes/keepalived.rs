//! The eyes of these tests, on one whose behaviour is known: keepalived.

use anyhow::{Result, ensure};
use tests::bed::{ipv4, ipv6};
use tests::keepalived::Keepalived;
use tests::lan::made::MadeLan;
use tests::scenes::cable::{Cut, pull};
use tests::scenes::process::kill;
use tests::scenes::watch::Watch;

#[tokio::test]
async fn a_move_and_two_owners_are_seen_where_keepalived_makes_them() -> Result<()> {
    let lan = MadeLan::make(2).await?;
    let addresses = [ipv4(100), ipv6(100)];
    let mut keepalived = Keepalived::start(&lan, &["n1", "n2"], addresses, "0.1")?;
    let mut watch = Watch::start(&lan, &addresses).await?;
    let pulled = pull(&mut keepalived, &mut watch, Cut::Cable).await?;
    println!("{pulled:?}");
    ensure!(pulled.verdict.moves == 1 && pulled.from != pulled.to, "{pulled:?}");
    ensure!(pulled.verdict.gaps.iter().all(|(_, gap)| !gap.is_zero()), "{pulled:?}");
    // Nobody takes the address off a node whose keepalived is dead.
    let killed = kill(&mut keepalived, &mut watch).await?;
    println!("{killed:?}");
    ensure!(killed.silent_after.is_none() && !killed.verdict.overlap.is_zero(), "{killed:?}");
    Ok(())
}
