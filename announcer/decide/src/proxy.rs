//! Whether the kube-proxy of this host works: what is sent to a Service is lost on a node where it does not.

use crate::world::World;
use model::node::Standing;

/// Bad answers in a row after which a proxy that worked has failed.
const FAILURES: u32 = 3;

/// What its answers say. Only one that has worked can fail: many clusters do without kube-proxy, and there nobody ever
/// answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proxy {
    /// Whether it was told to work; `None`: nothing was told yet.
    told: Option<bool>,
    failures: u32,
}

impl Proxy {
    /// Takes in whether it was asked in vain or is well; what is to be told, if that is new.
    pub fn answered(&mut self, well: bool) -> Option<bool> {
        self.failures = if well { 0 } else { self.failures.saturating_add(1) };
        let works = match self.told {
            None => well.then_some(true)?,
            Some(_) if well => true,
            Some(told) => told && self.failures < FAILURES,
        };
        (self.told.replace(works) != Some(works)).then_some(works)
    }
}

/// How well this node can serve Services, as far as that is up to its proxy.
pub(crate) const fn standing(world: &World) -> Standing {
    if world.proxy_fails() { Standing::FAILING } else { Standing::FIT }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answers: &[bool]) -> Vec<Option<bool>> {
        let mut proxy = Proxy::default();
        answers.iter().map(|well| proxy.answered(*well)).collect()
    }

    #[test]
    fn where_there_is_no_proxy_nothing_is_told() {
        assert_eq!(told(&[false; 100]), [None; 100]);
    }

    #[test]
    fn a_proxy_that_worked_fails_with_the_third_bad_answer_in_a_row() {
        let answers = [false, true, false, false, true, false, false, false, false];
        let mut expected = [None; 9];
        (expected[1], expected[7]) = (Some(true), Some(false));
        assert_eq!(told(&answers), expected);
    }

    #[test]
    fn one_good_answer_is_enough_to_work_again() {
        let answers = [true, false, false, false, true, true, false];
        let expected = [Some(true), None, None, Some(false), Some(true), None, None];
        assert_eq!(told(&answers), expected);
    }
}
