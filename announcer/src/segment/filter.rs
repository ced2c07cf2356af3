//! What the kernel hands up from a link: hellos, ARP, neighbour solicitations and advertisements. Everything else stays
//! where it is, so a busy link costs this thread nothing.
//!
//! A classic BPF program (<https://docs.kernel.org/networking/filter.html>). Frames to other hosts and frames that leave
//! are left out, and so are those of a VLAN: they belong to the VLAN's own link.

use protocols::ethernet::EtherType;
use protocols::hello::frame::GROUP;
use socket2::SockFilter;

/// Octets of a frame that are handed up; more than any of these has.
pub(super) const LONGEST: u32 = 2_048;

const UDP: u32 = 17;
const ICMPV6: u32 = 58;
const SOLICITATION: u32 = 135;
const ADVERTISEMENT: u32 = 136;
/// The last of host, broadcast, multicast (`PACKET_*`); those to other hosts and those that leave come after them.
const MULTICAST: u32 = 2;
/// The number of a VLAN in its tag; zero is a tag that only has a priority.
const VLAN: u32 = 0x0fff;
/// More fragments, or not the first.
const FRAGMENT: u32 = 0x3fff;

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_OCTET: u16 = 0x30;
const IF_EQUAL: u16 = 0x15;
const IF_GREATER: u16 = 0x25;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Where the kernel shows what it knows about a frame (`SKF_AD_OFF`).
const ABOUT: u32 = 0xffff_f000;
const PACKET_TYPE: u32 = ABOUT + 4;
const VLAN_TAG: u32 = ABOUT + 44;

/// The program for hellos to `port`.
pub(super) fn program(port: u16) -> [SockFilter; 23] {
    // A jump counts the steps that are left out; the last is the end of a frame that is not for us.
    let step = SockFilter::new;
    [
        step(LOAD_WORD, 0, 0, PACKET_TYPE),
        step(IF_GREATER, 20, 0, MULTICAST),
        step(LOAD_WORD, 0, 0, VLAN_TAG),
        step(IF_ANY_BIT, 18, 0, VLAN),
        step(LOAD_HALF, 0, 0, 12),
        step(IF_EQUAL, 15, 0, EtherType::ARP.0.into()),
        step(IF_EQUAL, 9, 0, EtherType::IPV6.0.into()),
        step(IF_EQUAL, 0, 14, EtherType::IPV4.0.into()),
        // IPv4: the group, UDP, whole, the port behind a header without options.
        step(LOAD_WORD, 0, 0, 30),
        step(IF_EQUAL, 0, 12, GROUP.to_bits()),
        step(LOAD_OCTET, 0, 0, 23),
        step(IF_EQUAL, 0, 10, UDP),
        step(LOAD_HALF, 0, 0, 20),
        step(IF_ANY_BIT, 8, 0, FRAGMENT),
        step(LOAD_HALF, 0, 0, 36),
        step(IF_EQUAL, 5, 6, port.into()),
        // IPv6: ICMPv6 right behind the header, and the two types.
        step(LOAD_OCTET, 0, 0, 20),
        step(IF_EQUAL, 0, 4, ICMPV6),
        step(LOAD_OCTET, 0, 0, 54),
        step(IF_EQUAL, 1, 0, SOLICITATION),
        step(IF_EQUAL, 0, 1, ADVERTISEMENT),
        step(RETURN, 0, 0, LONGEST),
        step(RETURN, 0, 0, 0),
    ]
}
