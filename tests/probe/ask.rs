//! Questions who has an address, as a client asks that has never heard of it. The kernel asks them: `ip neigh` makes an entry that
//! has to be probed at the broadcast address at once, over and over. Whoever listens beside it hears the answers.

use anyhow::{Context, Result};
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Pause between two questions for an address. (The kernel adds up to 4 ms.)
const PERIOD: Duration = Duration::from_millis(8);

/// Asks for all `addresses` on `eth0` for ever.
pub(crate) fn watch(addresses: &[IpAddr]) -> Result<()> {
    let mut ip = Command::new("ip")
        .args(["-force", "-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("ip (Debian package iproute2) cannot be started")?;
    let mut stdin = ip.stdin.take().context("ip has no standard input")?;
    let questions: String = addresses.iter().map(|address| question(*address)).collect();
    loop {
        stdin.write_all(questions.as_bytes()).context("ip has ended")?;
        thread::sleep(PERIOD);
    }
}

/// A line of `ip`: an entry at the address to which a first question goes, to be asked at once whether it still holds.
fn question(address: IpAddr) -> String {
    let everybody = match address {
        IpAddr::V4(_) => "ff:ff:ff:ff:ff:ff".to_owned(),
        // The solicited-node address (RFC 4291, section 2.7.1), on Ethernet (RFC 2464, section 7).
        IpAddr::V6(address) => {
            let [.., high, middle, low] = address.octets();
            format!("33:33:ff:{high:02x}:{middle:02x}:{low:02x}")
        }
    };
    format!("neigh replace {address} lladdr {everybody} dev eth0 nud probe\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_question_goes_to_the_solicited_node_address() {
        let line = question("fd98:18::1:100".parse().unwrap());
        assert_eq!(
            line,
            "neigh replace fd98:18::1:100 lladdr 33:33:ff:01:01:00 dev eth0 nud probe\n"
        );
    }
}
