//! Which keys a server announces changes of.

use redis::Value;

use super::{problem::Problem, reply::as_text};

/// The keys whose changes a server announces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Announced {
    /// The slots of a node of a cluster. For a single server, how often databases were exchanged.
    keys: String,
    /// Whether slots are being moved. Then another node may change keys in them.
    pub(super) is_moving: bool,
}

impl Announced {
    /// Reads the reply of a single server to `INFO commandstats`. It does not announce that
    /// `SWAPDB` has exchanged its keys for those of another database, but it counts this.
    ///
    /// # Errors
    ///
    /// [`Problem::Refused`] if the reply cannot be understood.
    pub(super) fn by_primary(statistics: &Value, server: &str) -> Result<Self, Problem> {
        let unclear = || Problem::Refused {
            server: server.to_owned(),
            reason: "its statistics are not understood".to_owned(),
        };
        let mut lines = as_text(statistics).ok_or_else(unclear)?.lines();
        let exchanges = lines.find_map(|line| line.strip_prefix("cmdstat_swapdb:"));
        let count = exchanges.and_then(|it| it.split(',').next());
        Ok(Self {
            keys: count.unwrap_or_default().to_owned(),
            is_moving: false,
        })
    }

    /// Reads the replies of a node to `CLUSTER INFO` and `CLUSTER NODES`.
    ///
    /// # Errors
    ///
    /// [`Problem::Refused`] if the node does not answer for its keys now, or cannot be understood.
    pub(super) fn by_node(info: &Value, nodes: &Value, server: &str) -> Result<Self, Problem> {
        let refused = |reason: &str| Problem::Refused {
            server: server.to_owned(),
            reason: reason.to_owned(),
        };
        let unclear = || refused("its replies about the cluster are not understood");
        let is_ok = |line: &str| line.trim_end() == "cluster_state:ok";
        if !as_text(info).ok_or_else(unclear)?.lines().any(is_ok) {
            return Err(refused("the cluster is down"));
        }
        // id address flags primary ping pong epoch link slot slot [slot->-id] …
        let mut nodes = as_text(nodes)
            .ok_or_else(unclear)?
            .lines()
            .map(|line| line.splitn(9, ' '));
        let slots = nodes.find_map(|mut fields| {
            let flags = fields.nth(2)?;
            let is_this = flags.split(',').any(|flag| flag == "myself");
            is_this.then(|| fields.nth(5).unwrap_or_default().trim_end().to_owned())
        });
        let slots = slots.ok_or_else(unclear)?;
        Ok(Self {
            is_moving: slots.contains('['),
            keys: slots,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "\
07c3 10.0.0.4:30004@31004,host slave e7d1 0 1426238317239 4 connected\n\
67ed 10.0.0.2:30002@31002 master - 0 1426238316232 2 connected 5461-10922\n\
e7d1 10.0.0.1:30001@31001 myself,master - 0 0 1 connected SLOTS\n";

    fn announced(state: &str, slots: &str) -> Result<Announced, Problem> {
        let info = Value::BulkString(format!("cluster_state:{state}\r\nx:1\r\n").into_bytes());
        let nodes = NODES.replace("SLOTS", slots);
        let nodes = Value::BulkString(nodes.into_bytes());
        Announced::by_node(&info, &nodes, "server")
    }

    #[test]
    fn exchanged_databases_are_counted() {
        let announced = |statistics: &str| {
            let statistics = Value::BulkString(statistics.into());
            Announced::by_primary(&statistics, "server").ok()
        };
        let never = announced("# Commandstats\r\ncmdstat_get:calls=1,usec=2\r\n");
        let line =
            |calls| format!("cmdstat_get:calls=1\r\ncmdstat_swapdb:calls={calls},usec=7\r\n");
        assert!(never.is_some() && never != announced(&line(1)));
        assert_ne!(announced(&line(1)), announced(&line(2)));
        assert_eq!(
            announced(&line(1)),
            announced(&line(1).replace("usec=7", "usec=8"))
        );
        assert!(Announced::by_primary(&Value::Nil, "server").is_err());
    }

    #[test]
    fn the_slots_of_a_node_are_those_on_its_own_line() {
        let expected = |slots: &str, is_moving| Announced {
            keys: slots.to_owned(),
            is_moving,
        };
        let all = "0-5460 9000";
        assert_eq!(announced("ok", all).ok(), Some(expected(all, false)));
        assert_eq!(announced("ok", "").ok(), Some(expected("", false)));
        for moving in ["0-5460 [93->-67ed]", "0-5460 [77-<-67ed]"] {
            assert_eq!(announced("ok", moving).ok(), Some(expected(moving, true)));
        }
    }

    #[test]
    fn a_node_of_a_cluster_that_is_down_or_unclear_announces_nothing() {
        assert!(announced("fail", "0-5460").is_err());
        let info = Value::BulkString(b"cluster_state:ok\r\n".to_vec());
        for nodes in [
            "",
            "\n",
            "x",
            "e7d1 10.0.0.1:1@2 master - 0 0 1 connected 0-1\n",
        ] {
            let nodes = Value::BulkString(nodes.into());
            assert!(Announced::by_node(&info, &nodes, "server").is_err());
        }
        assert!(Announced::by_node(&info, &Value::Nil, "server").is_err());
    }
}
