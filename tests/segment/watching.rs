//! What is printed as it happens.

use anyhow::Result;
use std::net::IpAddr;
use std::time::Duration;
use tests::bare_segment::BareSegment;
use tests::figures::written;
use tests::segment::capture::Capture;
use tests::segment::reach::Reach;
use tokio::task::JoinHandle;

/// Something that is watched until this is dropped.
pub(crate) struct Watching {
    task: JoinHandle<()>,
}

/// Longest wait for one more line: nobody types for longer.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

impl Watching {
    /// Prints every gap in the answers of `address` to ICMP.
    pub(crate) fn gaps(segment: &BareSegment, address: IpAddr) -> Result<Self> {
        let mut reach = Reach::ping(segment, address)?;
        let task = tokio::spawn(async move {
            let mut seen = 0;
            while let Ok(gap) = reach.gap(seen, FOR_EVER).await {
                seen = reach.mark();
                let end = gap.to.as_secs_f64();
                println!("{end:.3} {address}: no answer for {}", written(gap.length()));
            }
        });
        Ok(Self { task })
    }

    /// Prints each change of who speaks for `address` in ARP or by advertisements, as the client hears it.
    pub(crate) async fn answers(segment: &BareSegment, address: IpAddr) -> Result<Self> {
        let capture = Capture::start(segment).await?;
        let task = tokio::spawn(async move {
            let mut last = None;
            let mut seen = Duration::ZERO;
            loop {
                let changed = |mac: &String| last.as_ref() != Some(mac);
                let next = capture.first(
                    |frame| {
                        frame.at > seen
                            && frame.speaks_for(address).is_some_and(|mac| changed(&mac))
                    },
                    "another one that speaks",
                    FOR_EVER,
                );
                let Ok(frame) = next.await else { return };
                let mac = frame.speaks_for(address);
                println!(
                    "{:.3} {address} is at {}",
                    frame.at.as_secs_f64(),
                    mac.clone().unwrap_or_default()
                );
                (last, seen) = (mac, frame.at);
            }
        });
        Ok(Self { task })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}
