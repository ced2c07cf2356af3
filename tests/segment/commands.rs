//! What can be typed.

use crate::watching::Watching;
use anyhow::{Context, Result, bail};
use std::net::IpAddr;
use std::time::Duration;
use tests::bare_segment::BareSegment;
use tests::bare_segment::gate::Way;
use tests::figures::now;
use tests::lan::faults::{Fault, Frames};
use tests::segment::{answering, carrying};

const HELP: &str = "\
start NODE|all [VARIABLE=VALUE...]   start the announcer (again)
kill|stop|cont|term NODE             SIGKILL, SIGSTOP, SIGCONT, SIGTERM to it
log NODE                             what it said last
expose NAME ADDRESS[,ADDRESS]        a Service with endpoints on all nodes
cordon|uncordon|ready|unready NODE   what its Node object says
cut|detach|mute|deafen NODE          no carrier; a carrier and nothing else; nobody hears it; it hears nobody
split NODE...                        these on a segment of their own
lose PERCENT [UDP-PORT]              of all frames, or of those to a port
mend                                 end all faults
api open|silent|refused [NODE]       the way to the API server, of one node or all
ping ADDRESS...                      every 5 ms from the client; gaps are printed
moves ADDRESS...                     who is seen to answer, from now on
who ADDRESS...                       who has it, who answers ARP for it
sleep SECONDS | help | quit";

/// A segment, and what has been set up on it.
pub(crate) struct Desk {
    // Dropped in this order.
    watching: Vec<Watching>,
    faults: Vec<Fault>,
    segment: BareSegment,
}

impl Desk {
    pub(crate) const fn new(segment: BareSegment) -> Self {
        Self { watching: Vec::new(), faults: Vec::new(), segment }
    }

    /// Does what `words` say.
    pub(crate) async fn obey(&mut self, words: &[&str]) -> Result<()> {
        println!("{:.3} {}", now().as_secs_f64(), words.join(" "));
        let fault = match words {
            ["help"] => {
                println!("{HELP}");
                return Ok(());
            }
            ["sleep", seconds] => {
                tokio::time::sleep(Duration::from_secs_f64(seconds.parse()?)).await;
                return Ok(());
            }
            ["mend"] => {
                self.faults.clear();
                return Ok(());
            }
            ["cut", node] => self.segment.cut(node).await?,
            ["detach", node] => self.segment.detach(node).await?,
            ["mute", node] => self.segment.mute(node).await?,
            ["deafen", node] => self.segment.deafen(node).await?,
            ["split", nodes @ ..] => self.segment.split(nodes).await?,
            ["lose", percent] => self.segment.lose(percent.parse()?, Frames::All).await?,
            ["lose", percent, port] => {
                self.segment.lose(percent.parse()?, Frames::Udp(port.parse()?)).await?
            }
            ["ping" | "moves" | "who", addresses @ ..] => {
                return self.look(words.first().unwrap_or(&""), addresses).await;
            }
            words => return self.tell(words).await,
        };
        self.faults.push(fault);
        Ok(())
    }

    /// What the API server or an announcer is told.
    async fn tell(&mut self, words: &[&str]) -> Result<()> {
        let segment = &mut self.segment;
        match words {
            ["start", node, settings @ ..] => {
                let settings: Vec<_> =
                    settings.iter().filter_map(|it| it.split_once('=')).collect();
                match *node {
                    "all" => segment.start_announcers(&settings),
                    node => segment.start_announcer(node, &settings),
                }
            }
            ["kill", node] => segment.announcer(node)?.kill().await,
            ["stop", node] => segment.announcer(node)?.signal("STOP").await,
            ["cont", node] => segment.announcer(node)?.signal("CONT").await,
            ["term", node] => segment.announcer(node)?.signal("TERM").await,
            ["log", node] => {
                println!("{}", segment.announcer(node)?.last_lines());
                Ok(())
            }
            ["expose", name, addresses] => {
                let addresses =
                    addresses.split(',').map(str::parse).collect::<Result<Vec<IpAddr>, _>>()?;
                segment.expose(name, &addresses, segment.nodes()).await.map(drop)
            }
            ["cordon", node] => segment.set_cordoned(node, true).await,
            ["uncordon", node] => segment.set_cordoned(node, false).await,
            ["ready", node] => segment.set_ready(node, true).await,
            ["unready", node] => segment.set_ready(node, false).await,
            ["api", way, nodes @ ..] => {
                let way = way_called(way)?;
                match nodes {
                    [] => segment.api_way_of_all(way),
                    nodes => nodes.iter().try_for_each(|node| segment.api_way(node, way))?,
                }
                Ok(())
            }
            _ => bail!("not understood; `help` lists what is"),
        }
    }

    async fn look(&mut self, how: &str, addresses: &[&str]) -> Result<()> {
        for address in addresses {
            let address: IpAddr = address.parse().with_context(|| format!("{address} is none"))?;
            match how {
                "ping" => self.watching.push(Watching::gaps(&self.segment, address)?),
                "moves" => self.watching.push(Watching::answers(&self.segment, address).await?),
                _ => {
                    let has = carrying(&self.segment, address).await?;
                    let answers = if address.is_ipv4() {
                        format!("{:?}", answering(&self.segment, address).await?)
                    } else {
                        "-".to_owned()
                    };
                    println!("{address}: on {has:?}, answered by {answers}");
                }
            }
        }
        Ok(())
    }
}

fn way_called(name: &str) -> Result<Way> {
    Ok(match name {
        "open" => Way::Open,
        "silent" => Way::Silent,
        "refused" => Way::Refused,
        _ => bail!("{name} is none of open, silent, refused"),
    })
}
