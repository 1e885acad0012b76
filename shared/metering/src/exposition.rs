//! The Prometheus text format, version 0.0.4.

use penfold_ports::Meter;
use std::fmt::Write;

/// A number that somebody else counts.
#[derive(Clone, Debug)]
pub struct Gauge {
    pub name: &'static str,
    pub help: &'static str,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    pub value: f64,
}

/// Requests and request units by operation (not by tenant: that belongs in the usage API, not in a metric's labels), then
/// the gauges.
pub fn exposition(meter: &Meter, gauges: &[Gauge]) -> String {
    let mut totals = std::collections::BTreeMap::new();
    for usage in meter.usage() {
        let entry: &mut (u64, penfold_ports::Units) = totals.entry(usage.operation).or_default();
        entry.0 += usage.requests;
        entry.1 += usage.units;
    }
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_units(&mut out, &totals);
    for gauge in gauges {
        let _ = writeln!(out, "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}", gauge.name, gauge.help, gauge.kind, gauge.value);
    }
    out
}

type Totals = std::collections::BTreeMap<&'static str, (u64, penfold_ports::Units)>;

fn write_units(out: &mut String, totals: &Totals) -> std::fmt::Result {
    writeln!(out, "# HELP penfold_port_requests_total Requests to the store by operation.\n# TYPE penfold_port_requests_total counter")?;
    for (operation, (requests, _)) in totals {
        writeln!(out, "penfold_port_requests_total{{operation=\"{operation}\"}} {requests}")?;
    }
    writeln!(out, "# HELP penfold_units_total Request units as DynamoDB, S3 and SQS would bill them.\n# TYPE penfold_units_total counter")?;
    for (operation, (_, units)) in totals {
        let kinds = [
            ("read", units.read),
            ("write", units.write),
            ("blob_put", units.blob_put),
            ("blob_get", units.blob_get),
            ("blob_delete", units.blob_delete),
            ("queue", units.queue),
        ];
        for (kind, value) in kinds.into_iter().filter(|(_, value)| *value > 0) {
            writeln!(out, "penfold_units_total{{operation=\"{operation}\",kind=\"{kind}\"}} {value}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_ports::Units;

    #[test]
    fn tenants_are_added_up_and_zeros_left_out() {
        let meter = Meter::default();
        meter.add("deliver", None, Units { write: 5, ..Units::default() });
        meter.add("deliver", Some(penfold_types::TenantId::from_bytes([1; 16])), Units { write: 7, read: 1, ..Units::default() });
        let text = exposition(&meter, &[Gauge { name: "penfold_up", help: "Serving.", kind: "gauge", value: 1.0 }]);
        assert!(text.contains("penfold_units_total{operation=\"deliver\",kind=\"write\"} 12\n"), "{text}");
        assert!(text.contains("penfold_port_requests_total{operation=\"deliver\"} 2\n"), "{text}");
        assert!(!text.contains("blob_put"), "{text}");
        assert!(text.ends_with("penfold_up 1\n"), "{text}");
    }
}
